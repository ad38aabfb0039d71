//! Whatever is thrown at a station's sockets during a call is refused or counted, and the call is not disturbed.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use vox_common::sys::clock;
use vox_common::wire::control::Request;
use vox_common::wire::request::Request as Ask;
use vox_common::wire::signal::{CallId, Reason, Say, Signal};
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Place, Station, usage, wait};
use vox_tests::garbage::{below, byte, bytes, delay, dice, media, signals, spoilt};
use vox_tests::wire::Wire;

/// A little slower than what a station takes in from one address (200 signals a second), so that all of it is really looked at.
const SIGNAL_PAUSE: Duration = Duration::from_micros(5_500);

/// Carries a call between two stations, and can throw in datagrams that seem to come from either.
struct Between {
    front: UdpSocket,
    back: UdpSocket,
    ended: Arc<AtomicBool>,
    caller: SocketAddr,
    address: SocketAddr,
}

impl Between {
    fn start(caller: SocketAddr, callee: SocketAddr) -> Self {
        let socket = || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
            socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket of our own");
            socket
        };
        let (front, back) = (socket(), socket());
        front.connect(caller).expect("loopback is there");
        back.connect(callee).expect("loopback is there");
        let ended = Arc::new(AtomicBool::new(false));
        for (from, to) in [(&front, &back), (&back, &front)] {
            let [from, to] = [from, to].map(|socket| socket.try_clone().expect("a descriptor to spare"));
            let ended = Arc::clone(&ended);
            thread::spawn(move || carry(&from, &to, &ended));
        }
        let address = front.local_addr().expect("a bound socket");
        Self { front, back, ended, caller, address }
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn carry(from: &UdpSocket, to: &UdpSocket, ended: &AtomicBool) {
    let mut bytes = [0; 2048];
    while !ended.load(Ordering::Relaxed) {
        if let Ok(length) = from.recv(&mut bytes) {
            let _ = to.send(&bytes[..length]);
        }
    }
}

fn address(station: &Station) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], station.port()))
}

/// Somebody who takes no part in the call, at an address of its own.
fn stranger(host: &str, to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((host, 0)).expect("loopback is there");
    socket.connect(to).expect("loopback is there");
    socket
}

/// Alice and bob talk, and keep what they hear.
struct Talk {
    place: Place,
    alice: Station,
    bob: Station,
    between: Between,
}

impl Talk {
    fn begin() -> Self {
        Self::begin_with("required")
    }

    fn begin_with(media: &str) -> Self {
        let place = Place::new();
        let file = |name: &str| format!("file:{}", place.at(name).display());
        let named = |name| Station::named(name).set("security.media", media);
        let alice = named("alice").set("audio.output", file("alice.wav")).start(&place);
        let bob = named("bob").answering().set("audio.output", file("bob.wav")).start(&place);
        let between = Between::start(address(&alice), address(&bob));
        let said = alice.run(&["call", "--detach", &between.address.to_string()]);
        assert_eq!(said.code, 0, "{said:?}");
        bob.wait_until("talking");
        let talk = Self { place, alice, bob, between };
        talk.hears_more();
        talk
    }

    fn stations(&self) -> [&Station; 2] {
        [&self.alice, &self.bob]
    }

    /// A second more, so that both ends of a recording can be left out.
    fn hears_more(&self) {
        for station in self.stations() {
            let before = station.figure("media", "packets-sent");
            wait::until("the call to go on", 10, || {
                (station.figure("media", "packets-sent") > before + 110.0).then_some(())
            });
        }
    }

    /// Whoever throws, by the address that they throw from: the far end of the call itself and a stranger on its host, and
    /// two from elsewhere.
    fn throwers(&self, target: usize) -> [Vec<UdpSocket>; 3] {
        let own = if target == 0 { &self.between.front } else { &self.between.back };
        let own = own.try_clone().expect("a descriptor to spare");
        let to = [self.between.caller, address(&self.bob)][target];
        let [here, there, elsewhere] = ["127.0.0.1", "127.0.0.8", "127.0.0.9"].map(|host| stranger(host, to));
        [vec![own, here], vec![there], vec![elsewhere]]
    }

    fn resident_mb(&mut self) -> [f64; 2] {
        [&mut self.alice, &mut self.bob].map(|station| usage::resident_mb(station.process().pid()))
    }

    /// The call is the one it was, sounds as it did, and has cost nothing that stays.
    fn was_not_disturbed(mut self, call: &str, resident_mb: [f64; 2]) {
        self.hears_more();
        for station in self.stations() {
            let status = station.control().ask("STATUS");
            assert_eq!(station.status("call", "call").as_deref(), Some(call), "{status:#?}");
            assert_eq!(station.status("call", "state").as_deref(), Some("talking"), "{status:#?}");
            assert!(station.figure("media", "concealed-percent") < 5.0, "{status:#?}");
        }
        for (before, after) in resident_mb.into_iter().zip(self.resident_mb()) {
            assert!(after < before + 2.0, "grew from {before} to {after} MB");
        }
        assert_eq!(self.alice.run(&["hangup"]).code, 0);
        self.bob.wait_until("idle");
        self.alice.wait_until("idle");
        for name in ["alice.wav", "bob.wav"] {
            let silent = wait::until("the recording", 5, || silent_share(&self.place.at(name)));
            assert!(silent < 0.05, "{name}: {silent} of the tone is missing");
        }
    }

