//! Addresses at which somebody lives who is known here. An address proves nothing; but what strangers can use up is kept
//! for these, too.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use heapless::HistoryBuf;

use super::Agent;
use super::calls::Calls;
use super::io::{Moment, Out, Output};
use super::known::Verdict;
use super::leg::Leg;
use super::stranger::Stranger;

/// Addresses of callers and callees with remembered keys. The oldest is forgotten; stations beside a registry are in its
/// listing all the same.
const RECENT: usize = 64;

/// The addresses at which remembered keys were proved last.
#[derive(Debug, Default)]
pub struct Acquaintances {
    recent: HistoryBuf<IpAddr, RECENT>,
    changes: u64,
}

impl Acquaintances {
    /// Somebody at that address has proved a key of which this is thought.
    pub fn note(&mut self, address: IpAddr, verdict: Verdict) {
        if verdict.is_known() && !self.contains(address) {
            self.recent.write(address);
            self.changes += 1;
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.recent.contains(&address)
    }
}

/// What the thread that receives was told of known addresses, and when it is to be told again.
#[derive(Debug, Default)]
pub struct Announced {
    /// What there was to be known: it changes with every change.
    version: u64,
    at: Option<Instant>,
}

/// Whoever tells of a thousand changes a second, such as a registry that lies, makes us tell of one.
const ANNOUNCED_EVERY: Duration = Duration::from_secs(1);

impl Announced {
    /// When to tell that the version is this one. `None`: that has been told.
    fn due(&self, version: u64) -> Option<Instant> {
        (self.version != version).then_some(self.at? + ANNOUNCED_EVERY)
    }

    /// Whether to tell now that the version is this one.
    fn is_due(&mut self, now: Instant, version: u64) -> bool {
        let is_new = self.version != version;
        let is_due = is_new && self.at.is_none_or(|at| at + ANNOUNCED_EVERY <= now);
        if is_due {
            *self = Self { version, at: Some(now) };
        }
        is_due
    }
}

impl Agent {
    /// Tells whose signals are passed on first, where that has changed.
    pub(super) fn announce_known_addresses(&mut self, now: Moment, out: Out<'_>) {
        let version = self.calls.known_version();
        if self.announced.is_due(now.at, version) {
            let addresses: Vec<IpAddr> = self.calls.known_addresses().collect();
            out(Output::KnownAddresses(&addresses));
        }
    }

    /// When to tell of them again.
    pub(super) fn announcement_due(&self) -> Option<Instant> {
        self.announced.due(self.calls.known_version())
    }
}

/// A thing of bounded size that callers use up, once for those at known addresses and once for all others.
#[derive(Debug)]
pub struct Shares<T> {
    known: T,
    strangers: T,
}

impl<T> Shares<T> {
    /// Two alike.
    pub fn new(mut make: impl FnMut() -> T) -> Self {
        Self { known: make(), strangers: make() }
    }

    /// The one for a sender.
    pub(super) fn of(&self, sender: Stranger) -> &T {
        if sender.is_acquainted() { &self.known } else { &self.strangers }
    }

    /// The one for a sender, to be used up.
    pub(super) fn of_mut(&mut self, sender: Stranger) -> &mut T {
        if sender.is_acquainted() { &mut self.known } else { &mut self.strangers }
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

    /// All addresses at which somebody lives who is known, some of them more than once.
    fn known_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let recent = self.acquaintances.recent.iter().copied();
        recent.chain(self.book.addresses()).chain(self.legs.iter().map(|leg| leg.path.remote.ip()))
    }

    /// Another number after each change of these, but for legs, which are told of with the next one.
    fn known_version(&self) -> u64 {
        // A station begins with a version that has not been told.
        1 + self.acquaintances.changes + self.book.changes()
    }
}
