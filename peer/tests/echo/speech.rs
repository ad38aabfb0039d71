//! The sentences of tests/speech at 48 kHz.

use hound::WavReader;

/// `alice` or `bob`, over and over, so many samples of it, with half a second between.
pub(crate) fn speech(who: &str, samples: usize) -> Vec<f32> {
    let path = format!("{}/../tests/speech/{who}.wav", env!("CARGO_MANIFEST_DIR"));
    let mut file = WavReader::open(path).expect("a recording");
    assert_eq!(file.spec().sample_rate, 16_000);
    let recorded: Vec<f32> =
        file.samples::<i16>().map(|sample| f32::from(sample.expect("whole")) / 32_768.0).collect();
    let sentence: Vec<f32> = [recorded, vec![0.0; 8_000]].concat();
    let thirds = sentence.iter().enumerate().flat_map(|(n, &sample)| {
        let next = sentence.get(n + 1).copied().unwrap_or(0.0);
        [sample, sample + (next - sample) / 3.0, sample + (next - sample) * 2.0 / 3.0]
    });
    thirds.collect::<Vec<f32>>().into_iter().cycle().take(samples).collect()
}

/// Seeded white noise of this level (root mean square).
pub(crate) fn noise(seed: u32, level: f32, samples: usize) -> Vec<f32> {
    let mut dice = seed;
    let next = || {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        #[expect(clippy::cast_precision_loss, reason = "24 bits")]
        let uniform = (dice >> 8) as f32 / (1 << 23) as f32 - 1.0;
        uniform * level * 3_f32.sqrt()
    };
    std::iter::repeat_with(next).take(samples).collect()
}
