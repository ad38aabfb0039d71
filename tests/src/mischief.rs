//! A far end of a call that speaks a tone, and everything bad that it can send: when, and which bytes.

use std::fmt;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use vox_peer::media::orders::Coding;
use vox_peer::media::red::{self, Block};
use vox_peer::media::rtp::{HEADER_BYTES, Header, L16, OPUS, Packet, RED};
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::tones::Tone;

/// What it speaks, in hertz, and how loud.
pub const TONE: f32 = 440.0;
const PEAK: f32 = 0.3;

/// How long most mischief goes on.
const WHILE: Duration = Duration::from_secs(1);

/// A datagram, and when it is sent, from the beginning of the script on.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When.
    pub at: Duration,
    /// What.
    pub bytes: Vec<u8>,
}

/// One way to send what nobody should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// Packets of the same stream far away in sequence, alone and two in a row, between those that are true.
    SequenceJumps,
    /// The same in time stamps.
    TimeStampJumps,
    /// Every other payload type, and ours around garbage.
    WrongTypes,
    /// RED blocks whose lengths, ages and number are lies.
    LyingRed,
    /// Starting over under another SSRC ten times in a second.
    NewSources,
    /// A thousand packets in a second, for two.
    Flood,
    /// Nothing for five seconds, and then all of it at once.
    Stall,
}

impl Mischief {
    /// All of it.
    pub const ALL: [Self; 7] = [
        Self::SequenceJumps,
        Self::TimeStampJumps,
        Self::WrongTypes,
        Self::LyingRed,
        Self::NewSources,
        Self::Flood,
        Self::Stall,
    ];
}

impl fmt::Display for Mischief {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

/// The far end.
pub struct Speaker {
    coding: Coding,
    sender: Sender,
    tone: Tone,
    dice: ChaCha8Rng,
    /// When the next packet is due.
    due: Duration,
    script: Vec<Sent>,
}

impl Speaker {
    /// One that speaks in this coding, and always does the same for the same seed.
    ///
    /// # Panics
    /// The codec has no such frames.
    pub fn new(coding: Coding, seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let sender = new_sender(coding, &mut dice);
        Self { coding, sender, tone: Tone::new(TONE, PEAK), dice, due: Duration::ZERO, script: Vec::new() }
    }

    /// What is sent, in order.
    pub fn script(self) -> Vec<Sent> {
        self.script
    }

    /// How long the script is so far.
    pub fn length(&self) -> Duration {
        self.due
    }

    /// Speaks in peace.
    pub fn speak(&mut self, length: Duration) {
        self.speak_and(length, |_, _| ());
    }

    /// Does it.
    pub fn misbehave(&mut self, mischief: Mischief) {
        match mischief {
            Mischief::SequenceJumps => self.speak_and(WHILE, Self::jump_in_sequence),
            Mischief::TimeStampJumps => self.speak_and(WHILE, Self::jump_in_time),
            Mischief::WrongTypes => self.speak_and(WHILE, Self::mistype),
            Mischief::LyingRed => self.speak_and(WHILE, Self::lie),
            Mischief::NewSources => self.start_over(10),
            Mischief::Flood => self.flood(2_000),
            Mischief::Stall => self.stall(Duration::from_secs(5)),
        }
    }

    /// Speaks, and does something more after each packet.
    fn speak_and(&mut self, length: Duration, more: impl Fn(&mut Self, &[u8])) {
        let end = self.due + length;
        while self.due < end {
            let packet = self.packet();
            self.send(packet.clone());
            more(self, &packet);
            self.due += self.ptime();
        }
    }

    fn ptime(&self) -> Duration {
        Duration::from_micros(self.coding.ptime_us.into())
    }

    fn packet(&mut self) -> Vec<u8> {
        let mut frame = vec![0.0; self.sender.frame_samples()];
        self.tone.fill(&mut frame);
        let mut buffer = [0; PACKET_BYTES];
        self.sender.packet(&frame, &mut buffer).expect("right length").to_vec()
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.script.push(Sent { at: self.due, bytes });
    }

    fn jump_in_sequence(&mut self, packet: &[u8]) {
        let header = Packet::parse(packet).expect("ours").header;
        let sequence = header.sequence.wrapping_add(u16::from(self.byte())) ^ 0x4000;
        self.send_elsewhere(Header { sequence, ..header }, packet);
    }

