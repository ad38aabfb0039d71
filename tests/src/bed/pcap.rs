//! Captures for tshark: datagrams with the headers that they would have had on a cable (linktype RAW).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::forwarder::Passed;

/// The port of the caller's side in a capture.
pub const CALLER_PORT: u16 = 6000;
/// The port of the callee's side in a capture.
pub const CALLEE_PORT: u16 = 6002;

/// The caller and the callee in a capture.
const HOSTS: [[u8; 4]; 2] = [[127, 0, 0, 1], [127, 0, 0, 2]];

/// Writes a capture file (draft-ietf-opsawg-pcap).
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, passed: &[Passed]) -> io::Result<()> {
    const LINKTYPE_RAW: u32 = 101;
    let mut file = BufWriter::new(File::create(path)?);
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, LINKTYPE_RAW] {
        file.write_all(&u32::to_le_bytes(word))?;
    }
    for datagram in passed {
        let packet = packet(datagram);
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let seconds = u32::try_from(datagram.at.as_secs()).unwrap_or(u32::MAX);
        for word in [seconds, datagram.at.subsec_micros(), length, length] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(&packet)?;
    }
    file.flush()
}

fn packet(datagram: &Passed) -> Vec<u8> {
    let udp_length = u16::try_from(datagram.bytes.len() + 8).unwrap_or(u16::MAX);
    let [from, to]: [[u8; 4]; 2] = if datagram.forth { HOSTS } else { [HOSTS[1], HOSTS[0]] };
    let ports = if datagram.forth { [CALLER_PORT, CALLEE_PORT] } else { [CALLEE_PORT, CALLER_PORT] };
    let mut bytes = vec![0x45, 0];
    bytes.extend((udp_length + 20).to_be_bytes());
    // No fragments, 64 hops, UDP, and a checksum that tshark does not look at unless it is asked to.
    bytes.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    bytes.extend(from);
    bytes.extend(to);
    bytes.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    bytes.extend(udp_length.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(&datagram.bytes);
    bytes
}
