use std::f32::consts::TAU;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path as FilePath, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use vox_common::sys::clock;

use super::*;
use crate::config::{InputDevice, OutputDevice, Period, Voice};
use crate::media::orders::{Codec, Coding, Direction, LegReport, Path};
use crate::media::profile::Profile;
use crate::media::srtp::keys::{DirectionKeys, MasterKey, MediaKeys};
use crate::shell::udp::{self, Socket, UdpThread};

const LONG: Duration = Duration::from_secs(10);
const LEG: LegId = LegId(0);

/// One side of a call without signals: what the agent would order, the test orders.
struct Station {
    media: MediaHandle,
    news: Receiver<MediaNews>,
    address: SocketAddr,
    udp: UdpThread,
}

fn station(input: InputDevice, output: OutputDevice) -> Station {
    let socket = Socket::bind("127.0.0.1:0".parse().unwrap(), 46).unwrap();
    let audio = Audio { input, output, period: Period::Auto };
    let settings = MediaSettings {
        audio,
        frame: 480,
        bitrate: 64_000,
        voice: Voice::of(Profile::Lan),
        priority: 60,
        cname: "test".into(),
    };
    let (post, news) = channel();
    let (media, intake) = start(settings, socket.sender(), move |one| drop(post.send(one))).unwrap();
    let udp = udp::start(&socket, intake, |_| true).unwrap();
    Station { media, news, address: socket.local_addr().unwrap(), udp }
}

impl Station {
    fn order(&mut self, order: MediaOrder) {
        self.media.order(order).unwrap();
    }

    fn talk_to(&mut self, remote: SocketAddr) {
        self.talk(remote, None);
    }

    fn talk(&mut self, remote: SocketAddr, keys: Option<MediaKeys>) {
        let sends = Coding { codec: Codec::Opus, ptime_us: 10_000 };
        let path = Path { remote, local: None };
        self.order(MediaOrder::Start { leg: LEG, path, sends, takes_red: true, keys });
        self.order(MediaOrder::Send(LEG));
    }

    fn wait_for<T>(&self, wanted: impl Fn(MediaNews) -> Option<T>) -> T {
        let deadline = clock::now() + LONG;
        loop {
            let left = deadline.saturating_duration_since(clock::now());
            if let Some(found) = wanted(self.news.recv_timeout(left).expect("news in time")) {
                return found;
            }
        }
    }

    /// Ends the call, and the station.
    fn end(mut self) -> LegReport {
        self.order(MediaOrder::Stop(LEG));
        drop(self.media);
        let last = self.news.iter().filter_map(|news| report_of(&news)).last().expect("a report at the end");
        self.udp.stop();
        last
    }
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("vox-media-{}-{name}.wav", std::process::id()))
}

fn recorded(path: &FilePath) -> Vec<f32> {
    let mut file = hound::WavReader::open(path).unwrap();
    let samples = file.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect();
    std::fs::remove_file(path).unwrap();
    samples
}

/// How many of all spans of 20 ms are mostly that tone. A frame that came late shifts the tone's phase, not its pitch.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn spans_of(hertz: f32, sound: &[f32]) -> f32 {
    let spans = sound.chunks_exact(960);
    let all = spans.len() as f32;
    spans.filter(|span| share_of(hertz, span) > 0.5).count() as f32 / all
}

/// The share of a sound's power that lies at one frequency.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn share_of(hertz: f32, sound: &[f32]) -> f32 {
    let turn = |n: usize| TAU * hertz * n as f32 / 48_000.0;
    let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in sound.iter().enumerate() {
        re += sample * turn(n).cos();
        im += sample * turn(n).sin();
        power += sample * sample;
    }
    2.0 * (re * re + im * im) / (power * sound.len() as f32)
}

#[test]
fn sound_goes_both_ways_and_leaves_playable_files() {
    let (file_a, file_b) = (scratch("a"), scratch("b"));
    let mut a = station(InputDevice::Tone(440.0), OutputDevice::File(file_a.clone()));
    let mut b = station(InputDevice::Tone(1_000.0), OutputDevice::File(file_b.clone()));
    let asked = clock::now();
    a.talk_to(b.address);
    b.talk_to(a.address);
    for one in [&a, &b] {
        one.wait_for(|news| (news == MediaNews::Heard(LEG)).then_some(()));
    }
    assert!(clock::now() - asked < Duration::from_secs(2));
    for one in [&a, &b] {
        let report = one.wait_for(|news| report_of(&news).filter(|report| report.round_trip.is_some()));
        assert!(report.packets_received > 50 && report.packets_lost == 0, "{report:?}");
        assert!(report.level_in_db > -15.0 && report.level_out_db > -15.0, "{report:?}");
    }
    let reports = [a.end(), b.end()];
    assert!(reports.iter().all(|report| report.concealed < 0.2), "{reports:?}");
    for (path, hertz) in [(&file_a, 1_000.0), (&file_b, 440.0)] {
        let sound = recorded(path);
        assert!(sound.len() > 48_000);
        let share = spans_of(hertz, &sound[14_400..48_000]);
        assert!(share > 0.9, "{share} at {hertz} Hz");
    }
}

