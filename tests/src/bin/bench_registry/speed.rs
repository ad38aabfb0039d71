//! How much a registry does in a second, and how soon.

use std::time::Duration;

use vox_common::sys::clock;
use vox_tests::bed::{Place, Registry, usage};
use vox_tests::crowd::{Crowd, Heard, Member};
use vox_tests::sealed;
use vox_tests::torture::{self, register};

use crate::report::{Report, median};

const RUNS: usize = 5;
const RUN: Duration = Duration::from_secs(1);
/// Clients who come and go at a time.
const COMING: usize = 32;
/// Connections that look up.
const ASKING: usize = 64;
/// Clients to whom one speaks, and how often.
const HEARING: usize = 255;
const BROADCASTS: usize = 101;
/// Clients who come in the same instant.
const BURST: usize = 500;

pub(crate) fn measure(report: &mut Report) {
    let table = report.table("Speed");
    let cycles = runs(cycles_per_second);
    table.add("REGISTER and QUIT, with connecting", format!("{cycles:.0}/s"), "≥ 6,000/s");
    let look_ups = runs(look_ups_per_second);
    table.add("LOOKUP over 64 connections", format!("{look_ups:.0}/s"), "≥ 50,000/s");
    let broadcast = runs(broadcast_milliseconds);
    table.add("one BROADCAST, until the last of 255 clients has it", format!("{broadcast:.2} ms"), "< 2 ms");
    let before = unlucky();
    let took = runs(burst_seconds);
    table.add("500 clients in the same instant, until the last is served", format!("{took:.2} s"), "< 2 s");
    let took = runs(sealed_burst_seconds);
    table.add(
        "… the same with sealed lines, the arithmetic of the clients among it",
        format!("{took:.2} s"),
        "< 2 s",
    );
    table.add("… SYNs sent again, connections not taken", unlucky() - before, "0");
    table.note(format!(
        "Medians of {RUNS} runs over loopback. {COMING} clients at a time connect, hear the greeting, REGISTER, hear the answer, QUIT and\n\
         hear the end; {ASKING} connections ask for the next LOOKUP when they have the answer to the one before. A broadcast is the\n\
         median of {BROADCASTS}, from the first byte sent until the last client has the whole line. The {BURST} clients connect, REGISTER, WATCH on\n\
         and LIST, none of them refused."
    ));
}

fn runs(one: fn(&Registry) -> f64) -> f64 {
    let run = || {
        let place = Place::new();
        one(&crate::registry(&place))
    };
    median((0..RUNS).map(|_| run()).collect())
}

/// Each connects, waits for the greeting, registers, waits for the answer, quits, and waits for the end.
fn cycles_per_second(registry: &Registry) -> f64 {
    let mut crowd = Crowd::of(&registry.address());
    crowd.connect_at_once(COMING);
    let until = clock::now() + RUN;
    let mut done = 0_u32;
    while let Some(heard) = crowd.hear(until) {
        match heard {
            Heard::Line(who, line) if line.starts_with("220 ") => crowd.say(who, &register(who)),
            Heard::Line(who, line) if line.starts_with("200 ") => crowd.say(who, "QUIT"),
            Heard::Line(_, line) if line.starts_with("221 ") => done += 1,
            Heard::Line(_, line) => panic!("{line}"),
            Heard::End(_) => _ = crowd.connect(),
        }
        if clock::now() >= until {
            break;
        }
    }
    f64::from(done) / RUN.as_secs_f64()
}

/// Each asks for another as soon as it has its answer.
fn look_ups_per_second(registry: &Registry) -> f64 {
    let mut crowd = Crowd::of(&registry.address());
    let members = torture::users(&mut crowd, ASKING);
    let ask = |crowd: &mut Crowd, who: Member| {
        crowd.say(who, &format!("LOOKUP user{}", (who.number() + 1) % ASKING));
    };
    members.iter().for_each(|&who| ask(&mut crowd, who));
    let until = clock::now() + RUN;
    let mut done = 0_u32;
    while let Some(Heard::Line(who, line)) = crowd.hear(until) {
        assert!(line.starts_with("211 user"), "{line}");
        done += 1;
        ask(&mut crowd, who);
        if clock::now() >= until {
            break;
        }
    }
    f64::from(done) / RUN.as_secs_f64()
}

/// From the first byte sent until the last of them has the whole line, and the speaker knows.
fn broadcast_milliseconds(registry: &Registry) -> f64 {
    let mut crowd = Crowd::of(&registry.address());
    let speaker = torture::users(&mut crowd, HEARING + 1)[0];
    let one = |crowd: &mut Crowd| {
        let began = clock::now();
        crowd.say(speaker, "BROADCAST dinner is ready");
        let known = ["* BROADCAST user0 dinner is ready", "200 delivered to 255"];
        crowd.wait_for(HEARING + 1, |line| known.contains(&line));
        (clock::now() - began).as_secs_f64() * 1e3
    };
    median((0..BROADCASTS).map(|_| one(&mut crowd)).collect())
}

fn burst_seconds(registry: &Registry) -> f64 {
    torture::burst(&mut Crowd::of(&registry.address()), BURST).as_secs_f64()
}

fn sealed_burst_seconds(registry: &Registry) -> f64 {
    let began = clock::now();
    let clients = sealed::burst(&registry.address(), BURST);
    let took = (clock::now() - began).as_secs_f64();
    drop(clients);
    took
}

fn unlucky() -> u64 {
    ["TCPSynRetrans", "ListenOverflows", "ListenDrops"].map(usage::tcp_counter).iter().sum()
}
