//! The real `vox-registry` with real clients: who vanishes, who floods, and who does not read.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::socket::{setsockopt, sockopt};
use vox_common::sys::clock;
use vox_common::wire::limits::MAX_CONNECTIONS;
use vox_tests::bed::need::program;
use vox_tests::bed::net::{Net, Plugged};
use vox_tests::bed::{Place, Process, Registry, Surroundings, may, wait};
use vox_tests::wire::Wire;

/// Connects, registers and watches.
fn watcher(registry: &Registry) -> Wire {
    let mut wire = registry.user("watcher", 7000);
    assert_eq!(wire.ask("WATCH on").as_deref(), Some("200 watching"));
    wire
}

#[test]
fn a_person_at_nc_needs_nothing_else() {
    let Some(()) = may("registry::nc", program("nc", "netcat-openbsd")) else { return };
    let place = Place::new();
    let registry = Registry::start(&place);
    let (host, port) = registry.address().split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    let typed = "REGISTER bob 6000\\r\\nLIST\\nlookup bob\\nQUIT\\n";
    let said =
        Command::new("sh").arg("-c").arg(format!("printf '{typed}' | nc {host} {port}")).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let (greeting, rest) = said.split_once('\n').unwrap();
    assert!(greeting.starts_with("220 vox-registry "), "{greeting}");
    let expected = "200 registered bob 127.0.0.1:6000\n210-bob 127.0.0.1:6000 idle -\n210 1 users\n\
                    412 that is yourself\n221 goodbye bob\n";
    assert_eq!(rest, expected);
}

#[test]
fn watchers_hear_at_once_of_clients_that_vanish() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut watcher = watcher(&registry);
    for reset in [false, true] {
        let stream = TcpStream::connect(registry.address()).unwrap();
        if reset {
            // Closing it is then a RST (socket(7), SO_LINGER), as when a process is killed with data unread.
            let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
            setsockopt(&stream, sockopt::Linger, &at_once).unwrap();
        }
        let mut wire = Wire::over(stream);
        wire.hear();
        wire.ask("REGISTER bob 6000");
        assert_eq!(watcher.hear().as_deref(), Some("* JOINED bob 127.0.0.1:6000 idle -"));
        if !reset {
            wire.finish();
        }
        drop(wire);
        let gone = clock::now();
        assert_eq!(watcher.hear().as_deref(), Some("* LEFT bob"));
        assert!(clock::now() - gone < Duration::from_secs(2), "at once");
    }
}

#[test]
fn a_burst_after_a_power_cut_is_served() {
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let streams: Vec<TcpStream> = (0..600).map(|_| TcpStream::connect(registry.address()).unwrap()).collect();
    let mut wires: Vec<Wire> = streams.into_iter().map(Wire::over).collect();
    for (wire, n) in wires.iter_mut().zip(0..) {
        wire.say(&format!("REGISTER user{n} {}", 10_000 + n));
    }
    let mut served = 0;
    for wire in &mut wires {
        assert!(wire.hear().expect("a greeting").starts_with("220 "));
        match wire.hear().expect("an answer") {
            line if line.starts_with("200 registered ") => served += 1,
            line => assert_eq!(line, "420 registry full"),
        }
    }
    assert_eq!(served, 512);
    let listing = registry.ask("LIST");
    assert_eq!(listing[512..], ["210 512 users", "221 goodbye"]);
}

#[test]
fn a_slow_reader_hurts_only_itself() {
    let place = Place::new();
    let mut registry = Registry::without_limits(&place);
    let mut watcher = watcher(&registry);
    let mut slow = registry.user("slow", 6000);
    assert_eq!(watcher.hear().as_deref(), Some("* JOINED slow 127.0.0.1:6000 idle -"));
    let address = registry.address();
    let flood = std::thread::spawn(move || {
        let line = format!("ECHO {}", "x".repeat(900));
        // Ends because the registry lets go of a client that asks and asks and does not read.
        (0..200_000).for_each(|_| slow.say(&line));
        slow
    });
    let mut other = Wire::tcp(&address);
    other.hear();
    let mut heard = Vec::new();
    while heard.last().is_none_or(|line| line != "* LEFT slow") {
        let asked = clock::now();
        assert_eq!(other.ask("PING").as_deref(), Some("200 pong"));
        assert!(clock::now() - asked < Duration::from_secs(2), "nobody else waits");
        heard.extend(watcher.ask("PING"));
        if heard.last().is_some_and(|line| line.starts_with("* ")) {
            watcher.hear();
        }
    }
    drop(flood.join());
    registry.process().wait_for_log("let go of a reader that is too slow");
}

#[test]
fn what_is_no_line_is_refused_and_the_connection_goes_on() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut wire = registry.user("bob", 6000);
    wire.send(&vec![b'x'; 100_000]);
    wire.send(b"\n");
    assert_eq!(wire.hear().as_deref(), Some("416 line too long, it may have 1024 bytes"));
    wire.send(b"\xff\xfb\x01\x00PING\n");
    assert_eq!(wire.hear().as_deref(), Some("417 not UTF-8, or a control character"));
    wire.send(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(wire.hear().as_deref(), Some("501 unknown verb, HELP lists them"));
    assert_eq!(wire.hear().as_deref(), Some("501 unknown verb, HELP lists them"));
    wire.send(b"PING in ");
    wire.send(b"two pieces\r\n");
    assert_eq!(wire.hear().as_deref(), Some("200 pong in two pieces"));
    let mut line = [b'x'; 1024];
    line[..5].copy_from_slice(b"PING ");
    line[1023] = b'\n';
    wire.send(&line);
    assert_eq!(wire.hear().as_deref(), Some("400 a text is at most 900 bytes"));
}

