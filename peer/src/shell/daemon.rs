//! Starts everything in its order, and waits for the operator's signals.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use vox_common::sys::notify::Notifier;
use vox_common::sys::signals::{Signal, Signals};
use vox_common::sys::unix::{ControlListener, listen_control};
use vox_common::sys::{clock, random, syslog, thread};
use vox_common::wire::signal::MediaSealing;

use super::agent::{Hands, Owner};
use super::mail::{MAILBOX, Mail, Mailbox};
use super::media::{self, MediaSettings};
use super::state::{Found, State};
use super::udp::{self, Socket, UdpEvent, UdpThread};
use super::{control, link};
use crate::agent::calls::Me;
use crate::agent::io::Moment;
use crate::agent::{Agent, Settings};
use crate::config::{Config, HostPort, Places};
use crate::media::orders::MediaNews;
use crate::rt;

/// The people who may speak to a station of the system, besides root.
const CONTROL_GROUP: &str = "vox";

const CANNOT_START: u8 = 1;

/// Runs the station until it is told to stop.
#[expect(clippy::needless_pass_by_value, reason = "the daemon owns them until it ends")]
pub fn run(config: Config, path: PathBuf) -> ExitCode {
    let log = match syslog::start("vox-peer", &config.log) {
        Ok(log) => log,
        Err(error) => return refuse(&format!("cannot start the log: {error}")),
    };
    let ended = serve(config, &path, &log);
    log.finish();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => refuse(&sentence),
    }
}

/// The operator's sentence goes to whoever started us; the log has its own copy of errors while it runs.
fn refuse(sentence: &str) -> ExitCode {
    // Nobody is left to be told that stderr is closed.
    let _ = writeln!(io::stderr(), "vox-peer: {sentence}");
    ExitCode::from(CANNOT_START)
}

fn serve(config: Config, path: &Path, log: &syslog::LogHandle) -> Result<(), String> {
    let signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let state = aside(|| State::open(&config.state_directory))??;
    if config.media == MediaSealing::Off {
        log::warn!("calls are not encrypted: security.media is off, and everybody on the way can listen");
    }
    let doors = Doors::open(&config)?;
    let locked = lock_memory(config.priority);
    let control_socket = config.control_socket.clone();
    let station = aside(|| Station::start(&config, state, doors))?.map_err(|error| no_thread(&error))?;
    let _ = station.mailbox.send(Mail::Media(MediaNews::Memory { locked }));
    watch(signals, &station.mailbox, config, path, log);
    let _ = station.owner.join();
    station.udp.stop();
    let _ = std::fs::remove_file(control_socket);
    log::info!("{} has ended", program());
    Ok(())
}

/// Large tables are not made on the main thread's stack: what it has touched once it keeps.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    thread::aside(work).map_err(|error| no_thread(&error))
}

fn no_thread(error: &io::Error) -> String {
    format!("cannot start a thread: {error}")
}

/// Where calls and people come in. Who may not have them says so before anything runs.
struct Doors {
    calls: Socket,
    port: u16,
    control: ControlListener,
}

impl Doors {
    fn open(config: &Config) -> Result<Self, String> {
        let calls = bind(config.listen, config.dscp)?;
        let port = calls.local_addr().map_err(|error| error.to_string())?.port();
        let group = (!Places::is_of_user(&config.control_socket)).then_some(CONTROL_GROUP);
        let control = listen_control(&config.control_socket, group);
        Ok(Self { calls, port, control: control.map_err(|error| error.to_string())? })
    }
}

/// The running threads, as far as somebody waits for them.
struct Station {
    mailbox: Mailbox,
    owner: JoinHandle<()>,
    udp: UdpThread,
}

impl Station {
    fn start(config: &Config, state: State, doors: Doors) -> io::Result<Self> {
        let Doors { calls, port, control } = doors;
        let (mailbox, letters) = sync_channel(MAILBOX);
        let (news, signals) = (mailbox.clone(), mailbox.clone());
        let told = move |told| drop(news.send(Mail::Media(told)));
        let (media, intake) = media::start(MediaSettings::new(config), calls.sender(), told)?;
        let udp = udp::start(&calls, intake, move |event| post(&event, &signals))?;
        control::start(control, mailbox.clone())?;
        let (settings, found) = settings_of(config, state, port);
        let hands = Hands {
            connect: connect(config.registry.as_ref(), &mailbox)?,
            udp: calls.sender(),
            media,
            datagrams: udp.counters(),
            known: udp.known(),
            store: found.store()?,
            mailbox: mailbox.clone(),
        };
        let now = Moment { at: clock::now(), unix: clock::unix_seconds() };
        let owner = Box::new(Owner::new(Agent::new(settings, now), hands));
        let sentence = format!("{} takes calls on port {port}", config.name);
        log::info!("{} takes calls name={} port={port}", program(), config.name);
        let own = mailbox.clone();
        let owner = thread::spawn("agent", move || {
            let _ = own.try_send(Mail::Media(MediaNews::Thread(rt::schedule("agent", 0))));
            let notifier = Notifier::from_env();
            notifier.ready(&sentence);
            owner.run(&letters, &notifier);
        })?;
        Ok(Self { mailbox, owner, udp })
    }
}

