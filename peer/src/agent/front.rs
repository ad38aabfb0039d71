//! What people see of calls: events on the control socket, lines in the log, the history.

use vox_common::wire::limits::MAX_LEGS;

use super::board::Board;
use super::calls::CallOutput;
use super::delay::Latenesses;
use super::desk::Desk;
use super::history::{History, PastCall};
use super::io::{Kept, Moment, Out, Output};
use super::leg::Leg;
use super::messages::{Message, Messages};
use super::outcome::Outcome;
use crate::media::orders::MediaOrder;

/// The side of the agent that faces people.
#[derive(Debug, Default)]
pub struct Front {
    /// The programs on the control socket.
    pub desk: Desk,
    /// The last calls.
    pub history: History,
    /// The last messages.
    pub messages: Messages,
    /// The sound.
    pub board: Board,
    /// What was told of the delay of each leg, by its place.
    pub latenesses: [Latenesses; MAX_LEGS],
}

impl Front {
    /// Performs what the table of legs wants done, and tells people of it.
    pub fn perform(&mut self, now: Moment, output: CallOutput<'_>, out: Out<'_>) {
        match output {
            CallOutput::Signal(path, signal) => out(Output::Signal(path, signal)),
            CallOutput::Media(order) => self.order(order, out),
            CallOutput::Changed(leg) => self.changed(leg, out),
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
        }
        out(Output::Media(order));
    }

    /// Tells how far a call has come.
    pub fn changed(&self, leg: &Leg, out: Out<'_>) {
        // A call that is being given up is told of when it has ended.
        if leg.is_active() {
            self.desk.tell(leg.owner, &format!("* CALL {} {}", leg.id, told(leg, leg.state_word())), out);
        }
        let log = format!(
            "call is {} call={} with={} remote={}",
            leg.state_word(),
            leg.id,
            leg.who,
            leg.path.remote
        );
        out(Output::Log(log::Level::Info, &log));
    }

    fn ended(&mut self, now: Moment, leg: &Leg, outcome: Outcome, out: Out<'_>) {
        let event = format!("* CALL {} {} reason={outcome}", leg.id, told(leg, "ended"));
        self.desk.tell(leg.owner, &event, out);
        let talked = leg.answered.map_or(0, |since| now.at.saturating_duration_since(since).as_secs());
        let (id, who, remote) = (leg.id, &leg.who, leg.path.remote);
        let log = format!("call has ended: {outcome} call={id} with={who} remote={remote} talked-s={talked}");
        out(Output::Log(log::Level::Info, &log));
        self.history.add(PastCall::of(leg, outcome, talked), is_missed(leg, outcome));
        out(Output::Keep(Kept::History, &self.history.to_string()));
        if leg.answered.is_some() && std::mem::take(&mut self.board.muted) {
            out(Output::Media(MediaOrder::Mute(false)));
        }
    }
}

/// The words of an event behind the call-id: state, name, and what helps to understand them. A call that won over
/// one of ours says so (`was=`): whoever placed that one follows it.
fn told(leg: &Leg, state: &str) -> String {
    let direction = if leg.outgoing { "out" } else { "in" };
    let display =
        leg.display.as_ref().map_or_else(String::new, |name| format!(" display={}", name.to_word()));
    let was = leg.yields.map_or_else(String::new, |own| format!(" was={own}"));
    format!("{state} {} direction={direction}{display}{was}", leg.who)
}

/// Somebody called, and nobody here said yes or no.
fn is_missed(leg: &Leg, outcome: Outcome) -> bool {
    let unanswered = !leg.outgoing && leg.answered.is_none();
    unanswered && matches!(outcome, Outcome::NoAnswer | Outcome::Cancelled | Outcome::Busy | Outcome::Lost)
}
