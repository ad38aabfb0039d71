//! PURE: what a station decides. Registration, the address book, calls and their legs, and what it tells people.

pub mod acquaintances;
mod admitting;
pub mod allow;
pub mod blockage;
pub mod board;
pub mod book;
pub mod calling;
pub mod calls;
pub mod choices;
pub mod closed;
pub mod consent;
pub mod cookie;
pub mod delay;
pub mod desk;
pub mod dice;
pub mod expiry;
pub mod front;
pub mod history;
mod inviting;
pub mod io;
mod judging;
pub mod known;
pub mod lateness;
pub mod leg;
pub mod link;
pub mod messages;
pub mod outcome;
pub mod pace;
pub mod placing;
pub mod registry;
pub mod rooms;
pub mod sealing;
pub mod serve;
pub mod signals;
pub mod status;
mod steps;
mod stranger;
pub mod timer;
pub mod trust;
pub mod whom;

use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use vox_common::seal::identity::Identity;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::proof::Secret;
use vox_common::wire::request::Registration;
use vox_common::wire::users::Status;
use vox_common::wire::words::encode;
use zeroize::Zeroizing;

use self::acquaintances::Announced;
use self::board::{Board, NO_REAL_TIME};
use self::book::{AddressBook, Contact};
use self::calls::{CallOut, Calls, Me};
use self::choices::Choices;
use self::dice::Dice;
use self::front::Front;
use self::history::History;
use self::io::{ClientId, Input, Moment, Out, Output, Policy};
use self::known::KnownKeys;
use self::leg::Leg;
use self::link::{Link, LinkSettings, Sealing};
use self::messages::Messages;
use self::placing::Placing;
use self::registry::link_out;
use self::timer::earlier;
use self::whom::Whom;
use crate::dsp::tasks::Tasks;
use crate::media::orders::{Direction, MediaNews, MediaOrder, Path, ThreadGrant};

/// What an agent starts with.
pub struct Settings {
    /// Who this station is.
    pub me: Me,
    /// What it proves that with.
    pub identity: Identity,
    /// Where it takes calls.
    pub port: NonZeroU16,
    /// The registry's address as the file gives it; `None`: calls by host and contacts only.
    pub registry: Option<String>,
    /// Whether the lines to it are sealed.
    pub sealing: Sealing,
    /// `[contacts]`.
    pub contacts: Vec<Contact>,
    /// What the operator decides about calls.
    pub policy: Policy,
    /// What is done to the microphone's sound.
    pub tasks: Tasks,
    /// The history file, as it was kept.
    pub history: String,
    /// The messages file, as it was kept.
    pub messages: String,
    /// What people have set by hand.
    pub choices: Choices,
    /// The keys that are remembered.
    pub known: KnownKeys,
    /// Where the key of [`Settings::identity`] is, for people. `None`: it is not kept, and the next run has another one.
    pub key_file: Option<String>,
    /// What the registry may ask for.
    pub secret: Option<Secret>,
    /// Where everything random comes from.
    pub seed: Zeroizing<[u8; 32]>,
}

/// One station.
pub struct Agent {
    calls: Calls,
    link: Link,
    front: Front,
    placing: Option<Placing>,
    tickets: u32,
    /// What the user has chosen.
    status: Status,
    registry_address: Option<String>,
    /// Whose key is remembered as the registry's.
    registry: Option<Whom>,
    /// What others know this station by.
    key: PublicKey,
    announced: Announced,
    key_file: Option<String>,
    /// What people have set by hand, as it was kept last.
    kept_choices: Choices,
    /// All of that is from before the start.
    has_restored: bool,
    /// The reason that was logged last, so that a registry that stays away is not told of again and again.
    logged_reason: String,
    dice: Dice,
    started: Instant,
}

