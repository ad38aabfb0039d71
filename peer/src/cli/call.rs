//! `vox-peer call`: stays with the call until it ends, shows it, and hangs up on Ctrl-C.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use vox_common::cli::client::{Answer, Client};
use vox_common::cli::failure::Failure;
use vox_common::cli::fields::Fields;
use vox_common::cli::screen::Screen;
use vox_common::cli::sections::sections;
use vox_common::cli::when;
use vox_common::sys::clock;

use super::STATION;
use super::event::{self, Event};
use super::trust;

/// How often the line of a running call is written anew.
const REFRESH_MS: u16 = 250;

/// How long the station may take to hang up, once it was asked to.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long to wait for the numbers of a running call.
const MEASURE: Duration = Duration::from_millis(500);

/// A call that this program has placed.
struct Call<'a> {
    client: Client,
    screen: &'a mut Screen,
    id: String,
    /// Who was called, as it was typed: whose key it is.
    typed: String,
    name: String,
    /// The callee as people see it.
    person: String,
    /// What is said behind the name when the call begins, until that is said.
    note: Option<String>,
    /// When it was answered.
    talking: Option<Instant>,
    /// When we were asked to end it.
    ending: Option<Instant>,
    meter: Meter,
}

/// What woke the program up.
enum Woken {
    Station,
    Signal,
    Clock,
}

/// Places a call and returns when it has ended or, `detached`, when it is answered.
pub(super) fn call(
    line: &str,
    detached: bool,
    places: &[PathBuf],
    screen: &mut Screen,
) -> Result<(), Failure> {
    let mut client = Client::connect(STATION, places)?;
    let answer = client.ask(line)?;
    client.wait_at_most(None);
    // Until here Ctrl-C simply ends the program, and with its connection what it asked for.
    let mut interrupts =
        interrupts().map_err(|error| Failure::Refused(format!("cannot catch signals: {error}")))?;
    let fields = Fields::read(&answer.last, &["calling", "name", "call"]);
    let (id, name) = (fields.value("call").to_owned(), fields.value("name").to_owned());
    let typed = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let meter = Meter { places: places.to_vec(), client: None };
    let note = answer.last.split_once(" (").map_or(String::new(), |(_, note)| format!(" ({note}"));
    let person = name.clone();
    let mut call = Call {
        client,
        screen,
        id,
        typed,
        name,
        person,
        note: Some(note),
        talking: None,
        ending: None,
        meter,
    };
    loop {
        while let Some(line) = call.client.line_at_hand() {
            if call.hear(&line)? || (detached && call.talking.is_some()) {
                return Ok(());
            }
        }
        match call.wait(&interrupts)? {
            Woken::Station => call.client.read()?,
            Woken::Signal => call.hang_up(&mut interrupts)?,
            Woken::Clock => call.refresh()?,
        }
    }
}

/// A socket that becomes readable when Ctrl-C is pressed or the program is told to end.
fn interrupts() -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(SIGINT, theirs.try_clone()?)?;
    signal_hook::low_level::pipe::register(SIGTERM, theirs)?;
    Ok(ours)
}

