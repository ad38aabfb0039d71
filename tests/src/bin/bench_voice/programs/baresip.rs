//! baresip of Debian (`baresip-core`): a SIP telephone with Opus and a JACK driver of its own.

use std::process::Command;

use vox_tests::bed::need::{self, Lack};
use vox_tests::bed::{Process, wait};

use super::{Program, Running, mouth_and_ear};
use crate::stage::{End, Stage};

/// Its settings beside the devices.
#[derive(Debug)]
pub(crate) struct Baresip {
    title: &'static str,
    key: &'static str,
    port: u16,
    settings: &'static str,
    account: &'static str,
}

impl Default for Baresip {
    fn default() -> Self {
        Self { title: "baresip, default", key: "baresip", port: 5_070, settings: "", account: "" }
    }
}

impl Baresip {
    /// For the least delay.
    pub(crate) fn tuned() -> Self {
        Self {
            title: "baresip, tuned",
            key: "baresip_tuned",
            port: 5_080,
            settings: "audio_buffer 5-10\njitter_buffer_delay 0-1\naudio_txmode thread\nopus_bitrate 64000\nopus_application voip\n",
            account: ";ptime=5",
        }
    }

    /// With in-band FEC for 20 % loss.
    pub(crate) fn protected() -> Self {
        Self {
            title: "baresip, in-band FEC",
            key: "baresip_fec",
            port: 5_090,
            settings: "opus_inbandfec yes\nopus_packet_loss 20\nopus_application voip\n",
            account: "",
        }
    }

    fn end(&self, stage: &Stage, end: End) -> Process {
        let (name, address, port) = (end.of(self.key), end.address(), self.port);
        let directory = stage.place.at(&name);
        std::fs::create_dir_all(&directory).expect("a private directory can be written");
        let config = format!(
            "sip_listen {address}:{port}\nmodule_path {}\nmodule jack.so\nmodule opus.so\nmodule_tmp account.so\nmodule_app menu.so\n\
             audio_source jack\naudio_player jack\nausrc_format float\nauplay_format float\nstatmode_default off\njack_connect_ports no\njack_client_name {name}\nrtp_ports {}-{}\nnet_interface eth0\n{}",
            modules().unwrap_or_default(),
            port + 10_000,
            port + 10_008,
            self.settings,
        );
        let account = format!(
            "<sip:{name}@{address}:{port}>;regint=0;answermode=auto;audio_codecs=opus/48000/2{}\n",
            self.account
        );
        std::fs::write(directory.join("config"), config).expect("a private directory can be written");
        std::fs::write(directory.join("accounts"), account).expect("a private directory can be written");
        let mut command = stage.around(end, self.key).command("baresip");
        command.arg("-f").arg(&directory);
        if end == End::A {
            let other = end.other();
            command.arg("-e").arg(format!("d sip:{}@{}:{port}", other.of(self.key), other.address()));
        }
        let process = Process::start_with_input("baresip", &command, &directory.join("log"));
        process.wait_for_log("baresip is ready");
        process
    }
}

impl Program for Baresip {
    fn title(&self) -> String {
        self.title.to_owned()
    }

    fn key(&self) -> String {
        self.key.to_owned()
    }

    fn there(&self) -> Result<(), Lack> {
        need::program("baresip", "baresip-core")?;
        modules().map(|_| ()).ok_or(Lack::Package("baresip-core"))
    }

    fn cables(&self, end: End) -> Vec<(String, String)> {
        let ([mouth, ear], name) = (mouth_and_ear(end, self.key), end.of(self.key));
        vec![(mouth, format!("^{name}(-[0-9]*)?:input")), (format!("^{name}(-[0-9]*)?:output_1"), ear)]
    }

    fn start(&self, stage: &Stage) -> Running {
        let b = self.end(stage, End::B);
        let a = self.end(stage, End::A);
        wait::pause(std::time::Duration::from_millis(500));
        Running { ends: [vec![a], vec![b]], ..Running::default() }
    }
}

/// Where its modules are: Debian's place depends on the version.
fn modules() -> Option<String> {
    let listed = Command::new("dpkg").args(["-L", "baresip-core"]).output().ok()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let jack = listed.lines().find_map(|line| line.strip_suffix("/jack.so"))?;
    Some(jack.to_owned())
}
