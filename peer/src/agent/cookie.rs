//! Cookies: proof without memory that a caller receives at the address it sends from.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use heapless::Vec;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use vox_common::wire::signal::{CallId, Cookie};
use zeroize::Zeroizing;

/// The secret changes this often; a cookie is good for one to two of these.
const LIFE: Duration = Duration::from_secs(120);

/// HMAC-SHA-256, cut to this many bytes (RFC 2104 section 5).
const MAC_BYTES: usize = 16;

/// Calls that a cookie was spent on, in one life of the secret. At the brim the secret changes early: cookies of the life
/// before are good for nothing then, and whoever is still on the way asks for another.
const MAX_SPENT: usize = 256;

/// Bakes and checks cookies. A cookie is good for one call: an INVITE that is recorded and sent again does not ring, and
/// after a restart the secret is another. It is wiped when the jar is dropped.
pub struct CookieJar {
    secret: Zeroizing<[u8; 32]>,
    opened: Instant,
    /// Lives that have ended before their time.
    early: u64,
    /// Marks of calls of this life, and of the one before.
    spent: [Vec<[u8; MAC_BYTES], MAX_SPENT>; 2],
    /// Which life that is.
    turned: u64,
}

impl CookieJar {
    /// A jar with a secret of its own.
    pub fn new(secret: Zeroizing<[u8; 32]>, now: Instant) -> Self {
        Self { secret, opened: now, early: 0, spent: [const { Vec::new() }; 2], turned: 0 }
    }

    /// The cookie for an INVITE that came from there.
    pub fn bake(&self, now: Instant, from: SocketAddr, id: CallId) -> Cookie {
        Cookie::new(&self.mac(self.age(now), from, id)).expect("a cut MAC fits a cookie")
    }

    /// Whether the cookie was baked here for the same sender and call, in this life of the secret or the last.
    pub fn accepts(&self, now: Instant, from: SocketAddr, id: CallId, cookie: &Cookie) -> bool {
        let age = self.age(now);
        [Some(age), age.checked_sub(1)]
            .into_iter()
            .flatten()
            .any(|age| Cookie::new(&self.mac(age, from, id)).is_some_and(|baked| same(&baked, cookie)))
    }

    /// Whether a call was let in already with a cookie that may still be good. Who borrows a call-id spends only his own.
    pub fn is_spent(&mut self, now: Instant, from: SocketAddr, id: CallId) -> bool {
        self.turn(now);
        let mark = self.mark(from, id);
        self.spent.iter().any(|spent| spent.contains(&mark))
    }

    /// A call was let in.
    pub fn spend(&mut self, now: Instant, from: SocketAddr, id: CallId) {
        self.turn(now);
        if self.spent[0].is_full() {
            self.early += 1;
            self.turn(now);
        }
        let mark = self.mark(from, id);
        self.spent[0].push(mark).expect("room was made");
    }

    fn turn(&mut self, now: Instant) {
        let age = self.age(now);
        while self.turned < age {
            self.turned = (self.turned + 1).max(age.saturating_sub(1));
            self.spent.swap(0, 1);
            self.spent[0].clear();
        }
    }

    fn age(&self, now: Instant) -> u64 {
        self.early + now.saturating_duration_since(self.opened).as_secs() / LIFE.as_secs()
    }

    /// What a call from there is remembered by: a cookie of an age that never comes.
    fn mark(&self, from: SocketAddr, id: CallId) -> [u8; MAC_BYTES] {
        self.mac(u64::MAX, from, id)
    }

    fn mac(&self, age: u64, from: SocketAddr, id: CallId) -> [u8; MAC_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.secret).expect("HMAC takes a key of any length");
        mac.update(&age.to_be_bytes());
        mac.update(from.to_string().as_bytes());
        mac.update(&id.0);
        let bytes = mac.finalize().into_bytes();
        *bytes.first_chunk().expect("SHA-256 gives 32 bytes")
    }
}

/// Compares without telling by its time how much was right.
fn same(baked: &Cookie, shown: &Cookie) -> bool {
    let (baked, shown) = (baked.as_str().as_bytes(), shown.as_str().as_bytes());
    let differing = baked.iter().zip(shown).fold(0, |sum, (one, other)| sum | (one ^ other));
    baked.len() == shown.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_good_for_one_sender_one_call_and_two_to_four_minutes() {
        let start = vox_common::sys::clock::now();
        let jar = CookieJar::new(Zeroizing::new([7; 32]), start);
        let (alice, mallory) = ("192.0.2.1:6000".parse().unwrap(), "192.0.2.2:6000".parse().unwrap());
        let (id, other) = (CallId([1; 16]), CallId([2; 16]));
        let cookie = jar.bake(start, alice, id);
        let later = |seconds| start + Duration::from_secs(seconds);
        assert!(jar.accepts(later(0), alice, id, &cookie));
        assert!(jar.accepts(later(239), alice, id, &cookie));
        assert!(!jar.accepts(later(240), alice, id, &cookie));
        assert!(!jar.accepts(later(0), mallory, id, &cookie));
        assert!(!jar.accepts(later(0), alice, other, &cookie));
        assert!(!CookieJar::new(Zeroizing::new([8; 32]), start).accepts(later(0), alice, id, &cookie));
    }

    #[test]
    fn a_call_is_let_in_once_for_as_long_as_its_cookie_is_good() {
        let start = vox_common::sys::clock::now();
        let from = "192.0.2.1:6000".parse().unwrap();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut jar = CookieJar::new(Zeroizing::new([7; 32]), start);
        jar.spend(later(119), from, CallId([1; 16]));
        assert!(jar.is_spent(later(239), from, CallId([1; 16])));
        assert!(!jar.is_spent(later(240), from, CallId([1; 16])), "no cookie of then is good now");
        jar.spend(later(240), from, CallId([2; 16]));
        assert!(!jar.is_spent(later(700), from, CallId([2; 16])));
    }

    #[test]
    fn more_calls_than_can_be_remembered_make_old_cookies_worthless() {
        let start = vox_common::sys::clock::now();
        let from = "192.0.2.1:6000".parse().unwrap();
        let mut jar = CookieJar::new(Zeroizing::new([7; 32]), start);
        let call = |n: u32| CallId(u128::from(n).to_be_bytes());
        let first = jar.bake(start, from, call(0));
        for n in 0..1_000 {
            jar.spend(start, from, call(n));
            let is_good = jar.accepts(start, from, call(0), &first);
            assert!(!is_good || jar.is_spent(start, from, call(0)), "let in again after {n}");
        }
        assert!(!jar.accepts(start, from, call(0), &first));
    }
}
