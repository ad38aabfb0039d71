//! The thread `page`: one poll(2) over the door, the bell and all who look. It may be slow or stand still, and
//! nobody else notices.

use std::net::TcpListener;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use vox_common::sys::{clock, net};

use super::bell::Bell;
use super::client::{Came, Client};
use crate::page::hosts::Hosts;
use crate::page::request::{Method, Request};
use crate::page::{self, Fault, Resource, Snapshot};
use crate::shell::mail::Mail;

/// Those who are served at a time. The next ones get `503`.
const SERVED: usize = 16;

/// Those of them who may stay, for events: the others are for whoever asks once, such as Prometheus.
const LISTENERS: usize = 12;

/// Connections at a time, with those who are about to go. More wait in the kernel.
const CONNECTIONS: usize = 32;

/// Descriptors that are waited for.
const WAITED_FOR: usize = CONNECTIONS + 2;

/// The least time between two events: five a second.
const PACE: Duration = Duration::from_millis(200);

/// The time after which listeners are told anyhow: counts go up without news, and those who are gone are noticed.
const REFRESH: Duration = Duration::from_secs(5);

/// How long the owner may take to say what there is to see. Longer: `503`.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the door stays shut when a connection could not be accepted.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

pub(super) struct Server {
    listener: TcpListener,
    clients: Vec<Client>,
    hosts: Hosts,
    /// Other names, when the configuration was read again.
    renamed: Receiver<Hosts>,
    bell: Arc<Bell>,
    owner: SyncSender<Mail>,
    /// What was seen in this round of the loop.
    seen: Option<Snapshot>,
    /// When listeners were told the last time.
    told: Instant,
    /// Whether there is something that listeners were not told.
    has_news: bool,
    /// Until when nobody is let in.
    shut: Option<Instant>,
}

impl Server {
    pub(super) fn new(
        listener: TcpListener,
        hosts: Hosts,
        renamed: Receiver<Hosts>,
        bell: Arc<Bell>,
        owner: SyncSender<Mail>,
    ) -> Self {
        Self {
            listener,
            clients: Vec::new(),
            hosts,
            renamed,
            bell,
            owner,
            seen: None,
            told: clock::now(),
            has_news: false,
            shut: None,
        }
    }

    /// Serves for ever.
    pub(super) fn run(mut self) {
        loop {
            let ready = self.wait();
            self.seen = None;
            self.hear_the_bell();
            self.serve(&ready);
            self.let_in();
            self.tell_listeners();
            self.end_the_late();
            self.give_back();
        }
    }

    /// Waits until something can be done; which of the clients can go on.
    fn wait(&self) -> heapless::Vec<bool, CONNECTIONS> {
        let mut waited_for: heapless::Vec<PollFd<'_>, WAITED_FOR> = heapless::Vec::new();
        let door = if self.is_open() { PollFlags::POLLIN } else { PollFlags::empty() };
        let first =
            [PollFd::new(self.bell.as_fd(), PollFlags::POLLIN), PollFd::new(self.listener.as_fd(), door)];
        let clients = self.clients.iter().map(|client| PollFd::new(client.as_fd(), client.wants()));
        waited_for.extend(first.into_iter().chain(clients));
        // Interrupted: looks at everything, finds nothing, waits again.
        let _ = poll(&mut waited_for, self.patience());
        waited_for.iter().skip(2).map(|fd| fd.any().unwrap_or(true)).collect()
    }

