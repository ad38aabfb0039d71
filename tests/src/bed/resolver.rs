//! A resolver that stands still: a nameserver that takes every question and answers none.

use std::net::UdpSocket;
use std::time::Duration;

use super::need::{self, Lack};
use super::slots::Slot;
use super::{Place, Surroundings, wait};

/// Files of their own for whoever runs in these surroundings: the first argument over `/etc/resolv.conf`, the second
/// over `/etc/nsswitch.conf`.
const INSIDE: &str = "mount --bind \"$1\" /etc/resolv.conf && mount --bind \"$2\" /etc/nsswitch.conf && shift 2 && exec \"$@\"";

/// The nameserver.
#[derive(Debug)]
pub struct FrozenResolver {
    questions: UdpSocket,
    around: Surroundings,
    _slot: Slot,
}

impl FrozenResolver {
    /// Listens for questions.
    pub fn start(place: &Place) -> Result<Self, Lack> {
        need::root()?;
        need::program("unshare", "util-linux")?;
        let slot = Slot::wait("resolver", 1);
        let address = "127.79.53.53";
        let questions = UdpSocket::bind((address, 53)).map_err(|_| Lack::Forbidden("port-53"))?;
        questions.set_nonblocking(true).expect("a socket of our own");
        let resolv = format!("nameserver {address}\noptions timeout:30 attempts:5\n");
        let files = [place.write("resolv.conf", &resolv), place.write("nsswitch.conf", "hosts: files dns\n")];
        let around = Surroundings::default().through(["unshare", "--mount", "sh", "-c", INSIDE, "sh"]);
        let around = around.through(files.iter().map(|file| file.display().to_string()));
        Ok(Self { questions, around, _slot: slot })
    }

    /// What a program finds that knows no other nameserver.
    pub fn surroundings(&self) -> &Surroundings {
        &self.around
    }

    /// Waits until so many questions have come; whoever asked them stands still from now on.
    pub fn wait_for_questions(&self, count: usize) {
        for n in 0..count {
            wait::within(Duration::from_secs(10), || self.questions.recv(&mut [0; 512]).ok())
                .unwrap_or_else(|| panic!("only {n} of {count} questions came"));
        }
    }
}
