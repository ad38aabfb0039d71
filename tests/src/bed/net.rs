//! Two hosts on a cable of their own: network namespaces joined by a veth pair.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use nix::sched::{CloneFlags, setns};

use super::Surroundings;
use super::need::{self, Lack};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Two hosts. Every such pair has the same addresses and does not see the others.
#[derive(Debug)]
pub struct Net {
    hosts: [String; 2],
}

impl Net {
    /// Addresses of host A.
    pub const A: &str = "10.79.0.1";
    /// See [`Net::A`].
    pub const A6: &str = "fd79::1";
    /// The first addresses of host B.
    pub const B: &str = "10.79.0.2";
    /// See [`Net::B`].
    pub const B6: &str = "fd79::2";
    /// The second addresses of host B, which the kernel picks for nothing.
    pub const B_OTHER: &str = "10.79.0.3";
    /// See [`Net::B_OTHER`].
    pub const B6_OTHER: &str = "fd79::3";

    /// Makes the hosts and plugs the cable in.
    pub fn new() -> Result<Self, Lack> {
        need::root()?;
        need::program("ip", "iproute2")?;
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let host = |letter| format!("vox{}-{n}{letter}", std::process::id());
        let net = Self { hosts: [host('a'), host('b')] };
        if net.lay_cable() { Ok(net) } else { Err(Lack::Forbidden("netns")) }
    }

    /// Host A.
    pub fn a(&self) -> Surroundings {
        inside(&self.hosts[0])
    }

    /// Host B.
    pub fn b(&self) -> Surroundings {
        inside(&self.hosts[1])
    }

    /// Does something on host A, on a thread of its own: sockets and threads that it makes stay there.
    pub fn on_a<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        on(&self.hosts[0], work)
    }

    /// As [`Net::on_a`], on host B.
    pub fn on_b<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        on(&self.hosts[1], work)
    }

    /// Pulls the cable out, or plugs it in again.
    pub fn cable(&self, plugged: Plugged) {
        let state = if plugged == Plugged::In { "up" } else { "down" };
        assert!(ip(&format!("-n {} link set eth0 {state}", self.hosts[0])), "the cable is ours");
    }

    fn lay_cable(&self) -> bool {
        let [a, b] = &self.hosts;
        let mut orders = vec![
            format!("netns add {a}"),
            format!("netns add {b}"),
            format!("link add eth0 netns {a} type veth peer name eth0 netns {b}"),
        ];
        for (host, addresses) in
            [(a, &[Self::A, Self::A6][..]), (b, &[Self::B, Self::B_OTHER, Self::B6, Self::B6_OTHER])]
        {
            orders.push(format!("-n {host} link set lo up"));
            orders.push(format!("-n {host} link set eth0 up"));
            orders.extend(addresses.iter().map(|address| add(host, address)));
        }
        orders.iter().all(|order| ip(order))
    }
}

/// Whether a cable is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugged {
    /// It carries what is sent.
    In,
    /// Nothing comes through.
    Out,
}

impl Drop for Net {
    fn drop(&mut self) {
        for host in &self.hosts {
            ip(&format!("netns del {host}"));
        }
    }
}

fn on<T: Send>(host: &str, work: impl FnOnce() -> T + Send) -> T {
    let namespace = File::open(Path::new("/run/netns").join(host)).expect("the host is there");
    let moved = || {
        setns(namespace, CloneFlags::CLONE_NEWNET).expect("the host is ours");
        work()
    };
    thread::scope(|scope| scope.spawn(moved).join()).expect("it ends well")
}

fn add(host: &str, address: &str) -> String {
    // Without duplicate address detection, which would make the address useless for a second.
    let (width, flag) = if address.contains(':') { (64, " nodad") } else { (24, "") };
    format!("-n {host} addr add {address}/{width} dev eth0{flag}")
}

fn inside(host: &str) -> Surroundings {
    Surroundings::default().through(["ip", "netns", "exec", host])
}

fn ip(order: &str) -> bool {
    let done = Command::new("ip").args(order.split(' ')).output();
    done.is_ok_and(|output| output.status.success())
}