fn program() -> String {
    format!("vox-peer {}", env!("CARGO_PKG_VERSION"))
}

fn bind(listen: SocketAddr, dscp: u8) -> Result<Socket, String> {
    Socket::bind(listen, dscp).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("UDP {listen} is taken by another program, choose another network.listen")
        }
        _ => format!("cannot listen on UDP {listen}: {error}"),
    })
}

/// Tells whether memory is locked. That helps nothing where it is scarce: a limit would make later allocations fail.
fn lock_memory(priority: u8) -> bool {
    if priority == 0 {
        return false;
    }
    let unlimited = getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    let locked =
        if unlimited { rt::lock_memory() } else { Err(io::Error::other("it is limited (LimitMEMLOCK=)")) };
    locked.inspect_err(|error| log::info!("memory is not locked: {error}")).is_ok()
}

fn connect(
    registry: Option<&HostPort>,
    mailbox: &Mailbox,
) -> io::Result<Option<std::sync::mpsc::SyncSender<()>>> {
    registry.map(|registry| link::start(registry.clone(), mailbox.clone())).transpose()
}

fn settings_of(config: &Config, state: State, port: u16) -> (Settings, Found) {
    let settings = Settings {
        me: Me {
            name: config.name.clone(),
            display: config.display.clone(),
            sends: config.coding,
            media: config.media,
        },
        identity: state.identity,
        port: NonZeroU16::new(port).expect("a bound socket has a port"),
        registry: config.registry.as_ref().map(HostPort::to_string),
        sealing: config.sealing,
        contacts: config.contacts.iter().map(|(name, host)| (name.clone(), host.to_string())).collect(),
        policy: config.policy.clone(),
        tasks: config.voice.tasks,
        history: state.history,
        messages: state.messages,
        choices: state.choices,
        known: state.known,
        key_file: state.key_file,
        secret: config.secret.clone(),
        seed: random::secret(),
    };
    (settings, state.found)
}

/// Signals never wait for the agent: what does not fit is dropped, and sent again by the other side. Tells whether it
/// fitted.
fn post(event: &UdpEvent<'_>, mailbox: &Mailbox) -> bool {
    let mail = match event {
        UdpEvent::Signal(received) => match heapless::Vec::from_slice(received.bytes) {
            Ok(bytes) => Mail::Datagram(received.from, received.local, bytes),
            Err(_) => return false,
        },
        UdpEvent::Unreachable(remote) => Mail::Unreachable(*remote),
    };
    mailbox.try_send(mail).is_ok()
}

fn watch(signals: Signals, mailbox: &Mailbox, mut config: Config, path: &Path, log: &syslog::LogHandle) {
    signals.each(|signal| match signal {
        Signal::Stop => {
            let _ = mailbox.send(Mail::Stop);
            ControlFlow::Break(())
        }
        Signal::Reload => {
            reload(&mut config, path, mailbox, log);
            ControlFlow::Continue(())
        }
    });
}

fn reload(config: &mut Config, path: &Path, mailbox: &Mailbox, log: &syslog::LogHandle) {
    match Config::load(path) {
        Err(error) => log::error!("the configuration stays as it was: {error}"),
        Ok(new) => {
            for key in needing_restart(config, &new) {
                log::warn!("a change of {key} needs a restart, the old value stays");
            }
            log.set_level(new.log.level);
            let _ = mailbox.send(Mail::Reload(new.policy.clone(), new.secret));
            log::info!("configuration was read again file={}", path.display());
            config.policy = new.policy;
        }
    }
}

fn needing_restart(old: &Config, new: &Config) -> impl Iterator<Item = &'static str> {
    [
        ("name", old.name != new.name),
        ("display", old.display != new.display),
        ("[registry]", old.registry != new.registry || old.sealing != new.sealing),
        ("[contacts]", old.contacts != new.contacts),
        ("[network]", old.listen != new.listen || old.dscp != new.dscp),
        ("[audio]", old.audio != new.audio),
        ("[codec]", old.coding != new.coding || old.bitrate != new.bitrate),
        ("[voice]", old.voice != new.voice),
        ("[control]", old.control_socket != new.control_socket),
        ("[state]", old.state_directory != new.state_directory),
        ("[realtime]", old.priority != new.priority),
        ("[security]", old.media != new.media),
    ]
    .into_iter()
    .filter_map(|(key, changed)| changed.then_some(key))
}
