//! `registry.toml`: every key as a value that was checked. The manual of each key is registry.toml(5).

use std::env;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use vox_common::sys::config::ConfigError;
use vox_common::sys::config::{Document, Given, Section};
use vox_common::sys::{secret, syslog};
use vox_common::wire::limits::{MAX_CONNECTIONS, MAX_ROOMS, MAX_USERS};
use vox_common::wire::names::Name;

use crate::core::{Access, Limits, Pace, Sealing};
use crate::page::hosts::{HostName, MAX_HOSTS};

/// The TCP port of registries.
pub const REGISTRY_PORT: u16 = 5000;

/// The TCP port of the status page.
const PAGE_PORT: u16 = 5080;

/// The file that is read when none is named.
pub const SYSTEM_FILE: &str = "/etc/vox/registry.toml";

/// A whole `registry.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What the greeting calls this registry.
    pub name: Name,
    /// The address of the TCP socket.
    pub listen: SocketAddr,
    /// Users at a time, 1 to [`MAX_USERS`].
    pub max_users: usize,
    /// Rooms at a time, 1 to [`MAX_ROOMS`].
    pub max_rooms: usize,
    /// `[access]`: who may register.
    pub access: Access,
    /// `access.sealed`: whether whoever registers must seal its lines.
    pub sealing: Sealing,
    /// `[limits]`: what one client may ask of the registry.
    pub limits: Limits,
    /// `[page]`.
    pub page: Page,
    /// The socket of `vox-registry status` and its sisters.
    pub control_socket: PathBuf,
    /// Where what outlives a restart is kept.
    pub state_directory: PathBuf,
    /// `[log]`.
    pub log: syslog::Settings,
}

/// `[page]`: the status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its address. `None`: there is no page.
    pub listen: Option<SocketAddr>,
    /// Names of this machine beside its own under which browsers may ask for it.
    pub hosts: Vec<HostName>,
}

impl Config {
    /// Every key at its default, for a machine that has no file.
    pub fn without_file() -> Self {
        let nothing = Document::new(Path::new(SYSTEM_FILE), String::new());
        Self::parse(&nothing, &state_directory()).expect("every key has a default")
    }

    /// Reads a file. `STATE_DIRECTORY`, as systemd sets it, is where state is kept unless the file says otherwise.
    ///
    /// # Errors
    /// One sentence with file, line, key, and what is allowed.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&Document::read(path)?, &state_directory())
    }

    /// Reads a document; `state` is where state is kept unless it says otherwise.
    ///
    /// # Errors
    /// One sentence with file, line, key, and what is allowed.
    pub fn parse(document: &Document, state: &Path) -> Result<Self, ConfigError> {
        document.parse(|top| read_top(top, state))
    }
}

/// The control socket that is opened when none is named.
pub const CONTROL_SOCKET: &str = "/run/vox/registry.sock";

const SECRET_FILE: &str = "/etc/vox/secret";
const STATE_DIRECTORY: &str = "/var/lib/vox-registry";

fn state_directory() -> PathBuf {
    env::var_os("STATE_DIRECTORY").map_or_else(|| STATE_DIRECTORY.into(), PathBuf::from)
}

fn read_top(top: &mut Section<'_>, state: &Path) -> Result<Config, ConfigError> {
    let name = read_name(top)?;
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, REGISTRY_PORT));
    let allowed = r#"an IP address and a port like "[::]:5000" or "0.0.0.0:5000""#;
    let listen = top.value("listen", allowed, any, |given| given.text()?.parse().ok())?;
    let max_users = read_bound(top, "max-users", MAX_USERS)?;
    let max_rooms = read_bound(top, "max-rooms", MAX_ROOMS)?;
    let (access, sealing) = top.section("access", read_access)?;
    let limits = top.section("limits", read_limits)?;
    let control_socket = top.section("control", |control| control.path("socket", CONTROL_SOCKET.as_ref()))?;
    let page = top.section("page", read_page)?;
    let state_directory = top.section("state", |section| section.path("directory", state))?;
    let log = top.section("log", syslog::Settings::read)?;
    Ok(Config {
        name,
        listen,
        max_users,
        max_rooms,
        access,
        sealing,
        limits,
        page,
        control_socket,
        state_directory,
        log,
    })
}

