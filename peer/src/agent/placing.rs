//! From what the user typed to an address that can be called: contacts, address book, registry, resolver.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use heapless::String as Text;
use vox_common::wire::control::Who;
use vox_common::wire::keys::{Fingerprint, PublicKey};
use vox_common::wire::limits::CALLEE_BYTES;
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::reply::ReplyLine;
use vox_common::wire::request::Request;
use vox_common::wire::users::Found;

use super::Agent;
use super::calling::{Callee, Caller};
use super::desk::Desk;
use super::io::{ClientId, Moment, Out, Output, Ticket};
use super::leg::MAX_CANDIDATES;
use super::registry::link_out;
use super::whom::Whom;

/// The registry and the resolver have this long; their own time-outs are shorter.
const TIME_TO_FIND: Duration = Duration::from_secs(15);

/// The port of a host that was typed without one.
const CALL_PORT: u16 = 6000;

const IN_A_CALL: &str = "440 already in a call, hang up first";

/// Somebody who is to be called once it is known where they are.
#[derive(Debug)]
pub(super) struct Placing {
    caller: Caller,
    who: Text<CALLEE_BYTES>,
    to: Option<Name>,
    /// Whose key is remembered of them.
    whom: Whom,
    /// What the registry tells of their key, as far as it has told.
    key: Option<PublicKey>,
    listed: Option<Fingerprint>,
    display: Option<DisplayName>,
    ticket: Option<Ticket>,
    /// The registry knows no such user: the word is tried as a host, and the answer says so.
    as_host: bool,
    pub(super) until: Instant,
}

impl Agent {
    pub(super) fn call(&mut self, now: Moment, who: &Who<'_>, caller: Caller, out: Out<'_>) {
        if self.calls.is_taken() || self.placing.is_some() {
            return Desk::answer(caller.client, IN_A_CALL, out);
        }
        match who {
            Who::Host(host) => {
                let who = Text::try_from(*host).expect("its length was checked");
                self.find_host(now, Placing::new(now, caller, who, of_host(host), None), host, out);
            }
            Who::Name(name) if *name == self.calls.me().name => {
                Desk::answer(caller.client, "412 that is yourself", out);
            }
            Who::Name(name) => self.call_name(now, name, caller, out),
        }
    }

    fn call_name(&mut self, now: Moment, name: &Name, caller: Caller, out: Out<'_>) {
        let who = Text::try_from(name.as_str()).expect("a name fits");
        let placing = Placing::new(now, caller, who, Whom::peer(name), Some(name.clone()));
        if let Some(host) = self.calls.book.contact(name).map(str::to_owned) {
            return self.find_host(now, placing, &host, out);
        }
        // What the registry lists is held against the key that the callee proves: the registry need not be waited for.
        if let Some(entry) = self.calls.book.find(name) {
            let (address, listed, display) = (entry.address, entry.fingerprint, entry.display.clone());
            return self.place(now, Placing { listed, display, ..placing }, &[address], out);
        }
        let asked = self.link.look_up(now.at, &Request::Lookup(name.clone()), &mut link_out(out));
        if asked {
            self.placing = Some(placing);
        } else if name.as_str().contains('.') {
            self.find_host(now, placing.into_host(), name.as_str(), out);
        } else {
            let refusal = "441 no registry now, and no such name in the address book";
            Desk::answer(caller.client, refusal, out);
        }
    }

    /// The registry has answered where somebody is.
    pub(super) fn looked_up(&mut self, now: Moment, reply: ReplyLine<'_>, out: Out<'_>) {
        let Some(placing) = self.placing.take_if(|placing| placing.ticket.is_none()) else { return };
        match (reply.code, Found::parse(reply.text)) {
            (211, Some(found)) => {
                let placing = Placing { key: found.key, display: found.display, ..placing };
                self.place(now, placing, &[found.address], out);
            }
            (404, _) if placing.who.contains('.') => {
                let host = placing.who.clone();
                self.find_host(now, placing.into_host(), &host, out);
            }
            (443, _) => Desk::answer(placing.caller.client, "441 the registry went away, try again", out),
            _ => Desk::answer(placing.caller.client, &reply.to_string(), out),
        }
    }

    fn find_host(&mut self, now: Moment, mut placing: Placing, host: &str, out: Out<'_>) {
        if let Some(address) = literal(host) {
            return self.place(now, placing, &[address], out);
        }
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        placing.ticket = Some(ticket);
        self.placing = Some(placing);
        let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:{CALL_PORT}") };
        out(Output::Resolve(ticket, &with_port));
    }

