//! What time does to calls.

use vox_common::wire::signal::{Reason, Say};

use super::calls::{CallOut, CallOutput, Calls};
use super::io::Moment;
use super::leg::{Leg, State};
use super::outcome::Outcome;
use super::steps::{send_accept, send_cancel, send_invite, send_ringing};
use super::timer::{Due, RING_REPEAT};

/// What is due for one leg.
enum Step {
    Nothing,
    Invite,
    Ringing,
    Accept,
    Cancel(Outcome),
    /// The caller gives up, and says so until it is heard.
    GiveUp,
    /// The callee gives up.
    Refuse,
    /// Ended, with this last word to the other side.
    End(Outcome, LastWord),
}

/// What the other side is told of a leg that time has ended.
enum LastWord {
    Nothing,
    Cancel,
    Bye,
}

impl Calls {
    /// Does everything that is due.
    pub fn expire(&mut self, now: Moment, out: CallOut<'_>) {
        self.closed.expire(now.at, &mut |path, signal| out(CallOutput::Signal(path, signal)));
        let mut at = 0;
        while at < self.legs.len() {
            let before = self.legs.len();
            let step = self.legs[at].step(now);
            self.take(now, at, step, out);
            if self.legs.len() == before {
                at += 1;
            }
        }
    }

    fn take(&mut self, now: Moment, at: usize, step: Step, out: CallOut<'_>) {
        match step {
            Step::Nothing => {}
            Step::Invite => {
                send_invite(&self.legs[at], out);
                self.legs[at].next_candidate();
            }
            Step::Ringing => send_ringing(&self.legs[at], out),
            Step::Accept => send_accept(&self.legs[at], out),
            Step::Cancel(outcome) => send_cancel(&self.legs[at], outcome, out),
            Step::GiveUp => self.cancel(now, at, Outcome::NoAnswer, out),
            Step::Refuse => self.refuse_leg(now, at, Reason::Timeout, out),
            Step::End(outcome, word) => self.end(now, at, outcome, word.say(), out),
        }
    }
}

impl LastWord {
    fn say(self) -> Option<Say> {
        match self {
            Self::Nothing => None,
            Self::Cancel => Some(Say::Cancel(Reason::Lost)),
            Self::Bye => Some(Say::Bye(Reason::Lost, None)),
        }
    }
}

impl Leg {
    fn step(&mut self, now: Moment) -> Step {
        let now = now.at;
        match &mut self.state {
            State::Calling { resend, wrong_key, .. } => match resend.due(now) {
                Due::Wait => Step::Nothing,
                Due::Again => Step::Invite,
                Due::GiveUp if *wrong_key => Step::End(Outcome::WrongKey, LastWord::Nothing),
                Due::GiveUp => Step::End(Outcome::Unreachable, LastWord::Cancel),
            },
            State::Cancelling { resend, outcome } => match resend.due(now) {
                Due::Wait => Step::Nothing,
                Due::Again => Step::Cancel(*outcome),
                Due::GiveUp => Step::End(*outcome, LastWord::Nothing),
            },
            State::RingingThere(ringing) => {
                if ringing.silent <= now {
                    return Step::End(Outcome::Lost, LastWord::Cancel);
                }
                if ringing.until <= now {
                    return Step::GiveUp;
                }
                repeat(&mut ringing.repeat, now, Step::Invite)
            }
            State::RingingHere(ringing) => {
                if ringing.silent <= now {
                    return Step::End(Outcome::Lost, LastWord::Bye);
                }
                if ringing.until <= now {
                    return Step::Refuse;
                }
                repeat(&mut ringing.repeat, now, Step::Ringing)
            }
            State::Talking { accept, silent } => {
                let unheard = accept.as_mut().map_or(Due::Wait, |accept| accept.due(now));
                if *silent <= now || unheard == Due::GiveUp {
                    return Step::End(Outcome::Lost, LastWord::Bye);
                }
                if unheard == Due::Again { Step::Accept } else { Step::Nothing }
            }
        }
    }
}

fn repeat(next: &mut std::time::Instant, now: std::time::Instant, step: Step) -> Step {
    if now < *next {
        return Step::Nothing;
    }
    *next = now + RING_REPEAT;
    step
}
