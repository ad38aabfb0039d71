//! What holds whatever bytes come: each target takes any bytes at all, and panics where its property does not hold.
//! `make fuzz` tries bytes that libFuzzer finds, `make test` those of `tests/fuzz/corpus`.

pub mod agent;
pub mod config;
pub mod lines;
pub mod media;
pub mod page;
pub mod receive;
pub mod registry;
pub mod requests;
pub mod sealed;
pub mod signals;
pub mod srtp;
pub mod words;

/// A property, with the name of its program in `tests/fuzz` and of its folder of bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics where the property does not hold.
    pub holds: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 14] = [
    Target { name: "agent", holds: agent::holds },
    Target { name: "config", holds: config::holds },
    Target { name: "lines", holds: lines::holds },
    Target { name: "page", holds: page::holds },
    Target { name: "receive", holds: receive::holds },
    Target { name: "red", holds: media::red_holds },
    Target { name: "registry", holds: registry::holds },
    Target { name: "requests", holds: requests::holds },
    Target { name: "rtcp", holds: media::rtcp_holds },
    Target { name: "rtp", holds: media::rtp_holds },
    Target { name: "sealed", holds: sealed::holds },
    Target { name: "signals", holds: signals::holds },
    Target { name: "srtp", holds: srtp::holds },
    Target { name: "words", holds: words::holds },
];

/// Tries one by its name.
///
/// # Panics
/// There is no such target, or its property does not hold.
pub fn try_target(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    (target.holds)(bytes);
}