fn read_name(top: &mut Section<'_>) -> Result<Name, ConfigError> {
    let vox = Name::parse("vox").expect("three letters are a name");
    let allowed = "1 to 32 of a-z 0-9 . _ - and begin with a letter";
    top.value("name", allowed, vox, |given| Name::parse(given.text()?).ok())
}

fn read_bound(section: &mut Section<'_>, key: &'static str, most: usize) -> Result<usize, ConfigError> {
    let bound = |given: &Given| number(given, 1, most);
    section.value(key, &format!("1 to {most}, which is compiled in"), most, bound)
}

fn read_access(access: &mut Section<'_>) -> Result<(Access, Sealing), ConfigError> {
    let allowed = r#""open", "secret" or "keys""#;
    let mode = access.value("mode", allowed, Mode::Open, |given| Mode::parse(given.text()?))?;
    let secret_file = access.path("secret-file", SECRET_FILE.as_ref())?;
    let allowed = r#""offered" or "required""#;
    let sealing = access.value("sealed", allowed, Sealing::Offered, |given| Sealing::parse(given.text()?))?;
    let access = match mode {
        Mode::Open => Access::Open,
        Mode::Secret => {
            let secret = secret::read(&secret_file);
            Access::Secret(secret.map_err(|fault| access.refuse_about("access.secret-file", &fault))?)
        }
        Mode::Keys => Access::Keys,
    };
    Ok((access, sealing))
}

/// The word of `access.mode`.
enum Mode {
    Open,
    Secret,
    Keys,
}

impl Mode {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "open" => Some(Self::Open),
            "secret" => Some(Self::Secret),
            "keys" => Some(Self::Keys),
            _ => None,
        }
    }
}

fn read_page(section: &mut Section<'_>) -> Result<Page, ConfigError> {
    let here = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, PAGE_PORT)));
    let allowed = r#"an IP address and a port like "127.0.0.1:5080", or "none""#;
    let listen = section.value("listen", allowed, here, |given| match given.text()? {
        "none" => Some(None),
        address => address.parse().ok().map(Some),
    })?;
    let allowed = format!(r#"a list of at most {MAX_HOSTS} names like ["intercom.example"]"#);
    let hosts = section.value("hosts", &allowed, Vec::new(), |given| {
        let names = given.list().filter(|names| names.len() <= MAX_HOSTS)?;
        names.iter().map(|name| HostName::parse(name.text()?)).collect()
    })?;
    Ok(Page { listen, hosts })
}

fn read_limits(section: &mut Section<'_>) -> Result<Limits, ConfigError> {
    let allowed = format!("1 to {MAX_CONNECTIONS}, or 0 for no limit");
    let connections = |given: &Given| number(given, 0, MAX_CONNECTIONS);
    let connections_per_address = section.value("connections-per-address", &allowed, 64, connections)?;
    let allowed = "1 to 100000, or 0 for no limit";
    let per_second = section.value("requests-per-second", allowed, 20, |given| given.whole(0..=100_000))?;
    let burst = section.value("burst", "1 to 100000", 100, |given| given.whole(1..=100_000))?;
    let allowed = "1 to 86400, or 0 for no limit";
    let idle = section.value("idle-unregistered-s", allowed, 120, |given| given.whole(0..=86_400))?;
    Ok(Limits {
        connections_per_address: (connections_per_address != 0).then_some(connections_per_address),
        pace: (per_second != 0).then_some(Pace { per_second, burst }),
        idle_unregistered: (idle != 0).then_some(Duration::from_secs(idle.into())),
    })
}

