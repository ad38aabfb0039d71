//! Scheduling, locked memory and datagrams from a chosen address: the calls that neither std nor nix offers
//! in the form that a real-time thread needs. With its part `heap`, one of the two places with `unsafe`.
#![expect(unsafe_code, reason = "talks to the kernel where no safe wrapper exists")]

use std::io;
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use nix::libc;
use nix::sys::socket::{SockaddrLike, SockaddrStorage};

use crate::media::orders::ThreadGrant;

#[cfg(debug_assertions)]
mod heap;

/// While one of these lives, the calling thread is on the audio path: a debug build ends where it allocates or frees.
/// A release build does not look.
#[must_use = "the thread leaves the audio path when this is dropped"]
#[derive(Debug)]
pub struct OnTheAudioPath {
    /// What it was before: one may stand within another.
    #[cfg(debug_assertions)]
    before: bool,
    /// It is this thread's.
    _here: PhantomData<*const ()>,
}

/// Enters the audio path, with everything made that is needed there.
pub fn on_the_audio_path() -> OnTheAudioPath {
    OnTheAudioPath {
        #[cfg(debug_assertions)]
        before: heap::mark(true),
        _here: PhantomData,
    }
}

#[cfg(debug_assertions)]
impl Drop for OnTheAudioPath {
    fn drop(&mut self) {
        heap::mark(self.before);
    }
}

/// Asks for SCHED_FIFO at `priority` (0: an ordinary thread) for the calling thread, and reads back what it is.
///
/// A refusal is not an error: the thread works as it is, and the grant says so. Threads and children that it
/// starts are ordinary again (`SCHED_RESET_ON_FORK`).
pub fn schedule(name: &'static str, priority: u8) -> ThreadGrant {
    let policy = if priority == 0 { libc::SCHED_OTHER } else { libc::SCHED_FIFO };
    let parameters = parameters(priority);
    // SAFETY: the structure lives for the call; 0 is the calling thread. Failure changes nothing.
    unsafe { libc::sched_setscheduler(0, policy | libc::SCHED_RESET_ON_FORK, &raw const parameters) };
    ThreadGrant { name, wanted: priority, granted: granted() }
}

fn parameters(priority: u8) -> libc::sched_param {
    // SAFETY: a C structure of integers, for which zero is a value.
    let mut parameters: libc::sched_param = unsafe { mem::zeroed() };
    parameters.sched_priority = priority.into();
    parameters
}

/// The calling thread's SCHED_FIFO priority as the kernel has it; 0: an ordinary thread.
fn granted() -> u8 {
    let mut read = parameters(0);
    // SAFETY: both calls only read about the calling thread; the structure lives for the call.
    let (policy, answer) = unsafe { (libc::sched_getscheduler(0), libc::sched_getparam(0, &raw mut read)) };
    let fifo = answer == 0 && policy & !libc::SCHED_RESET_ON_FORK == libc::SCHED_FIFO;
    if fifo { u8::try_from(read.sched_priority).unwrap_or(0) } else { 0 }
}

/// Makes every thread of this process an ordinary one.
///
/// For SIGXCPU: a real-time thread that ran through `RLIMIT_RTTIME` without waiting once must lose its
/// priority, not kill the daemon.
///
/// # Errors
/// `/proc` cannot be read; nothing is changed then.
pub fn step_down() -> io::Result<()> {
    let ordinary = parameters(0);
    // Without CAP_SYS_NICE no thread may lay aside that its children are ordinary.
    let policy = libc::SCHED_OTHER | libc::SCHED_RESET_ON_FORK;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let Some(id) = thread?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // SAFETY: a thread id and a structure that lives for the call; a thread that has ended is ESRCH.
        unsafe { libc::sched_setscheduler(id, policy, &raw const ordinary) };
    }
    Ok(())
}

/// Keeps in memory every page of the process that has been touched, now and later.
///
/// With `MCL_ONFAULT`: without it the buffers of a sound server's client library alone take hundreds of megabytes.
///
/// # Errors
/// The kernel does not permit it (`RLIMIT_MEMLOCK`); the daemon works, and may stutter under memory pressure.
pub fn lock_memory() -> io::Result<()> {
    // SAFETY: changes no memory, only whether it may be paged out.
    let answer = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets the calling thread take numbers too small to hear for zero: filters that decay would otherwise reach
/// denormals, which cost a hundred times as much.
pub fn flush_denormals() {
    #[cfg(target_arch = "x86_64")]
    {
        let mut control = 0_u32;
        // SAFETY: reads and writes the calling thread's own MXCSR; only FTZ and DAZ change.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack));
            control |= 0x8040;
            std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack));
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let mut control: u64;
        // SAFETY: reads and writes the calling thread's own FPCR; only FZ changes.
        unsafe {
            std::arch::asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack));
            control |= 1 << 24;
            std::arch::asm!("msr fpcr, {}", in(reg) control, options(nomem, nostack));
        }
    }
}

/// Room for one control message with an address of either family.
#[repr(C)]
union Control {
    bytes: [u8; 64],
    _aligned: MaybeUninit<libc::cmsghdr>,
}

