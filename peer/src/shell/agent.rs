//! The thread `agent`: owns the core, takes letters, performs what it decides. It never waits but for its mailbox.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use vox_common::seal::records::{Opener, Sealer, sealed_bytes};
use vox_common::sys::clients::Clients;
use vox_common::sys::clock;
use vox_common::sys::net::{Sent, send_now};
use vox_common::sys::notify::Notifier;
use vox_common::sys::store::Store;
use vox_common::sys::turn::Turn;
use vox_common::wire::limits::{LINE_BYTES, MAX_CLIENTS};

use super::control;
use super::errand::Errands;
use super::mail::{Mail, Mailbox};
use super::media::MediaHandle;
use super::udp::{KnownAddresses, UdpCounters, UdpSender};
use crate::agent::Agent;
use crate::agent::board::MAX_COUNTS;
use crate::agent::io::{ClientId, Input, Kept, Moment, Output, Ticket};
use crate::media::orders::{MediaOrder, Path};

/// Without deadline or watchdog the agent looks at the clock this often.
const IDLE: Duration = Duration::from_secs(60);

/// What the agent's thread acts with.
pub struct Hands {
    /// Tries to connect to the registry. `None`: there is none.
    pub connect: Option<SyncSender<()>>,
    /// Sends signals.
    pub udp: UdpSender,
    /// Orders to the sound.
    pub media: MediaHandle,
    /// What became of all datagrams.
    pub datagrams: Arc<UdpCounters>,
    /// Addresses whose signals have a share of their own.
    pub known: Arc<KnownAddresses>,
    /// Keeps state files.
    pub store: Store,
    /// For errands.
    pub mailbox: Mailbox,
}

/// The thread's own: the core, and everything it acts with.
pub struct Owner {
    agent: Agent,
    acts: Acts,
}

/// Performs outputs.
struct Acts {
    hands: Hands,
    clients: Clients<MAX_CLIENTS>,
    registry: Option<Registry>,
    errands: Errands,
    /// The turn of the program that is being served: its reader waits with it while the disk is waited for.
    turn: Option<Turn>,
    /// What could not even be begun; its answers are taken in next.
    failed: Vec<Failed>,
}

/// The registry's connection, to write to.
struct Registry {
    stream: TcpStream,
    /// Where its reader learns what it opens lines with.
    openers: SyncSender<Opener>,
    /// `None`: lines are plain.
    sealer: Option<Sealer>,
}

/// The longest line, once it is sealed.
const SEALED_LINE: usize = sealed_bytes(LINE_BYTES);

enum Failed {
    Resolve(Ticket),
    Devices(ClientId),
    Send(SocketAddr),
}

impl Owner {
    /// Before the first letter.
    pub fn new(agent: Agent, hands: Hands) -> Self {
        let acts = Acts {
            hands,
            clients: Clients::default(),
            registry: None,
            errands: Errands::default(),
            turn: None,
            failed: Vec::new(),
        };
        Self { agent, acts }
    }

