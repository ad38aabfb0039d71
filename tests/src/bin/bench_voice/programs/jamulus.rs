//! Jamulus of Debian: for musicians. Two clients and a server between them, which stands on B's host.

use std::time::Duration;

use vox_tests::bed::need::{self, Lack};
use vox_tests::bed::{Process, wait};

use super::{Program, Running, mouth_and_ear};
use crate::stage::{End, Stage};

/// Its settings.
#[derive(Debug)]
pub(crate) struct Jamulus {
    title: &'static str,
    key: &'static str,
    port: u16,
    server: &'static [&'static str],
    settings: &'static str,
}

impl Default for Jamulus {
    fn default() -> Self {
        let settings = "<autojitbuf>1</autojitbuf>";
        Self { title: "Jamulus, default", key: "jamulus", port: 22_200, server: &[], settings }
    }
}

impl Jamulus {
    /// For the least delay.
    pub(crate) fn tuned() -> Self {
        Self {
            title: "Jamulus, tuned",
            key: "jamulus_tuned",
            port: 22_300,
            server: &["-F"],
            settings: "<autojitbuf>0</autojitbuf><jitbuf>2</jitbuf><jitbufserver>2</jitbufserver><enableopussmall>1</enableopussmall>",
        }
    }

    fn serve(&self, stage: &Stage) -> Process {
        let mut command = stage.around(End::B, self.key).with("HOME", home(stage)).command("Jamulus");
        command.args(["-s", "-n", "-u", "4", "-p", &self.port.to_string()]).args(self.server);
        Process::start("Jamulus", &command, &stage.place.at(&format!("{}-server.log", self.key)))
    }

    fn client(&self, stage: &Stage, end: End) -> Process {
        let name = end.of(self.key);
        let settings = format!("<client>{}<audiochannels>0</audiochannels></client>\n", self.settings);
        let file = stage.place.write(&format!("{name}.ini"), &settings);
        let around =
            stage.around(end, self.key).with("HOME", home(stage)).with("QT_QPA_PLATFORM", "offscreen");
        let mut command = around.command("Jamulus");
        command.args(["-n", "-j", "--mutemyown", "--clientname", &name, "-i"]).arg(file);
        let port = self.port + if end == End::A { 10 } else { 20 };
        command.args(["-p", &port.to_string(), "-c", &format!("{}:{}", End::B.address(), self.port)]);
        Process::start("Jamulus", &command, &stage.place.at(&format!("{name}.log")))
    }
}

impl Program for Jamulus {
    fn title(&self) -> String {
        self.title.to_owned()
    }

    fn key(&self) -> String {
        self.key.to_owned()
    }

    fn there(&self) -> Result<(), Lack> {
        need::program("Jamulus", "jamulus")
    }

    fn tick(&self) -> u32 {
        64
    }

    fn cables(&self, end: End) -> Vec<(String, String)> {
        let ([mouth, ear], name) = (mouth_and_ear(end, self.key), end.of(self.key));
        vec![(mouth, format!("^Jamulus {name}:input")), (format!("^Jamulus {name}:output left"), ear)]
    }

    fn start(&self, stage: &Stage) -> Running {
        let server = self.serve(stage);
        wait::pause(Duration::from_secs(1));
        let [a, b] = End::BOTH.map(|end| self.client(stage, end));
        Running { ends: [vec![a], vec![b]], servers: vec![server], ..Running::default() }
    }
}

fn home(stage: &Stage) -> String {
    stage.place.path().display().to_string()
}
