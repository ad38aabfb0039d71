//! A throw-away Debian that boots in half a second, with a real systemd, to install vox into.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::need::{self, Lack};
use super::slots::Slot;
use super::station::Said;
use super::{Place, Process, wait};

/// What is in it beside what every Debian has.
const PACKAGES: &str =
    "systemd,systemd-sysv,dbus,libpam-systemd,iproute2,procps,util-linux,bsdutils,socat,libasound2";

/// A booted Debian. Dropped: switched off at once.
#[derive(Debug)]
pub struct Debian {
    init: i32,
    nspawn: Process,
}

impl Debian {
    /// Boots one; `files` is seen inside as /mnt. Whatever is changed inside is gone at the end.
    pub fn boot(place: &Place, files: &Path) -> Result<Self, Lack> {
        need::root()?;
        need::program("systemd-nspawn", "systemd-container")?;
        need::program("mmdebstrap", "mmdebstrap")?;
        let mut debian = Self { init: 0, nspawn: start(&root_tree()?, place, files) };
        let up = wait::until("Debian to boot", 30, || debian.look());
        if up { Ok(debian) } else { Err(Lack::Forbidden("nspawn")) }
    }

    /// Whether it is up, once that is known. nspawn's first child is not always the first process of Debian: while
    /// it prepares the container there are others.
    fn look(&mut self) -> Option<bool> {
        if self.nspawn.ended().is_some() {
            return Some(false);
        }
        self.init = first_child(self.nspawn.pid())?;
        let state = self.run("systemctl is-system-running").out;
        matches!(state.trim(), "running" | "degraded").then_some(true)
    }

    /// Runs a command inside, as root.
    pub fn run(&self, command: &str) -> Said {
        self.command(command).output().expect("nsenter starts").into()
    }

    /// Runs a command inside that must succeed, and returns what it printed.
    pub fn must(&self, command: &str) -> String {
        let said = self.run(command);
        assert!(said.code == 0, "{command}: {} {}{}\n{}", said.code, said.out, said.err, self.journal());
        said.out
    }

    /// Runs a command inside until it prints something with these words.
    pub fn wait_for(&self, command: &str, words: &str) {
        let what = format!("{words:?} from {command}");
        let seen = wait::within(std::time::Duration::from_secs(20), || {
            self.run(command).out.contains(words).then_some(())
        });
        assert!(
            seen.is_some(),
            "waited in vain for {what}; it says {:?}\n{}",
            self.run(command),
            self.journal()
        );
    }

    /// The journal of our services.
    pub fn journal(&self) -> String {
        self.run("journalctl --no-pager -o cat -n 80 -u 'vox-*' --user-unit 'vox-*'").out
    }

    fn command(&self, command: &str) -> Command {
        let mut entered = Command::new("nsenter");
        entered.args(["-t", &self.init.to_string(), "-a", "--", "sh", "-c", command]);
        entered
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        // Its first process, not nspawn: killing that would leave the rest of the container alone in the world.
        if self.init > 1 {
            let _ = kill(Pid::from_raw(self.init), Signal::SIGKILL);
        }
        let _ = wait::within(std::time::Duration::from_secs(5), || self.nspawn.ended());
    }
}

fn start(root: &Path, place: &Place, files: &Path) -> Process {
    let mut command = Command::new("systemd-nspawn");
    let machine = place.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    command.args(["-q", "--register=no", "--keep-unit", "--boot", "--console=pipe", "--link-journal=no"]);
    command.args(["--volatile=overlay", "--capability=all", "--private-network", "-D"]).arg(root);
    command.arg(format!("--machine={machine}")).arg(format!("--bind-ro={}:/mnt", files.display()));
    command.env("SYSTEMD_SECCOMP", "0").env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1");
    Process::start_asking_to_end("systemd-nspawn", &command, &place.at("nspawn.log"))
}

fn first_child(pid: u32) -> Option<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// The files of a small Debian, made once and kept in `target/`.
fn root_tree() -> Result<PathBuf, Lack> {
    let _one_at_a_time = Slot::wait("debian", 1);
    let target = need::top().join("target/bed");
    let tree = target.join(format!("debian-{}", packages_sum()));
    if tree.join("etc/os-release").exists() {
        return Ok(tree);
    }
    let unfinished = target.join("debian-unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&target).expect("target/ can be written");
    let made = Command::new("mmdebstrap")
        .args(["--variant=minbase", "--mode=root", "--quiet", &format!("--include={PACKAGES}"), &suite()])
        .arg(&unfinished)
        .args(sources())
        .output();
    match made {
        Ok(output) if output.status.success() => {
            fs::rename(&unfinished, &tree).expect("target/ can be written");
            Ok(tree)
        }
        _ => Err(Lack::Forbidden("mmdebstrap")),
    }
}

/// Another list of packages is another tree.
fn packages_sum() -> u32 {
    PACKAGES.bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
}

/// The Debian that we are on ourselves, because the programs were built on it.
fn suite() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let line = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    line.unwrap_or("bookworm").to_owned()
}

/// The machine's own mirror.
fn sources() -> Option<PathBuf> {
    let places = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
    let filled = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() > 0);
    places.iter().map(PathBuf::from).find(filled)
}
