//! What the registration tells: what is to be done, and what is to be known.

use vox_common::seal::records::{Opener, Sealer};
use vox_common::wire::event::Event;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::names::Name;
use vox_common::wire::reply::ReplyLine;
use vox_common::wire::users::{Entry, Status};

use crate::agent::io::ClientId;

/// What the link wants done, and what the agent learns from it.
#[derive(Debug)]
pub enum LinkNews<'a> {
    /// Connect now.
    Connect,
    /// End the connection.
    Disconnect,
    /// Send this line.
    Send(&'a str),
    /// Seal what is sent from now on with the one, and open what comes with the other.
    Seal(Sealer, Opener),
    /// We are registered; the registry's words, and the key with which it has sealed them. `None`: they are plain.
    Registered(&'a str, Option<PublicKey>),
    /// The registry went away, and why.
    Down(&'a str),
    /// A listing begins.
    ListBegins,
    /// One line of it.
    Listed(Entry),
    /// It is complete.
    ListEnds,
    /// Somebody came, went or changed status; and the line as it was written.
    Event(Event<'a>, &'a str),
    /// A line for a control client.
    Answer(ClientId, &'a str),
    /// The same, of one who has brought us into a room or out of it.
    Moved(ClientId, &'a str),
    /// The answer to the look-up for a call.
    LookedUp(ReplyLine<'a>),
    /// The registry has taken our status.
    StatusIs(Status),
    /// We could not get back into this room, and why.
    LostRoom(Name, &'a str),
}

/// Where the link puts its news.
pub type LinkOut<'a> = &'a mut dyn FnMut(LinkNews<'_>);
