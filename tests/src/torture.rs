//! Clients that behave badly, for tests and for the bench, and one that behaves well and must not notice.

use std::env;
use std::io::Write;
use std::net::TcpStream;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use vox_common::sys::clock;

use crate::bed::wait;
use crate::crowd::{Crowd, Heard, Member};
use crate::sim::net::Chance;
use crate::wire::Wire;

/// How often the bystander asks.
const BEAT: Duration = Duration::from_millis(5);

/// Answers of which one in a hundred can be told.
const LEAST: usize = 200;

/// Chance from the seed in `SEED`, or from another each time, which is told.
#[expect(clippy::print_stdout, reason = "shown only when the test fails")]
pub fn chance() -> Chance {
    let seed = env::var("SEED").map_or(process::id().into(), |seed| seed.parse().expect("SEED is a number"));
    println!("SEED={seed}");
    Chance(ChaCha8Rng::seed_from_u64(seed))
}

/// Somebody who asks for little and is answered at once, whatever others do.
#[derive(Debug)]
pub struct Bystander {
    ended: Arc<AtomicBool>,
    asking: JoinHandle<Vec<f64>>,
}

impl Bystander {
    /// Registers, and begins to ask.
    pub fn of(address: &str) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let mut wire = Wire::tcp(address);
        wire.hear();
        assert!(wire.ask("REGISTER bystander 9").is_some_and(|reply| reply.starts_with("200 ")));
        let asking = thread::spawn({
            let ended = Arc::clone(&ended);
            move || ask_until(&ended, &mut wire)
        });
        Self { ended, asking }
    }

    /// How long each answer took, in milliseconds.
    pub fn finish(self) -> Vec<f64> {
        self.ended.store(true, Ordering::Relaxed);
        self.asking.join().expect("every question of the bystander is answered")
    }
}

fn ask_until(ended: &AtomicBool, wire: &mut Wire) -> Vec<f64> {
    let mut took = Vec::new();
    while !ended.load(Ordering::Relaxed) || took.len() < LEAST {
        let asked = clock::now();
        wire.say("PING");
        let answer = std::iter::from_fn(|| wire.hear()).find(|line| !line.starts_with("* "));
        assert_eq!(answer.as_deref(), Some("200 pong"));
        let waited = clock::now() - asked;
        // Whoever would have asked on the beats that were missed has waited, too: one long wait is many answers late.
        let missed = (0..).map_while(|n| waited.checked_sub(n * BEAT));
        took.extend(missed.map(|waited| waited.as_secs_f64() * 1e3));
        clock::sleep_until(asked + BEAT);
    }
    took
}

/// A REGISTER that nobody else in the crowd says, nor did lately.
pub fn register(who: Member) -> String {
    let n = who.number();
    format!("REGISTER user{n} {}", 40_000 + n % 20_000)
}

/// So many who have registered.
pub fn users(crowd: &mut Crowd, count: usize) -> Vec<Member> {
    let members = crowd.connect_at_once(count);
    crowd.wait_for(count, |line| line.starts_with("220 "));
    members.iter().for_each(|&who| crowd.say(who, &register(who)));
    crowd.wait_for(count, |line| line.starts_with("200 "));
    members
}

/// What one client says next that does what a peer does when it starts: REGISTER, WATCH on, LIST. `true`: it has all
/// that it wants.
///
/// # Panics
/// It is refused.
pub fn go_on(crowd: &mut Crowd, who: Member, line: &str) -> bool {
    match line.split_at(4) {
        ("220 ", _) => crowd.say(who, &register(who)),
        ("200 ", "watching") => crowd.say(who, "LIST"),
        ("200 ", _) => crowd.say(who, "WATCH on"),
        ("210 ", _) => return true,
        ("210-", _) => {}
        _ => assert!(line.starts_with("* ") && !line.contains("GOODBYE"), "{who:?} hears {line:?}"),
    }
    false
}

