//! Addresses at which somebody lives who is known here. An address proves nothing; but what strangers can use up is kept
//! for these, too.

use std::net::{IpAddr, SocketAddr};

use heapless::HistoryBuf;

use super::calls::Calls;
use super::known::Verdict;
use super::leg::Leg;

/// Addresses of callers and callees with remembered keys. The oldest is forgotten; stations beside a registry are in its
/// listing all the same.
const RECENT: usize = 64;

/// The addresses at which remembered keys were proved last.
#[derive(Debug, Default)]
pub struct Acquaintances(HistoryBuf<IpAddr, RECENT>);

impl Acquaintances {
    /// Somebody at that address has proved a key of which this is thought.
    pub fn note(&mut self, address: IpAddr, verdict: Verdict) {
        if matches!(verdict, Verdict::Known { .. }) && !self.contains(address) {
            self.0.write(address);
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl Calls {
    /// Whether somebody who is known lives there: at the other end of a leg, in the registry's listing, among the contacts
    /// that are addresses, or with a remembered key that was proved from there.
    pub(super) fn is_acquainted(&self, remote: SocketAddr) -> bool {
        let address = remote.ip();
        self.legs.iter().any(|leg: &Leg| leg.is_with(remote))
            || self.acquaintances.contains(address)
            || self.book.lives_at(address)
    }
}
