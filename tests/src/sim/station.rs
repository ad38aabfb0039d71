//! A station in the simulation: the real agent, a stand-in for the sound, and what people were told.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use vox_common::seal::identity::Identity;
use vox_common::wire::coding::{Codec, Coding};
use vox_common::wire::names::Name;
use vox_common::wire::signal::{CallId, MediaSealing};
use vox_peer::agent::allow::Allow;
use vox_peer::agent::calls::Me;
use vox_peer::agent::choices::Choices;
use vox_peer::agent::consent::{Consent, Rule};
use vox_peer::agent::io::{Moment, Policy};
use vox_peer::agent::known::KnownKeys;
use vox_peer::agent::link::Sealing;
use vox_peer::agent::{Agent, Settings};
use vox_peer::dsp::tasks::Tasks;
use vox_peer::media::orders::{LegId, MediaOrder};

use super::verdict::Ending;

/// How often a leg that is heard is told of.
const TELLING: Duration = Duration::from_secs(1);

/// How long it rings at a station.
pub const RING_TIMEOUT: Duration = Duration::from_secs(10);

/// A leg of the sound.
#[derive(Debug)]
pub struct Sound {
    leg: LegId,
    remote: SocketAddr,
    sends: bool,
    told: Option<Instant>,
}

/// The same after each restart.
fn identity(name: &str) -> Identity {
    let mut secret = [0; 32];
    secret.iter_mut().zip(name.bytes()).for_each(|(secret, byte)| *secret = byte);
    Identity::new(secret)
}

/// One station.
pub struct Station {
    /// The core.
    pub agent: Agent,
    /// Where its signals come from and go to.
    pub address: SocketAddr,
    /// How its calls ended, as it told people.
    pub endings: Vec<(CallId, Ending, Instant)>,
    /// Its registry connection, while there is one.
    pub link: Option<u16>,
    sounds: Vec<Sound>,
}

impl Station {
    /// A station that has just been started.
    pub fn new(name: &str, address: SocketAddr, auto_answer: bool, seed: [u8; 32], now: Moment) -> Self {
        let settings = Settings {
            me: Me {
                name: Name::parse(name).expect("a name"),
                display: None,
                sends: Coding { codec: Codec::Opus, ptime_us: 10_000 },
                media: MediaSealing::Required,
            },
            identity: identity(name),
            port: address.port().try_into().expect("a port"),
            registry: Some("registry.test:5000".to_owned()),
            sealing: Sealing::default(),
            contacts: Vec::new(),
            tasks: Tasks::NONE,
            policy: Policy {
                consent: Consent {
                    voice: if auto_answer { Rule::Allow } else { Rule::Ask },
                    ..Consent::default()
                },
                allow: Allow::Anyone,
                ring_timeout: RING_TIMEOUT,
                alarm_delay: None,
            },
            history: String::new(),
            messages: String::new(),
            choices: Choices::default(),
            known: KnownKeys::default(),
            key_file: None,
            secret: None,
            seed: seed.into(),
        };
        let agent = Agent::new(settings, now);
        Self { agent, address, endings: Vec::new(), link: None, sounds: Vec::new() }
    }

    /// Takes an order to the sound.
    pub fn order(&mut self, order: &MediaOrder) {
        match order {
            MediaOrder::Start { leg, path, .. } => {
                self.sounds.push(Sound { leg: *leg, remote: path.remote, sends: false, told: None });
            }
            MediaOrder::Send(leg) => {
                self.sounds.iter_mut().filter(|sound| sound.leg == *leg).for_each(|sound| sound.sends = true);
            }
            MediaOrder::Stop(leg) => self.sounds.retain(|sound| sound.leg != *leg),
            _ => {}
        }
    }

    /// Where sound is being sent.
    pub fn sends_to(&self) -> Vec<SocketAddr> {
        self.sounds.iter().filter(|sound| sound.sends).map(|sound| sound.remote).collect()
    }

    /// Sound came: the leg to tell the agent of, at the first packet and then once a second.
    pub fn hears(&mut self, from: SocketAddr, now: Instant) -> Option<LegId> {
        let sound = self.sounds.iter_mut().find(|sound| sound.remote == from)?;
        if sound.told.is_some_and(|told| now < told + TELLING) {
            return None;
        }
        sound.told = Some(now);
        Some(sound.leg)
    }

    /// Whether nothing is left of any call.
    pub fn is_at_rest(&self) -> bool {
        self.agent.calls().legs().is_empty() && self.sounds.is_empty()
    }

    /// Reads what people are told: an ended call, above all.
    pub fn told(&mut self, lines: &str, now: Instant) {
        for line in lines.lines().filter_map(|line| line.strip_prefix("* CALL ")) {
            if let Some((id, ending)) = Ending::parse(line) {
                self.endings.push((id, ending, now));
            }
        }
    }
}
