//! Signals between stations: what was read is written as something that is read as the same, and is no longer than a
//! signal may be.

use vox_common::wire::limits::SIGNAL_BYTES;
use vox_common::wire::signal::Signal;

/// One datagram.
pub fn holds(datagram: &[u8]) {
    let Ok(signal) = Signal::parse(datagram) else { return };
    let written = signal.to_string();
    assert!(written.len() <= SIGNAL_BYTES, "{} bytes: {written}", written.len());
    assert_eq!(Signal::parse(written.as_bytes()).as_ref(), Ok(&signal), "{written}");
}
