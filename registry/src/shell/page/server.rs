//! The thread `page`: one poll(2) over the door, the bell and all who look. It may be slow or stand still, and
//! nobody else notices.

use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use vox_common::sys::clock;

use super::bell::Bell;
use super::client::{Came, Client};
use super::door::Door;
use super::sight::Sight;
use crate::page::hosts::Hosts;
use crate::page::request::{Method, Request};
use crate::page::{self, Fault, Resource};

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

pub(super) struct Server {
    door: Door,
    clients: Vec<Client>,
    hosts: Hosts,
    /// Other names, when the configuration was read again.
    renamed: Receiver<Hosts>,
    bell: Arc<Bell>,
    sight: Sight,
    /// When listeners were told the last time.
    told: Instant,
    /// Whether there is something that listeners were not told.
    has_news: bool,
}

impl Server {
    pub(super) fn new(
        door: Door,
        hosts: Hosts,
        renamed: Receiver<Hosts>,
        bell: Arc<Bell>,
        sight: Sight,
    ) -> Self {
        let (clients, told, has_news) = (Vec::new(), clock::now(), false);
        Self { door, clients, hosts, renamed, bell, sight, told, has_news }
    }

    /// Serves for ever.
    pub(super) fn run(mut self) {
        loop {
            let ready = self.wait();
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
        let door =
            if self.door.is_open() && self.has_place() { PollFlags::POLLIN } else { PollFlags::empty() };
        let first = [PollFd::new(self.bell.as_fd(), PollFlags::POLLIN), PollFd::new(self.door.as_fd(), door)];
        let clients = self.clients.iter().map(|client| PollFd::new(client.as_fd(), client.wants()));
        waited_for.extend(first.into_iter().chain(clients));
        // Interrupted: looks at everything, finds nothing, waits again.
        let _ = poll(&mut waited_for, self.patience());
        waited_for.iter().skip(2).map(|fd| fd.any().unwrap_or(true)).collect()
    }

    fn patience(&self) -> PollTimeout {
        let late = self.clients.iter().filter_map(Client::deadline).min();
        let due = [late, self.next_event(), self.door.opens()].into_iter().flatten().min();
        let Some(due) = due else { return PollTimeout::NONE };
        // Rounded up, or the last millisecond would be spent in a circle.
        let wait = due.saturating_duration_since(clock::now()) + Duration::from_millis(1);
        PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX)
    }

    fn has_place(&self) -> bool {
        self.clients.len() < CONNECTIONS
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
                let answer = page::answer(request, || self.sight.look());
                self.clients[place].answer(answer, now)
            }
        }
    }

    fn add_listener(&mut self, place: usize, now: Instant) -> Came {
        if !self.make_room(self.clients[place].from(), LISTENERS, Client::is_listening, now) {
            return self.clients[place].answer(Fault::Full.answer(Method::Get), now);
        }
        self.has_news = true;
        self.clients[place].begin(page::opening(Method::Get), now)
    }

    fn listeners(&self) -> usize {
        self.clients.iter().filter(|client| client.is_listening()).count()
    }

    fn let_in(&mut self) {
        let now = clock::now();
        while self.has_place() {
            let Some(stream) = self.door.next(now) else { return };
            let _ = Client::new(stream, now).map(|client| self.admit(client, now));
        }
    }

    fn admit(&mut self, mut client: Client, now: Instant) {
        let has_room = self.make_room(client.from(), SERVED, Client::is_served, now);
        if has_room || client.answer(Fault::Full.answer(Method::Get), now) != Came::End {
            self.clients.push(client);
        }
    }

    /// Whether there is a place among so many for somebody from there. Where there is none, the address that has
    /// most gives one up, if it has more than the other one has then: nobody keeps everybody else out.
    fn make_room(&mut self, from: IpAddr, most: usize, counts: fn(&Client) -> bool, now: Instant) -> bool {
        let those = || self.clients.iter().enumerate().filter(|(_, client)| counts(client));
        let held = |from: IpAddr| those().filter(|(_, client)| client.from() == from).count();
        if those().count() < most {
            return true;
        }
        let greediest = those().max_by_key(|(_, client)| held(client.from()));
        let Some((place, _)) = greediest.filter(|(_, client)| held(client.from()) > held(from) + 1) else {
            return false;
        };
        self.clients[place].part(now);
        true
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
        // What was seen in this round may be older than what the bell was asked.
        self.sight.forget();
        let Some(seen) = self.sight.look() else { return };
        let frame: Arc<[u8]> = page::frame(seen).into();
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

    fn give_back(&mut self) {
        self.sight.forget();
        if self.clients.is_empty() {
            self.clients = Vec::new();
            self.has_news = false;
        }
    }
}