    /// Works until it is told to stop; then everybody has been told, and what was to be kept is kept.
    ///
    /// Boxed: its tables do not fit the stack of its thread.
    pub fn run(mut self: Box<Self>, letters: &Receiver<Mail>, notifier: &Notifier) {
        self.feed(Input::Start);
        let mut fed = clock::now();
        loop {
            let now = clock::now();
            if notifier.watchdog_interval().is_some_and(|interval| now - fed >= interval) {
                notifier.watchdog();
                fed = now;
            }
            match letters.recv_timeout(self.patience(now, notifier)) {
                Ok(Mail::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(mail) => self.open(mail),
                Err(RecvTimeoutError::Timeout) => self.feed(Input::Tick),
            }
            self.answer_for_the_failed();
        }
        notifier.stopping();
        self.feed(Input::Stop);
        self.acts.hands.media.finish();
        self.acts.hands.store.finish();
    }

    fn patience(&self, now: Instant, notifier: &Notifier) -> Duration {
        let until = self.agent.deadline().map_or(IDLE, |deadline| deadline.saturating_duration_since(now));
        notifier.watchdog_interval().map_or(until, |interval| interval.min(until))
    }

    fn open(&mut self, mail: Mail) {
        match mail {
            Mail::LinkUp(stream, openers) => {
                self.acts.registry = Some(Registry { stream, openers, sealer: None });
                self.feed(Input::LinkUp);
            }
            Mail::LinkLine(line, _turn) => self.feed(Input::LinkLine(&line)),
            Mail::LinkDown(why) => {
                self.acts.registry = None;
                self.feed(Input::LinkDown(&why));
            }
            Mail::Datagram(from, local, bytes) => self.feed(Input::Datagram { from, local, bytes: &bytes }),
            Mail::Unreachable(remote) => self.feed(Input::Unreachable(remote)),
            Mail::ClientCame(stream, _turn) => {
                control::admit(&mut self.acts.clients, stream, &self.acts.hands.mailbox);
            }
            Mail::ClientLine(client, line, turn) => {
                self.look_around();
                self.acts.turn = Some(turn);
                self.feed(Input::Control(client, line.as_deref().map_err(|refusal| *refusal)));
                self.acts.turn = None;
            }
            Mail::ClientServed(client, session, answer, _turn) => {
                if self.acts.clients.session(client.0) == Some(session) {
                    self.acts.clients.send(client.0, &answer);
                }
            }
            Mail::ClientGone(client) => {
                self.acts.clients.dismiss(client.0);
                self.feed(Input::ControlGone(client));
            }
            Mail::Resolved(ticket, found) => {
                self.feed(Input::Resolved(ticket, found.as_deref().map_err(String::as_str)));
            }
            Mail::Devices(client, text) => self.feed(Input::Devices(client, &text)),
            Mail::Media(news) => self.feed(Input::Media(&news)),
            Mail::Reload(policy, secret) => self.feed(Input::Reload(&policy, secret.as_ref())),
            Mail::Stop => {}
        }
    }

    /// For whoever asks how the station is.
    fn look_around(&mut self) {
        let disk = self.acts.hands.store.disk(clock::now());
        self.feed(Input::Disk(&disk));
        let counts: heapless::Vec<_, MAX_COUNTS> =
            self.acts.hands.datagrams.read().words().take(MAX_COUNTS).collect();
        self.feed(Input::Datagrams(&counts));
    }

    fn feed(&mut self, input: Input<'_>) {
        let now = Moment { at: clock::now(), unix: clock::unix_seconds() };
        let Self { agent, acts } = self;
        agent.handle(now, input, &mut |output| acts.perform(output));
    }

    fn answer_for_the_failed(&mut self) {
        while let Some(failed) = self.acts.failed.pop() {
            match failed {
                Failed::Resolve(ticket) => {
                    self.feed(Input::Resolved(ticket, Err("too many questions wait for an answer")));
                }
                Failed::Devices(client) => {
                    self.feed(Input::Devices(client, "500 too many questions wait for an answer"));
                }
                Failed::Send(remote) => self.feed(Input::Unreachable(remote)),
            }
        }
    }
}

impl Acts {
    fn perform(&mut self, output: Output<'_>) {
        match output {
            // A full channel means that an attempt is under way.
            Output::Connect => drop(self.hands.connect.as_ref().map(|connect| connect.try_send(()))),
            Output::Disconnect => self.disconnect(),
            Output::ToRegistry(line) => self.send_to_registry(line),
            Output::Seal(sealer, opener) => self.seal_registry(sealer, opener),
            Output::Signal(path, datagram) => self.send_signal(path, datagram),
            Output::SignalWhenIdle(path, datagram) if self.hands.udp.is_nearly_idle() => {
                self.send_signal(path, datagram);
            }
            Output::SignalWhenIdle(..) => self.hands.datagrams.withheld.add(),
            Output::KnownAddresses(addresses) => self.hands.known.replace(addresses.iter().copied()),
            Output::ToClient(client, lines) => self.clients.send(client.0, lines),
            Output::Resolve(ticket, host) => {
                if self.errands.resolve(ticket, host, &self.hands.mailbox).is_err() {
                    self.failed.push(Failed::Resolve(ticket));
                }
            }
            Output::ListDevices(client) => {
                if self.errands.list_devices(client, &self.hands.mailbox).is_err() {
                    self.failed.push(Failed::Devices(client));
                }
            }
            Output::Media(order) => self.order(order),
            Output::Keep(kept, text) if kept.is_paced() => self.hands.store.keep(kept.file(), text),
            Output::Keep(kept, text) => self.hands.store.keep_at_once(kept.file(), text),
            Output::KeepAndAnswer(kept, text, client, answer) => {
                self.answer_when_kept(kept, text, client, answer);
            }
            Output::Log(level, line) => log::log!(level, "{line}"),
        }
    }

