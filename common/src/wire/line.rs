//! Cuts bytes into lines (DESIGN section 4) in a fixed buffer, whatever comes.

use std::ops::ControlFlow;

use super::limits::LINE_BYTES;

/// What stood between two line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// Printable UTF-8, without its LF or CR LF.
    Text(&'a str),
    /// More than [`LINE_BYTES`] with the LF; told once, as soon as that is known. Its rest is skipped.
    TooLong,
    /// Not UTF-8, or with a control character.
    NotText,
}

impl<'a> Line<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.chars().any(char::is_control) => Line::Text(text),
            _ => Line::NotText,
        }
    }
}

/// The bytes of a line that has not ended yet.
#[derive(Debug)]
pub struct Framer {
    buffer: [u8; LINE_BYTES],
    filled: usize,
    /// The line was too long and is being skipped up to its LF.
    skipping: bool,
}

impl Framer {
    /// Waits for the first byte of the first line.
    pub const fn new() -> Self {
        Self { buffer: [0; LINE_BYTES], filled: 0, skipping: false }
    }

    /// Where the next bytes go; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        &mut self.buffer[self.filled..]
    }

    /// Takes note that `count` bytes were put into [`Framer::space`], and tells every line that they end.
    ///
    /// `Break` from `sink` ends it; lines behind that one are forgotten.
    pub fn filled(
        &mut self,
        count: usize,
        mut sink: impl FnMut(Line<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let end = (self.filled + count).min(LINE_BYTES);
        let mut start = 0;
        while let Some(length) = self.buffer[start..end].iter().position(|&byte| byte == b'\n') {
            let line = start..start + length;
            start = line.end + 1;
            if !std::mem::take(&mut self.skipping) {
                sink(Line::read(&self.buffer[line]))?;
            }
        }
        self.keep(start, end);
        self.overflow(sink)
    }

    /// Moves the beginning of the next line to the front; nothing is kept of one that is skipped.
    fn keep(&mut self, start: usize, end: usize) {
        let start = if self.skipping { end } else { start };
        self.buffer.copy_within(start..end, 0);
        self.filled = end - start;
    }

    fn overflow(&mut self, mut sink: impl FnMut(Line<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.filled < LINE_BYTES {
            return ControlFlow::Continue(());
        }
        self.filled = 0;
        self.skipping = true;
        sink(Line::TooLong)
    }
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `bytes` in pieces of at most `piece` bytes.
    fn lines(bytes: &[u8], piece: usize) -> Vec<String> {
        let mut framer = Framer::new();
        let mut told = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let space = framer.space();
            let count = piece.min(space.len()).min(rest.len());
            space[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            let _ = framer.filled(count, |line| {
                told.push(format!("{line:?}"));
                ControlFlow::Continue(())
            });
        }
        told
    }

    #[test]
    fn lines_end_in_lf_and_a_cr_before_it_is_dropped() {
        let told = lines(b"PING\r\nQUIT\n\nLIST", 3);
        assert_eq!(told, ["Text(\"PING\")", "Text(\"QUIT\")", "Text(\"\")"]);
    }

    #[test]
    fn bytes_that_are_not_text_are_told_as_such() {
        for bytes in [&b"\xff\xfb\x01\n"[..], b"a\tb\n", b"a\0\n", b"a\rb\n", b"\xc2\x85\n", b"\x7f\n"] {
            assert_eq!(lines(bytes, 64), ["NotText"], "{bytes:?}");
        }
    }

    #[test]
    fn the_longest_line_fits_and_one_byte_more_is_told_once() {
        let fits = [&[b'a'; LINE_BYTES - 1][..], b"\nPING\n"].concat();
        let long = [&[b'a'; LINE_BYTES][..], b"\nPING\n"].concat();
        let huge = [&[b'a'; 5 * LINE_BYTES][..], b"\nPING\n"].concat();
        assert!(lines(&fits, 100)[0].starts_with("Text"));
        assert_eq!(lines(&long, 100), ["TooLong", "Text(\"PING\")"]);
        assert_eq!(lines(&huge, 4096), ["TooLong", "Text(\"PING\")"]);
    }

    #[test]
    fn a_sink_that_has_enough_ends_it() {
        let mut framer = Framer::new();
        framer.space()[..4].copy_from_slice(b"a\nb\n");
        let mut count = 0;
        let flow = framer.filled(4, |_| {
            count += 1;
            ControlFlow::Break(())
        });
        assert_eq!((flow, count), (ControlFlow::Break(()), 1));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_changes_nothing(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..4000),
            piece in 1_usize..1500,
        ) {
            prop_assert_eq!(lines(&bytes, piece), lines(&bytes, 1));
        }
    }
}
