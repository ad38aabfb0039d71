//! A registry that says whatever a test wants: it speaks the protocol, sealed or plain, and tells no truth.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread;

use vox_common::seal::identity::Identity;
use vox_common::seal::incoming::{Incoming, Next};
use vox_common::seal::records::{Sealer, sealed_bytes};
use vox_common::seal::secure;
use vox_common::sys::random;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::line::Line;
use vox_common::wire::reply::Nonce;
use vox_common::wire::request::Request;
use vox_common::wire::words::split_first;

use crate::bed::wait;

/// A registry that lies.
pub struct Liar {
    address: String,
    story: Arc<Mutex<Story>>,
}

/// What it says, and what it was told.
pub struct Story {
    /// What it proves itself by, or cannot.
    pub identity: Identity,
    /// The key in its greeting, where that is another one.
    pub tells: Option<PublicKey>,
    /// The nonce in its greeting, where it is somebody else's.
    pub nonce: Option<Nonce>,
    /// Where it says that users are, and with which key: `<address>:<port> <key>`, by name.
    pub users: BTreeMap<String, (String, PublicKey)>,
    /// Every line that it was told, in plain or not.
    pub told: Vec<String>,
    connections: Vec<TcpStream>,
}

impl Liar {
    /// Listens on loopback, with this identity and nobody to tell of.
    ///
    /// # Panics
    /// There is no port to be had.
    pub fn start(identity: Identity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of our own");
        let address = listener.local_addr().expect("a port of our own").to_string();
        let story = Story {
            identity,
            tells: None,
            nonce: None,
            users: BTreeMap::new(),
            told: Vec::new(),
            connections: Vec::new(),
        };
        let story = Arc::new(Mutex::new(story));
        let shared = story.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                let kept = stream.try_clone().expect("a descriptor to spare");
                shared.lock().expect("nobody panics with it").connections.push(kept);
                thread::spawn(move || Victim::greet(stream, shared).serve());
            }
        });
        Self { address, story }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// From now on it says this of its users; whoever believed it before is sent away, and asks again.
    ///
    /// # Panics
    /// Nobody comes back and asks.
    pub fn tell(&self, users: &[(&str, &str, PublicKey)]) {
        let of =
            |&(name, address, key): &(&str, &str, PublicKey)| (name.to_owned(), (address.to_owned(), key));
        self.with(|story| {
            story.users = users.iter().map(of).collect();
            story.told.clear();
            story.connections.drain(..).for_each(|stream| _ = stream.shutdown(Shutdown::Both));
        });
        wait::until("somebody to ask for the list", 20, || {
            self.with(|story| story.told.contains(&"LIST".to_owned())).then_some(())
        });
    }

    /// Changes what it says, or looks at what it was told.
    ///
    /// # Panics
    /// A thread that had it has panicked.
    pub fn with<T>(&self, look: impl FnOnce(&mut Story) -> T) -> T {
        look(&mut self.story.lock().expect("nobody panics with it"))
    }
}

/// Somebody who believes it.
struct Victim {
    stream: TcpStream,
    story: Arc<Mutex<Story>>,
    nonce: Nonce,
    sealer: Option<Sealer>,
}

impl Victim {
    fn greet(stream: TcpStream, story: Arc<Mutex<Story>>) -> Self {
        let _ = stream.set_nodelay(true);
        let (nonce, key) = {
            let story = story.lock().expect("nobody panics with it");
            (story.nonce.unwrap_or(Nonce(random::bytes())), story.tells.unwrap_or(*story.identity.public()))
        };
        let mut victim = Self { stream, story, nonce, sealer: None };
        victim.say(&format!("220 vox-registry 0.1.0 vox {nonce} key={key}"));
        victim
    }

    fn serve(mut self) {
        let mut incoming = Incoming::new();
        let Ok(mut from) = self.stream.try_clone() else { return };
        while let Ok(count @ 1..) = from.read(incoming.space()) {
            let heard = incoming.filled(count, |line| match line {
                Line::Text(line) => self.hear(line),
                _ => Next::End,
            });
            if heard != Ok(ControlFlow::Continue(())) {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
    }

    fn hear(&mut self, line: &str) -> Next {
        self.story.lock().expect("nobody panics with it").told.push(line.to_owned());
        if let Ok(Request::Secure(offer)) = Request::parse(line) {
            let identity = self.story.lock().expect("nobody panics with it").identity.clone();
            return match secure::take(&identity, &self.nonce, &offer, &random::secret()) {
                Some(taken) => {
                    self.say(&format!("200 secure {}", taken.answer));
                    self.sealer = Some(taken.sealer);
                    Next::Seal(taken.opener)
                }
                None => Next::End,
            };
        }
        let answer = self.lie(line);
        self.say(&answer);
        Next::GoOn
    }

    fn lie(&self, line: &str) -> String {
        let users = self.story.lock().expect("nobody panics with it").users.clone();
        let (verb, rest) = split_first(line);
        match verb {
            "REGISTER" => format!("200 registered {} 127.0.0.1:6000", split_first(rest).0),
            "WATCH" => "200 watching".to_owned(),
            "LIST" => {
                let listed = users.iter().map(|(name, (address, key))| {
                    format!("210-{name} {address} idle {}\n", key.fingerprint())
                });
                format!("{}210 {} users", listed.collect::<String>(), users.len())
            }
            "LOOKUP" => users.get(rest).map_or("404 no such user".to_owned(), |(address, key)| {
                format!("211 {rest} {address} idle key={key}")
            }),
            _ => "200 yes".to_owned(),
        }
    }

    fn say(&mut self, lines: &str) {
        let lines = format!("{lines}\n");
        let mut sealed = vec![0; sealed_bytes(lines.len())];
        let bytes = match &mut self.sealer {
            None => lines.as_bytes(),
            Some(sealer) => sealer.seal(lines.as_bytes(), &mut sealed),
        };
        let _ = self.stream.write_all(bytes);
    }
}