impl Call<'_> {
    fn wait(&self, interrupts: &UnixStream) -> Result<Woken, Failure> {
        let mut waiting = [
            PollFd::new(interrupts.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.client.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut waiting, self.patience()) {
            Ok(0) | Err(Errno::EINTR) => Ok(Woken::Clock),
            Ok(_) if waiting[0].any() == Some(true) => Ok(Woken::Signal),
            Ok(_) => Ok(Woken::Station),
            Err(error) => Err(Failure::Lost(format!("cannot wait for vox-peer: {error}"))),
        }
    }

    /// Only somebody who watches a running call, or who waits for its end, needs the clock.
    fn patience(&self) -> PollTimeout {
        let watched = self.talking.is_some() && self.screen.is_terminal();
        if watched || self.ending.is_some() { REFRESH_MS.into() } else { PollTimeout::NONE }
    }

    /// Takes note of a line; tells whether the call has ended well.
    fn hear(&mut self, line: &str) -> Result<bool, Failure> {
        let Some(event) = Event::read(line).filter(|event| self.is_ours(event)) else { return Ok(false) };
        let name = event.fields.find("name").unwrap_or(&self.name).to_owned();
        if event.kind == "CALL" {
            self.person = event::person(&name, &event.fields);
            self.begin()?;
        }
        match event.fields.value("state") {
            "late" | "timely" | "unsent" | "sent" => {
                self.screen.line(&event.sentence()).map(|()| false).map_err(Failure::from)
            }
            "ended" => self.end(&name, &event.fields).map(|()| true),
            "calling" => Ok(false),
            state => {
                if state == "talking" {
                    self.talking = Some(clock::now());
                }
                self.screen.line(&event::call(state, &self.person))?;
                let about =
                    if state == "talking" { trust::lines(&event.fields, &self.typed) } else { Vec::new() };
                about.iter().try_for_each(|line| self.screen.line(line))?;
                Ok(false)
            }
        }
    }

    /// Says who is called, once that is known.
    fn begin(&mut self) -> Result<(), Failure> {
        let Some(note) = self.note.take() else { return Ok(()) };
        Ok(self.screen.line(&format!("{}{note}", event::call("calling", &self.person)))?)
    }

    /// Where both sides called at once, the other side's call-id may take the place of ours.
    fn is_ours(&mut self, event: &Event) -> bool {
        let id = event.fields.value("call");
        if event.fields.value("was") == self.id {
            id.clone_into(&mut self.id);
        }
        id == self.id
    }

    fn end(&mut self, name: &str, fields: &Fields) -> Result<(), Failure> {
        let reason = fields.value("reason");
        if self.ending.is_none() {
            // Somebody else's name is another key's than that of the host.
            let whom = if name == self.name { &self.typed } else { name };
            verdict(&self.person, reason, fields.value("trust"), whom)?;
        }
        let after = self.talking.map(|since| when::spoken(clock::now().saturating_duration_since(since)));
        let after = after.map_or(String::new(), |after| format!(" after {after}"));
        Ok(self.screen.line(&format!("{}{after}", event::outcome(reason)))?)
    }

    /// Asks the station to end the call; who asks twice, or is not heard, leaves at once, which ends it as well.
    fn hang_up(&mut self, interrupts: &mut UnixStream) -> Result<(), Failure> {
        let _ = interrupts.read(&mut [0; 16])?;
        if self.ending.replace(clock::now()).is_some() {
            return Err(Failure::Closed);
        }
        self.client.send("HANGUP");
        Ok(())
    }

    fn refresh(&mut self) -> Result<(), Failure> {
        let now = clock::now();
        if self.ending.is_some_and(|since| now.saturating_duration_since(since) > FAREWELL) {
            return Err(Failure::Closed);
        }
        let Some(since) = self.talking else { return Ok(()) };
        let elapsed = when::counted(now.saturating_duration_since(since));
        let measured = self.meter.measure(&self.id).unwrap_or_default();
        Ok(self.screen.live(&format!("talking with {} {elapsed}  {measured}", self.person))?)
    }
}

/// What an end means that nobody here asked for; `whom` is what `vox-peer forget` takes.
fn verdict(name: &str, reason: &str, trust: &str, whom: &str) -> Result<(), Failure> {
    Err(Failure::Refused(match reason {
        "hangup" | "far-hangup" => return Ok(()),
        "lost" => return Err(Failure::Lost(format!("{name} was lost: nothing was heard any more"))),
        "declined" => format!("{name} declined"),
        "busy" => format!("{name} is busy"),
        "no-answer" => format!("{name} does not answer"),
        "cancelled" => format!("the call to {name} was cancelled"),
        "unreachable" => format!("{name} is unreachable"),
        "self" => "that is yourself".into(),
        "dnd" => format!("{name} does not want to be disturbed"),
        "not-allowed" => format!("{name} does not take calls from here"),
        "unsupported" => {
            format!("{name} and this station have no such call in common: update the older of the two")
        }
        "wrong-key" if trust == "unlisted" => {
            format!("{name} has another key than the registry lists: somebody may pretend to be {name}")
        }
        "wrong-key" => format!(
            "{name} has another key than the one that is known: somebody may pretend to be {name}; if {name} was set up \
             anew, `vox-peer forget {whom}`"
        ),
        "key-refused" => format!(
            "{name} knows this station by another key, and has to forget it: there, `vox-peer forget` and the name of \
             this station"
        ),
        "unsealed" => format!("{name} and this station differ in [security] media: set both to \"required\""),
        "not-here" => format!("somebody else answers at the address of {name}"),
        other => format!("the call to {name} ended: {other}"),
    }))
}