    /// The resolver has answered.
    pub(super) fn resolved(
        &mut self,
        now: Moment,
        ticket: Ticket,
        found: Result<&[SocketAddr], &str>,
        out: Out<'_>,
    ) {
        let Some(placing) = self.placing.take_if(|placing| placing.ticket == Some(ticket)) else { return };
        match found {
            Ok(addresses) if !addresses.is_empty() => self.place(now, placing, addresses, out),
            Ok(_) => not_found(&placing, "it has no address", out),
            Err(why) => not_found(&placing, why, out),
        }
    }

    /// The answer comes first, then the event; the first INVITE goes out when time is looked at.
    fn place(&mut self, now: Moment, placing: Placing, addresses: &[SocketAddr], out: Out<'_>) {
        let key = match self.expected(&placing) {
            Ok(key) => key,
            Err(refusal) => return Desk::answer(placing.caller.client, &refusal, out),
        };
        let Placing { caller, who, whom, to, display, as_host, .. } = placing;
        let candidates = addresses.iter().copied().map(plain).take(MAX_CANDIDATES).collect();
        let callee = Callee { who, whom, to, display, candidates, key };
        let Self { calls, front, .. } = self;
        let Some(leg) = calls.place(now, callee, caller, &mut |output| front.perform(now, output, out))
        else {
            return Desk::answer(caller.client, IN_A_CALL, out);
        };
        let note = if as_host { " (no such user; tried as a host)" } else { "" };
        Desk::answer(caller.client, &format!("200 calling {} {}{note}", leg.who, leg.id), out);
        self.front.changed(leg, out);
    }

    /// The key that the callee must have: the one that is remembered, else the one that the registry tells. `Err` is the
    /// refusal where these are two.
    fn expected(&self, placing: &Placing) -> Result<Option<PublicKey>, String> {
        let word = placing.whom.word();
        let told = placing.key.map(|key| key.fingerprint()).or(placing.listed);
        match self.calls.known.find(&placing.whom).map(|known| known.key) {
            None => Ok(placing.key),
            Some(Some(known)) if told.is_none_or(|told| told == known.fingerprint()) => Ok(Some(known)),
            Some(Some(_)) => Err(format!(
                "444 the registry lists {word} with another key than the one that is known: somebody may pretend to be \
                 {word}; if {word} was set up anew, `vox-peer forget {word}`"
            )),
            Some(None) => Err(format!(
                "444 what was remembered of {word}'s key is damaged: `vox-peer forget {word}`, and compare the next one"
            )),
        }
    }

    /// A client that wanted to call is gone.
    pub(super) fn forget_placing_of(&mut self, client: ClientId) {
        self.drop_placing(|placing| placing.caller.client == client);
    }

    /// The user hangs up before anybody could be called. `false`: nobody was to be called.
    pub(super) fn give_up_placing(&mut self, out: Out<'_>) -> bool {
        let placing = self.drop_placing(|_| true);
        placing.map(|placing| not_found(&placing, "the call was given up", out)).is_some()
    }

    /// Nobody found the callee in time.
    pub(super) fn expire_placing(&mut self, now: Moment, out: Out<'_>) {
        if let Some(placing) = self.drop_placing(|placing| placing.until <= now.at) {
            not_found(&placing, "nobody answered in time", out);
        }
    }

    fn drop_placing(&mut self, is_over: impl FnOnce(&mut Placing) -> bool) -> Option<Placing> {
        let placing = self.placing.take_if(is_over)?;
        self.link.forget_call();
        Some(placing)
    }
}

impl Placing {
    fn new(now: Moment, caller: Caller, who: Text<CALLEE_BYTES>, whom: Whom, to: Option<Name>) -> Self {
        let until = now.at + TIME_TO_FIND;
        Self {
            caller,
            who,
            to,
            whom,
            key: None,
            listed: None,
            display: None,
            ticket: None,
            as_host: false,
            until,
        }
    }

    fn into_host(self) -> Self {
        Self { to: None, as_host: true, whom: of_host(&self.who), ..self }
    }
}

fn of_host(host: &str) -> Whom {
    Whom::host(host).expect("it was typed as one word of at most 64 bytes")
}

fn not_found(placing: &Placing, why: &str, out: Out<'_>) {
    Desk::answer(placing.caller.client, &format!("404 {} cannot be found: {why}", placing.who), out);
}

/// As the answers of that station come in: never `::ffff:a.b.c.d`.
fn plain(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

/// An address that needs no resolver.
fn literal(host: &str) -> Option<SocketAddr> {
    let unpacked = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let bare = || unpacked.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, CALL_PORT));
    host.parse().ok().or_else(bare)
}
