//! `probe DIRECTORY SECONDS STATION=FILE.wav … [PORTS->PORTS …]`: speaks into the microphones of stations on a JACK server,
//! over and over, and records what their loudspeakers play, until its standard input ends; at most so many seconds, what comes
//! later is forgotten. Ports that match the one pattern are connected with those that match the other as soon as they are
//! there. `STATION=echo:FILE.wav`: its microphone also hears its own loudspeaker, in a room.
//!
//! Then it writes `STATION-mic.wav` and `STATION-ear.wav`, which begin at the same sample, `cycles.csv` (seconds of recording,
//! seconds since boot) and `witness.csv` (seconds since boot, milliseconds late): how late a thread was
//! that does nothing but wake every 1.25 ms at a priority above everybody else's. Where it is late, the machine
//! stood still, and no program could have been on time.

use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::jack::{
    AudioIn, AudioOut, Client, ClientOptions, Control, Port, PortFlags, ProcessHandler, ProcessScope,
};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use vox_common::sys::clock;
use vox_peer::rt;
use vox_tests::bed::jack;
use vox_tests::bed::wav::{RATE, Recording};

/// How often it looks for ports to connect.
const LOOK_MS: u16 = 100;
/// The witness stands above every sound thread.
const WITNESS_PRIORITY: u8 = 85;
const WITNESS_BEAT: Duration = Duration::from_micros(1250);
/// Less is no lateness worth a line.
const WORTH_A_LINE: Duration = Duration::from_micros(500);

struct Track {
    station: String,
    words: Vec<f32>,
    room: Option<Room>,
    microphone: Port<AudioOut>,
    loudspeaker: Port<AudioIn>,
    heard: Vec<f32>,
}

/// A room in which a loudspeaker is heard.
struct Room {
    /// What the loudspeaker played last, over and over.
    past: Vec<f32>,
    /// How much later the microphone hears it, in samples, and how loud: straight, then from walls.
    ways: [(usize, f32); 6],
}

impl Default for Room {
    fn default() -> Self {
        let ways = [(960, 0.3), (1_291, -0.12), (1_733, 0.1), (2_311, 0.07), (3_203, -0.05), (4_409, 0.03)];
        Self { past: vec![0.0; 8_192], ways }
    }
}

impl Room {
    /// The microphone's sample that goes with this one of the loudspeaker, the `place`th.
    fn hear(&mut self, place: usize, sample: f32) -> f32 {
        let length = self.past.len();
        self.past[place % length] = sample;
        self.ways.iter().map(|(later, gain)| gain * self.past[(place + length - later) % length]).sum()
    }
}

/// All memory is there before the first cycle; a cycle only copies.
struct Tracks {
    all: Vec<Track>,
    cycles: Vec<(f64, Duration)>,
    played: usize,
}

impl ProcessHandler for Tracks {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        if self.cycles.len() < self.cycles.capacity() {
            self.cycles.push((self.played_seconds(), clock::monotonic()));
        }
        for track in &mut self.all {
            track.cycle(scope, self.played);
        }
        self.played += scope.n_frames() as usize;
        Control::Continue
    }
}

impl Tracks {
    #[expect(clippy::cast_precision_loss, reason = "minutes of samples")]
    fn played_seconds(&self) -> f64 {
        self.played as f64 / f64::from(RATE)
    }
}

impl Track {
    fn new(client: &Client, argument: &str, seconds: usize) -> Self {
        let (station, file) = argument.split_once('=').expect("STATION=FILE.wav");
        let words = file.strip_prefix(jack::ECHO).unwrap_or(file);
        let port = |kind: &str| format!("{kind}_{station}");
        Self {
            station: station.to_owned(),
            words: Recording::read(Path::new(words)).samples,
            room: (words != file).then(Room::default),
            microphone: client
                .register_port(&port("mic"), AudioOut::default())
                .expect("a new client has no such port"),
            loudspeaker: client
                .register_port(&port("ear"), AudioIn::default())
                .expect("a new client has no such port"),
            heard: Vec::with_capacity(seconds * RATE as usize),
        }
    }

    fn cycle(&mut self, scope: &ProcessScope, played: usize) {
        let room = self.heard.capacity() - self.heard.len();
        let heard = self.loudspeaker.as_slice(scope);
        let microphone = self.microphone.as_mut_slice(scope);
        for ((n, sample), heard) in (played..).zip(microphone).zip(heard) {
            let echo = self.room.as_mut().map_or(0.0, |room| room.hear(n, *heard));
            *sample = self.words[n % self.words.len()] + echo;
        }
        self.heard.extend_from_slice(&heard[..heard.len().min(room)]);
    }

