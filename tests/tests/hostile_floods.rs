//! Somebody who says that he is somebody else, or says too much: a victim gets no more bytes than were spent on it, nothing
//! is kept or shown, and whoever means it is let in all the same.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use vox_common::sys::clock;
use vox_tests::bed::pest::Bother;
use vox_tests::bed::{Ambush, Pest, Place, Station, set_up, usage, wait};
use vox_tests::garbage::{bytes, dice};

/// A little slower than what a station takes in from one address (200 signals a second).
const PAUSE: Duration = Duration::from_millis(6);

/// How long a flood lasts before somebody calls, and the share of a core that it may cost all told, in a debug build.
const FLOOD: Duration = Duration::from_secs(1);
const COST: f64 = 0.3;

/// Who each call with a key of their own, at addresses of their own.
const PESTS: u8 = 4;

/// Handshakes that are computed for one address at once, and the time for one more.
const AT_ONCE: usize = 64;
const ONE_MORE: Duration = Duration::from_millis(30);

/// Refused calls that a station has in memory.
const IN_MEMORY: usize = 64;

/// Frames of 10 ms of a call that are watched, and what may be made up of all that was played, in a debug build.
const FRAMES: f64 = 150.0;
const CONCEALED_PERCENT: f64 = 5.0;

/// By how much a station may grow that is flooded.
const GROWTH_MB: f64 = 2.0;

/// A socket of somebody at an address of his own.
fn at(address: &str, station: &Station) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).expect("loopback is there");
    socket.connect(("127.0.0.1", station.port())).expect("loopback is there");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a socket of our own");
    socket
}

/// All that comes until nothing does.
fn answers(socket: &UdpSocket) -> Vec<Vec<u8>> {
    let mut room = [0; 2_048];
    std::iter::from_fn(|| socket.recv(&mut room).ok().map(|length| room[..length].to_vec())).collect()
}

fn call_id(n: u32) -> String {
    format!("{n:032x}")
}

/// What asks for a cookie.
fn knock(id: &str) -> String {
    format!("{:0<128}", format!("VOX1 INVITE {id} pad="))
}

fn with_cookie(id: &str, cookie: &str, hello: &str) -> String {
    format!("VOX1 INVITE {id} cookie={cookie} hello={hello}")
}

/// A first message that nobody can open.
fn hello() -> String {
    let letters = bytes(&mut dice(), 400);
    letters.iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// The cookie for a call from there.
fn cookie(socket: &UdpSocket, id: &str) -> Option<String> {
    socket.send(knock(id).as_bytes()).ok()?;
    let mut room = [0; 2_048];
    let length = socket.recv(&mut room).ok()?;
    let text = String::from_utf8_lossy(&room[..length]);
    text.split(' ').find_map(|word| Some(word.strip_prefix("cookie=")?.to_owned()))
}

/// What can be sent without any answer having been seen.
fn blind(n: u32, cookie: &str, hello: &str) -> Vec<String> {
    let id = call_id(n);
    let say = |words: &str| format!("VOX1 {}", words.replacen(' ', &format!(" {id} "), 1)).replace("ID", &id);
    vec![
        knock(&id),
        format!("VOX1 INVITE {id}"),
        format!("VOX1 INVITE {id} x=1"),
        with_cookie(&id, cookie, hello),
        with_cookie(&id, cookie, "AA"),
        say("BYE reason=hangup"),
        format!("VOX1 BYE {id}"),
        format!("VOX1 CANCEL {id}"),
        say("RINGING hello=AAAA"),
        say("ACCEPT hello=AAAA"),
        say("REJECT reason=busy"),
        format!("VOX1 CONFIRM {id}"),
    ]
}

#[test]
fn a_victim_of_spoofed_signals_gets_no_more_bytes_than_were_spent_on_it_and_no_media() {
    let mut ambush = Ambush::lie();
    let before = ambush.standing();
    let victim = at("127.0.0.77", &ambush.bob);
    // Somebody's own cookie, which is good for him alone, and what a caller sealed for bob.
    let own = cookie(&at("127.0.0.66", &ambush.bob), &call_id(1)).expect("a cookie");
    let (mut spent, mut got, hello) = (0, Vec::new(), hello());
    for n in 1..20 {
        for signal in blind(n, &own, &hello) {
            victim.send(signal.as_bytes()).expect("the station listens");
            spent += signal.len();
            wait::pause(PAUSE);
        }
    }
    got.extend(answers(&victim));
    let received: usize = got.iter().map(Vec::len).sum();
    assert!(!got.is_empty() && received <= spent, "{received} bytes for {spent}");
    assert!(got.iter().all(|answer| answer.starts_with(b"VOX1 ")), "nothing but signals");
    // A second later nothing was said again: nothing of it was kept.
    wait::pause(Duration::from_secs(1));
    assert_eq!(answers(&victim), Vec::<Vec<u8>>::new());
    assert_eq!((ambush.standing(), ambush.told_meanwhile()), (before, Vec::new()));
}

#[test]
fn a_flood_from_one_address_costs_little_and_keeps_nobody_out() {
    let mut ambush = Ambush::lie();
    let pid = ambush.bob.process().pid();
    let stop = AtomicBool::new(false);
    let flooder = at("127.0.0.66", &ambush.bob);
    // With cookies that are good for it: each asks for a handshake.
    let cookies: Vec<(String, String)> = (0..20)
        .filter_map(|n| {
            let id = call_id(n);
            Some((id.clone(), cookie(&flooder, &id)?))
        })
        .collect();
    assert!(cookies.len() > 15, "{} cookies", cookies.len());
    thread::scope(|scope| {
        scope.spawn(|| flood(&flooder, &cookies, &stop));
        let (began, before) = (clock::now(), usage::processor_time(pid));
        wait::pause(FLOOD);
        let used = usage::processor_time(pid).saturating_sub(before).as_secs_f64();
        let cost = used / (clock::now() - began).as_secs_f64();
        let call = set_up::call(&ambush.alice, &ambush.bob.host(), &ambush.bob);
        stop.store(true, Ordering::Relaxed);
        let counted = Ambush::counted(&ambush.bob);
        println!("{:.0} % of a core, and the call took {:?}; {counted:?}", cost * 100.0, call.took);
        assert!(
            counted["signals-dropped"] > 1_000 && counted["repeated"] + counted["retried"] > 100,
            "{counted:?}"
        );
        assert!(cost < COST, "{cost} of a core");
        assert!(call.took < Duration::from_secs(3), "{:?}", call.took);
    });
}

/// As fast as it goes: knocks, and INVITEs with good cookies.
fn flood(flooder: &UdpSocket, cookies: &[(String, String)], stop: &AtomicBool) {
    let hello = hello();
    for (n, (id, cookie)) in cookies.iter().cycle().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let _ = flooder.send(with_cookie(id, cookie, &hello).as_bytes());
        let _ = flooder.send(knock(id).as_bytes());
        if n % 10 == 0 {
            wait::pause(Duration::from_millis(2));
        }
    }
}

