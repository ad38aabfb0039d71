//! The registration, line by line, with time as plain numbers.

use super::*;
use crate::agent::io::ClientId;
use vox_common::sys::clock;
use vox_common::wire::names::Name;

struct Bench {
    link: Link,
    dice: Dice,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        Self::with(Sealing::Preferred)
    }

    fn with(sealing: Sealing) -> Self {
        let identity = Identity::new([9; 32]);
        let registration = Registration {
            name: Name::parse("alice").unwrap(),
            port: 6000.try_into().unwrap(),
            key: Some(*identity.public()),
            proof: None,
            key_proof: None,
            display: None,
        };
        let start = clock::now();
        let address = "intercom.lan:5000".to_owned();
        let settings = LinkSettings { registration, identity, sealing, address };
        Self { link: Link::new(settings, None, start), dice: Dice::new([1; 32]), start }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn expire(&mut self, ms: u64) -> Vec<String> {
        let mut said = Vec::new();
        let now = self.at(ms);
        self.link.expire(now, &mut self.dice, &mut |news| said.push(format!("{news:?}")));
        said
    }

    fn line(&mut self, ms: u64, line: &str) -> Vec<String> {
        let mut said = Vec::new();
        let now = self.at(ms);
        self.link.line(now, line, &mut self.dice, &mut |news| said.push(format!("{news:?}")));
        said
    }

    fn greet(&mut self, ms: u64) -> Vec<String> {
        self.link.connected(self.at(ms), Memory::Nothing);
        self.line(ms, &format!("220 vox-registry 0.1.0 vox {}", "0".repeat(32)))
    }

    fn registered() -> Self {
        let mut bench = Self::new();
        bench.expire(0);
        bench.greet(0);
        bench.line(1, "200 registered alice 192.0.2.1:6000");
        bench.line(2, "200 watching");
        bench.line(3, "210 0 users");
        bench
    }
}

#[test]
fn it_connects_registers_watches_and_lists() {
    let mut bench = Bench::new();
    assert_eq!(bench.expire(0), ["Connect"]);
    let key = Identity::new([9; 32]);
    assert_eq!(bench.greet(5), [format!(r#"Send("REGISTER alice 6000 key={}")"#, key.public())]);
    let said = bench.line(6, "200 registered alice 192.0.2.1:6000");
    assert_eq!(said[1..], [r#"Send("WATCH on")"#, "ListBegins", r#"Send("LIST")"#]);
    assert_eq!(bench.link.registered().unwrap().1, "192.0.2.1:6000");
    assert_eq!(bench.line(7, "200 watching"), [""; 0]);
    assert!(bench.line(8, "210-bob 192.0.2.7:6000 idle -")[0].starts_with("Listed"));
    assert_eq!(bench.line(9, "210 1 users"), ["ListEnds"]);
    assert_eq!(bench.link.word(), "up");
}

#[test]
fn its_own_ghost_is_waited_out() {
    let mut bench = Bench::new();
    bench.expire(0);
    bench.greet(1);
    let said = bench.line(2, "409 name is taken");
    assert_eq!(said[0], "Disconnect");
    assert_eq!(bench.link.reason(), "the registry refuses: name is taken");
    let retry = bench.link.deadline().expect("it tries again");
    assert!(retry > bench.at(2) && retry <= bench.at(502));
}

#[test]
fn pauses_double_up_to_a_bound_and_begin_anew_after_success() {
    let mut bench = Bench::new();
    let mut now = 0;
    for _ in 0..10 {
        bench.expire(now);
        let at = bench.at(now);
        bench.link.disconnected(at, "connection refused", &mut bench.dice, &mut |_| {});
        let pause = bench.link.deadline().unwrap() - at;
        assert!(pause <= LONGEST_PAUSE && pause >= FIRST_PAUSE / 2);
        now += u64::try_from(pause.as_millis()).unwrap() + 1;
    }
    assert_eq!(bench.link.pause, LONGEST_PAUSE);
    bench.expire(now);
    bench.greet(now);
    bench.line(now, "200 registered alice 192.0.2.1:6000");
    assert_eq!(bench.link.pause, FIRST_PAUSE);
}

#[test]
fn a_registry_that_stands_still_is_left() {
    let mut bench = Bench::registered();
    assert_eq!(bench.expire(19_000), [""; 0]);
    assert_eq!(bench.expire(20_003), [r#"Send("PING")"#]);
    assert_eq!(bench.expire(30_004), ["Disconnect", r#"Down("the registry does not answer")"#]);
}

#[test]
fn what_is_no_registry_is_told() {
    let mut bench = Bench::new();
    bench.expire(0);
    bench.link.connected(bench.at(0), Memory::Nothing);
    assert_eq!(bench.line(1, "220 mail.example ESMTP Postfix")[0], "Disconnect");
    assert_eq!(bench.link.reason(), "what listens there is no vox-registry");
}

#[test]
fn clients_hear_when_the_registry_goes_away() {
    let mut bench = Bench::registered();
    let now = bench.at(10);
    assert!(bench.link.ask(now, ClientId(3), &Request::Echo("hi"), &mut |_| {}));
    let mut said = Vec::new();
    bench.link.disconnected(now, "closed", &mut bench.dice, &mut |news| said.push(format!("{news:?}")));
    assert!(said[0].starts_with(r#"Answer(ClientId(3), "443 "#), "{said:?}");
    assert_eq!(bench.link.reason(), "closed");
}

#[test]
fn the_answer_for_a_call_that_was_given_up_is_not_the_next_ones() {
    let mut bench = Bench::registered();
    let now = bench.at(10);
    let look_up = |name| Request::Lookup(Name::parse(name).unwrap());
    assert!(bench.link.look_up(now, &look_up("zoe"), &mut |_| {}));
    bench.link.forget_call();
    assert!(bench.link.look_up(now, &look_up("bob"), &mut |_| {}));
    assert_eq!(bench.line(11, "404 no such user"), [""; 0]);
    assert!(bench.line(12, "211 bob 192.0.2.7:6000 idle")[0].starts_with("LookedUp"));
}