    /// Hardly any of so many signals was dropped before anybody looked at it.
    fn looked_at(&self, signals: usize) {
        let most = f64::from(u32::try_from(signals).expect("some thousands")) / 20.0;
        for station in self.stations() {
            let dropped = station.figure("datagrams", "signals-dropped");
            assert!(dropped < most, "{dropped} of {signals} were not looked at");
        }
    }

    fn counted(&self, section: &str, keys: &[&str]) {
        for station in self.stations() {
            for key in keys {
                let status = station.control().ask("STATUS");
                assert!(station.figure(section, key) > 0.0, "{section} {key}: {status:#?}");
            }
        }
    }
}

/// How much of a recording of a tone is quiet, but for its beginning and its end.
fn silent_share(path: &std::path::Path) -> Option<f64> {
    let all = Recording::read(path);
    let length = all.seconds() - 1.0;
    let sound = (length > 1.0).then(|| all.piece(0.5, length))?;
    let least = sound.level() / 2.0;
    let pieces = sound
        .samples
        .chunks_exact(480)
        .map(|piece| Recording { rate: sound.rate, samples: piece.to_vec() }.level() < least);
    let (quiet, count) =
        pieces.fold((0.0, 0.0), |(quiet, all), is| (quiet + f64::from(u8::from(is)), all + 1.0));
    Some(quiet / count)
}

/// Sends one thing after the other from each thrower in turn, and never faster than that.
fn throw<'a>(throwers: &[UdpSocket], things: impl Iterator<Item = &'a Vec<u8>>, pause: Duration) {
    for (thing, thrower) in things.zip(throwers.iter().cycle()) {
        // A station that answers nothing is no reason to stop.
        let _ = thrower.send(thing);
        clock::sleep_until(clock::now() + pause);
    }
}

/// Every kind of thing, spoilt in every way.
fn all_spoilt(kinds: &[Vec<u8>], dice: &mut ChaCha8Rng) -> Vec<Vec<u8>> {
    kinds.iter().flat_map(|whole| spoilt(whole, dice)).collect()
}

/// Throws them at both stations, which run the same program: each takes a half, and of that each address a third.
fn share_out(talk: &Talk, things: &[Vec<u8>]) {
    thread::scope(|scope| {
        for (target, throwers) in [0, 1].map(|target| (target, talk.throwers(target))) {
            for (nth, throwers) in throwers.into_iter().enumerate() {
                let mine = things.iter().skip(target + 2 * nth).step_by(6);
                scope.spawn(move || throw(&throwers, mine, SIGNAL_PAUSE));
            }
        }
    });
}

#[test]
fn datagrams_of_every_wrong_kind_do_not_disturb_a_call() {
    let mut talk = Talk::begin();
    let call = talk.alice.status("call", "call").expect("a call");
    let resident_mb = talk.resident_mb();
    let mut dice = dice();
    let kinds = signals(&mut dice);
    let things = all_spoilt(&kinds, &mut dice);
    let kinds = media(&mut dice);
    let mut sounds = all_spoilt(&kinds, &mut dice);
    for _ in 0..300 {
        let length = below(&mut dice, 1_900);
        sounds.push(bytes(&mut dice, length));
    }
    sounds.extend(vec![[b"V".as_slice(), &[b'x'; 1_400]].concat(); 2]);
    thread::scope(|scope| {
        scope.spawn(|| share_out(&talk, &things));
        scope.spawn(|| share_out(&talk, &sounds));
    });
    talk.looked_at(things.len());
    talk.counted("counters", &["malformed", "retried", "unknown"]);
    talk.counted("datagrams", &["strangers", "invalid", "oversize", "unknown"]);
    talk.was_not_disturbed(&call, resident_mb);
}

#[test]
fn a_flood_does_not_disturb_a_call() {
    let mut talk = Talk::begin();
    let call = talk.alice.status("call", "call").expect("a call");
    let resident_mb = talk.resident_mb();
    let mut dice = dice();
    let things: Vec<Vec<u8>> =
        (0..200).flat_map(|_| [signals(&mut dice), media(&mut dice)].concat()).collect();
    thread::scope(|scope| {
        for target in 0..2 {
            let throwers: Vec<_> = talk.throwers(target).into_iter().flatten().collect();
            // Never more at once than the kernel keeps for a socket.
            let things = things.iter();
            scope.spawn(move || throw(&throwers, things, Duration::from_micros(500)));
        }
    });
    talk.counted("datagrams", &["signals-dropped"]);
    talk.was_not_disturbed(&call, resident_mb);
}