fn number(given: &Given, least: u32, most: usize) -> Option<usize> {
    given.whole(least..=most.try_into().ok()?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../systemd/etc/registry.toml");

    fn parse(text: &str) -> Result<Config, String> {
        let document = Document::new(Path::new("registry.toml"), text.into());
        Config::parse(&document, Path::new(STATE_DIRECTORY)).map_err(|error| error.to_string())
    }

    /// `#key = value` is a key at its default; `# …` is prose.
    fn uncomment(line: &str) -> String {
        let code =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()));
        code.unwrap_or(line).to_owned() + "\n"
    }

    #[test]
    fn the_sample_shows_every_default_and_works_as_it_is() {
        let uncommented: String = SAMPLE.lines().map(uncomment).collect();
        assert!(parse("").is_ok());
        assert_eq!(parse(&uncommented), parse(""));
        assert_eq!(parse(SAMPLE), parse(""));
    }

    #[test]
    fn the_sample_holds_every_key() {
        for section in ["", "access", "limits", "control", "page", "state", "log"] {
            let heading = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
            let refusal = parse(&format!("{heading}no-key = 1")).expect_err(section);
            let keys = refusal
                .split_once(" has ")
                .or_else(|| refusal.split_once(" are "))
                .expect("a list of keys")
                .1;
            for key in keys.split([',', ' ']).filter(|word| !word.is_empty() && *word != "and") {
                let body = SAMPLE.split_once(&heading).expect(section).1;
                let body = body.split("\n[").next().unwrap_or_default();
                assert!(body.contains(&format!("\n#{key} = ")), "{section}.{key}");
            }
        }
    }

    #[test]
    fn zero_is_no_limit() {
        let text = "[limits]\nconnections-per-address = 0\nrequests-per-second = 0\nidle-unregistered-s = 0";
        let limits = Limits { connections_per_address: None, pace: None, idle_unregistered: None };
        assert_eq!(parse(text).map(|config| config.limits), Ok(limits));
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_refused() {
        let text = "[access]\nmode = \"secret\"\nsecret-file = \"/no/such/secret\"";
        let refusal = parse(text).unwrap_err();
        let start = "registry.toml:3: access.secret-file: the secret file /no/such/secret cannot be read: ";
        assert!(refusal.starts_with(start), "{refusal}");
        assert!(parse("access.mode = \"keys\"").is_ok_and(|config| config.access == Access::Keys));
    }

    #[test]
    fn the_page_is_this_machines_own_unless_the_file_says_otherwise() {
        let page = |text: &str| parse(text).map(|config| (config.page.listen, config.page.hosts.len()));
        assert_eq!(page(""), Ok(("127.0.0.1:5080".parse().ok(), 0)));
        assert_eq!(page("page.listen = \"none\""), Ok((None, 0)));
        let open = "[page]\nlisten = \"[::]:80\"\nhosts = [\"pi.example\", \"PI\"]";
        assert_eq!(page(open), Ok(("[::]:80".parse().ok(), 2)));
    }

    #[test]
    fn what_is_not_allowed_is_told() {
        for (text, sentence) in [
            ("max-users = 513", "max-users is 513, but must be 1 to 512, which is compiled in"),
            ("max-rooms = 0", "max-rooms is 0, but must be 1 to 64, which is compiled in"),
            (
                "access.mode = \"closed\"",
                "access.mode is \"closed\", but must be \"open\", \"secret\" or \"keys\"",
            ),
            (
                "page.listen = \"localhost:5080\"",
                "page.listen is \"localhost:5080\", but must be an IP address and a port like \"127.0.0.1:5080\", or \"none\"",
            ),
            (
                "page.hosts = [\"intercom.example:5080\"]",
                "page.hosts is [\"intercom.example:5080\"], but must be a list of at most 16 names like [\"intercom.example\"]",
            ),
            (
                "listen = \"localhost:5000\"",
                "listen is \"localhost:5000\", but must be an IP address and a port like \"[::]:5000\" or \"0.0.0.0:5000\"",
            ),
        ] {
            assert_eq!(parse(text), Err(format!("registry.toml:1: {sentence}")));
        }
    }
}
