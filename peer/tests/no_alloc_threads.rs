//! The threads of a running sealed call neither allocate nor free: counted for each thread, C libraries among them,
//! while two stations talk over loopback.
#![cfg(target_env = "gnu")]
#![expect(unsafe_code, reason = "every allocation of the process is counted, those made in C among them")]

mod counted;

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use vox_common::sys::clock;
use vox_peer::config::{Audio, InputDevice, OutputDevice, Period, Voice};
use vox_peer::dsp::tasks::Tasks;
use vox_peer::media::orders::{Codec, Coding, LegId, MediaNews, MediaOrder, Path};
use vox_peer::media::profile::Profile;
use vox_peer::media::srtp::keys::{DirectionKeys, MasterKey, MediaKeys};
use vox_peer::shell::media::{self, MediaHandle, MediaSettings};
use vox_peer::shell::udp::{self, Socket, UdpThread};

/// Far more threads than there are.
const MOST_THREADS: usize = 256;

/// Thread id and count of each thread that ever allocated, in the order of their first time.
static TABLE: [(AtomicU64, AtomicU64); MOST_THREADS] =
    [const { (AtomicU64::new(0), AtomicU64::new(0)) }; MOST_THREADS];
static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
}

fn count() {
    let place = PLACE.get().unwrap_or_else(|| {
        let place = usize::try_from(NEXT.fetch_add(1, Relaxed)).unwrap_or(0).min(MOST_THREADS - 1);
        TABLE[place].0.store(u64::from(nix::unistd::gettid().as_raw().unsigned_abs()), Relaxed);
        PLACE.set(Some(place));
        place
    });
    TABLE[place].1.fetch_add(1, Relaxed);
}

/// How often a thread has gone to sleep so far.
fn sleeps(id: u64) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/self/task/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).expect("the kernel counts them")
}

/// Name and count of each thread that lives now and whose name is one of these.
fn counts(names: &[&str]) -> Vec<(String, u64, u64)> {
    let mut found = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task").expect("Linux").flatten() {
        let id: u64 = thread.file_name().to_str().expect("a number").parse().expect("a number");
        let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        if names.contains(&name.trim()) {
            let count =
                TABLE.iter().find(|(tid, _)| tid.load(Relaxed) == id).map_or(0, |(_, n)| n.load(Relaxed));
            found.push((name.trim().to_owned(), id, count));
        }
    }
    found.sort();
    found
}

struct Station {
    media: MediaHandle,
    address: SocketAddr,
    _udp: UdpThread,
}

/// `dsp` may allocate; those who work with it may not.
fn station(recording: &std::path::Path, tasks: Tasks) -> Station {
    let socket = Socket::bind("[::]:0".parse().expect("an address"), 46).expect("bound");
    let (input, output) = (InputDevice::Tone(440.0), OutputDevice::File(recording.into()));
    let audio = Audio { input, output, period: Period::Auto };
    let settings = MediaSettings {
        audio,
        frame: 120,
        bitrate: 64_000,
        voice: Voice { tasks, ..Voice::of(Profile::Lan) },
        priority: 50,
        cname: "test".into(),
    };
    let (media, intake) = media::start(settings, socket.sender(), |_: MediaNews| ()).expect("started");
    let udp = udp::start(&socket, intake, |_| true).expect("started");
    let port = socket.local_addr().expect("bound").port();
    Station { media, address: SocketAddr::new([127, 0, 0, 1].into(), port), _udp: udp }
}

impl Station {
    fn talk_to(&mut self, remote: SocketAddr, keys: MediaKeys) {
        let sends = Coding { codec: Codec::Opus, ptime_us: 2_500 };
        let path = Path { remote, local: Some([127, 0, 0, 1].into()) };
        self.media
            .order(MediaOrder::Start { leg: LegId(0), path, sends, takes_red: true, keys: Some(keys) })
            .expect("taken");
        self.media.order(MediaOrder::Send(LegId(0))).expect("taken");
    }
}

/// The keys of both ends.
fn keys() -> [MediaKeys; 2] {
    let master = |byte| MasterKey { key: [byte; 16], salt: [byte; 12] };
    let direction = |byte| DirectionKeys { srtp: master(byte), srtcp: master(byte + 1) };
    [(1, 3), (3, 1)]
        .map(|(sends, receives)| MediaKeys { sends: direction(sends), receives: direction(receives) })
}

fn wait(milliseconds: u64) {
    clock::sleep_until(clock::now() + Duration::from_millis(milliseconds));
}

#[test]
fn the_threads_of_a_running_call_allocate_nothing() {
    let file =
        |name: &str| std::env::temp_dir().join(format!("vox-no-alloc-{}-{name}.wav", std::process::id()));
    let files = [file("a"), file("b")];
    let cancelling = Tasks { echo_cancel: Tasks::POSSIBLE, ..Tasks::NONE };
    let (mut a, mut b) = (station(&files[0], cancelling), station(&files[1], Tasks::NONE));
    let [keys_a, keys_b] = keys();
    a.talk_to(b.address, keys_a);
    b.talk_to(a.address, keys_b);
    wait(1_000);
    let names = ["udp", "media-tx", "clock"];
    let before = counts(&names);
    let clocks: Vec<u64> = before.iter().filter(|(name, ..)| name == "clock").map(|(_, id, _)| *id).collect();
    let slept = |clocks: &[u64]| clocks.iter().map(|&id| sleeps(id)).collect::<Vec<_>>();
    let (began, slept_before) = (clock::now(), slept(&clocks));
    wait(2_500);
    let slept: Vec<u64> =
        slept(&clocks).iter().zip(slept_before).map(|(after, before)| after - before).collect();
    let beats = (clock::now() - began).as_micros() / 2_500;
    let after = counts(&names);
    // A beat every 2.5 ms, and one sleep between two beats: they wait for nothing else, no lock among it.
    assert!(slept.iter().all(|&slept| u128::from(slept) < beats + 20), "{slept:?} in {beats} beats");
    assert_eq!(before.len(), 8, "{before:?}"); // each station: udp, media-tx, two clocks
    assert_eq!(before, after);
    a.media.order(MediaOrder::Stop(LegId(0))).expect("taken");
    b.media.order(MediaOrder::Stop(LegId(0))).expect("taken");
    wait(200);
    for file in files {
        let heard = hound::WavReader::open(&file).expect("a recording");
        assert!(heard.duration() > 48_000 * 3, "{}", heard.duration());
        std::fs::remove_file(file).expect("removed");
    }
}
