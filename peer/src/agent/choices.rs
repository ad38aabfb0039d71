//! What people have set by hand at this station and find again after a restart: the text of the file `settings`.
//!
//! Muting is not among it: it belongs to one call, and the next one begins with an open microphone.

use std::fmt;

use vox_common::wire::names::Name;
use vox_common::wire::users::Status;
use vox_common::wire::words::split_first;

use super::Agent;
use super::io::{ClientId, Kept, Out, Output};
use super::rooms::Room;
use crate::media::orders::{Direction, MediaOrder};

/// Loudness that nobody has changed, in percent.
pub const USUAL_VOLUME: u8 = 100;

/// The loudest, in percent.
const LOUDEST: u8 = 200;

/// What was chosen, as lines of a key and its value: `status dnd`, `volume-in 100`, `volume-out 20`, and `room hall`, or
/// `room hall 12` of a room that this station has made for so many. What is as it comes has no line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// What others are told.
    pub status: Status,
    /// Loudness of the microphone, in percent.
    pub volume_in: u8,
    /// Loudness of the loudspeaker, in percent.
    pub volume_out: u8,
    /// The room to be in.
    pub room: Option<Room>,
}

impl Default for Choices {
    /// Nobody has chosen anything.
    fn default() -> Self {
        Self { status: Status::Idle, volume_in: USUAL_VOLUME, volume_out: USUAL_VOLUME, room: None }
    }
}

impl Choices {
    /// Reads the text of the file; how many lines of it are damaged, and left out.
    pub fn parse(text: &str) -> (Self, usize) {
        let mut choices = Self::default();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let damaged = lines.filter(|line| choices.recall(line).is_none()).count();
        (choices, damaged)
    }

    fn recall(&mut self, line: &str) -> Option<()> {
        let (key, value) = split_first(line.trim_end());
        let volume = || value.parse().ok().filter(|percent| *percent <= LOUDEST);
        match key {
            "status" => self.status = Status::parse(value)?,
            "volume-in" => self.volume_in = volume()?,
            "volume-out" => self.volume_out = volume()?,
            "room" => self.room = Some(room(value)?),
            _ => return None,
        }
        Some(())
    }
}

fn room(value: &str) -> Option<Room> {
    let (name, capacity) = split_first(value);
    let capacity = if capacity.is_empty() { None } else { Some(capacity.parse().ok()?) };
    Some(Room { name: Name::parse(name).ok()?, capacity })
}

impl fmt::Display for Choices {
    /// The text of the file.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, volume_in, volume_out, room } = self;
        if *status != Status::Idle {
            writeln!(out, "status {status}")?;
        }
        for (way, volume) in [("in", *volume_in), ("out", *volume_out)] {
            if volume != USUAL_VOLUME {
                writeln!(out, "volume-{way} {volume}")?;
            }
        }
        match room {
            None => Ok(()),
            Some(Room { name, capacity: None }) => writeln!(out, "room {name}"),
            Some(Room { name, capacity: Some(capacity) }) => writeln!(out, "room {name} {capacity}"),
        }
    }
}

impl Agent {
    /// What people have chosen by now.
    pub(super) fn choices(&self) -> Choices {
        let volume = |direction| self.front.board.volume(direction);
        Choices {
            status: self.status,
            volume_in: volume(Direction::In),
            volume_out: volume(Direction::Out),
            room: self.link.rooms().wanted().cloned(),
        }
    }

    /// The sound learns at the start what was chosen before it, and people are told.
    pub(super) fn restore_choices(&self, out: Out<'_>) {
        for direction in [Direction::In, Direction::Out] {
            let percent = self.front.board.volume(direction);
            if percent != USUAL_VOLUME {
                out(Output::Media(MediaOrder::Volume(direction, percent)));
            }
        }
        if self.has_restored {
            let set = self.kept_choices.to_string().trim_end().replace('\n', ", ");
            out(Output::Log(
                log::Level::Info,
                &format!("what was set by hand before the start holds again: {set}"),
            ));
        }
    }

    /// An order of a program was carried out: it is answered once what follows from it is on the disk.
    pub(super) fn keep_choices_and_answer(&mut self, client: ClientId, answer: &str, out: Out<'_>) {
        self.note_choices();
        out(Output::KeepAndAnswer(Kept::Settings, &self.kept_choices.to_string(), client, answer));
    }

    /// Keeps what has changed without an order: a room that does not take us back.
    pub(super) fn keep_choices(&mut self, out: Out<'_>) {
        if self.note_choices() {
            out(Output::Keep(Kept::Settings, &self.kept_choices.to_string()));
        }
    }

    /// Returns true if something has changed since it was kept.
    fn note_choices(&mut self) -> bool {
        let choices = self.choices();
        let has_changed = choices != self.kept_choices;
        self.kept_choices = choices;
        self.has_restored &= !has_changed;
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hall(capacity: Option<usize>) -> Room {
        Room { name: Name::parse("hall").expect("a name"), capacity }
    }

    #[test]
    fn what_nobody_has_changed_has_no_line() {
        assert_eq!(Choices::default().to_string(), "");
        assert_eq!(Choices::parse(""), (Choices::default(), 0));
    }

    #[test]
    fn a_damaged_line_is_left_out_and_the_others_hold() {
        let text =
            "status dnd\nvolume-in 201\nvolume-out 20\r\n\nroom hall twelve\n\0\0\nstatus sleepy\nroom";
        let (choices, damaged) = Choices::parse(text);
        assert_eq!(choices, Choices { status: Status::Dnd, volume_out: 20, ..Choices::default() });
        assert_eq!(damaged, 5);
    }

    proptest! {
        #[test]
        fn what_was_chosen_is_read_as_it_was_written(
            status in prop::sample::select(vec!["idle", "busy", "away", "dnd"]),
            volume_in in 0..=200_u8,
            volume_out in 0..=200_u8,
            room in prop::sample::select(vec![None, Some(hall(None)), Some(hall(Some(12)))]),
        ) {
            let status = Status::parse(status).expect("a status");
            let choices = Choices { status, volume_in, volume_out, room };
            prop_assert_eq!(Choices::parse(&choices.to_string()), (choices, 0));
        }
    }
}
