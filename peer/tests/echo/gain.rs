//! Speech that is too soft.

use vox_peer::dsp::tasks::Tasks;

use crate::cards::Cards;
use crate::measure::{db, likeness};
use crate::rooms::SECOND;
use crate::speech::speech;

const GAIN: Tasks = Tasks { gain_control: true, ..Tasks::NONE };

/// Speech at this level, and what is sent of it after ten seconds.
fn controlled(level_db: f64) -> (Vec<f32>, Vec<f32>) {
    let speech = speech("bob", 16 * SECOND);
    #[expect(clippy::cast_possible_truncation, reason = "a gain")]
    let gain = 10_f64.powf((level_db - db(&speech)) / 20.0) as f32;
    let near: Vec<f32> = speech.iter().map(|sample| sample * gain).collect();
    let sent = Cards::default().run(GAIN, &vec![0.0; near.len()], &near).samples();
    (near[10 * SECOND..15 * SECOND].to_vec(), sent[10 * SECOND..15 * SECOND].to_vec())
}

#[test]
fn soft_speech_is_brought_up_and_loud_speech_does_not_clip() {
    for (level, least, most) in [(-40.0, -28.0, -14.0), (-30.0, -28.0, -12.0), (-14.0, -22.0, -10.0)] {
        let (near, sent) = controlled(level);
        let (became, alike) = (db(&sent), likeness(&near, &sent));
        let peak = sent.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        println!("{level} dBFS became {became:.1}, likeness {alike:.3}, peak {peak:.2}");
        assert!((least..most).contains(&became), "{level} dBFS became {became:.1}");
        assert!(alike > 0.97 && peak <= 1.0, "{level} dBFS: likeness {alike:.3}, peak {peak:.2}");
    }
}

#[test]
fn silence_stays_silent() {
    let silence = vec![0.0; 4 * SECOND];
    let sent = Cards::default().run(GAIN, &silence, &silence).samples();
    assert!(db(&sent) < -90.0, "{} dBFS out of nothing", db(&sent));
}
