//! Keys that step on before a counter runs out: each generation is derived from the one before, which cannot be told
//! from it.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::keys::MasterKey;
use super::session::{Session, Use};
use super::window::REMEMBERED;

/// What the step of RTP's and of RTCP's keys is derived with (HKDF, RFC 5869): `info`.
const RTP_LABEL: &[u8] = b"vox1 srtp next";
const RTCP_LABEL: &[u8] = b"vox1 srtcp next";

/// How many packets one generation of keys seals at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans {
    rtp: u64,
    rtcp: u64,
}

impl Spans {
    /// All that the counters can count (RFC 7714 section 13.1: 2^48 and 2^31).
    pub const WHOLE: Self = Self { rtp: 1 << 48, rtcp: 1 << 31 };

    /// Shorter ones, for tests: so many times 65,536 RTP packets, and so many RTCP packets, at least twice as many as
    /// the replay list remembers. `None`: not so short, nor longer than the counters.
    pub fn new(roll_overs: u32, rtcp: u32) -> Option<Self> {
        let (rtp, rtcp) = (u64::from(roll_overs) << 16, u64::from(rtcp));
        let possible =
            (1 << 16..=Self::WHOLE.rtp).contains(&rtp) && (2 * REMEMBERED..=Self::WHOLE.rtcp).contains(&rtcp);
        possible.then_some(Self { rtp, rtcp })
    }

    pub(super) fn of(self, purpose: Use) -> u64 {
        match purpose {
            Use::Rtp => self.rtp,
            Use::Rtcp => self.rtcp,
        }
    }
}

/// The keys of one use: those of the present generation, and of its neighbours as far as they are needed.
pub(super) struct Generations {
    purpose: Use,
    /// How many packets each of them seals.
    span: u64,
    number: u64,
    /// Late packets are opened with it. Forgotten when none can come any more.
    previous: Option<Session>,
    present: Generation,
    /// Made when it is first asked for.
    next: Option<Generation>,
}

struct Generation {
    master: MasterKey,
    session: Session,
}

impl Generation {
    fn new(master: MasterKey, purpose: Use) -> Self {
        Self { session: Session::derive(&master, purpose), master }
    }

    fn next(&self, purpose: Use) -> Self {
        Self::new(step(&self.master, purpose), purpose)
    }
}

impl Generations {
    pub(super) fn new(master: &MasterKey, purpose: Use, spans: Spans) -> Self {
        let present = Generation::new(master.clone(), purpose);
        Self { purpose, span: spans.of(purpose), number: 0, previous: None, present, next: None }
    }

    /// How many packets a generation seals.
    pub(super) fn span(&self) -> u64 {
        self.span
    }

    /// What seals the packet of this number, counted through all generations, and its index inside its generation.
    /// `None`: its keys are forgotten, or far away.
    pub(super) fn session(&mut self, packet: u64) -> Option<(&Session, u64)> {
        let (wanted, index) = (packet / self.span, packet % self.span);
        let session = if wanted == self.number {
            &self.present.session
        } else if wanted == self.number + 1 {
            &self.next.get_or_insert_with(|| self.present.next(self.purpose)).session
        } else if wanted + 1 == self.number {
            self.previous.as_ref()?
        } else {
            return None;
        };
        Some((session, index))
    }

    /// The packet of this number is proved to be the highest: its generation is the present one.
    pub(super) fn reach(&mut self, packet: u64) {
        if packet / self.span > self.number
            && let Some(next) = self.next.take()
        {
            self.number += 1;
            self.previous = Some(std::mem::replace(&mut self.present, next).session);
        }
        if packet % self.span >= REMEMBERED {
            self.previous = None;
        }
    }
}

/// HKDF-SHA-256 with the present key and salt as input, no salt of its own, and the label of the use as `info`; 28 bytes,
/// the next key and the next salt.
fn step(master: &MasterKey, purpose: Use) -> MasterKey {
    let label = match purpose {
        Use::Rtp => RTP_LABEL,
        Use::Rtcp => RTCP_LABEL,
    };
    let mut input = Zeroizing::new([0; 28]);
    input[..16].copy_from_slice(&master.key);
    input[16..].copy_from_slice(&master.salt);
    let mut output = Zeroizing::new([0; 28]);
    Hkdf::<Sha256>::new(None, input.as_slice())
        .expand(label, output.as_mut_slice())
        .expect("28 bytes are far fewer than HKDF can make");
    let (key, salt) = output.split_at(16);
    MasterKey {
        key: key.try_into().expect("split at sixteen"),
        salt: salt.try_into().expect("twelve remain"),
    }
}
