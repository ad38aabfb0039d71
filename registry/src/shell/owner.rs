//! The thread that owns the core: takes mail, watches the time, sends. It never waits for anything but mail.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use log::{debug, info, warn};
use vox_common::sys::notify::Notifier;
use vox_common::sys::{clock, net, random};
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Nonce;

use super::door;
use super::mail::Mail;
use super::slots::Slots;
use crate::core::{ConnId, Fate, Input, Output, Registry, Settings, Tables};

/// The one set of tables, all zero until it is used. The owner takes the lock once and for ever: it is there
/// because safe Rust asks for one around a `static` that changes.
static TABLES: Mutex<Tables> = Mutex::new(Tables::new());

/// How long the end waits for readers that do not end.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Without anything else to do, look around this often.
const IDLE: Duration = Duration::from_secs(3600);

pub(super) struct Owner<'t> {
    registry: Registry<'t>,
    slots: Box<Slots>,
    /// For readers to come.
    post: SyncSender<Mail>,
    notifier: Notifier,
    /// When systemd last heard that there is progress.
    fed: Instant,
    /// When the registry ends even though some reader has not.
    leaves: Option<Instant>,
}

impl Owner<'_> {
    /// Serves until it is stopped.
    pub(super) fn run(
        settings: Settings,
        address: SocketAddr,
        post: SyncSender<Mail>,
        mailbox: &Receiver<Mail>,
        notifier: Notifier,
    ) {
        let mut tables = TABLES.lock().expect("nobody else takes it");
        let registry = Registry::new(settings, &mut tables, clock::now());
        let mut owner = Owner {
            registry,
            slots: Box::new(Slots::new()),
            post,
            notifier,
            fed: clock::now(),
            leaves: None,
        };
        info!("registry listens on {address} version={}", env!("CARGO_PKG_VERSION"));
        owner.notifier.ready(&format!("listening on {address}"));
        while !owner.has_finished() {
            match mailbox.recv_timeout(owner.patience()) {
                Ok(mail) => owner.take(mail),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            owner.look_at_the_clock();
        }
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Accepted(stream, from) => self.admit(stream, from),
            Mail::Said(conn, said) => self.handle(Input::Line(conn, said.line())),
            Mail::Closed(conn) => {
                self.handle(Input::Closed(conn));
                self.slots.free(conn);
            }
            Mail::Reloaded(settings) => self.reload(settings),
            Mail::Stop => self.stop(),
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let slots = &mut self.slots;
        self.registry.handle(clock::now(), input, &mut |output| {
            match output {
                Output::Send(conn, lines) => return slots.send(conn, lines),
                Output::Close(conn) => slots.close(conn),
                Output::News(news) if news.is_detail() => debug!("{news}"),
                Output::News(news) => info!("{news}"),
                // There is no administrators' socket yet from which these could come.
                Output::Answer(..) | Output::Keep(..) | Output::Ending => {}
            }
            Fate::Sent
        });
    }

    fn admit(&mut self, stream: TcpStream, from: SocketAddr) {
        // A connection that has ended already has neither options nor an address of ours.
        let Ok(to) = net::tune(&stream).and_then(|()| stream.local_addr()) else {
            return;
        };
        let stream = Arc::new(stream);
        match self.seat(&stream) {
            Ok(conn) => self.handle(Input::Opened { conn, from, to, nonce: Nonce(random::bytes()) }),
            Err(error) => {
                warn!("Cannot serve another connection from={from}: {error}");
                net::send_now(&stream, format!("{}\n", Refusal::RegistryFull).as_bytes());
            }
        }
    }

    /// A place and a reader.
    fn seat(&mut self, stream: &Arc<TcpStream>) -> io::Result<ConnId> {
        let conn = self.slots.allot(stream.clone()).ok_or_else(|| io::Error::other("the table is full"))?;
        door::read(conn, stream.clone(), self.post.clone()).inspect_err(|_| self.slots.free(conn))?;
        Ok(conn)
    }

    fn reload(&mut self, settings: Option<Settings>) {
        self.notifier.reloading();
        if let Some(settings) = settings {
            self.handle(Input::Settings(&settings));
        }
        self.notifier.ready(&format!("{} users", self.registry.users()));
    }

    fn stop(&mut self) {
        self.notifier.stopping();
        self.leaves = Some(clock::now() + LAST_WAIT);
        self.handle(Input::Stop);
    }

    /// What is due is done after every piece of mail, or a busy mailbox would starve it.
    fn look_at_the_clock(&mut self) {
        let now = clock::now();
        if self.registry.deadline().is_some_and(|deadline| deadline <= now) {
            self.handle(Input::Tick);
        }
        if self.feeding().is_some_and(|due| due <= now) {
            self.notifier.watchdog();
            self.fed = now;
        }
    }

    /// When systemd wants to hear of progress.
    fn feeding(&self) -> Option<Instant> {
        self.notifier.watchdog_interval().map(|interval| self.fed + interval)
    }

    fn patience(&self) -> Duration {
        let due = [self.registry.deadline(), self.feeding(), self.leaves].into_iter().flatten().min();
        due.map_or(IDLE, |due| due.saturating_duration_since(clock::now()))
    }

    fn has_finished(&self) -> bool {
        self.registry.is_finished() || self.leaves.is_some_and(|leaves| leaves <= clock::now())
    }
}