/// Sends one datagram, leaving from `source` where one is given, and never waits.
///
/// nix can do this too, but allocates for each datagram that names its source. `to` and `source` must be of the
/// socket's own family (mapped addresses on an IPv6 socket).
///
/// # Errors
/// As `sendmsg(2)`; `WouldBlock` when the send buffer is full.
pub fn send_from(
    socket: &impl AsFd,
    to: &SockaddrStorage,
    source: Option<IpAddr>,
    bytes: &[u8],
) -> io::Result<()> {
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut control = Control { bytes: [0; 64] };
    // SAFETY: a C structure of integers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_name = to.as_ptr().cast_mut().cast();
    message.msg_namelen = to.len();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    match source {
        Some(IpAddr::V4(source)) => {
            put(&mut message, &mut control, libc::IPPROTO_IP, libc::IP_PKTINFO, from_v4(source));
        }
        Some(IpAddr::V6(source)) => {
            put(&mut message, &mut control, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, from_v6(source));
        }
        None => (),
    }
    // SAFETY: everything that the message points to lives until the end of this function.
    let sent = unsafe {
        libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const message, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Bytes that wait in a socket to be sent, with the kernel's overhead (`SIOCOUTQ` of udp(7)).
///
/// # Errors
/// As `ioctl(2)`.
pub fn waiting_to_be_sent(socket: &impl AsFd) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the kernel writes one integer, which lives for the call.
    let answer = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(usize::try_from(bytes).unwrap_or(0)) }
}

fn from_v4(source: std::net::Ipv4Addr) -> libc::in_pktinfo {
    let source = libc::in_addr { s_addr: u32::from_ne_bytes(source.octets()) };
    libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: libc::in_addr { s_addr: 0 } }
}

fn from_v6(source: std::net::Ipv6Addr) -> libc::in6_pktinfo {
    libc::in6_pktinfo { ipi6_addr: libc::in6_addr { s6_addr: source.octets() }, ipi6_ifindex: 0 }
}

/// Writes one control message and hangs it on `message`.
fn put<T>(message: &mut libc::msghdr, control: &mut Control, level: i32, kind: i32, value: T) {
    let bytes = u32::try_from(size_of::<T>()).expect("an address is small");
    // SAFETY: two pure calculations.
    let (length, space) = unsafe { (libc::CMSG_LEN(bytes), libc::CMSG_SPACE(bytes)) };
    assert!(space as usize <= size_of::<Control>(), "an address fits");
    message.msg_control = (&raw mut *control).cast();
    message.msg_controllen = space as _;
    // SAFETY: the buffer is aligned for a header, zeroed, and large enough for header and value (asserted), so
    // the first header and its data lie inside it; the data may be unaligned for T.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const *message);
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = length as _;
        ptr::write_unaligned(libc::CMSG_DATA(header).cast::<T>(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grant_is_what_the_kernel_says() {
        let grant = std::thread::spawn(|| schedule("test", 10)).join().expect("no panic");
        assert_eq!((grant.name, grant.wanted), ("test", 10));
        assert!(grant.granted == 10 || grant.granted == 0, "granted {}", grant.granted);
    }

    #[test]
    fn an_ordinary_thread_is_no_real_time_thread() {
        let grant = std::thread::spawn(|| schedule("test", 0)).join().expect("no panic");
        assert_eq!(grant.granted, 0);
    }

    /// Takes every capability from the calling thread, as a user's own station has none.
    fn give_up_privileges() {
        let (version, none) = ([0x2008_0522_u32, 0], [0_u32; 6]);
        // SAFETY: capset(2), version 3: a header of two words and two sets of three, which live for the call.
        let answer = unsafe { libc::syscall(libc::SYS_capset, version.as_ptr(), none.as_ptr()) };
        assert_eq!(answer, 0);
    }

    #[test]
    fn stepping_down_makes_every_thread_an_ordinary_one() {
        let (tell, ready) = std::sync::mpsc::channel();
        let (go_on, told) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            schedule("test", 10);
            give_up_privileges();
            tell.send(()).expect("somebody waits");
            told.recv().expect("somebody tells");
            granted()
        });
        ready.recv().expect("told");
        std::thread::spawn(|| {
            give_up_privileges();
            step_down().expect("Linux has /proc");
        })
        .join()
        .expect("no panic");
        go_on.send(()).expect("it waits");
        assert_eq!(thread.join().expect("no panic"), 0);
    }

    /// Memory that is locked (`proc_pid_status(5)`), in kilobytes.
    fn locked_kb() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).expect("it is told");
        line.trim_end_matches("kB").trim().parse().expect("a number")
    }

    #[test]
    fn locked_memory_is_locked_where_it_is_permitted_and_not_before_it_is_used() {
        let room = std::hint::black_box(vec![0_u8; 64 << 20]);
        if lock_memory().is_err() {
            return; // an ordinary user has little of it
        }
        assert!(locked_kb() > 0);
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has /proc");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is told");
        let resident: u64 = resident.trim_end_matches("kB").trim().parse().expect("a number");
        assert!(resident < 48 << 10, "{resident} kB: pages that nobody touched are not brought in");
        drop(room);
    }

    #[test]
    fn numbers_too_small_to_hear_become_zero() {
        let sum = std::thread::spawn(|| {
            flush_denormals();
            std::hint::black_box(1.0e-38_f32) * std::hint::black_box(0.01)
        });
        assert_eq!(sum.join().expect("no panic").to_bits(), 0);
    }
}
