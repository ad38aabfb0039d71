//! The connections of a registry: who is still unregistered, and how long that may last.

use std::time::{Duration, Instant};

use heapless::Vec;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::{MAX_CONNECTIONS, MAX_UNREGISTERED};
use vox_common::wire::reply::Nonce;

use super::ends::Ends;
use super::pace::{Bucket, Pace};

/// A connection, by the place that the shell gave it. Never stale: a place is given again only after
/// [`Input::Closed`](super::Input::Closed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnId(pub u16);

/// How long each of more than [`MAX_UNREGISTERED`] may stay unregistered: a burst after a power cut needs less.
const CROWDED_PATIENCE: Duration = Duration::from_secs(5);

/// What has become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Unregistered,
    Registered,
    /// Told goodbye; its lines are not heard any more.
    Ended,
}

/// What there is to trust about a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bond {
    /// What a proof over this connection has to cover.
    pub(super) nonce: Nonce,
    /// The key whose holder seals its lines. `None`: they are plain.
    pub(super) sealed_by: Option<PublicKey>,
}

#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) id: ConnId,
    pub(super) ends: Ends,
    pub(super) stage: Stage,
    pub(super) bond: Bond,
    pub(super) bucket: Bucket,
    /// How often it was told to slow down since it was served last.
    pub(super) refused_in_a_row: u32,
    opened: Instant,
    heard: Instant,
}

impl Connection {
    pub(super) fn new(id: ConnId, ends: Ends, nonce: Nonce, now: Instant) -> Self {
        Self {
            id,
            ends,
            stage: Stage::Unregistered,
            bond: Bond { nonce, sealed_by: None },
            bucket: Bucket::full(now),
            refused_in_a_row: 0,
            opened: now,
            heard: now,
        }
    }
}

/// All connections, in no order.
#[derive(Debug)]
pub(super) struct Connections(Vec<Connection, MAX_CONNECTIONS>);

impl Connections {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes a new one. `false`: there is no place.
    pub(super) fn add(&mut self, connection: Connection) -> bool {
        self.0.push(connection).is_ok()
    }

    pub(super) fn remove(&mut self, id: ConnId) -> Option<Connection> {
        let index = self.0.iter().position(|connection| connection.id == id)?;
        Some(self.0.swap_remove(index))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.0.iter()
    }

    /// The connection if it is still heard, and takes note that it has just spoken.
    pub(super) fn heard(&mut self, id: ConnId, now: Instant) -> Option<&mut Connection> {
        let connection = self.live(id)?;
        connection.heard = now;
        Some(connection)
    }

    /// The connection unless it has been told goodbye.
    pub(super) fn live(&mut self, id: ConnId) -> Option<&mut Connection> {
        self.0.iter_mut().find(|connection| connection.id == id && connection.stage != Stage::Ended)
    }

    /// Ids of all that have not been told goodbye.
    pub(super) fn all_live(&self) -> impl Iterator<Item = ConnId> {
        self.0.iter().filter(|connection| connection.stage != Stage::Ended).map(|connection| connection.id)
    }

    /// How many are sealed.
    pub(super) fn sealed(&self) -> usize {
        self.0.iter().filter(|connection| connection.bond.sealed_by.is_some()).count()
    }

    pub(super) fn change_pace(&mut self, pace: Pace, now: Instant) {
        self.0.iter_mut().for_each(|connection| connection.bucket = connection.bucket.at(pace, now, 1));
    }

    /// When the next unregistered connection has been silent for too long, and which one that is.
    pub(super) fn next_to_expire(&self, patience: Option<Duration>) -> Option<(Instant, ConnId)> {
        let crowded = self.unregistered().count() > MAX_UNREGISTERED;
        let due = |connection: &Connection| {
            if crowded {
                Some(connection.opened + CROWDED_PATIENCE)
            } else {
                Some(connection.heard + patience?)
            }
        };
        self.unregistered()
            .filter_map(|connection| Some((due(connection)?, connection.id)))
            .min_by_key(|next| next.0)
    }

    fn unregistered(&self) -> impl Iterator<Item = &Connection> {
        self.0.iter().filter(|connection| connection.stage == Stage::Unregistered)
    }
}