    /// The program keeps its turn until then, if it has one. If it has gone, whoever is in its place hears nothing.
    fn answer_when_kept(&mut self, kept: Kept, text: &str, client: ClientId, answer: &str) {
        let Some(session) = self.clients.session(client.0) else {
            return self.hands.store.keep_at_once(kept.file(), text);
        };
        let (mailbox, turn, answer) = (self.hands.mailbox.clone(), self.turn.take(), answer.to_owned());
        let tell = move |written: Result<(), &str>| {
            let answer = written.map_or_else(|why| kept.answer_of_unkept(&answer, why), |()| answer.clone());
            let _ = mailbox.send(Mail::ClientServed(client, session, format!("{answer}\n"), turn));
        };
        self.hands.store.keep_and_tell(kept.file(), text, Box::new(tell));
    }

    fn send_signal(&mut self, path: Path, datagram: &str) {
        if let Err(error) = self.hands.udp.send(path, datagram.as_bytes()) {
            log::debug!("a signal was not sent: {error} remote={}", path.remote);
            if is_for_good(&error) {
                self.failed.push(Failed::Send(path.remote));
            }
        }
    }

    fn order(&mut self, order: MediaOrder) {
        if self.hands.media.order(order).is_err() {
            log::error!("the sound does not take orders any more");
        }
    }

    /// The reader finds the end, and tells it.
    fn disconnect(&mut self) {
        if let Some(registry) = self.registry.take() {
            let _ = registry.stream.shutdown(Shutdown::Both);
        }
    }

    fn send_to_registry(&mut self, line: &str) {
        let sent = self.registry.as_mut().map(|registry| registry.send(line));
        if !matches!(sent, Some(Sent::Whole) | None) {
            self.disconnect();
        }
    }

    /// The reader waits until we have dealt with the line that said so.
    fn seal_registry(&mut self, sealer: Sealer, opener: Opener) {
        if let Some(registry) = &mut self.registry {
            registry.sealer = Some(sealer);
            let _ = registry.openers.try_send(opener);
        }
    }
}

impl Registry {
    fn send(&mut self, line: &str) -> Sent {
        let line = format!("{line}\n");
        match &mut self.sealer {
            None => send_now(&self.stream, line.as_bytes()),
            Some(sealer) => send_now(&self.stream, sealer.seal(line.as_bytes(), &mut [0; SEALED_LINE])),
        }
    }
}

/// The socket will never send there: an IPv6 address with IPv4 alone, a broadcast. What may heal is sent again.
fn is_for_good(error: &io::Error) -> bool {
    let kinds = [ErrorKind::InvalidInput, ErrorKind::PermissionDenied, ErrorKind::AddrNotAvailable];
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(Errno::EAFNOSUPPORT as i32)
}