#[test]
fn a_full_table_of_connections_says_so() {
    let place = Place::new();
    let registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("max-users", 1).set("limits.connections-per-address", 0);
    });
    let connect = || Wire::tcp(&registry.address());
    let mut wires: Vec<Wire> = (0..129).map(|_| connect()).collect();
    assert!(wires.iter_mut().all(|wire| wire.hear().is_some_and(|line| line.starts_with("220 "))));
    assert_eq!(connect().rest(), ["420 registry full"]);
    wires.truncate(100);
    wait::until("room again", 5, || connect().hear().filter(|line| line.starts_with("220 ")));
}

/// Whoever connects when there is no place left can do so as often as it likes.
#[test]
fn who_finds_all_places_taken_is_counted_and_does_not_fill_the_log() {
    let place = Place::new();
    let mut registry = Registry::without_limits(&place);
    let address = registry.address();
    let connect = || Wire::tcp(&address);
    let mut wires: Vec<Wire> = (0..MAX_CONNECTIONS).map(|_| connect()).collect();
    assert!(wires.iter_mut().all(|wire| wire.hear().is_some_and(|line| line.starts_with("220 "))));
    assert!((0..50).all(|_| connect().rest() == ["420 registry full"]));
    let status = registry.must(&["status"]);
    assert!(status.contains("turned-away 50"), "{status}");
    assert!(!registry.process().log().contains("warning: "));
}

#[test]
fn a_client_that_stands_still_holds_nobody_up() {
    let Some(()) = may("registry::nc", program("nc", "netcat-openbsd")) else { return };
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let (host, port) = registry.address().split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    let mut nc = Command::new("sh");
    let typed = "REGISTER frozen 6000\\nWATCH on\\n";
    // exec: so that the signal stops nc itself.
    nc.arg("-c")
        .arg(format!("printf '{typed}' > typed; exec nc {host} {port} < typed"))
        .current_dir(place.path());
    let nc = Process::start("nc", &nc, &place.at("nc.log"));
    nc.wait_for_log("200 watching");
    nc.signal(Signal::SIGSTOP);
    for n in 0..200 {
        drop(registry.user(&format!("user{n}"), 6001));
        wait::until("the name to be free", 5, || {
            registry.ask("LIST user").starts_with(&["210 0 users".into()]).then_some(())
        });
    }
    assert_eq!(registry.ask("LIST")[0], "210-frozen 127.0.0.1:6000 idle -");
    nc.signal(Signal::SIGCONT);
    nc.wait_for_log("* LEFT user199");
}

#[test]
fn a_client_whose_cable_was_pulled_is_gone_within_15_seconds() {
    let Some(()) = may("registry::nc", program("nc", "netcat-openbsd")) else { return };
    let Some(net) = may("registry::cable", Net::new()) else { return };
    let place = Place::new();
    let registry = Registry::with(&place, &net.a(), Net::A, |_| {});
    let port = registry.address().rsplit_once(':').unwrap().1.to_owned();
    let client = |around: &Surroundings, name: &str| {
        let mut shell = around.command("sh");
        let typed = format!("printf 'REGISTER {name} 6000\\nWATCH on\\n' > {name}");
        shell.arg("-c").arg(format!("{typed}; exec nc {} {port} < {name}", Net::A)).current_dir(place.path());
        let nc = Process::start(name, &shell, &place.at(&format!("{name}.log")));
        nc.wait_for_log("200 watching");
        nc
    };
    let near = client(&net.a(), "near");
    let _far = client(&net.b(), "far");
    near.wait_for_log("* JOINED far 10.79.0.2:6000");
    net.cable(Plugged::Out);
    wait::until("* LEFT far", 15, || near.log().contains("* LEFT far").then_some(()));
}

#[test]
fn both_families_come_through_one_door() {
    let place = Place::new();
    let registry = Registry::with(&place, &Surroundings::default(), "[::]", |_| {});
    let port = registry.address().rsplit_once(':').unwrap().1.to_owned();
    for (host, told) in [("127.0.0.1", "127.0.0.1:6000"), ("[::1]", "[::1]:6000")] {
        let mut wire = Wire::tcp(&format!("{host}:{port}"));
        wire.hear();
        assert_eq!(wire.ask("REGISTER bob 6000"), Some(format!("200 registered bob {told}")));
        assert_eq!(wire.ask("QUIT").as_deref(), Some("221 goodbye bob"));
        assert_eq!(wire.hear(), None);
    }
}

#[test]
fn nobody_takes_calls_at_the_registrys_own_port() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let reply = registry.connect().ask(&format!("REGISTER bob {}", registry.port()));
    assert_eq!(reply.as_deref(), Some("411 that is the registry's own port"));
}

#[test]
fn whoever_goes_on_when_told_to_slow_down_or_says_nothing_is_let_go() {
    let place = Place::new();
    let registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("limits.idle-unregistered-s", 1).set("limits.requests-per-second", 1);
    });
    let (mut hasty, mut silent) = (registry.user("hasty", 6000), registry.connect());
    hasty.send("PING\n".repeat(300).as_bytes());
    let heard = hasty.rest();
    assert!(heard[..99].iter().all(|line| line == "200 pong"), "its burst, of which REGISTER was one");
    assert!(heard[99..].iter().filter(|line| *line == "429 slow down").count() > 64, "it was told");
    assert_eq!(heard.last().map(String::as_str), Some("* GOODBYE too fast"));
    assert_eq!(silent.rest(), ["* GOODBYE idle"]);
}
