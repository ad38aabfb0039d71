use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::*;

const LONG: Duration = Duration::from_secs(5);

fn needs(frame: usize) -> Needs {
    Needs { frame, period: Period::Auto, priority: 0, tell: Arc::new(|_| ()) }
}

/// More samples than any test hears. The audio path may not allocate, so the room is made before.
const ROOM: usize = 96_000;

fn listen(input: &InputDevice) -> (Device, Receiver<f32>) {
    let (post, sound) = sync_channel(ROOM);
    let microphone: Microphone =
        Box::new(move |_, samples| samples.iter().for_each(|&sample| _ = post.try_send(sample)));
    (open_clocked_input(input, &needs(120), microphone).expect("opened"), sound)
}

fn hear(sound: &Receiver<f32>, samples: usize) -> Vec<f32> {
    (0..samples).map(|_| sound.recv_timeout(LONG).expect("in time")).collect()
}

fn scratch(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("vox-{}-{name}", std::process::id()))
}

fn wav(path: &Path, spec: hound::WavSpec, samples: impl Iterator<Item = i32>) {
    let mut file = hound::WavWriter::create(path, spec).expect("created");
    samples.for_each(|sample| file.write_sample(sample).expect("written"));
    file.finalize().expect("complete");
}

#[test]
fn the_period_of_a_card_that_is_named_is_short() {
    let period = |frame, name| needs(frame).of(name).frame;
    assert_eq!(
        [period(480, Some("hw:USB")), period(480, None), period(120, Some("hw:USB"))],
        [240, 480, 120]
    );
}

#[test]
fn a_tone_and_silence_come_at_the_pace_of_the_clock() {
    let started = clock::now();
    let (_device, sound) = listen(&InputDevice::Tone(440.0));
    let heard = hear(&sound, 4_800);
    assert!(clock::now() - started > Duration::from_millis(80));
    assert!(heard.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs())) > 0.49);
    let (_device, sound) = listen(&InputDevice::Silence);
    assert!(hear(&sound, 480).iter().all(|&sample| sample == 0.0));
}

#[test]
fn a_file_plays_from_its_beginning_and_silence_follows() {
    let path = scratch("stereo.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    wav(&path, spec, (0..600).flat_map(|n| [n << 12, n << 12]));
    for _ in 0..2 {
        let (_device, sound) = listen(&InputDevice::File(path.clone()));
        let heard = hear(&sound, 960);
        assert_eq!(heard[..2], [0.0, 1.0 / 2_048.0]);
        assert_eq!(heard[599..601], [599.0 / 2_048.0, 0.0]);
    }
    std::fs::remove_file(path).expect("removed");
}

#[test]
fn a_recording_is_complete_as_soon_as_the_device_is_closed() {
    let path = scratch("out.wav");
    let (post, asked) = sync_channel(ROOM);
    let mut next = 0.0;
    let speaker: Speaker = Box::new(move |_, samples| {
        samples.fill_with(|| {
            next += 1.0 / 32_768.0;
            next
        });
        let _ = post.try_send(samples.len());
    });
    let device =
        open_clocked_output(&OutputDevice::File(path.clone()), &needs(480), speaker).expect("opened");
    for _ in 0..10 {
        asked.recv_timeout(LONG).expect("in time");
    }
    drop(device);
    let asked = 4_800 + asked.try_iter().sum::<usize>();
    let mut file = hound::WavReader::open(&path).expect("a WAV file");
    let samples: Vec<i16> = file.samples().map(|sample| sample.expect("whole")).collect();
    assert_eq!(samples.len(), asked);
    assert!((1..).zip(&samples).all(|(wanted, &found)| wanted == i32::from(found)));
    std::fs::remove_file(path).expect("removed");
}

#[test]
fn what_is_no_wav_file_is_a_sentence() {
    let nobody = Box::new(|_: Instant, _: &[f32]| ());
    let path = scratch("no.wav");
    let missing = open_clocked_input(&InputDevice::File(path.clone()), &needs(480), nobody.clone());
    assert!(missing.err().expect("missing").starts_with("cannot play "));
    std::fs::write(&path, b"RIFF or not").expect("written");
    assert!(open_clocked_input(&InputDevice::File(path.clone()), &needs(480), nobody).is_err());
    std::fs::remove_file(path).expect("removed");
    let nowhere = OutputDevice::File("/nowhere/at/all.wav".into());
    let refused = open_clocked_output(&nowhere, &needs(480), Box::new(|_, _| ())).err().expect("refused");
    assert!(refused.starts_with("cannot record to /nowhere/at/all.wav: "), "{refused}");
}

#[test]
fn a_card_that_is_not_there_is_a_sentence() {
    let refused = open_card_output(Some("no-such-card"), &needs(480), || Box::new(|_, _| ()));
    let refused = refused.err().expect("refused");
    assert!(refused.starts_with("no such sound device: no-such-card; "), "{refused}");
}
