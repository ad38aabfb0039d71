//! The last messages that came, kept over restarts, and how many of them nobody has looked at.

use std::fmt;

use heapless::Vec;
use vox_common::wire::event::Event;
use vox_common::wire::limits::{KEPT_MESSAGES, LINE_BYTES, NAME_BYTES, TEXT_BYTES};
use vox_common::wire::names::Name;
use vox_common::wire::words::split_first;

/// The longest line of a listing, with its code and its LF.
const LISTED_BYTES: usize = "233-".len()
    + "18446744073709551615".len()
    + 1
    + NAME_BYTES
    + " say room=".len()
    + NAME_BYTES
    + " text=".len()
    + TEXT_BYTES
    + 1;
const _: () = assert!(LISTED_BYTES <= LINE_BYTES);

/// So many messages of one sender may push out those of others.
const OF_ONE_SENDER: usize = KEPT_MESSAGES / 4;

/// What somebody told us, as one line:
/// `<unix seconds> <from> msg|broadcast|say [room=<room>] text=<the rest of the line as it stands>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    heard_unix: u64,
    from: Name,
    told: Told,
    /// At most [`TEXT_BYTES`], without control characters: it came in one line.
    text: Box<str>,
}

/// Whom it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Us,
    Everybody,
    Room(Name),
}

impl Message {
    /// What an event says. `None`: it says nothing, or more than a message may.
    pub fn of(event: &Event<'_>, heard_unix: u64) -> Option<Self> {
        let (from, told, text) = match event {
            Event::Msg(from, text) => (from, Told::Us, text),
            Event::Broadcast(from, text) => (from, Told::Everybody, text),
            Event::Say { room, from, text } => (from, Told::Room(room.clone()), text),
            _ => return None,
        };
        Self::new(heard_unix, from.clone(), told, text)
    }

    fn new(heard_unix: u64, from: Name, told: Told, text: &str) -> Option<Self> {
        (text.len() <= TEXT_BYTES).then(|| Self { heard_unix, from, told, text: text.into() })
    }

    /// Reads one line. `None`: somebody else wrote it.
    pub fn parse(line: &str) -> Option<Self> {
        let (words, text) = line.split_once(" text=")?;
        let (heard, words) = split_first(words);
        let (from, words) = split_first(words);
        let told = match split_first(words) {
            ("msg", "") => Told::Us,
            ("broadcast", "") => Told::Everybody,
            ("say", room) => Told::Room(Name::parse(room.strip_prefix("room=")?).ok()?),
            _ => return None,
        };
        Self::new(heard.parse().ok()?, Name::parse(from).ok()?, told, text)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { heard_unix, from, told, text } = self;
        write!(out, "{heard_unix} {from} ")?;
        match told {
            Told::Us => out.write_str("msg")?,
            Told::Everybody => out.write_str("broadcast")?,
            Told::Room(room) => write!(out, "say room={room}")?,
        }
        write!(out, " text={text}")
    }
}

/// The last [`KEPT_MESSAGES`] messages, oldest first. At the brim the oldest is forgotten, or the oldest of the sender who
/// has most of them, where these are more than a quarter: one sender does not push out all others.
#[derive(Debug, Default)]
pub struct Messages {
    kept: Vec<Message, KEPT_MESSAGES>,
    /// May be more than are kept: then some were forgotten before anybody looked.
    unread: u32,
}

impl Messages {
    /// Reads the text of a messages file; lines that are not ours are left out.
    pub fn parse(text: &str) -> Self {
        let unread = text.lines().find_map(|line| line.strip_prefix("unread ")?.parse().ok());
        let mut messages = Self { kept: Vec::new(), unread: unread.unwrap_or(0) };
        text.lines().filter_map(Message::parse).for_each(|message| messages.keep(message));
        messages
    }

    /// Adds one.
    pub fn add(&mut self, message: Message) {
        self.keep(message);
        self.unread = self.unread.saturating_add(1);
    }

    fn keep(&mut self, message: Message) {
        if self.kept.is_full() {
            self.kept.remove(self.expendable(&message));
        }
        self.kept.push(message).expect("one was forgotten");
    }

