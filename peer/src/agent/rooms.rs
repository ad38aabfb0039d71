//! The room that this station is in, and its way back there after the registry was away.

use std::time::{Duration, Instant};

use vox_common::wire::names::Name;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::ReplyLine;
use vox_common::wire::request::Request;

use super::link::LONGEST_PAUSE;

/// A room that somebody else has made is waited for after a restart of the registry: its maker may come back later
/// than we.
const PATIENCE: Duration = Duration::from_secs(20);
const _: () = assert!(PATIENCE.as_secs() > LONGEST_PAUSE.as_secs());

/// Between two attempts to get back.
const PAUSE: Duration = Duration::from_secs(2);

/// A request that changes in which room we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes a room for so many.
    Create(Name, usize),
    /// Goes into one.
    Join(Name),
    /// Goes out.
    Leave,
}

/// Where we are, or want to be.
#[derive(Debug, Default)]
pub struct Membership {
    room: Option<Room>,
    way: Option<Way>,
}

/// A room that a person wants this station to be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its name.
    pub name: Name,
    /// Of one that we have made: we make it again when it is gone.
    pub capacity: Option<usize>,
}

/// We are not in our room, but on the way there.
#[derive(Debug)]
struct Way {
    /// `None`: the registry is away.
    until: Option<Instant>,
    /// When to knock again; `None`: an answer is awaited.
    knock: Option<Instant>,
}

/// What follows from a refusal.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing now.
    Wait,
    /// This is tried at once.
    Try(Change),
    /// We are not in this room any more.
    Lost(Name),
}

impl Change {
    /// What a request of a control client changes. `None`: nothing.
    pub fn of(request: &Request<'_>) -> Option<Self> {
        match request {
            Request::Create(room, capacity) => Some(Self::Create(room.clone(), *capacity)),
            Request::Join(room) => Some(Self::Join(room.clone())),
            Request::Leave => Some(Self::Leave),
            _ => None,
        }
    }

    /// The request that brings it about.
    pub fn request(&self) -> Request<'static> {
        match self {
            Self::Create(room, capacity) => Request::Create(room.clone(), *capacity),
            Self::Join(room) => Request::Join(room.clone()),
            Self::Leave => Request::Leave,
        }
    }

    fn room(&self) -> Option<&Name> {
        match self {
            Self::Create(room, _) | Self::Join(room) => Some(room),
            Self::Leave => None,
        }
    }
}

impl Membership {
    /// The room we are in.
    pub fn inside(&self) -> Option<&Name> {
        self.room.as_ref().filter(|_| self.way.is_none()).map(|room| &room.name)
    }

    /// The room that we are in, or want to be in again.
    pub fn wanted(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    /// After a restart of this station: the room that we were in before.
    pub fn return_to(&mut self, room: Room) {
        self.room = Some(room);
        self.lost_link();
    }

    /// The room we want to be in again.
    pub fn returning_to(&self) -> Option<&Name> {
        self.room.as_ref().filter(|_| self.way.is_some()).map(|room| &room.name)
    }

    /// The registry has done it.
    pub fn changed(&mut self, change: Change) {
        self.way = None;
        self.room = match change {
            Change::Create(name, capacity) => Some(Room { name, capacity: Some(capacity) }),
            Change::Join(name) => Some(
                self.room.take().filter(|room| room.name == name).unwrap_or(Room { name, capacity: None }),
            ),
            Change::Leave => None,
        };
    }

    /// The registry is away, and with it every room.
    pub fn lost_link(&mut self) {
        self.way = self.room.as_ref().map(|_| Way { until: None, knock: None });
    }

    /// The registry is back: the way into the room that we were in.
    pub fn registered(&mut self, now: Instant) -> Option<Change> {
        let way = self.way.as_mut()?;
        *way = Way { until: Some(now + PATIENCE), knock: None };
        self.room.as_ref().map(|room| Change::Join(room.name.clone()))
    }

    /// Nobody wants to get back any more; the room that this was about.
    pub fn forget_way(&mut self) -> Option<Name> {
        self.way.take()?;
        self.room.take().map(|room| room.name)
    }

    /// The registry does not let us back.
    pub fn refused(&mut self, now: Instant, change: &Change, reply: ReplyLine<'_>) -> Next {
        let (Some(way), Some(room)) = (&mut self.way, &self.room) else { return Next::Wait };
        if change.room() != Some(&room.name) {
            return Next::Wait;
        }
        let hopeful = way.until.is_some_and(|until| now < until);
        let next = match (change, Refused::of(reply), room.capacity) {
            (_, Refused::AlreadyThere, _) => return self.arrived(),
            (Change::Join(_), Refused::Gone, Some(capacity)) if hopeful => {
                return Next::Try(Change::Create(room.name.clone(), capacity));
            }
            (Change::Create(..), Refused::MadeMeanwhile, _) if hopeful => {
                return Next::Try(Change::Join(room.name.clone()));
            }
            (Change::Join(_), Refused::Gone, None) | (_, Refused::InAHurry, _) if hopeful => Next::Wait,
            _ => Next::Lost(room.name.clone()),
        };
        match next {
            Next::Wait => way.knock = Some(now + PAUSE),
            _ => drop(self.forget_way()),
        }
        next
    }

    fn arrived(&mut self) -> Next {
        self.way = None;
        Next::Wait
    }

    /// When to look again.
    pub fn deadline(&self) -> Option<Instant> {
        self.way.as_ref()?.knock
    }

    /// What is due.
    pub fn expire(&mut self, now: Instant) -> Option<Change> {
        self.way.as_mut()?.knock.take_if(|knock| *knock <= now)?;
        self.room.as_ref().map(|room| Change::Join(room.name.clone()))
    }
}

/// What a refusal means on the way back.
enum Refused {
    Gone,
    MadeMeanwhile,
    AlreadyThere,
    InAHurry,
    ForGood,
}

impl Refused {
    fn of(reply: ReplyLine<'_>) -> Self {
        match reply.code {
            code if code == Refusal::NoSuchRoom.code() => Self::Gone,
            code if code == Refusal::RoomExists.code() => Self::MadeMeanwhile,
            code if code == Refusal::InThatRoom.code() => Self::AlreadyThere,
            code if code == Refusal::SlowDown.code() => Self::InAHurry,
            _ => Self::ForGood,
        }
    }
}

#[cfg(test)]
mod tests {
    use vox_common::sys::clock;

