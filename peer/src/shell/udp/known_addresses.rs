//! Addresses at which somebody lives who is known, for the thread `udp`: written by the agent, read without a lock.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Places of the table: four for each address that there can be, so that few are moved from their own.
const PLACES: usize = 4_096;

/// How far from its own place an address may be put. One for which there is none nearby is not in the table: it counts as a
/// stranger's.
const NEARBY: usize = 16;

/// A set of addresses that one thread replaces while another asks. In between, an address may seem to be missing.
#[derive(Debug)]
pub struct KnownAddresses {
    /// Nobody outside can choose addresses that meet in one place.
    keys: RandomState,
    /// Hashes of addresses; 0: nobody.
    places: Box<[AtomicU64]>,
}

impl Default for KnownAddresses {
    fn default() -> Self {
        Self { keys: RandomState::new(), places: (0..PLACES).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl KnownAddresses {
    /// Whether somebody who is known lives there.
    pub fn contains(&self, address: IpAddr) -> bool {
        let hash = self.hash(address);
        nearby(hash).any(|place| self.places[place].load(Relaxed) == hash)
    }

    /// From now on it is these.
    pub fn replace(&self, addresses: impl IntoIterator<Item = IpAddr>) {
        let mut table = vec![0; PLACES];
        for hash in addresses.into_iter().map(|address| self.hash(address)) {
            if let Some(free) = nearby(hash).find(|place| [0, hash].contains(&table[*place])) {
                table[free] = hash;
            }
        }
        self.places.iter().zip(table).for_each(|(place, hash)| place.store(hash, Relaxed));
    }

    fn hash(&self, address: IpAddr) -> u64 {
        self.keys.hash_one(address).max(1)
    }
}

fn nearby(hash: u64) -> impl Iterator<Item = usize> {
    let own = usize::try_from(hash % PLACES as u64).unwrap_or(0);
    (0..NEARBY).map(move |step| (own + step) % PLACES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_as_many_addresses_as_there_can_be_knows_these_and_no_others() {
        let known = KnownAddresses::default();
        let own = |n: u32| IpAddr::from((0x0a00_0000 + n).to_be_bytes());
        known.replace((0..1_000).map(own));
        assert!((0..1_000).all(|n| known.contains(own(n))));
        assert!((1_000..100_000).all(|n| !known.contains(own(n))));
        known.replace([IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]);
        assert!(!known.contains(own(7)) && known.contains("::1".parse().unwrap()));
    }
}