    fn patience(&self) -> PollTimeout {
        let late = self.clients.iter().filter_map(Client::deadline).min();
        let due = [late, self.next_event(), self.shut].into_iter().flatten().min();
        let Some(due) = due else { return PollTimeout::NONE };
        // Rounded up, or the last millisecond would be spent in a circle.
        let wait = due.saturating_duration_since(clock::now()) + Duration::from_millis(1);
        PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX)
    }

    fn is_open(&self) -> bool {
        self.shut.is_none() && self.clients.len() < CONNECTIONS
    }

    fn hear_the_bell(&mut self) {
        self.has_news |= self.bell.hush();
        if let Some(hosts) = self.renamed.try_iter().last() {
            self.hosts = hosts;
        }
    }

    /// Goes on with those who are ready, the last first: one who goes is replaced by the last.
    fn serve(&mut self, ready: &[bool]) {
        let ready = ready.iter().enumerate().rev().filter_map(|(place, is_ready)| is_ready.then_some(place));
        for place in ready {
            if self.go_on(place) == Came::End {
                self.clients.swap_remove(place);
            }
        }
    }

    fn go_on(&mut self, place: usize) -> Came {
        let now = clock::now();
        match self.clients[place].go_on(now) {
            Came::Words => self.hear(place, now),
            came => came,
        }
    }

    fn hear(&mut self, place: usize, now: Instant) -> Came {
        let words = self.clients[place].words();
        let method = Method::of(words);
        match Request::read(words, &self.hosts) {
            Ok(None) => Came::Nothing,
            Ok(Some(request)) => self.perform(place, request, now),
            Err(fault) => self.clients[place].answer(fault.answer(method), now),
        }
    }

    fn perform(&mut self, place: usize, request: Request, now: Instant) -> Came {
        match (request.resource, request.method) {
            (Resource::Events, Method::Head) => self.clients[place].answer(page::opening(Method::Head), now),
            (Resource::Events, Method::Get) => self.add_listener(place, now),
            _ => {
                let answer = page::answer(request, || self.look());
                self.clients[place].answer(answer, now)
            }
        }
    }

    fn add_listener(&mut self, place: usize, now: Instant) -> Came {
        if self.listeners() >= LISTENERS {
            return self.clients[place].answer(Fault::Full.answer(Method::Get), now);
        }
        self.has_news = true;
        self.clients[place].begin(page::opening(Method::Get), now)
    }

    fn listeners(&self) -> usize {
        self.clients.iter().filter(|client| client.is_listening()).count()
    }

    /// What there is to see, asked once a round.
    fn look(&mut self) -> Option<&Snapshot> {
        if self.seen.is_none() {
            self.seen = ask(&self.owner);
        }
        self.seen.as_ref()
    }

    fn let_in(&mut self) {
        let now = clock::now();
        self.shut = self.shut.filter(|until| *until > now);
        while self.is_open() {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    // A connection that has ended already is passed over.
                    let tuned = net::tune(&stream).and_then(|()| Client::new(stream, now));
                    let _ = tuned.map(|client| self.admit(client, now));
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.shut = Some(now + OUT_OF_DESCRIPTORS),
            }
        }
    }

    fn admit(&mut self, mut client: Client, now: Instant) {
        let served = self.clients.iter().filter(|client| client.is_served()).count();
        let is_there = served < SERVED || client.answer(Fault::Full.answer(Method::Get), now) != Came::End;
        if is_there {
            self.clients.push(client);
        }
    }

    /// When listeners are told again, if there are any.
    fn next_event(&self) -> Option<Instant> {
        let pause = if self.has_news { PACE } else { REFRESH };
        (self.listeners() > 0).then(|| self.told + pause)
    }

    fn tell_listeners(&mut self) {
        let now = clock::now();
        if self.next_event().is_none_or(|due| due > now) {
            return;
        }
        (self.told, self.has_news) = (now, false);
        self.bell.await_change();
        // Seen anew: what was seen in this round may be older than the bell.
        let Some(seen) = ask(&self.owner) else { return };
        let frame: Rc<[u8]> = page::frame(&seen).into();
        self.clients.retain_mut(|client| client.tell(&frame, now) != Came::End);
    }

    fn end_the_late(&mut self) {
        let now = clock::now();
        self.clients.retain_mut(|client| {
            let is_late = client.deadline().is_some_and(|deadline| deadline <= now);
            let is_asking = client.is_asking();
            !is_late || (is_asking && client.answer(Fault::TooSlow.answer(Method::Get), now) != Came::End)
        });
    }

    /// What was seen may be large, and the next look may be far away.
    fn give_back(&mut self) {
        self.seen = None;
        if self.clients.is_empty() {
            self.clients = Vec::new();
            self.has_news = false;
        }
    }
}

/// Asks the owner, who answers as soon as it comes to it.
fn ask(owner: &SyncSender<Mail>) -> Option<Snapshot> {
    let (answer, overview) = sync_channel(1);
    owner.send(Mail::Look(answer)).ok()?;
    let overview = overview.recv_timeout(PATIENCE).ok()?;
    Some(Snapshot { overview, taken: clock::since_1970(clock::wall()) })
}