#[test]
fn a_flood_of_whole_handshakes_keeps_nobody_out_and_disturbs_no_call() {
    let place = Place::new();
    let alice = Station::named("alice").start(&place);
    let mut bob = Station::named("bob").answering().set("call.allow", ["alice"]).start(&place);
    let pid = bob.process().pid();
    gets_through(&alice, &bob);
    goes_on(&alice, &bob);
    let before = usage::resident_mb(pid);
    let bothers = flooded(&bob, || {
        goes_on(&alice, &bob);
        assert_eq!(alice.run(&["hangup"]).code, 0);
        bob.wait_until("idle");
        gets_through(&alice, &bob);
        goes_on(&alice, &bob);
        let after = usage::resident_mb(pid);
        assert!(after < before + GROWTH_MB, "grew from {before} to {after} MB");
    });
    println!("{bothers:?} {:?}", Ambush::counted(&bob));
    bothers.iter().for_each(is_bounded);
    let refused: usize = bothers.iter().map(|bother| bother.refused).sum();
    assert!(refused > AT_ONCE, "hardly a flood: {refused}");
    let in_memory: usize = bothers.iter().map(|bother| bother.in_memory).sum();
    assert!((1..=IN_MEMORY).contains(&in_memory), "{in_memory} are in memory");
}

/// Does something while a station is asked for more handshakes than it computes. What it has computed all the same.
fn flooded(station: &Station, meanwhile: impl FnOnce()) -> Vec<Bother> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stops = AtTheEnd(&stop);
        let pests = (1..=PESTS).map(|n| Pest::at(64 + n, station));
        let pests: Vec<_> = pests.map(|pest| scope.spawn(|| pest.call_until(&stop))).collect();
        let refused =
            || ["repeated", "unanswered"].map(|word| station.figure("counters", word)).iter().sum::<f64>();
        wait::until("more to be asked for than is computed", 20, || (refused() > 50.0).then_some(()));
        meanwhile();
        drop(stops);
        pests.into_iter().map(|pest| pest.join().expect("nobody panics")).collect()
    })
}

/// Says that it is over, also when a test fails.
struct AtTheEnd<'a>(&'a AtomicBool);

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// No more was computed for one address than it may ask for.
fn is_bounded(bother: &Bother) {
    let more = usize::try_from(bother.during.as_millis() / ONE_MORE.as_millis()).expect("some seconds");
    assert!(bother.refused <= AT_ONCE + more + 1, "{bother:?}");
}

/// Alice calls bob until he answers. Almost always at once: but where chance puts her address to that of a flooder, the two
/// share what is computed for them.
fn gets_through(alice: &Station, bob: &Station) {
    let call = || (alice.run(&["call", "--detach", &bob.host()]).code == 0).then_some(());
    wait::until("the call to be answered", 20, call);
    bob.wait_until("talking");
}

/// For a while both hear each other, and miss nothing.
fn goes_on(alice: &Station, bob: &Station) {
    let of = |key| [alice, bob].map(|station| station.figure("media", key));
    let (heard, lost) = (of("packets-received"), of("packets-lost"));
    wait::until("both to hear each other", 20, || {
        of("packets-received").iter().zip(heard).all(|(now, before)| *now > before + FRAMES).then_some(())
    });
    let (lost_since, concealed) = (of("packets-lost"), of("concealed-percent"));
    assert!(lost_since.iter().zip(lost).all(|(now, before)| *now <= before), "{lost_since:?} after {lost:?}");
    assert!(concealed.iter().all(|percent| *percent < CONCEALED_PERCENT), "made up: {concealed:?} %");
}