    fn jump_in_time(&mut self, packet: &[u8]) {
        let header = Packet::parse(packet).expect("ours").header;
        let sequence = header.sequence.wrapping_add(1 + u16::from(self.byte() % 5));
        let time_stamp = header.time_stamp.wrapping_add(self.dice.next_u32());
        self.send_elsewhere(Header { sequence, time_stamp, ..header }, packet);
    }

    /// The packet at another place, and half of the time one that follows it.
    fn send_elsewhere(&mut self, header: Header, packet: &[u8]) {
        let samples = u32::try_from(self.sender.frame_samples()).expect("small");
        for step in 0..=u16::from(self.byte() % 2) {
            let sequence = header.sequence.wrapping_add(step);
            let time_stamp = header.time_stamp.wrapping_add(u32::from(step) * samples);
            let header = Header { sequence, time_stamp, ..header };
            self.send([&header.to_bytes(), &packet[HEADER_BYTES..]].concat());
        }
    }

    fn mistype(&mut self, packet: &[u8]) {
        let header = Packet::parse(packet).expect("ours").header;
        let length = usize::try_from(self.dice.next_u32() % 1_400).expect("small");
        let garbage = self.bytes(length);
        let other = match self.byte() & 0x7f {
            OPUS | L16 | RED => 96,
            other => other,
        };
        let ours = [OPUS, L16, RED][usize::from(self.byte() % 3)];
        for payload_type in [other, ours] {
            let sequence = header.sequence.wrapping_add(1 + u16::from(self.byte()));
            self.send([&Header { payload_type, sequence, ..header }.to_bytes(), garbage.as_slice()].concat());
        }
        // No sound at all, half a sample, and an Opus packet of 120 ms.
        for (payload_type, payload) in [(OPUS, [].as_slice()), (L16, &[1]), (OPUS, &[0xff, 0x30])] {
            self.send([&Header { payload_type, ..header }.to_bytes(), payload].concat());
        }
    }

    fn lie(&mut self, packet: &[u8]) {
        let Packet { header, payload } = Packet::parse(packet).expect("ours");
        let header = Header { payload_type: RED, sequence: header.sequence.wrapping_add(1), ..header };
        let block = |age, bytes| Block { payload_type: OPUS, age, bytes };
        let mut room = [0; 2_000];
        let copies =
            [block(16_383, &payload[..payload.len().min(200)]), block(7, &[0; 9]), block(0, payload)];
        let length = red::emit(&copies, &mut room).expect("it fits");
        // Each byte of the headers is a lie in its turn; then too many blocks, and blocks of blocks.
        let mut lies: Vec<Vec<u8>> = Vec::new();
        let mut changed = room[..length].to_vec();
        let at = usize::from(self.byte() % 9);
        changed[at] ^= self.byte().max(1);
        lies.push(changed);
        lies.push(
            [[0x80 | OPUS, 0xff, 0xff, 0xff].repeat(usize::from(self.byte() % 40)), vec![OPUS]].concat(),
        );
        lies.push([&[0x80 | RED, 0, 0, 5, RED][..], &room[..length]].concat());
        let cut = usize::from(self.byte()) % length;
        lies.push(room[..cut].to_vec());
        for lie in lies {
            self.send([&header.to_bytes(), lie.as_slice()].concat());
        }
    }

    fn start_over(&mut self, times: u32) {
        for _ in 0..times {
            self.sender = new_sender(self.coding, &mut self.dice);
            self.speak(WHILE / times);
        }
    }

    fn flood(&mut self, packets: u32) {
        for _ in 0..packets {
            let packet = self.packet();
            self.send(packet);
            self.due += Duration::from_millis(1);
        }
    }

    fn stall(&mut self, length: Duration) {
        let before = self.script.len();
        self.speak(length);
        for late in &mut self.script[before..] {
            late.at = self.due;
        }
    }

    fn byte(&mut self) -> u8 {
        self.dice.next_u32().to_le_bytes()[0]
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }
}

fn new_sender(coding: Coding, dice: &mut ChaCha8Rng) -> Sender {
    let [a, b, c, d] = dice.next_u32().to_le_bytes();
    let beginning = Beginning {
        ssrc: dice.next_u32(),
        sequence: u16::from_le_bytes([a, b]) ^ u16::from_le_bytes([c, d]),
        time_stamp: dice.next_u32(),
    };
    Sender::new(coding, 64_000, beginning).expect("the codec has such frames")
}