impl Agent {
    /// A station that knows nobody yet.
    pub fn new(settings: Settings, now: Moment) -> Self {
        let mut dice = Dice::new(*settings.seed);
        let registration = Registration {
            name: settings.me.name.clone(),
            port: settings.port,
            key: Some(*settings.identity.public()),
            proof: None,
            key_proof: None,
            display: settings.me.display.clone(),
        };
        let address = settings.registry.clone().unwrap_or_default();
        let identity = settings.identity;
        let key = *identity.public();
        let link =
            LinkSettings { registration, identity: identity.clone(), sealing: settings.sealing, address };
        let mut link = match settings.registry {
            Some(_) => Link::new(link, settings.secret, now.at),
            None => Link::unwanted(link, now.at),
        };
        let room = settings.choices.room.filter(|_| settings.registry.is_some());
        let choices = Choices { room, ..settings.choices };
        choices.room.iter().for_each(|room| link.return_to(room.clone()));
        let mut calls = Calls::new(
            settings.me,
            identity,
            settings.policy,
            settings.known,
            AddressBook::new(settings.contacts),
            Dice::new(*dice.secret()),
            now.at,
        );
        calls.set_dnd(choices.status == Status::Dnd);
        Self {
            link,
            registry: settings.registry.as_deref().and_then(Whom::registry),
            calls,
            front: Front {
                history: History::parse(&settings.history),
                messages: Messages::parse(&settings.messages),
                board: Board::new(settings.tasks, [choices.volume_in, choices.volume_out]),
                ..Front::default()
            },
            placing: None,
            tickets: 0,
            status: choices.status,
            has_restored: choices != Choices::default(),
            kept_choices: choices,
            registry_address: settings.registry,
            key,
            key_file: settings.key_file,
            announced: Announced::default(),
            logged_reason: String::new(),
            dice,
            started: now.at,
        }
    }

    /// The calls of now, for those who look on (the simulation).
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Whether the registry has taken us in.
    pub fn is_registered(&self) -> bool {
        self.link.registered().is_some()
    }

