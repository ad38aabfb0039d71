//! Redundant audio data (RFC 2198): one packet's sound, and before it copies of what earlier packets carried. Read in
//! place, written in place, never trusted.

use std::fmt;

use heapless::Vec;

/// Blocks in one packet, the packet's own sound among them. A packet with more is refused.
pub const MOST_BLOCKS: usize = 8;

/// The longest copy: ten bits tell its length.
pub const LONGEST_COPY: usize = 1_023;

/// The oldest copy, in samples before the packet's own time stamp: fourteen bits tell it, 341 ms.
pub const OLDEST_COPY: u32 = 16_383;

/// What one copy costs on top of its bytes.
pub const COPY_HEADER_BYTES: usize = 4;

/// What the packet's own sound costs on top of its bytes.
pub const OWN_HEADER_BYTES: usize = 1;

const FOLLOWED: u8 = 0x80;

/// One piece of sound in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// How it is coded, 0 to 127.
    pub payload_type: u8,
    /// Samples from its first one to the packet's time stamp; 0 for the packet's own sound.
    pub age: u32,
    /// What a packet of its own would have carried.
    pub bytes: &'a [u8],
}

/// The blocks of one packet, the copies first, the packet's own sound last. Never empty when it was read.
pub type Blocks<'a> = Vec<Block<'a>, MOST_BLOCKS>;

/// Why bytes are not redundant audio data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRed {
    /// Ends before its headers do.
    Truncated,
    /// The copies claim more bytes than there are.
    Length,
    /// More than [`MOST_BLOCKS`].
    TooMany,
}

impl fmt::Display for BadRed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "redundant audio data ends too early",
            Self::Length => "lengths inside redundant audio data do not add up",
            Self::TooMany => "too many blocks of redundant audio data",
        })
    }
}

impl std::error::Error for BadRed {}

/// Reads the payload of a packet.
pub fn parse(payload: &[u8]) -> Result<Blocks<'_>, BadRed> {
    let (headers, mut rest) = split_headers(payload)?;
    let mut blocks = Blocks::new();
    for header in headers.chunks(COPY_HEADER_BYTES) {
        let (payload_type, age, length) = fields(header, rest.len());
        let (bytes, after) = rest.split_at_checked(length).ok_or(BadRed::Length)?;
        blocks.push(Block { payload_type, age, bytes }).map_err(|_| BadRed::TooMany)?;
        rest = after;
    }
    Ok(blocks)
}

/// The headers, four bytes for each copy and one byte at the end, and what comes after them.
fn split_headers(payload: &[u8]) -> Result<(&[u8], &[u8]), BadRed> {
    let copies = payload.chunks(COPY_HEADER_BYTES).position(|header| header[0] & FOLLOWED == 0);
    let end = copies.ok_or(BadRed::Truncated)? * COPY_HEADER_BYTES + OWN_HEADER_BYTES;
    payload.split_at_checked(end).ok_or(BadRed::Truncated)
}

/// Payload type, age and length of a block. The packet's own sound has all that the copies leave.
fn fields(header: &[u8], left: usize) -> (u8, u32, usize) {
    let payload_type = header[0] & !FOLLOWED;
    let &[_, high, middle, low] = header else { return (payload_type, 0, left) };
    let bits = u32::from_be_bytes([0, high, middle, low]);
    (payload_type, bits >> 10, (bits & 0x3ff) as usize)
}

