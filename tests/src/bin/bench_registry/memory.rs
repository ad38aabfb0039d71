//! What a registry takes of the machine while nobody asks for anything.

use std::time::Duration;

use vox_tests::bed::{Place, usage, wait};
use vox_tests::crowd::Crowd;
use vox_tests::sealed;
use vox_tests::torture;

use crate::report::{Report, Table, median};

const STARTS: usize = 5;
/// Clients of which the memory of one is the share.
const CLIENTS: u16 = 500;
/// A thread's stack in the kernel (x86-64 and arm64: `THREAD_SIZE`).
const KERNEL_STACK: f64 = 16_384.0;
/// Until what was begun is done.
const SETTLING: Duration = Duration::from_millis(500);
const IDLE: Duration = Duration::from_secs(10);

pub(crate) fn measure(report: &mut Report) {
    let table = report.table("Memory");
    let rest: Vec<f64> = (0..STARTS).map(|_| at_rest()).collect();
    table.add(
        "at rest, with its status page (VmRSS)",
        format!("{:.2} MiB", median(rest) / 1_048_576.0),
        "< 3 MiB",
    );
    clients(table);
    sealed_clients(table);
    table.note(format!(
        "At rest: half a second after READY, the median of {STARTS} starts. A client has done what a peer does: connect, REGISTER,\n\
         WATCH on, LIST. All told: what the {CLIENTS} of them add to VmRSS, and 16 KiB of the kernel for each thread. Wake-ups are the\n\
         voluntary context switches of all threads in {} s.",
        IDLE.as_secs()
    ));
}

fn at_rest() -> f64 {
    let place = Place::new();
    let mut registry = crate::registry(&place);
    wait::pause(SETTLING);
    usage::resident_bytes(registry.process().pid())
}

fn clients(table: &mut Table) {
    let place = Place::new();
    let mut registry = crate::registry(&place);
    let pid = registry.process().pid();
    let before = Taken::by(pid);
    let mut crowd = Crowd::of(&registry.address());
    torture::burst(&mut crowd, CLIENTS.into());
    wait::pause(SETTLING);
    let after = Taken::by(pid);
    table.add("per connected client, all told", after.share_since(&before), "< 36 kB");
    let told = format!("{:.1} kB", share(after.stacks - before.stacks));
    table.add("… stack in the kernel as /proc/meminfo has it", told, "");
    let told = format!("{:.1}", wakes_per_second(pid));
    table.add(&format!("wake-ups per second with {CLIENTS} idle clients"), told, "0");
    drop(crowd);
    wait::pause(SETTLING);
    let told = format!("{:.2} MiB", usage::resident_bytes(pid) / 1_048_576.0);
    table.add(&format!("after {CLIENTS} clients have gone"), told, "");
}

/// A registry that has met nobody yet: what one left behind would be taken for free.
fn sealed_clients(table: &mut Table) {
    let place = Place::new();
    let mut registry = crate::registry(&place);
    let pid = registry.process().pid();
    let before = Taken::by(pid);
    let clients = sealed::burst(&registry.address(), CLIENTS.into());
    wait::pause(SETTLING);
    table.add("… whose lines are sealed", Taken::by(pid).share_since(&before), "");
    drop(clients);
}

/// What a process has of the machine.
struct Taken {
    resident: f64,
    threads: u32,
    /// Stacks of all threads of the machine in the kernel, in bytes.
    stacks: f64,
}

impl Taken {
    fn by(pid: u32) -> Self {
        let (resident, threads) = (usage::resident_bytes(pid), usage::threads(pid));
        Self { resident, threads, stacks: usage::kernel_stack_bytes() }
    }

    /// Of each client that came since.
    fn share_since(&self, before: &Self) -> String {
        let resident = share(self.resident - before.resident);
        let stack = share(f64::from(self.threads - before.threads) * KERNEL_STACK);
        format!("{:.1} kB: {resident:.1} resident, {stack:.1} stack in the kernel", resident + stack)
    }
}

/// A client's, in kB.
fn share(bytes: f64) -> f64 {
    bytes / f64::from(CLIENTS) / 1e3
}

fn wakes_per_second(pid: u32) -> f64 {
    let slept = usage::sleeps(pid);
    wait::pause(IDLE);
    (usage::sleeps(pid) - slept) / IDLE.as_secs_f64()
}
