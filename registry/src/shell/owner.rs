//! The thread that owns the core: takes mail, watches the time, sends. It never waits for anything but mail.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use log::{debug, info, warn};
use vox_common::seal::identity::Identity;
use vox_common::seal::records::Opener;
use vox_common::seal::secure::Taken;
use vox_common::sys::notify::Notifier;
use vox_common::sys::signals::stop_this_process;
use vox_common::sys::store::Store;
use vox_common::sys::turn::Turn;
use vox_common::sys::{clock, net, random};
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Nonce;
use vox_common::wire::secure::Offer;

use super::control::{self, Admins};
use super::door::Reader;
use super::known::{Author, Known};
use super::mail::{Mail, Said};
use super::page::Bell;
use super::slots::Slots;
use super::state::Rests;
use super::{door, state};
use crate::core::{AdminId, ConnId, Fate, Input, Kept, Output, Registry, Settings, Shaken, Tables};

/// The one set of tables, all zero until it is used. The owner takes the lock once and for ever: it is there
/// because safe Rust asks for one around a `static` that changes.
static TABLES: Mutex<Tables> = Mutex::new(Tables::new());

/// How long the end waits for readers that do not end.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Without anything else to do, look around this often.
const IDLE: Duration = Duration::from_secs(3600);

/// What the owner acts with.
pub(super) struct Hands {
    /// For readers to come.
    pub(super) post: SyncSender<Mail>,
    pub(super) notifier: Notifier,
    pub(super) store: Store,
    /// Wakes the page.
    pub(super) bell: Arc<Bell>,
    /// What the registry proves itself by.
    pub(super) identity: Option<Arc<Identity>>,
}

/// Serves until it is stopped, from `address` and with what is kept in the directory `state`.
pub(super) fn run(
    settings: Settings,
    address: SocketAddr,
    state: &Path,
    hands: Hands,
    mailbox: &Receiver<Mail>,
) {
    let mut tables = TABLES.lock().expect("nobody else takes it");
    let mut registry = Registry::new(settings, hands.identity.clone(), &mut tables, clock::now());
    let rests = state::recall(&mut registry, &hands.store, state);
    let mut owner = Owner::of(registry, rests, hands);
    info!(
        "registry listens on {address} version={}{}",
        env!("CARGO_PKG_VERSION"),
        Known(&owner.hands.identity)
    );
    owner.hands.notifier.ready(&format!("listening on {address}"));
    owner.serve(mailbox);
    owner.hands.store.finish();
}

struct Owner<'t> {
    registry: Registry<'t>,
    slots: Box<Slots>,
    admins: Admins,
    rests: Rests,
    hands: Hands,
    /// The page was told of the core as it was after so many changes.
    rung: u64,
    /// When systemd last heard that there is progress.
    fed: Instant,
    /// When the registry ends even though some reader has not.
    leaves: Option<Instant>,
}

impl<'t> Owner<'t> {
    fn of(registry: Registry<'t>, rests: Rests, hands: Hands) -> Self {
        let (slots, admins) = (Box::new(Slots::new()), Admins::default());
        Self { registry, slots, admins, rests, hands, rung: 0, fed: clock::now(), leaves: None }
    }

