//! Threads and sockets around the core: `main` takes signals, `accept` opens the door, `conn-N` read, `admin` and
//! `admin-N` do both for administrators, `store` writes files, and `registry` owns the core and everything that is said.

mod control;
mod descriptors;
mod door;
mod known;
mod mail;
mod owner;
mod page;
mod reload;
mod slots;
mod state;

use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use log::{info, warn};
use vox_common::seal::identity::Identity;
use vox_common::sys::config::reason;
use vox_common::sys::net::{listen_tcp, send_buffer};
use vox_common::sys::notify::Notifier;
use vox_common::sys::signals::{Signal, Signals};
use vox_common::sys::state::StateDirectory;
use vox_common::sys::store::Store;
use vox_common::sys::syslog::{self, LogHandle};
use vox_common::sys::thread;
use vox_common::sys::unix::ControlListener;

use crate::cli::Source;
use crate::config::Config;
use crate::core::{self, Access, Sealing, Settings};

use mail::{MAILBOX, Mail};
use owner::Hands;
use page::{Bell, Served};
use reload::Reloader;

/// Runs the registry until a signal ends it.
pub fn run(config: Config, source: Source) -> ExitCode {
    let address = config.listen;
    let listener = match listen_tcp(address) {
        Ok(listener) => listener,
        Err(error) => return refuse(&format!("cannot listen on {address}: {}", reason(&error))),
    };
    serve(config, source, listener).unwrap_or_else(|sentence| refuse(&sentence))
}

/// One sentence for whoever started it; the journal has it too.
fn refuse(sentence: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "vox-registry: {sentence}");
    ExitCode::FAILURE
}

fn serve(config: Config, source: Source, listener: TcpListener) -> Result<ExitCode, String> {
    let log = syslog::start("vox-registry", &config.log).map_err(|error| cannot_start(&error))?;
    let ended = serve_with(&log, config, source, listener);
    log.finish();
    ended
}

fn serve_with(
    log: &LogHandle,
    config: Config,
    source: Source,
    stations: TcpListener,
) -> Result<ExitCode, String> {
    descriptors::raise();
    let admins = control::open(&config.control_socket)?;
    let socket = admins.is_some().then(|| config.control_socket.clone());
    let signals = Signals::catch().map_err(|error| cannot_start(&error))?;
    let state = StateDirectory::open(&config.state_directory);
    let identity = identity(&config, &state)?;
    let doors = Doors { stations, admins };
    let running = start(&config, state, identity, doors).map_err(|error| cannot_start(&error))?;
    let reloader = Reloader { source, config, bounds: running.bounds, page: running.page.clone(), log };
    let ended = running.until_stopped(signals, reloader);
    // Nobody is left to answer there.
    _ = socket.map(fs::remove_file);
    Ok(ended)
}

/// What the registry proves itself by. Whoever must prove something to it needs its key.
fn identity(config: &Config, state: &StateDirectory) -> Result<Option<Arc<Identity>>, String> {
    let identity = state::identity(state).map_err(|error| error.to_string())?;
    let is_needed = config.access == Access::Keys || config.sealing == Sealing::Required;
    if identity.is_none() && is_needed {
        let directory = config.state_directory.display();
        return Err(format!(
            "cannot keep a key in {directory}, choose another state.directory or another [access]"
        ));
    }
    Ok(identity)
}

fn cannot_start(error: &io::Error) -> String {
    format!("cannot start: {}", reason(error))
}

/// Where stations and administrators come in.
struct Doors {
    stations: TcpListener,
    /// `None`: this registry cannot have one.
    admins: Option<ControlListener>,
}

impl Doors {
    fn open(self, post: &SyncSender<Mail>) -> io::Result<()> {
        let Self { stations, admins } = self;
        admins.map_or(Ok(()), |admins| control::start(admins, post.clone()))?;
        let post = post.clone();
        thread::spawn("accept", move || door::open(&stations, &post)).map(drop)
    }
}

/// The threads of a registry that serves.
struct Running {
    bounds: Bounds,
    post: SyncSender<Mail>,
    owner: JoinHandle<()>,
    page: Served,
}

/// What the machine gave, whatever the configuration says.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// The address at which it really listens.
    address: SocketAddr,
    /// As many users as one LIST of them fits the send buffer that the kernel granted.
    users: usize,
}

impl Bounds {
    fn of(listener: &TcpListener) -> io::Result<Self> {
        let users = core::users_listed_in(send_buffer(listener)? / 2);
        Ok(Self { address: listener.local_addr()?, users })
    }
}

fn start(
    config: &Config,
    state: StateDirectory,
    identity: Option<Arc<Identity>>,
    doors: Doors,
) -> io::Result<Running> {
    let bounds = Bounds::of(&doors.stations)?;
    let (post, mailbox) = sync_channel(MAILBOX);
    let bell = Arc::new(Bell::new()?);
    // Before the owner, who says that everything is there.
    let page = page::serve(&config.page, &bell, &post);
    let hands = Hands {
        post: post.clone(),
        notifier: Notifier::from_env(),
        store: Store::start(state)?,
        bell,
        identity,
    };
    let (settings, state) = (settings(config, bounds), config.state_directory.clone());
    let work = move || owner::run(settings, bounds.address, &state, hands, &mailbox);
    let owner = thread::spawn("registry", work)?;
    doors.open(&post)?;
    Ok(Running { bounds, post, owner, page })
}

fn settings(config: &Config, bounds: Bounds) -> Settings {
    let Config { name, max_users, max_rooms, access, sealing, limits, .. } = config;
    if bounds.users < *max_users {
        warn!("Only {} users may come, because net.core.wmem_max is too low", bounds.users);
    }
    Settings {
        name: name.clone(),
        port: bounds.address.port(),
        max_users: bounds.users.min(*max_users),
        max_rooms: *max_rooms,
        access: access.clone(),
        sealing: *sealing,
        limits: *limits,
    }
}

impl Running {
    fn until_stopped(self, signals: Signals, mut reloader: Reloader<'_>) -> ExitCode {
        signals.each(|signal| match signal {
            Signal::Stop => ControlFlow::Break(()),
            Signal::Reload => {
                let mail = reloader.reload();
                self.post.send(mail).map_or(ControlFlow::Break(()), ControlFlow::Continue)
            }
        });
        let _ = self.post.send(Mail::Stop);
        match self.owner.join() {
            Ok(()) => info!("registry has ended"),
            Err(_) => return ExitCode::FAILURE,
        }
        ExitCode::SUCCESS
    }
}