/// A second connection, for the numbers of a running call: the first one is busy with its events.
struct Meter {
    places: Vec<PathBuf>,
    client: Option<Client>,
}

impl Meter {
    fn measure(&mut self, call: &str) -> Option<String> {
        let mut client = self.client.take().or_else(|| Client::connect(STATION, &self.places).ok())?;
        let answer = client.ask_within(MEASURE, "STATUS").ok()?;
        self.client = Some(client);
        Some(numbers(&answer, call))
    }
}

/// What STATUS tells of a call, on one line.
fn numbers(answer: &Answer, call: &str) -> String {
    let of_the_call = |wanted: &'static str| {
        let all = sections(answer).filter(move |(section, _)| *section == wanted);
        all.map(|(_, fields)| fields).filter(move |fields| fields.value("call") == call)
    };
    let media = of_the_call("media").next().unwrap_or_default();
    let number = |key: &str| number(&media, key);
    let shown = [
        delays(of_the_call("delay")),
        number("packets-lost").zip(number("packets-received")).map(|(lost, received)| loss(lost, received)),
        number("level-in-db").map(|level| format!("in {}", bar(level))),
        number("level-out-db").map(|level| format!("out {}", bar(level))),
    ];
    shown.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn number(fields: &Fields, key: &str) -> Option<f64> {
    fields.find(key).and_then(|value| value.parse().ok())
}

/// From mouth to ear, both directions as far as they are known: "delay 12 ms there, 13 ms here".
fn delays(delays: impl Iterator<Item = Fields>) -> Option<String> {
    let known = delays.filter_map(|delay| {
        Some(format!("{:.0} ms {}", number(&delay, "total-ms")?, delay.value("direction")))
    });
    let known = known.collect::<Vec<_>>();
    (!known.is_empty()).then(|| format!("delay {}", known.join(", ")))
}

fn loss(lost: f64, received: f64) -> String {
    let all = lost + received;
    format!("loss {:.1} %", if all > 0.0 { 100.0 * lost / all } else { 0.0 })
}

/// A level between silence (-60 dB and below) and full scale, as eight steps.
fn bar(level_db: f64) -> String {
    let step = |floor: f64| if level_db > floor { '▮' } else { '▯' };
    [-60.0, -52.5, -45.0, -37.5, -30.0, -22.5, -15.0, -7.5].map(step).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_was_wanted_is_no_failure() {
        assert!(verdict("bob", "hangup", "", "").is_ok() && verdict("bob", "far-hangup", "", "").is_ok());
        assert!(matches!(verdict("bob", "lost", "", ""), Err(Failure::Lost(_))));
        assert!(
            matches!(verdict("bob", "busy", "", ""), Err(Failure::Refused(told)) if told == "bob is busy")
        );
    }

    #[test]
    fn a_running_call_is_shown_in_numbers() {
        let lines = [
            "media call=0a packets-received=99 packets-lost=1 level-in-db=-96 level-out-db=0",
            "delay call=0a direction=there total-ms=12.40",
            "delay call=0a direction=here total-ms=-",
            "delay call=0b direction=here total-ms=99.00",
        ];
        let shown = |lines: &[&str]| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            numbers(&Answer { lines, last: "end".into() }, "0a")
        };
        let levels = "loss 1.0 %  in ▯▯▯▯▯▯▯▯  out ▮▮▮▮▮▮▮▮";
        assert_eq!(shown(&lines), format!("delay 12 ms there  {levels}"));
        let both = [lines[0], lines[1], "delay call=0a direction=here total-ms=13.60"];
        assert_eq!(shown(&both), format!("delay 12 ms there, 14 ms here  {levels}"));
        assert_eq!(shown(&lines[..1]), levels, "while nothing is known");
    }
}
