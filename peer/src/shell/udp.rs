//! The thread `udp`: takes every datagram, and sorts it by its first byte and its source (RFC 7983).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::errno::Errno;
use vox_common::sys::clock;
use vox_common::wire::limits::SIGNAL_BYTES;

use self::allowance::Allowance;
pub use self::counters::{UdpCounters, UdpCounts};
pub use self::intake::{Arrival, Intake, LegOrder, MEDIA_BYTES};
pub use self::known_addresses::KnownAddresses;
use self::socket::{CONTROL_BYTES, Envelope};
pub use self::socket::{Socket, UdpSender};
use crate::rt;

mod allowance;
mod counters;
pub(crate) mod intake;
mod known_addresses;
mod socket;

/// Longer than anything that is kept, so that what is too long is seen to be.
const BUFFER_BYTES: usize = 2048;
const _: () = assert!(BUFFER_BYTES > SIGNAL_BYTES && BUFFER_BYTES > MEDIA_BYTES);

/// Room for the frames of this thread and of the callback.
const STACK_BYTES: usize = 256 * 1024;

/// A signal as it came.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Who sent it, in the plain form.
    pub from: SocketAddr,
    /// The address of ours that it was sent to.
    pub local: Option<IpAddr>,
    /// The datagram, at most [`SIGNAL_BYTES`] long; its first byte is `V`.
    pub bytes: &'a [u8],
}

/// What the thread tells, from the thread itself: the callback must not wait.
#[derive(Debug, Clone, Copy)]
pub enum UdpEvent<'a> {
    /// A signal came.
    Signal(Received<'a>),
    /// The network or the host answered that nothing we send to this address arrives (ICMP).
    Unreachable(SocketAddr),
}

/// The running thread. Dropping the handle leaves it running; see [`UdpThread::stop`].
#[derive(Debug)]
pub struct UdpThread {
    socket: Socket,
    stopping: Arc<AtomicBool>,
    counters: Arc<UdpCounters>,
    known: Arc<KnownAddresses>,
    thread: JoinHandle<()>,
}

/// Starts the thread. Media goes to `intake`, everything else that is ours to `events`, which tells whether there was
/// room for it.
///
/// # Errors
/// The thread could not be started.
pub fn start(
    socket: &Socket,
    intake: Intake,
    events: impl Fn(UdpEvent<'_>) -> bool + Send + 'static,
) -> io::Result<UdpThread> {
    let (stopping, counters) = (Arc::new(AtomicBool::new(false)), intake.counters());
    let known = Arc::<KnownAddresses>::default();
    let sorter = Sorter {
        socket: socket.clone(),
        intake,
        events,
        of_known: Allowance::default(),
        of_strangers: Allowance::default(),
        known: Arc::clone(&known),
        stopping: Arc::clone(&stopping),
        counters: Arc::clone(&counters),
    };
    let thread =
        thread::Builder::new().name("udp".into()).stack_size(STACK_BYTES).spawn(move || sorter.run())?;
    Ok(UdpThread { socket: socket.clone(), stopping, counters, known, thread })
}

impl UdpThread {
    /// What came and went since the start.
    pub fn counts(&self) -> UdpCounts {
        self.counters.read()
    }

    /// The counters themselves, for a thread that outlives this handle.
    pub fn counters(&self) -> Arc<UdpCounters> {
        Arc::clone(&self.counters)
    }

    /// The addresses whose signals have a share of their own.
    pub fn known(&self) -> Arc<KnownAddresses> {
        Arc::clone(&self.known)
    }

    /// Ends the thread; the socket takes nothing more.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::Release);
        self.socket.shut_down();
        let _ = self.thread.join();
    }
}

struct Sorter<F> {
    socket: Socket,
    intake: Intake,
    events: F,
    /// What strangers send does not keep out those who are known.
    of_known: Allowance,
    of_strangers: Allowance,
    known: Arc<KnownAddresses>,
    stopping: Arc<AtomicBool>,
    counters: Arc<UdpCounters>,
}

impl<F: Fn(UdpEvent<'_>) -> bool> Sorter<F> {
    fn run(mut self) {
        let (mut bytes, mut control) = ([0; BUFFER_BYTES], [0; CONTROL_BYTES]);
        while !self.stopping.load(Ordering::Acquire) {
            if self.socket.wait(self.intake.patience()) {
                self.tell_refusals(&mut control);
            }
            let received = {
                let _audio = rt::on_the_audio_path();
                self.socket.receive(&mut bytes, &mut control)
            };
            match received {
                Ok(Some(envelope)) => self.sort(&envelope, &bytes[..envelope.bytes.min(BUFFER_BYTES)]),
                Ok(None) | Err(Errno::EAGAIN | Errno::EINTR) => self.intake.take_orders(),
                Err(error) => pause_over(error),
            }
        }
    }

    fn sort(&mut self, envelope: &Envelope, bytes: &[u8]) {
        self.intake.take_orders();
        match bytes.first() {
            Some(b'V') => self.signal(envelope, bytes),
            Some(128..=191) => self.media(envelope, bytes),
            _ => self.counters.unknown.add(),
        }
    }

    fn media(&mut self, envelope: &Envelope, bytes: &[u8]) {
        let _audio = rt::on_the_audio_path();
        self.intake.take(envelope.from, envelope.arrived, bytes);
    }

    fn signal(&mut self, envelope: &Envelope, bytes: &[u8]) {
        let received = Received { from: envelope.from, local: envelope.local, bytes };
        let counter = if bytes.len() > SIGNAL_BYTES {
            &self.counters.oversize
        } else if self.is_passed_on(envelope) && (self.events)(UdpEvent::Signal(received)) {
            &self.counters.signals
        } else {
            &self.counters.signals_dropped
        };
        counter.add();
    }

    fn is_passed_on(&mut self, envelope: &Envelope) -> bool {
        let from = envelope.from.ip();
        let share = if self.known.contains(from) { &mut self.of_known } else { &mut self.of_strangers };
        share.take(envelope.arrived, from)
    }

    fn tell_refusals(&mut self, control: &mut [u8]) {
        while let Some(address) = self.socket.refusal(control) {
            self.counters.refused.add();
            (self.events)(UdpEvent::Unreachable(address));
        }
    }
}

/// The errno of a refusal is nothing by itself; any other error is the machine's: wait rather than spin.
fn pause_over(error: Errno) {
    if !socket::is_refusal(&error.into()) {
        clock::sleep_until(clock::now() + Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests;