/// So many do that in the same instant. Until the last of them is served; all stay.
///
/// # Panics
/// One of them is not served within 30 s.
pub fn burst(crowd: &mut Crowd, count: usize) -> Duration {
    let began = clock::now();
    crowd.connect_at_once(count);
    let mut served = 0;
    while served < count {
        match crowd.hear(began + Duration::from_secs(30)).expect("an answer within 30 s") {
            Heard::Line(who, line) => served += usize::from(go_on(crowd, who, &line)),
            Heard::End(who) => panic!("{who:?} was not served"),
        }
    }
    clock::now() - began
}

/// So many connect, come further or less far, and vanish: properly or by RST, with answers unread or in mid-line.
pub fn vanish(crowd: &mut Crowd, chance: &mut Chance, count: usize) {
    crowd.connect_at_once(count);
    while !crowd.is_empty() {
        match crowd.hear(clock::now() + Duration::from_secs(10)).expect("nobody is kept waiting") {
            Heard::Line(who, line) if chance.permille(500) || go_on(crowd, who, &line) => {
                leave_somehow(crowd, chance, who);
            }
            Heard::Line(..) | Heard::End(_) => {}
        }
    }
}

/// All of them go, in whatever order and way.
pub fn scatter(mut crowd: Crowd, chance: &mut Chance) {
    let mut members = crowd.members();
    while !members.is_empty() {
        let one = usize::try_from(chance.below(members.len() as u64)).expect("below a length");
        leave_somehow(&mut crowd, chance, members.swap_remove(one));
    }
}

fn leave_somehow(crowd: &mut Crowd, chance: &mut Chance, who: Member) {
    let parting: &[u8] = match chance.below(4) {
        0 => b"",
        1 => b"LIS",
        2 => b"LIST\nLIST\nLIST\n",
        _ => b"STATUS busy\nQUIT\nPING after th",
    };
    crowd.send(who, parting);
    if chance.permille(500) { crowd.reset(who) } else { crowd.leave(who) }
}

/// Asks and asks and does not read, until it is let go.
///
/// # Panics
/// It is not let go.
pub fn flood_unread(address: &str) {
    const MOST: usize = 100_000;
    let mut stream = TcpStream::connect(address).expect("the registry listens");
    let line = format!("ECHO {}\n", "x".repeat(900));
    let lines = (0..MOST).take_while(|_| stream.write_all(line.as_bytes()).is_ok()).count();
    assert!(lines < MOST, "somebody who does not read is let go");
}

/// So many bytes and no LF among them; then it behaves.
///
/// # Panics
/// It is not told so, once, or not served afterwards.
pub fn endless_line(address: &str, bytes: usize) {
    let mut wire = Wire::tcp(address);
    wire.hear();
    let piece = vec![b'x'; 65_536];
    (0..bytes.div_ceil(piece.len())).for_each(|_| wire.send(&piece));
    assert_eq!(wire.ask("").as_deref(), Some("416 line too long, it may have 1024 bytes"));
    assert_eq!(wire.ask("PING after all").as_deref(), Some("200 pong after all"));
}

/// Says a line at one byte a second.
///
/// # Panics
/// It is not answered in the end.
pub fn drip(address: &str) {
    let mut wire = Wire::tcp(address);
    wire.hear();
    for byte in b"PING !" {
        wire.send(&[*byte]);
        wait::pause(Duration::from_secs(1));
    }
    assert_eq!(wire.ask("").as_deref(), Some("200 pong !"));
}

/// Every byte alone in a line, and in the midst of one.
///
/// # Panics
/// A line has not one answer.
pub fn every_byte(address: &str) {
    let mut wire = Wire::tcp(address);
    wire.hear();
    for byte in (0..=255_u8).filter(|&byte| byte != b'\n') {
        for line in [&[byte, b'\n'][..], &[b'P', b'I', b'N', b'G', b' ', b'a', byte, b'z', b'\n']] {
            wire.send(line);
            let answer = wire.hear().expect("an answer");
            assert!(
                ["200 pong", "400 ", "417 ", "501 "].iter().any(|code| answer.starts_with(code)),
                "{byte}: {answer}"
            );
        }
    }
    assert_eq!(wire.ask("PING").as_deref(), Some("200 pong"), "and none too many");
}
