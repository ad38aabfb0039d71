//! What people see of calls: events on the control socket, lines in the log, the history.

use vox_common::wire::disk::Disk;
use vox_common::wire::limits::{MAX_KNOWN_KEYS, MAX_LEGS};

use super::blockage::Blockage;
use super::board::Board;
use super::calls::CallOutput;
use super::delay::Latenesses;
use super::desk::Desk;
use super::history::{History, PastCall};
use super::io::{Kept, Moment, Out, Output};
use super::known::Verdict;
use super::leg::Leg;
use super::messages::{Message, Messages};
use super::outcome::Outcome;
use crate::media::orders::MediaOrder;

/// What a wrong key means; what to do about it follows.
const DOUBT: &str =
    "somebody has another key than the one that is known, and is not talked to: if they were set up anew,";

/// The side of the agent that faces people.
#[derive(Debug, Default)]
pub struct Front {
    /// The programs on the control socket.
    pub desk: Desk,
    /// The last calls.
    pub history: History,
    /// The last messages.
    pub messages: Messages,
    /// The disk, as the shell has told of it last.
    pub disk: Disk,
    /// The sound.
    pub board: Board,
    /// What was told of the delay of each leg, by its place.
    pub latenesses: [Latenesses; MAX_LEGS],
    /// Whether the sound of each leg leaves this machine, by its place.
    pub blockages: [Blockage; MAX_LEGS],
}

impl Front {
    /// Performs what the table of legs wants done, and tells people of it.
    pub fn perform(&mut self, now: Moment, output: CallOutput<'_>, out: Out<'_>) {
        match output {
            CallOutput::Signal(path, signal) => out(Output::Signal(path, signal)),
            CallOutput::SignalWhenIdle(path, signal) => out(Output::SignalWhenIdle(path, signal)),
            CallOutput::Media(order) => self.order(order, out),
            CallOutput::Changed(leg) => self.changed(leg, out),
            CallOutput::Learned(known) => out(Output::Keep(Kept::KnownKeys, &known.to_string())),
            CallOutput::Ended(leg, outcome) => self.ended(now, leg, outcome, out),
        }
    }

    /// Somebody told us something.
    pub fn take_message(&mut self, message: Message, out: Out<'_>) {
        self.messages.add(message);
        out(Output::Keep(Kept::Messages, &self.messages.to_string()));
    }

    fn order(&mut self, order: MediaOrder, out: Out<'_>) {
        if let MediaOrder::Start { leg, .. } = order {
            self.board.forget(leg);
            self.latenesses
                .iter_mut()
                .skip(leg.0.into())
                .take(1)
                .for_each(|both| *both = Latenesses::default());
            self.blockages.get_mut(usize::from(leg.0)).into_iter().for_each(|one| *one = Blockage::default());
        }
        out(Output::Media(order));
    }

    /// Tells how far a call has come.
    pub fn changed(&self, leg: &Leg, out: Out<'_>) {
        // A call that is being given up is told of when it has ended.
        if leg.is_active() {
            self.desk.tell(leg.owner, &format!("* CALL {} {}", leg.id, told(leg, leg.state_word())), out);
        }
        let (state, words) = (leg.state_word(), log_words(leg));
        out(Output::Log(log::Level::Info, &format!("call is {state} {words}{}", leg.trust())));
        if leg.is_talking() {
            warn_of_talk(leg, out);
        }
    }

    fn ended(&mut self, now: Moment, leg: &Leg, outcome: Outcome, out: Out<'_>) {
        let event = format!("* CALL {} {} reason={outcome}", leg.id, told(leg, "ended"));
        self.desk.tell(leg.owner, &event, out);
        let talked = leg.answered.map_or(0, |since| now.at.saturating_duration_since(since).as_secs());
        let words = log_words(leg);
        let log = format!("call has ended: {outcome} {words} talked-s={talked}");
        out(Output::Log(log::Level::Info, &log));
        if outcome == Outcome::WrongKey {
            let log = format!("{DOUBT} `vox-peer forget {}` {words}{}", leg.who, leg.trust());
            out(Output::Log(log::Level::Warn, &log));
        }
        self.remember(leg, outcome, talked);
        out(Output::Keep(Kept::History, &self.history.to_string()));
        if leg.answered.is_some() && std::mem::take(&mut self.board.muted) {
            out(Output::Media(MediaOrder::Mute(false)));
        }
    }

    fn remember(&mut self, leg: &Leg, outcome: Outcome, talked: u64) {
        let call = PastCall::of(leg, outcome, talked);
        if is_missed(leg, outcome) {
            self.history.add_missed(call);
        } else {
            self.history.add(call);
        }
    }
}

/// What every line of the log has of a call.
fn log_words(leg: &Leg) -> String {
    format!("call={} with={} remote={}", leg.id, leg.who, leg.path.remote)
}

/// What people should know of who they talk to, and might not see.
fn warn_of_talk(leg: &Leg, out: Out<'_>) {
    let words = log_words(leg);
    if leg.is_sealed() == Some(false) {
        let log = format!("call is not encrypted: both ends have security.media = \"off\" {words}");
        out(Output::Log(log::Level::Warn, &log));
    }
    if leg.verdict == Some(Verdict::NoRoom) {
        let log = format!("key is not remembered: {MAX_KNOWN_KEYS} are, `vox-peer forget` one {words}");
        out(Output::Log(log::Level::Warn, &log));
    }
}

/// The words of an event behind the call-id: state, name, and what helps to understand them. A call that won over
/// one of ours says so (`was=`): whoever placed that one follows it.
fn told(leg: &Leg, state: &str) -> String {
    let direction = if leg.outgoing { "out" } else { "in" };
    let display = leg.display_word();
    let was = leg.yields.map_or_else(String::new, |own| format!(" was={own}"));
    let trust = leg.trust();
    format!("{state} {} direction={direction}{display}{was}{trust}", leg.who)
}

/// Somebody called, and nobody here said yes or no.
fn is_missed(leg: &Leg, outcome: Outcome) -> bool {
    let unanswered = !leg.outgoing && leg.answered.is_none();
    unanswered && matches!(outcome, Outcome::NoAnswer | Outcome::Cancelled | Outcome::Busy | Outcome::Lost)
}