#[test]
fn a_far_end_that_lies_about_its_delay_is_shown_as_it_says_or_not_at_all() {
    let talk = Talk::begin_with("off");
    let call = talk.alice.status("call", "call").expect("a call");
    let liar = &talk.between.front;
    for (seconds, shown) in [(9, " capture-ms=9000.00 "), (11, " capture-ms=- "), (4_000, " capture-ms=- ")] {
        let lie = delay(7, Duration::from_secs(seconds));
        wait::until("the lie to be shown", 10, || {
            liar.send(&lie).expect("alice listens");
            wait::pause(Duration::from_millis(50));
            let lines = talk.alice.lines("delay");
            lines.iter().any(|line| line.contains("direction=here") && line.contains(shown)).then_some(())
        });
    }
    talk.hears_more();
    assert_eq!(talk.alice.status("call", "call"), Some(call));
    assert_eq!(talk.alice.status("call", "state").as_deref(), Some("talking"));
}

/// Requests that change nothing, or are none.
fn is_harmless(line: &[u8]) -> bool {
    let request = std::str::from_utf8(line).ok().map(Request::parse);
    let reads = matches!(
        request,
        None | Some(
            Err(_)
                | Ok(Request::Status
                    | Request::Users
                    | Request::Lookup(_)
                    | Request::PassedOn(Ask::Echo(_) | Ask::Rooms | Ask::Members(_))
                    | Request::Help)
        )
    );
    reads && !line.contains(&b'\n')
}

/// Says a line and hears all of its answer.
fn is_answered(wire: &mut Wire, line: &[u8]) {
    wire.send(&[line, b"\n"].concat());
    loop {
        let answer =
            wire.hear().unwrap_or_else(|| panic!("cut off after {:?}", String::from_utf8_lossy(line)));
        if answer.as_bytes().get(3) != Some(&b'-') {
            assert!(answer.starts_with(['2', '4', '5']), "{answer}");
            return;
        }
    }
}

#[test]
fn garbage_on_the_control_socket_is_refused_line_by_line_and_does_not_disturb_a_call() {
    let mut talk = Talk::begin();
    let call = talk.alice.status("call", "call").expect("a call");
    let resident_mb = talk.resident_mb();
    let mut dice = dice();
    let requests = [
        "CALL bob detach",
        "ANSWER",
        "REJECT",
        "HANGUP",
        "MUTE on",
        "VOLUME out 100",
        "STATUS",
        "USERS",
        "LOOKUP bob",
        "ECHO some words",
        "SET-STATUS idle",
        "HELP",
    ];
    let mut lines = Vec::new();
    for request in requests {
        lines.extend(spoilt(request.as_bytes(), &mut dice));
    }
    for _ in 0..200 {
        let length = below(&mut dice, 3_000);
        lines.push(bytes(&mut dice, length));
    }
    for station in talk.stations() {
        let mut wire = Wire::unix(&station.socket());
        for line in lines.iter().filter(|line| is_harmless(line)) {
            is_answered(&mut wire, line);
        }
        // Half a line, and the end.
        wire.send(b"STAT");
    }
    talk.was_not_disturbed(&call, resident_mb);
}

#[test]
fn nothing_that_a_stranger_gets_back_is_longer_than_what_it_sent() {
    let place = Place::new();
    let alice = Station::named("alice").set("audio.input", "silence").start(&place);
    let socket = stranger("127.0.0.1", address(&alice));
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket of our own");
    let mut dice = dice();
    let mut answer = [0; 2048];
    for whole in signals(&mut dice) {
        let every = whole.len() / 12;
        for thing in
            spoilt(&whole, &mut dice).into_iter().step_by(every.max(1)).chain([whole.clone(), whole.clone()])
        {
            clock::sleep_until(clock::now() + 2 * SIGNAL_PAUSE);
            // What is answered for certain marks the end of what the thing itself provoked.
            let id = CallId(std::array::from_fn(|_| byte(&mut dice)));
            let mark = Signal::untagged(id, Say::Cancel(Reason::Cancelled)).to_string();
            let end = Signal::untagged(id, Say::ByeOk).to_string();
            socket.send(&thing).and_then(|_| socket.send(mark.as_bytes())).expect("alice listens");
            let mut came = 0;
            loop {
                let length = socket.recv(&mut answer).expect("the mark is answered");
                if answer[..length] == *end.as_bytes() {
                    break;
                }
                came += length;
            }
            assert!(came <= thing.len(), "{came} bytes for {:?}", String::from_utf8_lossy(&thing));
        }
    }
    socket.set_read_timeout(Some(Duration::from_millis(1_500))).expect("a socket of our own");
    let more = socket.recv(&mut answer).map(|length| String::from_utf8_lossy(&answer[..length]).into_owned());
    assert!(more.is_err(), "nothing more comes: {more:?}");
    assert_eq!(alice.status("peer", "state").as_deref(), Some("idle"));
}
