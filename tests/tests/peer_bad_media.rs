//! A far end that sends what nobody should, to a real station: the call goes on, sounds right again within a second, and
//! has cost nothing that stays.

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::names::Name;
use vox_common::wire::signal::{CallId, Cookie, Endings, Hello, Kind, MediaSealing, Reason, Say, Signal};
use vox_peer::media::orders::{Codec, Coding};
use vox_tests::bed::wav::{RATE, Recording};
use vox_tests::bed::{Place, Station, listen, usage, wait};
use vox_tests::far::{Far, Word};
use vox_tests::mischief::{Mischief, Sent, Speaker, TONE};

const PEACE: Duration = Duration::from_millis(1_500);

/// After mischief: a second in which sound may be wrong, and what is listened to.
const AFTER: Duration = Duration::from_millis(2_700);

/// What a station may have grown by: buffers of the kernel's and the allocator's that are touched for the first time.
const GROWN_MB: f64 = 1.0;

const SHORTEST: Coding = Coding { codec: Codec::L16, ptime_us: 1_250 };
const USUAL: Coding = Coding { codec: Codec::Opus, ptime_us: 10_000 };

/// Somebody who is nothing but a socket and a key.
struct Speaking {
    socket: UdpSocket,
    call: CallId,
    sends: Coding,
    far: Far,
}

impl Speaking {
    fn new(station: &Station, sends: Coding) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
        socket.connect(("127.0.0.1", station.port())).expect("loopback is there");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket of our own");
        // Whose key the station has it says itself, before anything is sealed for it.
        let mut speaking =
            Self { socket, call: CallId([5; 16]), sends, far: Far::new([5; 32], PublicKey([0; 32])) };
        speaking.call();
        speaking
    }

    /// Calls, and is answered.
    fn call(&mut self) {
        self.say(Word::Knock);
        let (cookie, key) = self.hear(|say| match say {
            Say::Retry(cookie, key) => Some((cookie, key)),
            _ => None,
        });
        self.far = Far::new([5; 32], key);
        self.invite(cookie);
        self.say(Word::Confirm);
    }

    fn invite(&mut self, cookie: Cookie) {
        self.say(Word::Invite(cookie, self.hello()));
        self.hear(|say| matches!(say, Say::Accept(..)).then_some(()));
    }

    fn hang_up(&mut self) {
        self.say(Word::Bye(Reason::Hangup));
    }

    fn hello(&self) -> Hello {
        let from = Name::parse("mallory").expect("a name");
        Hello {
            from,
            kind: Kind::Voice,
            to: None,
            display: None,
            sends: Some(self.sends),
            takes_red: true,
            media: MediaSealing::Off,
            after: Endings::new(),
        }
    }

    fn say(&mut self, word: Word) {
        let signal = self.far.say(self.call, word);
        self.socket.send(&signal).expect("the station listens");
    }

    /// The next signal that is meant.
    fn hear<T>(&mut self, meant: impl Fn(Say) -> Option<T>) -> T {
        let mut bytes = [0; 2_048];
        loop {
            let length = self.socket.recv(&mut bytes).expect("the station answers");
            self.far.hear(&bytes[..length]);
            let heard = Signal::parse(&bytes[..length]).ok().and_then(|signal| meant(signal.say));
            if let Some(heard) = heard {
                return heard;
            }
        }
    }

    /// Sends each thing when it is due.
    fn play(&self, began: Instant, script: &[Sent]) {
        for sent in script {
            clock::sleep_until(began + sent.at);
            // A datagram that is refused is one that was lost.
            let _ = self.socket.send(&sent.bytes);
        }
    }
}

/// A station in a call with somebody, and what it hears.
struct Trouble {
    place: Place,
    bob: Station,
    far: Speaking,
}

impl Trouble {
    fn begin(coding: Coding) -> Self {
        let place = Place::new();
        let recording = format!("file:{}", place.at("bob.wav").display());
        let bob = Station::quiet("bob").set("audio.output", recording).set("voice.profile", "studio");
        let bob = bob.set("security.media", "off");
        let bob = bob.answering().start(&place);
        let far = Speaking::new(&bob, coding);
        bob.wait_until("talking");
        Self { place, bob, far }
    }

    /// Plays a script of which the first part is peaceful; how much memory the station had then and has now.
    fn play(&mut self, script: &[Sent]) -> [f64; 2] {
        let (pid, began) = (self.bob.process().pid(), clock::now());
        let bad_from = script.iter().position(|sent| sent.at >= PEACE).unwrap_or(script.len());
        let (peace, bad) = script.split_at(bad_from);
        [peace, bad].map(|part| {
            self.far.play(began, part);
            usage::resident_mb(pid)
        })
    }

    /// Ends the call; how much of the last second was the tone, and how much of it nothing.
    fn end(&mut self) -> (f64, f64) {
        self.far.hang_up();
        self.bob.wait_until("idle");
        wait::until("the recording", 5, || last_second(&self.place.at("bob.wav")))
    }
}

/// A call with mischief in it; what is wrong afterwards.
fn trouble(mischief: Mischief, coding: Coding) -> Result<(), String> {
    let mut trouble = Trouble::begin(coding);
    let mut speaker = Speaker::new(coding, 3);
    speaker.speak(PEACE);
    speaker.misbehave(mischief);
    speaker.speak(AFTER);
    let [before, after] = trouble.play(&speaker.script());
    let state = trouble.bob.status("peer", "state").unwrap_or_default();
    let (tone, silent) = trouble.end();
    if tone > 0.95 && silent < 0.02 && after < before + GROWN_MB && state == "talking" {
        return Ok(());
    }
    let told = format!("tone {tone:.3}, silent {silent:.3}, {before:.1} to {after:.1} MB, {state}");
    Err(format!("{mischief} {coding}: {told}\n{}", trouble.bob.process().log()))
}

/// How much of it is the tone, and how much of it is nothing.
fn last_second(path: &std::path::Path) -> Option<(f64, f64)> {
    let all = Recording::read(path);
    let from = all.seconds() - 1.3;
    let second = (from > 0.0).then(|| all.piece(from, 1.0))?;
    let holes = listen::silences(&second, 24).len();
    #[expect(clippy::cast_precision_loss, reason = "a second at most")]
    let silent = holes as f64 * 24.0 / f64::from(RATE);
    Some((listen::tone_share(&second, f64::from(TONE)), silent))
}

/// Side by side: most of the time they wait.
fn all_of_it(coding: Coding) {
    let calls = Mischief::ALL.map(|mischief| thread::spawn(move || trouble(mischief, coding)));
    let wrong: Vec<String> = calls
        .into_iter()
        .filter_map(|call| call.join().unwrap_or_else(|_| Err("it panicked".into())).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_station_that_was_sent_bad_media_sounds_right_within_a_second() {
    all_of_it(USUAL);
}

#[test]
fn so_does_one_that_was_sent_it_in_the_shortest_packets() {
    all_of_it(SHORTEST);
}
