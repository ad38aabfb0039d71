//! Packets of media as they are read before anybody believes them: RTP, redundancy, RTCP.

use vox_peer::media::{red, rtcp, rtp};

/// An RTP packet: what was read is written as a packet that is read as the same.
pub fn rtp_holds(bytes: &[u8]) {
    let Ok(packet) = rtp::Packet::parse(bytes) else { return };
    let length = rtp::header_bytes(bytes).expect("what was read has a header");
    assert!(length + packet.payload.len() <= bytes.len());
    let written = [&packet.header.to_bytes(), packet.payload].concat();
    assert_eq!(rtp::Packet::parse(&written), Ok(packet));
    red_holds(packet.payload);
}

/// The payload of a packet with copies: the same, block by block.
pub fn red_holds(payload: &[u8]) {
    let Ok(blocks) = red::parse(payload) else { return };
    assert!(!blocks.is_empty() && blocks.len() <= red::MOST_BLOCKS);
    let mut written = vec![0; payload.len()];
    let length = red::emit(&blocks, &mut written).expect("what was read can be written");
    assert_eq!(length, payload.len(), "no byte is left out");
    assert_eq!(red::parse(&written), Ok(blocks));
}

/// A compound RTCP packet: read whole or not at all, and no more is told than bytes can say.
pub fn rtcp_holds(bytes: &[u8]) {
    let mut items = 0;
    let read = rtcp::read(bytes, &mut |_| items += 1);
    assert!(read.is_ok() || items == 0, "something was told of what was refused");
    assert!(items * 4 <= bytes.len(), "{items} items in {} bytes", bytes.len());
}
