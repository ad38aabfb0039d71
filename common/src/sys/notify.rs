//! Tells systemd how the daemon does (`sd_notify(3)`), where systemd asked for it.

use std::ffi::{OsStr, OsString};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;
use std::{env, io, process};

use super::clock;

/// Where systemd listens, if it does; every message is one datagram that is never waited for.
#[derive(Debug)]
pub struct Notifier {
    to: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// As `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` say.
    pub fn from_env() -> Self {
        Self::new(|name| env::var_os(name))
    }

    fn new(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let to = variable("NOTIFY_SOCKET").and_then(|path| connect(&path).ok());
        Self { to, watchdog: watchdog(variable) }
    }

    /// How often at the least systemd wants to hear [`Notifier::watchdog`]: half of its patience.
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|patience| patience / 2)
    }

    /// The daemon serves, with a sentence for `systemctl status`.
    pub fn ready(&self, sentence: &str) {
        self.tell(&format!("READY=1\nSTATUS={sentence}\n"));
    }

    /// What `systemctl status` shows.
    pub fn status(&self, sentence: &str) {
        self.tell(&format!("STATUS={sentence}\n"));
    }

    /// The configuration is being read again; [`Notifier::ready`] must follow.
    pub fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}\n", clock::monotonic().as_micros()));
    }

    /// The daemon is about to end.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\n");
    }

    /// The owner of the core made progress.
    pub fn watchdog(&self) {
        self.tell("WATCHDOG=1\n");
    }

    /// Lost when systemd does not take it at once: a daemon must not stand still because its guard does.
    fn tell(&self, message: &str) {
        if let Some((socket, address)) = &self.to {
            let _ = socket.send_to_addr(message.as_bytes(), address);
        }
    }
}

fn connect(path: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

fn watchdog(variable: impl Fn(&str) -> Option<OsString>) -> Option<Duration> {
    let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
    let meant_for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
    number("WATCHDOG_USEC").filter(|&usec| usec > 0 && meant_for_us).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notifier(variables: &[(&str, &str)]) -> Notifier {
        Notifier::new(|wanted| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn systemd_hears_it_on_a_socket_without_a_path() {
        let name = format!("vox-notify-test-{}", process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let systemd = UnixDatagram::bind_addr(&address).unwrap();
        let notifier = notifier(&[("NOTIFY_SOCKET", &format!("@{name}"))]);
        notifier.ready("2 users");
        notifier.reloading();
        notifier.watchdog();
        notifier.stopping();
        let mut heard = [0; 200];
        let mut next = || {
            let count = systemd.recv(&mut heard).unwrap();
            String::from_utf8_lossy(&heard[..count]).into_owned()
        };
        assert_eq!(next(), "READY=1\nSTATUS=2 users\n");
        assert!(next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        assert_eq!(next(), "WATCHDOG=1\n");
        assert_eq!(next(), "STOPPING=1\n");
    }

    #[test]
    fn without_systemd_nothing_is_told_and_nothing_breaks() {
        notifier(&[]).ready("alone");
        notifier(&[("NOTIFY_SOCKET", "/nowhere/at/all")]).ready("alone");
    }

    #[test]
    fn the_watchdog_of_another_process_is_not_ours() {
        let own = process::id().to_string();
        let half = Some(Duration::from_secs(5));
        for (variables, interval) in [
            (&[("WATCHDOG_USEC", "10000000")][..], half),
            (&[("WATCHDOG_USEC", "10000000"), ("WATCHDOG_PID", &own)], half),
            (&[("WATCHDOG_USEC", "10000000"), ("WATCHDOG_PID", "1")], None),
            (&[("WATCHDOG_USEC", "0")], None),
            (&[("WATCHDOG_USEC", "soon")], None),
        ] {
            assert_eq!(notifier(variables).watchdog_interval(), interval, "{variables:?}");
        }
    }
}
