//! Uncompressed speech with holes in it: what is made up is nearer to what was said than silence would be.

#![expect(clippy::print_stdout, reason = "shown only when a test fails")]

use std::time::Duration;

use vox_common::sys::clock;
use vox_peer::media::orders::{Codec, Coding};
use vox_peer::media::playout::{Patience, Playout};
use vox_peer::media::profile::Profile;
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_tests::voice::speech::sentences;
use vox_tests::voice::trace::{Dice, Loss, Path};

/// Says it in packets of `ptime_us`, of which the path loses some; returns what is heard, and which samples were lost.
fn heard(spoken: &[f32], ptime_us: u32, loss: Loss) -> (Vec<f32>, Vec<bool>) {
    let frame = ptime_us as usize * 48 / 1_000;
    let (mut now, mut path, mut dice) = (clock::now(), Path::new(loss, Duration::ZERO), Dice(7));
    let beginning = Beginning { ssrc: 7, sequence: 65_000, time_stamp: 0xffff_0000 };
    let mut sender =
        Sender::new(Coding { codec: Codec::L16, ptime_us }, 64_000, beginning).expect("possible");
    let mut playout = Playout::new(now).expect("memory");
    playout.set_patience(Patience::of(&Profile::Studio.numbers(), 0));
    let (mut heard, mut lost) = (Vec::new(), Vec::new());
    for (number, samples) in spoken.chunks_exact(frame).enumerate() {
        let mut buffer = [0; PACKET_BYTES];
        let packet = sender.packet(samples, &mut buffer).expect("right length");
        let is_lost = number > 100 && path.pass(&mut dice).is_none();
        if !is_lost {
            playout.push(packet, now);
        }
        lost.extend(vec![is_lost; frame]);
        let mut out = vec![0.0; frame];
        now += Duration::from_micros(ptime_us.into());
        playout.pull(now, &mut out);
        heard.extend(out);
    }
    (heard, lost)
}

/// Signal to noise ratio in decibels.
fn quality(spoken: &[f32], heard: impl Iterator<Item = f32>) -> f32 {
    let (mut signal, mut noise) = (0.0, 1e-9);
    for (spoken, heard) in spoken.iter().zip(heard) {
        signal += spoken * spoken;
        noise += (spoken - heard) * (spoken - heard);
    }
    10.0 * (signal / noise).log10()
}

/// How much nearer what is heard is than silence in the place of what was lost, in decibels.
fn gain(ptime_us: u32, loss: Loss) -> f32 {
    let spoken = sentences().map(|sentence| sentence.spoken).concat();
    let (heard, lost) = heard(&spoken, ptime_us, loss);
    let silent = spoken.iter().zip(&lost).map(|(spoken, lost)| if *lost { 0.0 } else { *spoken });
    let (made_up, silent) = (quality(&spoken, heard.iter().copied()), quality(&spoken, silent));
    println!("{loss}, {ptime_us} us: {made_up:.1} dB, silence {silent:.1} dB");
    made_up - silent
}

#[test]
fn lost_speech_is_made_up_far_better_than_by_silence() {
    for (ptime_us, loss, least) in [
        (1_250, Loss::Random(0.01), 3.5),
        (1_250, Loss::Random(0.05), 3.2),
        (1_250, Loss::Random(0.10), 3.0),
        (1_250, Loss::Threes(0.05), 2.5),
        (5_000, Loss::Random(0.05), 2.0),
    ] {
        let gain = gain(ptime_us, loss);
        assert!(gain > least, "{loss}, {ptime_us} us: {gain} dB");
    }
}
