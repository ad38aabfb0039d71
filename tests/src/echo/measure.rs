//! Levels and likenesses of sound.

/// The level in dB of full scale (root mean square).
pub fn db(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    #[expect(clippy::cast_precision_loss, reason = "seconds of samples")]
    let mean = power / samples.len().max(1) as f64;
    10.0 * (mean + 1e-12).log10()
}

/// How alike two sounds are in each 20 ms, 0 to 1, around 2 kHz, where most of what is understood lies (and not below
/// 500 Hz, where the high-pass before echo cancellation turns the phase): the middle where `wanted` is loud.
pub fn likeness(wanted: &[f32], heard: &[f32]) -> f64 {
    let bands = [band(wanted), band(heard)];
    let pieces = bands[0].chunks_exact(960).zip(bands[1].chunks_exact(960));
    let loud = pieces.filter(|(wanted, _)| db(wanted) > -50.0);
    let mut found: Vec<f64> = loud.map(|(wanted, heard)| correlation(wanted, heard)).collect();
    found.sort_by(f64::total_cmp);
    found.get(found.len() / 2).copied().unwrap_or(0.0)
}

/// An octave or so around 2 kHz: a band-pass of Q 0.7, twice (R. Bristow-Johnson, "Cookbook formulae for audio EQ").
fn band(sound: &[f32]) -> Vec<f32> {
    let omega = std::f32::consts::TAU * 2_000.0 / 48_000.0;
    let alpha = omega.sin() / 1.4;
    let [gain, back, back_twice] = [alpha, -2.0 * omega.cos(), 1.0 - alpha].map(|each| each / (1.0 + alpha));
    let pass = |sound: &[f32]| -> Vec<f32> {
        let (mut x, mut y) = ([0.0; 2], [0.0; 2]);
        let each = |&sample: &f32| {
            let out = gain * (sample - x[1]) - back * y[0] - back_twice * y[1];
            (x, y) = ([sample, x[0]], [out, y[0]]);
            out
        };
        sound.iter().map(each).collect()
    };
    pass(&pass(sound))
}

fn correlation(one: &[f32], other: &[f32]) -> f64 {
    let (mut cross, mut ours, mut theirs) = (0.0, 1e-12, 1e-12);
    for (a, b) in one.iter().zip(other) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        cross += a * b;
        ours += a * a;
        theirs += b * b;
    }
    cross / (ours * theirs).sqrt()
}

/// The delay in samples at which `heard` is most like `spoken`.
pub fn delay(spoken: &[f32], heard: &[f32], most: usize) -> usize {
    let length = spoken.len() - most;
    let like = |lag: &usize| correlation(&spoken[..length], &heard[*lag..*lag + length]);
    (0..most).max_by(|a, b| like(a).total_cmp(&like(b))).unwrap_or(0)
}