/// The keys of both ends.
fn keys() -> [MediaKeys; 2] {
    let master = |byte| MasterKey { key: [byte; 16], salt: [byte + 1; 12] };
    let direction = |byte| DirectionKeys { srtp: master(byte), srtcp: master(byte + 2) };
    let (there, back) = (direction(10), direction(20));
    [MediaKeys { sends: there.clone(), receives: back.clone() }, MediaKeys { sends: back, receives: there }]
}

fn report_of(news: &MediaNews) -> Option<LegReport> {
    if let MediaNews::Report(_, report) = news { Some(*report) } else { None }
}

#[test]
fn sealed_sound_goes_both_ways_with_its_reports() {
    let file = scratch("sealed");
    let mut a = station(InputDevice::Tone(440.0), OutputDevice::Null);
    let mut b = station(InputDevice::Silence, OutputDevice::File(file.clone()));
    let [keys_a, keys_b] = keys();
    a.talk(b.address, Some(keys_a));
    b.talk(a.address, Some(keys_b));
    for one in [&a, &b] {
        one.wait_for(|news| (news == MediaNews::Heard(LEG)).then_some(()));
        let report = one.wait_for(|news| report_of(&news).filter(|report| report.round_trip.is_some()));
        assert!(report.packets_received > 50 && report.packets_lost == 0, "{report:?}");
        let counts = one.udp.counts();
        assert_eq!((counts.unopened, counts.replayed, counts.invalid), (0, 0, 0));
    }
    let (_, b) = (a.end(), b.end());
    assert!(b.concealed < 0.2, "{b:?}");
    let sound = recorded(&file);
    let share = spans_of(440.0, &sound[14_400..48_000]);
    assert!(share > 0.9, "{share}");
}

#[test]
fn two_whose_keys_differ_hear_nothing_of_each_other() {
    let [keys, _] = keys();
    for other in [None, Some(keys.clone())] {
        let mut a = station(InputDevice::Tone(440.0), OutputDevice::Null);
        let mut b = station(InputDevice::Tone(440.0), OutputDevice::Null);
        a.talk(b.address, other);
        b.talk(a.address, Some(keys.clone()));
        clock::sleep_until(clock::now() + Duration::from_millis(600));
        assert!(b.news.try_iter().all(|news| news != MediaNews::Heard(LEG)));
        let counts = b.udp.counts();
        assert!(counts.unopened > 20 && counts.media == 0, "{counts:?}");
        assert_eq!(b.end().packets_received, 0);
        a.end();
    }
}

#[test]
fn everything_is_done_when_the_sound_is_finished() {
    let file = scratch("finish");
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut station = station(InputDevice::Tone(440.0), OutputDevice::File(file.clone()));
    station.talk_to(far.local_addr().unwrap());
    station.wait_for(|news| matches!(news, MediaNews::Report(..)).then_some(()));
    station.order(MediaOrder::Stop(LEG));
    station.media.finish();
    let sound = recorded(&file);
    assert!(sound.len() > 8_000, "{}", sound.len());
    let news: Vec<_> = station.news.try_iter().collect();
    assert!(matches!(news.last(), Some(MediaNews::Report(..))), "{news:?}");
    assert_eq!(station.news.try_recv(), Err(TryRecvError::Disconnected));
    station.udp.stop();
}

#[test]
fn a_sound_that_hangs_is_left_behind() {
    let socket = Socket::bind("127.0.0.1:0".parse().unwrap(), 46).unwrap();
    let audio = Audio { input: InputDevice::Silence, output: OutputDevice::Null, period: Period::Auto };
    let settings = MediaSettings {
        audio,
        frame: 480,
        bitrate: 64_000,
        voice: Voice::of(Profile::Lan),
        priority: 0,
        cname: "test".into(),
    };
    let (_never, hangs) = channel::<()>();
    let (mut media, _intake) = start(settings, socket.sender(), move |_| _ = hangs.recv()).unwrap();
    media.order(MediaOrder::Ring(true)).unwrap();
    media.finish();
}

#[test]
fn nothing_is_sent_before_it_is_ordered() {
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    far.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut station = station(InputDevice::Tone(440.0), OutputDevice::Null);
    let sends = Coding { codec: Codec::L16, ptime_us: 2_500 };
    let path = Path { remote: far.local_addr().unwrap(), local: None };
    station.order(MediaOrder::Start { leg: LEG, path, sends, takes_red: true, keys: None });
    let mut packet = [0; 2_048];
    assert!(far.recv(&mut packet).is_err());
    station.order(MediaOrder::Send(LEG));
    let length = far.recv(&mut packet).unwrap();
    assert!(length > 12);
    station.end();
}