/// Writes blocks, the packet's own sound last (its age is not written); returns the length of the payload. `None`: a
/// block is too old or too long, there are none or too many, or they do not fit.
pub fn emit(blocks: &[Block<'_>], payload: &mut [u8]) -> Option<usize> {
    let (own, copies) = blocks.split_last().filter(|_| blocks.len() <= MOST_BLOCKS)?;
    let mut at = 0;
    for copy in copies {
        at = put(payload, at, &header(copy)?)?;
    }
    at = put(payload, at, &[own.payload_type & !FOLLOWED])?;
    blocks.iter().try_fold(at, |at, block| put(payload, at, block.bytes))
}

fn header(copy: &Block<'_>) -> Option<[u8; COPY_HEADER_BYTES]> {
    let length = u32::try_from(copy.bytes.len()).ok()?;
    let fits = copy.age <= OLDEST_COPY && copy.bytes.len() <= LONGEST_COPY;
    let first = u32::from(copy.payload_type | FOLLOWED);
    fits.then(|| (first << 24 | copy.age << 10 | length).to_be_bytes())
}

fn put(payload: &mut [u8], at: usize, bytes: &[u8]) -> Option<usize> {
    payload.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
    Some(at + bytes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Payload type 111, 1,440 samples old, three bytes; then 111 and two bytes.
    const KNOWN: [u8; 10] = [0xef, 0x16, 0x80, 3, 0x6f, 1, 2, 3, 8, 9];

    #[test]
    fn a_packet_is_known_bytes() {
        let copy = Block { payload_type: 111, age: 1_440, bytes: &[1, 2, 3] };
        let own = Block { payload_type: 111, age: 0, bytes: &[8, 9] };
        let mut payload = [0; 10];
        assert_eq!(emit(&[copy, own], &mut payload), Some(10));
        assert_eq!(payload, KNOWN);
        assert_eq!(parse(&KNOWN).unwrap(), [copy, own]);
    }

    #[test]
    fn lies_about_lengths_are_refused() {
        let table: [(&[u8], BadRed); 7] = [
            (&[], BadRed::Truncated),
            (&[0xef], BadRed::Truncated),
            (&[0xef, 0x16, 0x80], BadRed::Truncated),
            (&[0xef, 0x16, 0x80, 3], BadRed::Truncated),
            (&[0xef, 0x16, 0x80, 3, 0x6f, 1, 2], BadRed::Length),
            (&[0xef, 0x16, 0x83, 0xff, 0x6f, 1, 2, 3, 8, 9], BadRed::Length),
            (&[0xef, 0x16, 0x80, 3, 0xef, 0x16, 0x80, 3, 0x6f, 1, 2, 3, 8, 9], BadRed::Length),
        ];
        for (payload, why) in table {
            assert_eq!(parse(payload), Err(why), "{payload:?}");
        }
        let many = [0xef, 0, 0, 0].repeat(MOST_BLOCKS);
        assert_eq!(parse(&[many.as_slice(), &[0x6f, 1]].concat()), Err(BadRed::TooMany));
    }

    #[test]
    fn what_the_headers_cannot_tell_is_not_written() {
        let own = Block { payload_type: 111, age: 0, bytes: &[1] };
        let long = [0; LONGEST_COPY + 1];
        let mut payload = [0; 2_000];
        assert_eq!(emit(&[Block { age: OLDEST_COPY + 1, ..own }, own], &mut payload), None);
        assert_eq!(emit(&[Block { bytes: &long, ..own }, own], &mut payload), None);
        assert_eq!(emit(&[own; MOST_BLOCKS + 1], &mut payload), None);
        assert_eq!(emit(&[], &mut payload), None);
        assert_eq!(emit(&[own, own], &mut payload[..6]), None);
    }

    type Owned = (u8, u32, std::vec::Vec<u8>);

    fn blocks() -> impl Strategy<Value = (std::vec::Vec<Owned>, Owned)> {
        let bytes = |most| proptest::collection::vec(any::<u8>(), 0..=most);
        let copy = (0..=127_u8, 0..=OLDEST_COPY, bytes(LONGEST_COPY));
        let own = (0..=127_u8, Just(0), bytes(1_460));
        (proptest::collection::vec(copy, 0..MOST_BLOCKS), own)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back((copies, own) in blocks()) {
            let block = |(payload_type, age, bytes): &Owned| (*payload_type, *age, bytes.clone());
            let all: std::vec::Vec<Owned> = copies.iter().chain([&own]).map(block).collect();
            let blocks = all.iter().map(|(payload_type, age, bytes)| Block { payload_type: *payload_type, age: *age, bytes });
            let blocks: Blocks<'_> = blocks.collect();
            let mut payload = vec![0; 10_000];
            let length = emit(&blocks, &mut payload).expect("all of it can be told");
            prop_assert_eq!(parse(&payload[..length]), Ok(blocks));
        }

        #[test]
        fn nothing_from_outside_is_longer_than_it_is(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(blocks) = parse(&payload) {
                let sound: usize = blocks.iter().map(|block| block.bytes.len()).sum();
                let headers = COPY_HEADER_BYTES * (blocks.len() - 1) + OWN_HEADER_BYTES;
                prop_assert_eq!(sound + headers, payload.len());
            }
        }
    }
}
