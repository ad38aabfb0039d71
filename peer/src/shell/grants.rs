//! What the kernel granted each real-time thread of the sound: written by the thread itself, without a lock, and
//! told by the media keeper.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::media::orders::ThreadGrant;

/// The threads that ask for real time.
const NAMES: [&str; 6] = ["udp", "media-tx", "dsp", "capture", "playback", "clock"];

/// One grant in a word: `NEWS`, what was wanted, what was granted.
#[derive(Debug, Default)]
pub(crate) struct Grants([AtomicU32; NAMES.len()]);

const NEWS: u32 = 1 << 16;

impl Grants {
    /// Leaves a grant to be told.
    pub(crate) fn report(&self, grant: &ThreadGrant) {
        if let Some(place) = NAMES.iter().position(|name| *name == grant.name) {
            let word = NEWS | u32::from(grant.wanted) << 8 | u32::from(grant.granted);
            self.0[place].store(word, Ordering::Release);
        }
    }

    /// Every thread that asked for real time is an ordinary one now.
    pub(crate) fn revoke(&self) {
        for word in &self.0 {
            let revoked = |word: u32| (word != 0).then_some(NEWS | word & !0xff);
            let _ = word.fetch_update(Ordering::AcqRel, Ordering::Acquire, revoked);
        }
    }

    /// Tells each grant that has not been told.
    pub(crate) fn tell(&self, mut news: impl FnMut(ThreadGrant)) {
        for (name, word) in NAMES.into_iter().zip(&self.0) {
            let found = word.fetch_and(!NEWS, Ordering::AcqRel);
            if found & NEWS != 0 {
                let [_, _, wanted, granted] = found.to_be_bytes();
                news(ThreadGrant { name, wanted, granted });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_told_once() {
        let grants = Grants::default();
        let grant = ThreadGrant { name: "capture", wanted: 70, granted: 0 };
        grants.report(&grant);
        let mut told = Vec::new();
        grants.tell(|grant| told.push(grant));
        grants.tell(|grant| told.push(grant));
        assert_eq!(told, [grant]);
    }

    #[test]
    fn what_is_revoked_is_told_again() {
        let grants = Grants::default();
        grants.report(&ThreadGrant { name: "udp", wanted: 69, granted: 69 });
        grants.tell(|_| ());
        grants.revoke();
        let mut told = Vec::new();
        grants.tell(|grant| told.push(grant));
        assert_eq!(told, [ThreadGrant { name: "udp", wanted: 69, granted: 0 }]);
    }
}