    /// Takes one input and performs its consequences through `out`; then does what time demands.
    pub fn handle(&mut self, now: Moment, input: Input<'_>, out: &mut impl FnMut(Output<'_>)) {
        self.take(now, input, out);
        self.expire(now, out);
        self.open_microphone_after_calls(out);
        self.announce_known_addresses(now, out);
        let status = self.lasting_status(now);
        self.link.tell_status(now.at, status, &mut link_out(out));
        self.keep_choices(out);
    }

    #[expect(clippy::needless_pass_by_value, reason = "an input is taken once")]
    fn take(&mut self, now: Moment, input: Input<'_>, out: Out<'_>) {
        match input {
            Input::Tick => {}
            Input::Start => self.restore_choices(out),
            Input::LinkUp => self.link.connected(now.at, self.memory_of_registry()),
            Input::LinkLine(line) => {
                self.with_link(now, out, |link, dice, out| link.line(now.at, line, dice, out));
            }
            Input::LinkDown(why) => {
                self.with_link(now, out, |link, dice, out| link.disconnected(now.at, why, dice, out));
            }
            Input::Datagram { from, local, bytes } => self.with_calls(now, out, |calls, out| {
                calls.datagram(now, Path { remote: from, local }, bytes, out);
            }),
            Input::Unreachable(remote) => {
                self.with_calls(now, out, |calls, out| calls.unreachable(now, remote, out));
            }
            Input::Control(client, line) => self.control(now, client, line, out),
            Input::ControlGone(client) => self.client_gone(now, client, out),
            Input::Resolved(ticket, found) => self.resolved(now, ticket, found, out),
            Input::Devices(client, text) => self.front.desk.devices(client, text, out),
            Input::Media(news) => self.media(now, news, out),
            Input::Disk(disk) => disk.clone_into(&mut self.front.disk),
            Input::Datagrams(counts) => self.front.board.note_datagrams(counts),
            Input::Reload(policy, secret) => {
                self.calls.set_policy(policy.clone());
                self.link.set_secret(now.at, secret.cloned());
            }
            Input::Stop => self.stop(now, out),
        }
    }

    /// When time itself must be told to the agent.
    pub fn deadline(&self) -> Option<Instant> {
        let placing = self.placing.as_ref().map(|placing| placing.until);
        let told = earlier(self.becomes_busy(), self.announcement_due());
        earlier(earlier(self.calls.deadline(), self.link.deadline()), earlier(placing, told))
    }

    fn expire(&mut self, now: Moment, out: Out<'_>) {
        self.with_calls(now, out, |calls, out| calls.expire(now, out));
        self.with_link(now, out, |link, dice, out| link.expire(now.at, dice, out));
        self.expire_placing(now, out);
    }

    fn with_calls(&mut self, now: Moment, out: Out<'_>, act: impl FnOnce(&mut Calls, CallOut<'_>)) {
        let Self { calls, front, .. } = self;
        act(calls, &mut |output| front.perform(now, output, out));
    }

    /// Muting is for one call: whoever speaks in the next one is heard.
    fn open_microphone_after_calls(&mut self, out: Out<'_>) {
        if self.calls.current().is_none() && std::mem::take(&mut self.front.board.muted) {
            out(Output::Media(MediaOrder::Mute(false)));
        }
    }

    fn media(&mut self, now: Moment, news: &MediaNews, out: Out<'_>) {
        self.front.board.note(news);
        match news {
            MediaNews::Heard(leg) => {
                self.with_calls(now, out, |calls, out| calls.media_heard(now, *leg, out));
            }
            MediaNews::Device { direction, works, sentence } => {
                let direction = if *direction == Direction::In { "in" } else { "out" };
                let state = if *works { "works" } else { "lost" };
                let event = format!("* AUDIO {direction} {state} sentence={}", encode(sentence));
                self.front.desk.tell(None, &event, out);
                let level = if *works { log::Level::Info } else { log::Level::Warn };
                out(Output::Log(level, &format!("{sentence} direction={direction}")));
            }
            MediaNews::Report(leg, report) => {
                self.judge_delay(now, *leg, report, out);
                self.judge_sending(now, *leg, report, out);
            }
            MediaNews::Thread(grant) if grant.is_refused() => self.warn_of_ordinary_threads(grant, out),
            MediaNews::Thread(_) | MediaNews::Memory { .. } => {}
        }
    }

    /// Once: it is so for each thread of each call.
    fn warn_of_ordinary_threads(&mut self, grant: &ThreadGrant, out: Out<'_>) {
        if !std::mem::replace(&mut self.front.board.warned, true) {
            let ThreadGrant { name, wanted, .. } = grant;
            let sentence = format!("{NO_REAL_TIME} thread={name} wanted={wanted}");
            out(Output::Log(log::Level::Warn, &sentence));
        }
    }

    fn client_gone(&mut self, now: Moment, client: ClientId, out: Out<'_>) {
        self.front.desk.forget(client);
        self.link.forget_client(client);
        self.forget_placing_of(client);
        self.with_calls(now, out, |calls, out| calls.client_gone(now, client, out));
    }

    fn stop(&mut self, now: Moment, out: Out<'_>) {
        self.with_calls(now, out, |calls, out| calls.stop(now, out));
        if self.is_registered() {
            out(Output::ToRegistry("QUIT"));
        }
    }

    fn state_word(&self) -> &'static str {
        match self.calls.current() {
            None if self.placing.is_some() => "calling",
            None => "idle",
            Some(leg) if leg.is_talking() => "talking",
            Some(leg) if leg.is_ringing_here() => "ringing",
            Some(_) => "calling",
        }
    }

    fn effective_status(&self) -> Status {
        if self.calls.current().is_some() { Status::Busy } else { self.status }
    }

    /// When the registry is to be told of a call that it knows nothing of yet.
    fn becomes_busy(&self) -> Option<Instant> {
        let is_untold = self.status != Status::Busy && self.link.told_status() == Some(self.status);
        self.calls.current().and_then(busy_after).filter(|_| is_untold)
    }

    /// The status that others are told: what a far end alone has caused counts once it has lasted.
    fn lasting_status(&self, now: Moment) -> Status {
        let is_over = self.calls.current().and_then(busy_after).is_none_or(|after| after <= now.at);
        if is_over { self.effective_status() } else { self.status }
    }
}

/// A call that nobody here has begun or answered makes this station busy after so long: whoever rings and hangs up again
/// and again must not make it speak to the registry, and the registry to everybody.
const BUSY_AFTER: Duration = Duration::from_secs(2);

/// When a call makes this station busy. `None`: it does already.
fn busy_after(leg: &Leg) -> Option<Instant> {
    (!leg.is_by_hand()).then_some(leg.begun.at + BUSY_AFTER)
}
