//! Threads and sockets around the core: `main` takes signals, `accept` opens the door, `conn-N` read, and
//! `registry` owns the core and everything that is said.

mod descriptors;
mod door;
mod mail;
mod owner;
mod reload;
mod slots;

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use log::{info, warn};
use vox_common::sys::config::reason;
use vox_common::sys::net::{listen_tcp, send_buffer};
use vox_common::sys::notify::Notifier;
use vox_common::sys::signals::{Signal, Signals};
use vox_common::sys::{syslog, thread};

use crate::cli::Source;
use crate::config::Config;
use crate::core::{self, Access, Settings};

use mail::{MAILBOX, Mail};
use owner::Owner;
use reload::Reloader;

/// Runs the registry until a signal ends it.
pub fn run(config: Config, source: Source) -> ExitCode {
    let address = config.listen;
    let listener = match listen_tcp(address) {
        Ok(listener) => listener,
        Err(error) => return refuse(&format!("cannot listen on {address}: {}", reason(&error))),
    };
    match serve(config, source, listener) {
        Ok(ended) => ended,
        Err(error) => refuse(&format!("cannot start: {}", reason(&error))),
    }
}

/// One sentence for whoever started it; the journal has it too.
fn refuse(sentence: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "vox-registry: {sentence}");
    ExitCode::FAILURE
}

fn serve(config: Config, source: Source, listener: TcpListener) -> io::Result<ExitCode> {
    let log = syslog::start("vox-registry", &config.log)?;
    descriptors::raise();
    let signals = Signals::catch()?;
    let running = start(&config, listener)?;
    let reloader = Reloader { source, config, bounds: running.bounds, log: &log };
    let ended = running.until_stopped(signals, reloader);
    log.finish();
    Ok(ended)
}

/// The threads of a registry that serves.
struct Running {
    bounds: Bounds,
    post: SyncSender<Mail>,
    owner: JoinHandle<()>,
}

/// What the machine gave, whatever the configuration says.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// The address at which it really listens.
    address: SocketAddr,
    /// As many users as one LIST of them fits the send buffer that the kernel granted.
    users: usize,
}

fn start(config: &Config, listener: TcpListener) -> io::Result<Running> {
    let users = core::users_listed_in(send_buffer(&listener)? / 2);
    let bounds = Bounds { address: listener.local_addr()?, users };
    let settings = settings(config, bounds);
    let (post, mailbox) = sync_channel(MAILBOX);
    let owner = thread::spawn("registry", {
        let post = post.clone();
        move || Owner::run(settings, bounds.address, post, &mailbox, Notifier::from_env())
    })?;
    thread::spawn("accept", {
        let post = post.clone();
        move || door::open(&listener, &post)
    })?;
    Ok(Running { bounds, post, owner })
}

fn settings(config: &Config, bounds: Bounds) -> Settings {
    let Config { name, max_users, max_rooms, limits, .. } = config;
    if bounds.users < *max_users {
        warn!("Only {} users may come, because net.core.wmem_max is too low", bounds.users);
    }
    Settings {
        name: name.clone(),
        port: bounds.address.port(),
        max_users: bounds.users.min(*max_users),
        max_rooms: *max_rooms,
        access: Access::Open,
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