    fn write(mut self, directory: &Path) {
        let at = |kind: &str| directory.join(format!("{}-{kind}.wav", self.station));
        let mut spoken: Vec<f32> = self.words.iter().copied().cycle().take(self.heard.len()).collect();
        if let Some(room) = &mut self.room {
            *room = Room::default();
            for (n, (spoken, heard)) in spoken.iter_mut().zip(&self.heard).enumerate() {
                *spoken += room.hear(n, *heard);
            }
        }
        Recording { rate: RATE, samples: spoken }.write(&at("mic"));
        Recording { rate: RATE, samples: self.heard }.write(&at("ear"));
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().expect("a directory"));
    let seconds: usize = arguments.next().and_then(|word| word.parse().ok()).expect("a number of seconds");
    let (cables, stations): (Vec<String>, Vec<String>) = arguments.partition(|word| word.contains("->"));
    let client = connect();
    let all = stations.iter().map(|station| Track::new(&client, station, seconds)).collect();
    let cycles = Vec::with_capacity(seconds * RATE as usize / 16);
    let stop = Arc::new(AtomicBool::new(false));
    let witness = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || witness(&stop)
    });
    let active = client.activate_async((), Tracks { all, cycles, played: 0 }).expect("a client of our own");
    say_ready();
    while !is_told_to_end() {
        cables.iter().for_each(|cable| plug(active.as_client(), cable));
    }
    let (_, (), heard) = active.deactivate().expect("a client of our own");
    stop.store(true, Ordering::Relaxed);
    heard.all.into_iter().for_each(|track| track.write(&directory));
    write_table(&directory.join("cycles.csv"), heard.cycles.iter().map(|(n, at)| (*n, at.as_secs_f64())));
    let late = witness.join().expect("the witness does not panic");
    write_table(
        &directory.join("witness.csv"),
        late.iter().map(|(at, late)| (at.as_secs_f64(), late.as_secs_f64() * 1e3)),
    );
}

/// A server that was just started may not listen yet.
fn connect() -> Client {
    let deadline = clock::now() + Duration::from_secs(10);
    loop {
        match Client::new("probe", ClientOptions::NO_START_SERVER) {
            Ok((client, _)) => return client,
            Err(error) => assert!(clock::now() < deadline, "no JACK server: {error}"),
        }
        clock::sleep_until(clock::now() + Duration::from_millis(20));
    }
}

/// Whether standard input has ended; waits a little for that.
fn is_told_to_end() -> bool {
    let input = std::io::stdin();
    poll(&mut [PollFd::new(input.as_fd(), PollFlags::POLLIN)], PollTimeout::from(LOOK_MS))
        .is_ok_and(|n| n > 0)
}

/// Connects the ports of `FROM->TO` that are there; those that are connected already stay so.
fn plug(client: &Client, cable: &str) {
    let (from, to) = cable.split_once("->").expect("FROM->TO");
    for from in client.ports(Some(from), None, PortFlags::IS_OUTPUT) {
        let Some(port) = client.port_by_name(&from) else { continue };
        for to in client.ports(Some(to), None, PortFlags::IS_INPUT) {
            if !port.is_connected_to(&to).unwrap_or(true) {
                let _ = client.connect_ports_by_name(&from, &to);
            }
        }
    }
}

fn say_ready() {
    let mut out = std::io::stdout();
    writeln!(out, "ready").and_then(|()| out.flush()).expect("somebody listens");
}

fn witness(stop: &AtomicBool) -> Vec<(Duration, Duration)> {
    rt::schedule("witness", WITNESS_PRIORITY);
    let mut late = Vec::with_capacity(100_000);
    let mut beat = clock::now();
    while !stop.load(Ordering::Relaxed) {
        beat += WITNESS_BEAT;
        clock::sleep_until(beat);
        let by = clock::now().saturating_duration_since(beat);
        if by > WORTH_A_LINE && late.len() < late.capacity() {
            late.push((clock::monotonic(), by));
            beat += by;
        }
    }
    late
}

fn write_table(path: &Path, lines: impl Iterator<Item = (f64, f64)>) {
    let lines: Vec<String> = lines.map(|(a, b)| format!("{a},{b}")).collect();
    std::fs::write(path, lines.join("\n")).expect("a private directory can be written");
}
