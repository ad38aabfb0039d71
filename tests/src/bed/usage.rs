//! What a process costs, by /proc.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Processor time that a process has used so far, with all its threads.
pub fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may hold anything, but ends with the last bracket (proc(5)); user and system time are fields 14, 15.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / ticks_per_second())
}

/// Memory that a process has in RAM, in megabytes of a million bytes.
pub fn resident_mb(pid: u32) -> f64 {
    resident_bytes(pid) / 1e6
}

/// As [`resident_mb`], in bytes.
pub fn resident_bytes(pid: u32) -> f64 {
    kibibytes(Path::new(&format!("/proc/{pid}/status")), "VmRSS") * 1024.0
}

/// Stacks of all threads in the kernel, of the whole machine, in bytes.
pub fn kernel_stack_bytes() -> f64 {
    kibibytes(Path::new("/proc/meminfo"), "KernelStack") * 1024.0
}

/// Threads of a process.
pub fn threads(pid: u32) -> u32 {
    count(&format!("/proc/{pid}/task"))
}

/// Open descriptors of a process.
pub fn descriptors(pid: u32) -> u32 {
    count(&format!("/proc/{pid}/fd"))
}

/// How often the threads of a process have gone to sleep so far, which is as often as they were woken.
pub fn sleeps(pid: u32) -> f64 {
    let of = |task: PathBuf| number(&task.join("status"), "voluntary_ctxt_switches").unwrap_or(0.0);
    entries(&format!("/proc/{pid}/task")).map(of).sum()
}

/// A counter of the whole machine's TCP, such as `TCPSynRetrans` (`/proc/net/netstat`, two lines a group).
pub fn tcp_counter(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/net/netstat").unwrap_or_default();
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let found = names.split(' ').zip(values.split(' ')).find(|(word, _)| *word == name);
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

fn count(directory: &str) -> u32 {
    u32::try_from(entries(directory).count()).expect("the kernel has fewer")
}

fn entries(directory: &str) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

fn kibibytes(file: &Path, key: &str) -> f64 {
    number(file, key).unwrap_or(0.0)
}

/// The number after `key:` in a file of lines.
fn number(file: &Path, key: &str) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn ticks_per_second() -> u64 {
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
    ticks.and_then(|ticks| u64::try_from(ticks).ok()).unwrap_or(100)
}
