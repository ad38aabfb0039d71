//! The table of what was heard.

use std::fmt::{self, Display, Formatter};

use vox_tests::voice::judge::Quality;
use vox_tests::voice::trace::Loss;
use vox_tests::voice::{Outcome, Setting};

/// The title of the part of docs/BENCHMARKS.md.
const TITLE: &str = "# Speech over bad paths";

const HOW: &str = "Made by `make bench-voice WRITE=1`, on virtual time: the real sender with its adaptation, a path that loses and delays by
seeded dice, the real playout; two sentences of tests/speech (16 kHz, public domain), PESQ wide band (ITU-T P.862.2, `pesq` 0.0.4) and
STOI (`pystoi` 0.4.1), means of 4 calls. A call begins with both sentences twice (29 s), in which the ends find out about the path; what
comes after is counted. Payload is all that follows the RTP header: sound, copies and what tells them apart; wire has IPv4, UDP and RTP
headers besides, and not the 16 bytes of SRTP's tag. The delay is that of the playout: it must wait for copies. Bursts of
three lose three packets in a row, however long they are; bursts of 4 on average are those of Gilbert and Elliott. STOI
compares at the same time and does not forgive a delay that
changes inside a sentence, which PESQ does and ears do: it is low where now and then only the second copy helps (5 %). Loss of 18 %
and more for five seconds makes the sender try half the rate for eight once, which here falls into the time before it is counted.";

/// What was measured on one path, summed over all calls.
#[derive(Debug)]
pub(crate) struct Row {
    setting: Setting,
    loss: Loss,
    jitter_ms: u64,
    /// The least that PESQ and STOI should be.
    wanted: [Option<f64>; 2],
    calls: f64,
    sentences: f64,
    /// PESQ, STOI.
    quality: [f64; 2],
    made_up: f64,
    payload: f64,
    wire: f64,
    waited_ms: f64,
}

impl Row {
    pub(crate) fn new(setting: Setting, loss: Loss, jitter_ms: u64, wanted: [Option<f64>; 2]) -> Self {
        Self {
            setting,
            loss,
            jitter_ms,
            wanted,
            calls: 0.0,
            sentences: 0.0,
            quality: [0.0; 2],
            made_up: 0.0,
            payload: 0.0,
            wire: 0.0,
            waited_ms: 0.0,
        }
    }

    /// Adds a call.
    pub(crate) fn add(&mut self, outcome: &Outcome, heard: &[Quality]) {
        self.calls += 1.0;
        for quality in heard {
            self.sentences += 1.0;
            self.quality[0] += quality.pesq;
            self.quality[1] += quality.stoi;
        }
        self.made_up += outcome.made_up();
        self.payload += outcome.payload;
        self.wire += outcome.wire;
        self.waited_ms += outcome.waited_ms;
    }

    fn quality(&self) -> [f64; 2] {
        self.quality.map(|sum| sum / self.sentences.max(1.0))
    }

    fn is_good(&self) -> bool {
        self.quality()
            .into_iter()
            .zip(self.wanted)
            .all(|(got, wanted)| wanted.is_none_or(|least| got >= least))
    }
}

impl Display for Row {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let [pesq, stoi] = self.quality();
        let of = |sum: f64| sum / self.calls.max(1.0);
        let Setting { profile, takes_copies } = self.setting;
        let copies = if takes_copies { "" } else { ", no copies" };
        let jitter =
            if self.jitter_ms > 0 { format!("0 to {} ms late", self.jitter_ms) } else { String::new() };
        let path = match (self.loss, self.jitter_ms) {
            (Loss::Random(0.0), 1..) => jitter,
            (loss, _) => loss.to_string(),
        };
        let [least_pesq, least_stoi] =
            self.wanted.map(|least| least.map_or(String::new(), |least| format!(" (≥ {least})")));
        write!(out, "| {profile}{copies} | {path} | {pesq:.2}{least_pesq} | {stoi:.3}{least_stoi} ")?;
        write!(out, "| {:.1} % | {:.0} | ", of(self.made_up) * 100.0, of(self.waited_ms))?;
        write!(out, "{:.1} | {:.1} |", of(self.payload) / 1_000.0, of(self.wire) / 1_000.0)
    }
}

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// Whether every target was reached.
    pub(crate) fn is_good(&self) -> bool {
        self.0.iter().all(Row::is_good)
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "{TITLE}\n\n{HOW}\n")?;
        writeln!(
            out,
            "| profile | loss | PESQ-WB | STOI | made up | delay, ms | payload, kbit/s | wire, kbit/s |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|---|")?;
        self.0.iter().try_for_each(|row| writeln!(out, "{row}"))
    }
}