    /// The place of the message that makes room for this one.
    fn expendable(&self, new: &Message) -> usize {
        let has = |from: &Name| self.kept.iter().chain([new]).filter(|other| other.from == *from).count();
        let most = self.kept.iter().map(|message| has(&message.from)).max().unwrap_or(0);
        let oldest = || self.kept.iter().position(|message| has(&message.from) == most);
        (most > OF_ONE_SENDER).then(oldest).flatten().unwrap_or(0)
    }

    /// Messages, oldest first.
    pub fn kept(&self) -> impl Iterator<Item = &Message> {
        self.kept.iter()
    }

    /// How many came since somebody looked.
    pub fn unread(&self) -> u32 {
        self.unread
    }

    /// Somebody has looked. `true`: that changed something.
    pub fn looked_at(&mut self) -> bool {
        std::mem::take(&mut self.unread) > 0
    }
}

impl fmt::Display for Messages {
    /// The text of the messages file.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "unread {}", self.unread)?;
        self.kept().try_for_each(|message| writeln!(out, "{message}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(event: &str) -> Message {
        Message::of(&Event::parse(event).expect(event), 7).expect(event)
    }

    #[test]
    fn everything_that_is_told_is_a_message() {
        for (event, line) in [
            ("* MSG bob hi", "7 bob msg text=hi"),
            ("* BROADCAST bob two  words ", "7 bob broadcast text=two  words "),
            ("* SAY hall bob room=x text=y", "7 bob say room=hall text=room=x text=y"),
        ] {
            assert_eq!(message(event).to_string(), line);
        }
        assert_eq!(Message::of(&Event::parse("* LEFT bob").unwrap(), 7), None);
        let long = format!("* MSG bob {}", "x".repeat(TEXT_BYTES + 1));
        assert_eq!(Message::of(&Event::parse(&long).unwrap(), 7), None);
    }

    #[test]
    fn what_was_kept_is_read_back_and_the_oldest_is_forgotten() {
        let mut messages = Messages::default();
        (0..100).for_each(|n| messages.add(message(&format!("* MSG bob {n}"))));
        let mut again = Messages::parse(&messages.to_string());
        assert_eq!(again.to_string(), messages.to_string());
        assert_eq!(again.kept().count(), KEPT_MESSAGES);
        assert_eq!(again.kept().next(), Some(&message("* MSG bob 36")));
        assert_eq!(again.unread(), 100);
        assert!(again.looked_at() && !again.looked_at());
    }

    #[test]
    fn one_sender_does_not_push_out_the_messages_of_others() {
        let said = |from: &str, n: usize| message(&format!("* MSG {from} {n}"));
        let mut messages = Messages::default();
        (0..20).for_each(|n| messages.add(said("bob", n)));
        (0..1_000).for_each(|n| messages.add(message(&format!("* BROADCAST eve {n}"))));
        let of = |messages: &Messages, from: &str| {
            messages.kept().filter(|message| message.from.as_str() == from).count()
        };
        assert_eq!((of(&messages, "bob"), of(&messages, "eve")), (20, KEPT_MESSAGES - 20));
        assert_eq!(messages.kept().last(), Some(&message("* BROADCAST eve 999")));
        (0..100).for_each(|n| messages.add(said(&format!("user{n}"), n)));
        assert_eq!((of(&messages, "bob"), of(&messages, "eve")), (0, 0), "the oldest go, whoever sent them");
    }

    #[test]
    fn a_damaged_file_loses_only_its_damaged_lines() {
        let text = "unread x\n7 bob msg text=one\n\0\0 garbage\n7 2bob msg text=no\n7 bob cry text=no\n\
                    7 bob say text=no\n7 bob msg text=two\n7 bob ms";
        assert_eq!(Messages::parse(text).kept().count(), 2);
    }

    proptest! {
        #[test]
        fn a_message_is_read_as_it_was_written(event in "\\* (MSG|BROADCAST|SAY hall) bob \\PC{0,200}") {
            let message = message(&event);
            prop_assert_eq!(Message::parse(&message.to_string()), Some(message));
        }
    }
}
