//! STATUS: everything about this station, one section a line.

use std::fmt::{self, Write};

use vox_common::wire::words::encode;

use super::Agent;
use super::board::write_report;
use super::choices::Choices;
use super::io::Moment;
use super::leg::Leg;

impl Agent {
    pub(super) fn status(&self, now: Moment) -> String {
        let mut text = String::new();
        self.write_status(now, &mut text).expect("writing to a String does not fail");
        text + "230 end"
    }

    fn write_status(&self, now: Moment, text: &mut String) -> fmt::Result {
        let me = self.calls.me();
        let seconds_since = |then| now.at.saturating_duration_since(then).as_secs();
        write!(text, "230-peer name={} version={}", me.name, env!("CARGO_PKG_VERSION"))?;
        if let Some(display) = &me.display {
            write!(text, " display={}", display.to_word())?;
        }
        write!(text, " state={} status={}", self.state_word(), self.effective_status())?;
        write!(text, " missed={}", self.front.history.missed())?;
        write!(text, " messages={}", self.front.messages.kept().count())?;
        write!(text, " unread={}", self.front.messages.unread())?;
        writeln!(text, " uptime-s={}", seconds_since(self.started))?;
        self.write_link(now, text)?;
        for leg in self.calls.legs().iter().filter(|leg| leg.is_active()) {
            self.write_leg(leg, seconds_since(leg.begun.at), text)?;
        }
        self.front.board.write(text)?;
        write!(text, "230-security media={} fingerprint={}", self.calls.me().media, self.key.fingerprint())?;
        writeln!(text, " key-kept={}", if self.key_file.is_some() { "yes" } else { "no" })?;
        let counters = self.calls.counters();
        write!(text, "230-counters signals={} malformed={}", counters.received, counters.malformed)?;
        write!(text, " retried={} unknown={}", counters.retried, counters.unknown)?;
        write!(text, " forged={} repeated={}", counters.forged, counters.repeated)?;
        writeln!(text, " unanswered={}", counters.unanswered)?;
        self.front.board.write_datagrams(text)?;
        self.write_choices(text)?;
        self.front.disk.lines(now.at).try_for_each(|line| writeln!(text, "230-{line}"))
    }

    /// What people have set by hand, and whether it is still as before the start.
    fn write_choices(&self, text: &mut String) -> fmt::Result {
        let Choices { status, volume_in, volume_out, room } = self.choices();
        write!(text, "230-choices status={status} volume-in={volume_in} volume-out={volume_out}")?;
        if let Some(room) = room {
            write!(text, " room={}", room.name)?;
        }
        writeln!(text, " restored={}", if self.has_restored { "yes" } else { "no" })
    }

    fn write_link(&self, now: Moment, text: &mut String) -> fmt::Result {
        write!(text, "230-registry link={}", self.link.word())?;
        if let Some(address) = &self.registry_address {
            write!(text, " address={}", encode(address))?;
        }
        if let Some((since, address)) = self.link.registered() {
            let seconds = now.at.saturating_duration_since(since).as_secs();
            write!(text, " registered={address} since-s={seconds}")?;
            self.write_sealing(text)?;
        } else if self.registry_address.is_some() {
            write!(text, " reason={}", encode(self.link.reason()))?;
        }
        if let Some(retry) = self.link.retries_at() {
            write!(text, " retry-s={}", retry.saturating_duration_since(now.at).as_secs())?;
        }
        if let Some(room) = self.link.rooms().inside() {
            write!(text, " room={room}")?;
        }
        if let Some(room) = self.link.rooms().returning_to() {
            write!(text, " returns-to={room}")?;
        }
        writeln!(text)
    }

    /// Whether others can read what the registry and we say, and whether somebody has compared its key.
    fn write_sealing(&self, text: &mut String) -> fmt::Result {
        let Some(key) = self.link.sealed_with() else { return write!(text, " sealed=no") };
        let known = self.registry.as_ref().and_then(|whom| self.calls.known.find(whom));
        let verified = if known.is_some_and(|known| known.verified.is_some()) { "yes" } else { "no" };
        write!(text, " sealed=yes fingerprint={} verified={verified}", key.fingerprint())
    }

    fn write_leg(&self, leg: &Leg, seconds: u64, text: &mut String) -> fmt::Result {
        let direction = if leg.outgoing { "out" } else { "in" };
        let muted = if self.front.board.muted { "on" } else { "off" };
        write!(text, "230-call call={} name={} address={}", leg.id, leg.who, leg.path.remote)?;
        write!(text, "{}", leg.display_word())?;
        write!(text, " direction={direction} state={} since-s={seconds}", leg.state_word())?;
        let sends = self.calls.me().sends;
        write!(text, " codec={} ptime-ms={} muted={muted}", sends.codec, sends.ptime_ms())?;
        writeln!(text, "{}", leg.trust())?;
        if let Some(report) = self.front.board.report(leg.place) {
            write!(text, "230-media call={}", leg.id)?;
            write_report(report, text)?;
            writeln!(text)?;
            self.write_delays(leg, report, text)?;
        }
        Ok(())
    }
}