#[test]
fn a_device_that_is_not_there_does_not_end_the_call() {
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    far.set_read_timeout(Some(LONG)).unwrap();
    let nobody = "no-such-card".to_owned();
    let mut station = station(InputDevice::Named(nobody.clone()), OutputDevice::Named(nobody));
    station.talk_to(far.local_addr().unwrap());
    let mut lost = Vec::new();
    while lost.len() < 2 {
        lost.push(station.wait_for(|news| match news {
            MediaNews::Device { direction, works: false, sentence } => Some((direction, sentence)),
            MediaNews::Device { works: true, sentence, .. } => panic!("{sentence}"),
            _ => None,
        }));
    }
    for direction in [Direction::In, Direction::Out] {
        let told = |(way, why): &(_, String)| *way == direction && why.starts_with("no such sound device: ");
        assert!(lost.iter().any(told), "{lost:?}");
    }
    (0..50).for_each(|_| assert!(far.recv(&mut [0; 2_048]).unwrap() > 8));
    station.end();
}

#[test]
fn the_ring_is_heard_and_its_recording_becomes_that_of_the_call() {
    let file = scratch("ring");
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut station = station(InputDevice::Silence, OutputDevice::File(file.clone()));
    station.order(MediaOrder::Ring(true));
    station.wait_for(|news| matches!(news, MediaNews::Device { works: true, .. }).then_some(()));
    clock::sleep_until(clock::now() + Duration::from_millis(300));
    station.order(MediaOrder::Ring(false));
    station.talk_to(far.local_addr().unwrap());
    clock::sleep_until(clock::now() + Duration::from_millis(200));
    station.end();
    let sound = recorded(&file);
    assert!(sound.len() > 480 * 40, "{}", sound.len());
    assert!(sound[..9_600].iter().any(|sample| sample.abs() > 0.2));
    assert!(sound[sound.len() - 4_800..].iter().all(|sample| sample.abs() < 0.01));
}

/// Passes datagrams on between two stations, each of which takes it for the other one. `drops` says, by number and
/// size, which do not arrive.
fn forwarder(drops: impl Fn(u32, usize) -> bool + Send + 'static) -> (SocketAddr, Sender<[SocketAddr; 2]>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let address = socket.local_addr().unwrap();
    let (tell, ends) = channel::<[SocketAddr; 2]>();
    thread::spawn(move || {
        let [a, b] = ends.recv().unwrap();
        let mut packet = [0; 2_048];
        for n in 0.. {
            let Ok((length, from)) = socket.recv_from(&mut packet) else { return };
            if !drops(n, length) {
                let _ = socket.send_to(&packet[..length], if from == a { b } else { a });
            }
        }
    });
    (address, tell)
}

#[test]
fn a_fifth_of_all_packets_may_be_lost() {
    let file = scratch("lossy");
    let mut a = station(InputDevice::Tone(440.0), OutputDevice::Null);
    let mut b = station(InputDevice::Silence, OutputDevice::File(file.clone()));
    // Both directions pass here in turn: a prime number, so that both lose.
    let (between, tell) = forwarder(|n, length| length < 150 && n * 7 % 31 < 6);
    tell.send([a.address, b.address]).unwrap();
    a.talk_to(between);
    b.talk_to(between);
    clock::sleep_until(clock::now() + Duration::from_millis(2_500));
    let (_, b) = (a.end(), b.end());
    // After the first second, copies bring most of it back.
    assert!((20..100).contains(&b.packets_lost) && (0.02..0.2).contains(&b.concealed), "{b:?}");
    assert!(b.far_loss < 0.4, "{b:?}");
    let sound = recorded(&file);
    let share = spans_of(440.0, &sound[14_400..81_600]);
    assert!(share > 0.5, "{share}");
}

#[test]
fn a_far_end_that_was_started_again_is_heard_again() {
    let file = scratch("again");
    let mut a = station(InputDevice::Tone(440.0), OutputDevice::Null);
    let mut b = station(InputDevice::Silence, OutputDevice::File(file.clone()));
    let far = b.address;
    b.talk_to(a.address);
    for _ in 0..2 {
        a.talk_to(far);
        clock::sleep_until(clock::now() + Duration::from_millis(800));
        a.order(MediaOrder::Stop(LEG));
    }
    a.talk_to(far);
    clock::sleep_until(clock::now() + Duration::from_millis(800));
    let (_, b) = (a.end(), b.end());
    assert!(b.packets_received > 40, "{b:?}");
    let sound = recorded(&file);
    let share = spans_of(440.0, &sound[sound.len() - 24_000..sound.len() - 4_800]);
    assert!(share > 0.9, "{share}");
}

#[test]
fn what_is_muted_is_silent_and_the_volume_is_what_was_set() {
    let file = scratch("mute");
    let mut a = station(InputDevice::Tone(440.0), OutputDevice::Null);
    let mut b = station(InputDevice::Silence, OutputDevice::File(file.clone()));
    b.order(MediaOrder::Volume(Direction::Out, 50));
    b.talk_to(a.address);
    a.talk_to(b.address);
    clock::sleep_until(clock::now() + Duration::from_millis(600));
    a.order(MediaOrder::Mute(true));
    clock::sleep_until(clock::now() + Duration::from_millis(600));
    a.end();
    b.end();
    let sound = recorded(&file);
    let peak = |sound: &[f32]| sound.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    let loud = peak(&sound[14_400..24_000]);
    assert!((0.2..0.3).contains(&loud), "{loud}");
    assert!(peak(&sound[sound.len() - 9_600..]) < 0.01);
}