    fn serve(&mut self, mailbox: &Receiver<Mail>) {
        while !self.has_finished() {
            match mailbox.recv_timeout(self.patience()) {
                Ok(mail) => self.take(mail),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            self.look_at_the_clock();
            self.tell_the_page();
        }
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Accepted(stream, from) => self.admit(stream, from),
            Mail::Said(conn, said) => self.handle(Input::Line(conn, said.line())),
            Mail::Offered { conn, offer, taken, decide } => self.weigh(conn, offer, taken, &decide),
            Mail::Closed(conn) => {
                self.handle(Input::Closed(conn));
                self.slots.free(conn);
            }
            Mail::AdminCame(stream) => control::admit(&mut self.admins, stream, &self.hands.post),
            Mail::AdminSaid(admin, said, turn) => self.obey(admin, &said, turn),
            Mail::AdminServed(admin, answer, _turn) => self.admins.send(admin.0, &answer),
            Mail::AdminGone(admin) => self.admins.dismiss(admin.0),
            // Whoever asked and went has no use for the answer.
            Mail::Look(answer) => _ = answer.try_send(self.registry.overview(clock::now())),
            Mail::Reloaded(settings) => self.reload(settings),
            Mail::Stop => self.handle(Input::Stop),
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let Outcome { keep, .. } = self.perform(Author(None), input);
        if let Some((kept, text)) = keep {
            self.hands.store.keep(kept.file(), text);
        }
    }

    /// The reader, who waits, opens what comes from now on if the core has said so.
    fn weigh(&mut self, conn: ConnId, offer: Offer, taken: Option<Box<Taken>>, decide: &SyncSender<Opener>) {
        let (shaken, sealer, opener) = match taken.map(|taken| *taken) {
            Some(Taken { key, answer, sealer, opener }) => {
                (Some(Shaken { key, answer }), Some(sealer), Some(opener))
            }
            None => (None, None, None),
        };
        self.slots.offer(sealer);
        self.handle(Input::Offered { conn, offer, taken: shaken });
        if let Some(opener) = opener.filter(|_| self.slots.is_sealed(conn)) {
            // A reader that has gone has no use for it.
            let _ = decide.try_send(opener);
        }
    }

    /// An administrator can end the registry, which `main` has to hear of too.
    fn obey(&mut self, admin: AdminId, said: &Said, turn: Turn) {
        let author = Author(self.admins.who(admin.0));
        self.handle(Input::Disk(&self.hands.store.disk(clock::now())));
        let Outcome { keep, answer } = self.perform(author, Input::Admin(admin, said.line()));
        match keep {
            Some((kept, text)) => self.answer_when_kept(admin, answer, turn, kept, text),
            None => self.admins.send(admin.0, &answer),
        }
        if self.leaves.is_some() {
            stop_this_process();
        }
    }

    /// Whoever is told that somebody is banned can pull the plug.
    fn answer_when_kept(&self, admin: AdminId, answer: String, turn: Turn, kept: Kept, text: Vec<u8>) {
        let post = self.hands.post.clone();
        let tell = move |written: Result<(), &str>| {
            let answer = control::answer(&answer, written);
            let _ = post.send(Mail::AdminServed(admin, answer, turn));
        };
        self.hands.store.keep_and_tell(kept.file(), text, Box::new(tell));
    }

    fn perform(&mut self, author: Author, input: Input<'_>) -> Outcome {
        let Self { registry, slots, rests, hands, leaves, .. } = self;
        let now = clock::now();
        let mut outcome = Outcome::default();
        registry.handle(now, input, &mut |output| {
            match output {
                Output::Send(conn, lines) => return slots.send(conn, lines),
                Output::Seal(conn) => slots.seal(conn),
                Output::Close(conn) => slots.close(conn),
                Output::Answer(_, lines) => lines.clone_into(&mut outcome.answer),
                Output::Keep(kept, text) => outcome.keep = Some((kept, rests.behind(kept, text))),
                Output::News(news) if news.is_detail() => debug!("{news}{author}"),
                Output::News(news) => info!("{news}{author}"),
                Output::Ending => {
                    hands.notifier.stopping();
                    info!("registry is stopping{author}");
                    *leaves = Some(now + LAST_WAIT);
                }
            }
            Fate::Sent
        });
        outcome
    }

    fn admit(&mut self, stream: TcpStream, from: SocketAddr) {
        // A connection that has ended already has neither options nor an address of ours.
        let Ok(to) = net::tune(&stream).and_then(|()| stream.local_addr()) else {
            return;
        };
        let stream = Arc::new(stream);
        let nonce = Nonce(random::bytes());
        if let Some(conn) = self.seat(&stream, nonce) {
            self.handle(Input::Opened { conn, from, to, nonce });
        } else {
            net::send_now(&stream, format!("{}\n", Refusal::RegistryFull).as_bytes());
            self.handle(Input::Unseated(from));
        }
    }

    /// A place and a reader. `None`: all places are taken, or the machine has no room for another thread.
    fn seat(&mut self, stream: &Arc<TcpStream>, nonce: Nonce) -> Option<ConnId> {
        let conn = self.slots.allot(stream.clone())?;
        let Hands { post, identity, .. } = &self.hands;
        let reader = Reader { conn, nonce, identity: identity.clone(), post: post.clone() };
        if let Err(error) = door::read(reader, stream.clone()) {
            warn!("Cannot serve another connection: {error}");
            self.slots.free(conn);
            return None;
        }
        Some(conn)
    }

    fn reload(&mut self, settings: Option<Settings>) {
        self.hands.notifier.reloading();
        if let Some(settings) = settings {
            self.handle(Input::Settings(&settings));
        }
        self.hands.notifier.ready(&format!("{} users", self.registry.users()));
    }

    /// What is due is done after every piece of mail, or a busy mailbox would starve it.
    fn look_at_the_clock(&mut self) {
        let now = clock::now();
        if self.registry.deadline().is_some_and(|deadline| deadline <= now) {
            self.handle(Input::Tick);
        }
        if self.feeding().is_some_and(|due| due <= now) {
            self.hands.notifier.watchdog();
            self.fed = now;
        }
    }

    fn tell_the_page(&mut self) {
        let changes = self.registry.changes();
        if std::mem::replace(&mut self.rung, changes) != changes {
            self.hands.bell.changed();
        }
    }

    /// When systemd wants to hear of progress.
    fn feeding(&self) -> Option<Instant> {
        self.hands.notifier.watchdog_interval().map(|interval| self.fed + interval)
    }

    fn patience(&self) -> Duration {
        let due = [self.registry.deadline(), self.feeding(), self.leaves].into_iter().flatten().min();
        due.map_or(IDLE, |due| due.saturating_duration_since(clock::now()))
    }

    fn has_finished(&self) -> bool {
        self.registry.is_finished() || self.leaves.is_some_and(|leaves| leaves <= clock::now())
    }
}

/// What an input leaves to be done: a state file to be kept, and the answer to an administrator.
#[derive(Default)]
struct Outcome {
    keep: Option<(Kept, Vec<u8>)>,
    answer: String,
}
