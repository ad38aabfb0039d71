//! A connection to a registry that speaks sealed lines, as vox-peer does, and whatever else a test wants to say there.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::time::Duration;

use vox_common::seal::identity::Identity;
use vox_common::seal::incoming::{Incoming, Next};
use vox_common::seal::possession::Possession;
use vox_common::seal::records::{Sealer, sealed_bytes};
use vox_common::seal::secure::{self, Offering};
use vox_common::sys::random;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::line::Line;
use vox_common::wire::reply::{Greeting, Nonce};
use vox_common::wire::request::{Registration, Request};
use vox_common::wire::secure::Answer;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// One connection, and what the registry has said of itself.
#[derive(Debug)]
pub struct Sealed {
    stream: TcpStream,
    incoming: Incoming,
    heard: VecDeque<String>,
    sealer: Option<Sealer>,
    offering: Option<Offering>,
    /// Of this connection.
    pub nonce: Nonce,
    /// Of the registry.
    pub key: PublicKey,
}

/// So many that connect in the same instant, seal their lines, and do what a peer does: REGISTER, WATCH on, LIST. Every step is
/// taken by all before the next one.
///
/// # Panics
/// The registry does not serve each of them.
pub fn burst(address: &str, count: usize) -> Vec<Sealed> {
    let identity = Identity::new([7; 32]);
    let mut clients: Vec<Sealed> = (0..count).map(|_| Sealed::plain(address)).collect();
    clients.iter_mut().for_each(|client| client.begin(&identity));
    for (n, client) in clients.iter_mut().enumerate() {
        assert!(client.hear().is_some_and(|line| line.starts_with("200 secure ")), "lines are sealed");
        client.say(&format!("REGISTER user{n} 6000 key={}\nWATCH on\nLIST", identity.public()));
    }
    for client in &mut clients {
        while client.hear().is_some_and(|line| !line.starts_with("210 ")) {}
    }
    clients
}

impl Sealed {
    /// Connects and hears the greeting; lines are plain.
    ///
    /// # Panics
    /// No registry with a key answers there.
    pub fn plain(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the registry listens");
        stream.set_nodelay(true).expect("a socket of our own");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket of our own");
        let mut sealed = Self {
            stream,
            incoming: Incoming::new(),
            heard: VecDeque::new(),
            sealer: None,
            offering: None,
            nonce: Nonce([0; 16]),
            key: PublicKey([0; 32]),
        };
        let line = sealed.hear().expect("a greeting");
        let greeting = Greeting::parse(line.strip_prefix("220 ").expect("a greeting")).expect("a greeting");
        (sealed.nonce, sealed.key) = (greeting.nonce, greeting.key.expect("a registry with a key"));
        sealed
    }

    /// Connects and seals with this identity.
    ///
    /// # Panics
    /// The registry does not want that.
    pub fn connect(address: &str, identity: &Identity) -> Self {
        let mut sealed = Self::plain(address);
        let answer = sealed.offer(identity);
        assert!(sealed.sealer.is_some(), "{answer:?}");
        sealed
    }

    /// Offers to seal, and takes the answer, which is told.
    pub fn offer(&mut self, identity: &Identity) -> Option<String> {
        self.begin(identity);
        self.hear()
    }

    /// Offers to seal; nothing may be said before the answer is heard.
    ///
    /// # Panics
    /// The registry's key is none that one can seal with.
    pub fn begin(&mut self, identity: &Identity) {
        let offered = secure::offer(identity, &self.key, &self.nonce, &random::secret());
        let (offering, offer) = offered.expect("an ordinary key");
        self.offering = Some(offering);
        self.say(&Request::Secure(offer).to_string());
    }

    /// Says a line, sealed if that was agreed.
    pub fn say(&mut self, line: &str) {
        let record = self.record(line);
        self.send(&record);
    }

    /// What saying this line would send, which the other side expects to come next from then on.
    pub fn record(&mut self, line: &str) -> Vec<u8> {
        let line = format!("{line}\n");
        match &mut self.sealer {
            None => line.into_bytes(),
            Some(sealer) => {
                let mut out = vec![0; sealed_bytes(line.len())];
                sealer.seal(line.as_bytes(), &mut out).to_vec()
            }
        }
    }

    /// Sends bytes as they are; those that arrive nowhere are noticed by what is heard.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next line. `None`: the connection has ended.
    ///
    /// # Panics
    /// Nothing came for five seconds, or something that does not open.
    pub fn hear(&mut self) -> Option<String> {
        while self.heard.is_empty() {
            let count = match self.stream.read(self.incoming.space()) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("nothing came for {PATIENCE:?}")
                }
                Err(_) => return None,
            };
            self.take(count);
        }
        self.heard.pop_front()
    }

    fn take(&mut self, count: usize) {
        let Self { incoming, heard, sealer, offering, .. } = self;
        let taken = incoming.filled(count, |line| {
            let Line::Text(line) = line else { panic!("{line:?}") };
            heard.push_back(line.to_owned());
            let answer = line.strip_prefix("200 secure ").and_then(Answer::parse);
            let Some(answer) = answer.filter(|_| offering.is_some()) else { return Next::GoOn };
            let keys = offering.take().and_then(|offering| offering.answered(&answer));
            let (seals, opens) = keys.expect("the registry holds its key");
            *sealer = Some(seals);
            Next::Seal(opens)
        });
        assert_eq!(taken, Ok(ControlFlow::Continue(())), "what the registry says opens");
    }

    /// Says a line and hears the next one.
    pub fn ask(&mut self, line: &str) -> Option<String> {
        self.say(line);
        self.hear()
    }

    /// A REGISTER with the key of this identity, and a proof of it for this connection.
    ///
    /// # Panics
    /// These are no words of a REGISTER.
    pub fn proved(&self, words: &str, identity: &Identity) -> String {
        let line = format!("REGISTER {words} key={}", identity.public());
        let Ok(Request::Register(told)) = Request::parse(&line) else { panic!("{line}") };
        let possession = Possession::of(identity, &self.key).expect("an ordinary key");
        let key_proof = Some(possession.prove(&self.nonce, &told));
        Request::Register(Registration { key_proof, ..told }).to_string()
    }
}
