//! trx of Debian: Opus over RTP from one ALSA device to another, a program for each direction.

use vox_tests::bed::need::{self, Lack};
use vox_tests::bed::{Process, wait};

use super::{Program, Running};
use crate::stage::{End, Stage};

/// Its options beside devices and addresses.
#[derive(Debug)]
pub(crate) struct Trx {
    title: &'static str,
    key: &'static str,
    port: u16,
    tick: u32,
    sending: &'static [&'static str],
    receiving: &'static [&'static str],
}

impl Default for Trx {
    fn default() -> Self {
        Self { title: "trx, default", key: "trx", port: 13_500, tick: 64, sending: &[], receiving: &[] }
    }
}

impl Trx {
    /// For the least delay.
    pub(crate) fn tuned() -> Self {
        Self {
            title: "trx, tuned",
            key: "trx_tuned",
            port: 13_600,
            tick: 60,
            sending: &["-m", "5", "-f", "240"],
            receiving: &["-m", "5", "-j", "5"],
        }
    }

    fn run(&self, stage: &Stage, end: End, program: &str, device: &str, to: End, extra: &[&str]) -> Process {
        let name = format!("{}-{program}", end.of(self.key));
        let mut command = stage.around(end, self.key).command(program);
        command.args(["-v", "0", "-c", "1", "-d", device, "-h", to.address(), "-p", &self.port.to_string()]);
        command.args(extra);
        Process::start(&name, &command, &stage.place.at(&format!("{name}.log")))
    }
}

impl Program for Trx {
    fn title(&self) -> String {
        self.title.to_owned()
    }

    fn key(&self) -> String {
        self.key.to_owned()
    }

    fn there(&self) -> Result<(), Lack> {
        need::program("trx-tx", "trx")
    }

    /// Of which its buffer must be a multiple, or it does not start.
    fn tick(&self) -> u32 {
        self.tick
    }

    fn start(&self, stage: &Stage) -> Running {
        let receivers = End::BOTH.map(|end| self.run(stage, end, "trx-rx", "plugout", end, self.receiving));
        wait::pause(std::time::Duration::from_millis(300));
        let senders =
            End::BOTH.map(|end| self.run(stage, end, "trx-tx", "plugin", end.other(), self.sending));
        let ([a, b], [c, d]) = (receivers, senders);
        Running { ends: [vec![a, c], vec![b, d]], ..Running::default() }
    }
}
