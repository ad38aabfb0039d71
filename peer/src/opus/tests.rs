//! libopus through the wrapper: lengths, delays, spares, and what it refuses.

use super::*;

fn sine(samples: usize) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    (0..samples).map(|n| 0.5 * (n as f32 * 0.0576).sin()).collect()
}

#[test]
fn every_frame_length_survives_the_way_there_and_back() {
    for frame in [120, 240, 480, 960] {
        let mut encoder = Encoder::new(EncoderSettings::default()).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let (mut packet, mut out) = ([0; 1500], vec![0.0; LONGEST_PACKET]);
        for _ in 0..20 {
            let bytes = encoder.encode(&sine(frame), &mut packet).unwrap();
            assert_eq!(bytes, 64_000 / 8 * frame / 48_000, "constant bit rate");
            assert_eq!(packet_samples(&packet[..bytes]), Ok(frame));
            assert_eq!(decoder.decode(&packet[..bytes], &mut out), Ok(frame));
        }
        assert!(out[..frame].iter().any(|s| s.abs() > 0.3));
    }
}

#[test]
fn low_delay_looks_ahead_two_and_a_half_milliseconds() {
    let mut encoder = Encoder::new(EncoderSettings::default()).unwrap();
    assert_eq!(encoder.look_ahead(), Ok(120));
    let settings = EncoderSettings { application: Application::Voice, ..Default::default() };
    assert_eq!(Encoder::new(settings).unwrap().look_ahead(), Ok(312));
}

#[test]
fn a_lost_packet_is_decoded_from_the_spare_in_the_next() {
    for (application, spares) in [(Application::Voice, true), (Application::LowDelay, false)] {
        let settings = EncoderSettings { application, bitrate: 24_000, ..Default::default() };
        let (mut encoder, mut decoder) = (Encoder::new(settings).unwrap(), Decoder::new().unwrap());
        encoder.set_spares(20).unwrap();
        let (mut packet, mut out) = ([0; 1500], vec![0.0; 960]);
        let mut bytes = 0;
        for number in 0..20 {
            bytes = encoder.encode(&sine(960), &mut packet).unwrap();
            if number < 18 {
                decoder.decode(&packet[..bytes], &mut out).unwrap();
            }
        }
        assert_eq!(has_spare(&packet[..bytes]), spares, "{application:?}");
        assert_eq!(decoder.decode_spare(&packet[..bytes], &mut out), Ok(960));
        assert!(out.iter().any(|s| s.abs() > 0.2), "a spare, or a guess where there is none");
    }
    assert!(!has_spare(&[]) && !has_spare(&[0x80]));
    assert_eq!(Decoder::new().unwrap().decode_spare(&[], &mut [0.0; 960]), Err(OpusError::InvalidPacket));
}

#[test]
fn bad_lengths_and_settings_are_errors() {
    let mut encoder = Encoder::new(EncoderSettings::default()).unwrap();
    assert_eq!(encoder.encode(&sine(100), &mut [0; 400]), Err(OpusError::BadArgument));
    assert!(encoder.encode(&sine(480), &mut []).is_err());
    let settings = EncoderSettings { complexity: 11, ..Default::default() };
    assert_eq!(Encoder::new(settings).err(), Some(OpusError::BadArgument));
    let mut decoder = Decoder::new().unwrap();
    assert_eq!(decoder.conceal(&mut [0.0; 100]), Err(OpusError::BadArgument));
    assert_eq!(decoder.decode(&[], &mut [0.0; 960]), Err(OpusError::InvalidPacket));
    assert_eq!(packet_samples(&[]), Err(OpusError::InvalidPacket));
}

#[test]
fn concealment_goes_on_where_the_sound_was_lost() {
    let mut encoder = Encoder::new(EncoderSettings::default()).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let (mut packet, mut out) = ([0; 1500], [0.0; 480]);
    for _ in 0..10 {
        let bytes = encoder.encode(&sine(480), &mut packet).unwrap();
        decoder.decode(&packet[..bytes], &mut out).unwrap();
    }
    decoder.conceal(&mut out).unwrap();
    assert!(out.iter().any(|s| s.abs() > 0.1));
    decoder.reset();
    decoder.conceal(&mut out).unwrap();
    assert!(out.iter().all(|s| s.abs() < 0.001), "a new decoder conceals with silence");
}
