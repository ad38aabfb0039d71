//! The same of `murmurd`, which people run on small machines today: what it takes at rest and for each connection, and
//! how fast it takes connections.

use std::os::unix::fs::chown;
use std::process::Command;
use std::time::Duration;

use nix::unistd::User;
use vox_common::sys::clock;
use vox_tests::bed::need::{self, Lack};
use vox_tests::bed::ports::Port;
use vox_tests::bed::{Place, Process, usage, wait};
use vox_tests::crowd::{Crowd, Heard};

use crate::report::{Report, median};

const PROGRAM: &str = "/usr/sbin/murmurd";
/// Of which the middle one counts.
const STARTS: usize = 3;
const CONNECTIONS: u16 = 100;
/// Clients who come and go at a time.
const COMING: usize = 32;
const RUN: Duration = Duration::from_secs(3);

/// What a server costs, over TCP alone: neither of them is asked anything.
#[derive(Debug, Clone, Copy)]
struct Cost {
    rest_mib: f64,
    connects_per_second: f64,
    connection_kb: f64,
}

pub(crate) fn measure(report: &mut Report) {
    let table = report.table("Beside murmurd");
    let theirs = match (0..STARTS).map(|_| murmurd()).collect::<Result<Vec<_>, _>>() {
        Ok(theirs) => middle(&theirs),
        Err(lack) => return table.note(format!("Not compared with mumble-server: there is no {lack}.")),
    };
    let ours = middle(&[(); STARTS].map(|()| ours()));
    let against = |ours: f64, theirs: f64, unit: &str| {
        format!("{ours:.1} {unit}, murmurd {theirs:.1} {unit}: ratio {:.2}", ours / theirs)
    };
    table.add("memory at rest", against(ours.rest_mib, theirs.rest_mib, "MiB"), "less");
    let told = against(ours.connection_kb, theirs.connection_kb, "kB");
    table.add("memory resident for a connection that says nothing", told, "less");
    let (fast, slow) = (ours.connects_per_second, theirs.connects_per_second);
    let told = format!("{fast:.0}/s, murmurd {slow:.0}/s: ratio {:.0}", fast / slow);
    table.add("connections taken and ended", told, "more");
    table.note(format!(
        "murmurd is Debian's mumble-server {}, in the same run; medians of {STARTS} starts. Over plain TCP: {CONNECTIONS} connections that\n\
         say nothing, then {COMING} at a time that say QUIT, which is goodbye to vox and no TLS to murmurd, and wait for the end.",
        version()
    ));
}

/// Of each figure the middle one.
fn middle(costs: &[Cost]) -> Cost {
    let of = |figure: fn(&Cost) -> f64| median(costs.iter().map(figure).collect());
    Cost {
        rest_mib: of(|cost| cost.rest_mib),
        connection_kb: of(|cost| cost.connection_kb),
        connects_per_second: of(|cost| cost.connects_per_second),
    }
}

fn ours() -> Cost {
    let place = Place::new();
    let mut registry = crate::registry(&place);
    cost(registry.process().pid(), &registry.address())
}

fn murmurd() -> Result<Cost, Lack> {
    need::root()?;
    need::program("murmurd", "mumble-server")?;
    let owner = User::from_name("mumble-server").ok().flatten().ok_or(Lack::Package("mumble-server"))?;
    let place = Place::new();
    let port = Port::claim();
    chown(place.path(), Some(owner.uid.as_raw()), Some(owner.gid.as_raw())).expect("root may");
    let at = |name: &str| place.at(name).display().to_string();
    let settings = format!(
        "database={}\nlogfile={}\npidfile=\nhost=127.0.0.1\nport={}\nusers=1000\nautobanAttempts=0\nbonjour=false\nuname=mumble-server\n",
        at("murmur.sqlite"),
        at("murmur.log"),
        port.number(),
    );
    let file = place.write("murmur.ini", &settings);
    let mut command = Command::new(PROGRAM);
    command.arg("-fg").arg("-ini").arg(file);
    let process = Process::start("murmurd", &command, &place.at("output.log"));
    let address = format!("127.0.0.1:{}", port.number());
    wait::until("murmurd to listen", 20, || std::net::TcpStream::connect(&address).ok());
    wait::pause(Duration::from_secs(1));
    Ok(cost(process.pid(), &address))
}

fn cost(pid: u32, address: &str) -> Cost {
    wait::pause(Duration::from_millis(500));
    let rest = usage::resident_bytes(pid);
    let mut crowd = Crowd::of(address);
    crowd.connect_at_once(CONNECTIONS.into());
    wait::pause(Duration::from_secs(2));
    let connection = (usage::resident_bytes(pid) - rest) / f64::from(CONNECTIONS);
    drop(crowd);
    wait::pause(Duration::from_secs(1));
    Cost {
        rest_mib: rest / 1_048_576.0,
        connection_kb: connection / 1e3,
        connects_per_second: connects_per_second(&mut Crowd::of(address)),
    }
}

/// Each connects and says at once what ends it: a word of goodbye to us, no TLS to murmurd.
fn connects_per_second(crowd: &mut Crowd) -> f64 {
    let visit = |crowd: &mut Crowd| {
        let visitor = crowd.connect();
        crowd.say(visitor, "QUIT");
    };
    (0..COMING).for_each(|_| visit(crowd));
    let until = clock::now() + RUN;
    let mut done = 0_u32;
    while clock::now() < until {
        if let Some(Heard::End(_)) = crowd.hear(until) {
            done += 1;
            visit(crowd);
        }
    }
    f64::from(done) / RUN.as_secs_f64()
}

fn version() -> String {
    let shown = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "mumble-server"]).output();
    shown.map_or(String::new(), |shown| String::from_utf8_lossy(&shown.stdout).into_owned())
}