    use super::*;

    fn hall() -> Name {
        Name::parse("hall").expect("a name")
    }

    fn refused(membership: &mut Membership, now: Instant, change: &Change, line: &str) -> Next {
        membership.refused(now, change, ReplyLine::parse(line).expect(line))
    }

    /// In a room that was entered by `change`, and the registry has been away.
    fn back_from(change: Change, now: Instant) -> Membership {
        let mut membership = Membership::default();
        membership.changed(change);
        membership.lost_link();
        assert_eq!((membership.inside(), membership.returning_to()), (None, Some(&hall())));
        assert_eq!(membership.registered(now), Some(Change::Join(hall())));
        membership
    }

    #[test]
    fn one_that_we_made_is_made_again_and_again_the_next_time() {
        let now = clock::now();
        let mut membership = back_from(Change::Create(hall(), 12), now);
        let made = Next::Try(Change::Create(hall(), 12));
        assert_eq!(refused(&mut membership, now, &Change::Join(hall()), "405 no such room"), made);
        let join = Next::Try(Change::Join(hall()));
        assert_eq!(refused(&mut membership, now, &Change::Create(hall(), 12), "413 room exists"), join);
        membership.changed(Change::Join(hall()));
        assert_eq!(membership.inside(), Some(&hall()));
        membership.lost_link();
        membership.registered(now);
        assert_eq!(refused(&mut membership, now, &Change::Join(hall()), "405 no such room"), made);
    }

    #[test]
    fn one_that_somebody_else_made_is_waited_for_but_not_for_ever() {
        let start = clock::now();
        let mut membership = back_from(Change::Join(hall()), start);
        let mut now = start;
        let mut knocks = 0;
        while refused(&mut membership, now, &Change::Join(hall()), "405 no such room") == Next::Wait {
            assert_eq!(membership.expire(now), None);
            now = membership.deadline().expect("it knocks again");
            assert_eq!(membership.expire(now), Some(Change::Join(hall())));
            knocks += 1;
        }
        assert_eq!((now - start, knocks), (PATIENCE, 10));
        assert_eq!((membership.inside(), membership.returning_to()), (None, None));
    }

    #[test]
    fn a_refusal_is_the_end_and_haste_is_not() {
        let now = clock::now();
        let mut membership = back_from(Change::Join(hall()), now);
        assert_eq!(refused(&mut membership, now, &Change::Join(hall()), "429 slow down"), Next::Wait);
        assert_eq!(membership.expire(now + PAUSE), Some(Change::Join(hall())));
        let lost = refused(&mut membership, now, &Change::Join(hall()), "422 room full");
        assert_eq!(lost, Next::Lost(hall()));
        assert_eq!((membership.returning_to(), membership.deadline()), (None, None));
    }

    #[test]
    fn what_the_user_does_meanwhile_counts() {
        let now = clock::now();
        let mut membership = back_from(Change::Join(hall()), now);
        let lobby = Change::Join(Name::parse("lobby").expect("a name"));
        membership.changed(lobby);
        assert_eq!(refused(&mut membership, now, &Change::Join(hall()), "422 room full"), Next::Wait);
        assert_eq!(membership.inside().map(Name::as_str), Some("lobby"));
        let mut membership = back_from(Change::Join(hall()), now);
        assert_eq!(membership.forget_way(), Some(hall()));
        assert_eq!(refused(&mut membership, now, &Change::Join(hall()), "405 no such room"), Next::Wait);
        assert_eq!(membership.deadline(), None);
    }
}
