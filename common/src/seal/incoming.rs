//! Lines of a connection that are plain at first, and sealed from the line on after which both ends say so.

use std::ops::ControlFlow;

use super::records::{LENGTH_BYTES, Opener, PLAIN_BYTES, RECORD_BYTES, is_length};
use crate::wire::line::{Framer, Line};

/// What follows a line.
#[derive(Debug)]
pub enum Next {
    /// More of the same.
    GoOn,
    /// Records, from the next byte on.
    Seal(Opener),
    /// Nothing that anybody wants to read.
    End,
}

/// A record that is too long, empty, or does not open: nothing after it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// The bytes of a connection that are not read yet, in fixed buffers.
#[derive(Debug)]
pub struct Incoming {
    bytes: [u8; RECORD_BYTES],
    filled: usize,
    framer: Framer,
    opener: Option<Opener>,
}

impl Incoming {
    /// Waits for the first byte of the first line.
    pub const fn new() -> Self {
        Self { bytes: [0; RECORD_BYTES], filled: 0, framer: Framer::new(), opener: None }
    }

    /// Where the next bytes go; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Takes note that `count` bytes were put into [`Incoming::space`], and tells every line that they end.
    ///
    /// # Errors
    /// [`Broken`]: the connection is of no more use.
    pub fn filled(
        &mut self,
        count: usize,
        mut sink: impl FnMut(Line<'_>) -> Next,
    ) -> Result<ControlFlow<()>, Broken> {
        self.filled = (self.filled + count).min(RECORD_BYTES);
        let mut start = 0;
        while let Some(end) = self.piece(start)? {
            let next = self.take(start, end, &mut sink)?;
            start = end;
            match next {
                Next::GoOn => {}
                Next::Seal(opener) => self.opener = Some(opener),
                Next::End => return Ok(ControlFlow::Break(())),
            }
        }
        self.bytes.copy_within(start..self.filled, 0);
        self.filled -= start;
        Ok(ControlFlow::Continue(()))
    }

    /// Where the piece ends that begins there: a line or what there is of one, or a whole record. `None`: wait for more.
    fn piece(&self, start: usize) -> Result<Option<usize>, Broken> {
        let there = &self.bytes[start..self.filled];
        if self.opener.is_some() {
            return Ok(record(there)?.map(|bytes| start + bytes));
        }
        let line = there.iter().position(|&byte| byte == b'\n').map_or(there.len(), |end| end + 1);
        Ok((line > 0).then_some(start + line))
    }

    fn take(
        &mut self,
        start: usize,
        end: usize,
        sink: &mut impl FnMut(Line<'_>) -> Next,
    ) -> Result<Next, Broken> {
        let Self { bytes, framer, opener, .. } = self;
        match opener {
            None => Ok(frame(framer, &bytes[start..end], sink)),
            Some(opener) => {
                let mut plain = [0; PLAIN_BYTES];
                let lines = opener.open(&bytes[start + LENGTH_BYTES..end], &mut plain).ok_or(Broken)?;
                Ok(frame(framer, lines, sink))
            }
        }
    }
}

impl Default for Incoming {
    fn default() -> Self {
        Self::new()
    }
}

/// How long the record is that begins there. `None`: not all of it has come.
fn record(there: &[u8]) -> Result<Option<usize>, Broken> {
    let Some(length) = there.first_chunk() else { return Ok(None) };
    let message = usize::from(u16::from_be_bytes(*length));
    let record = LENGTH_BYTES + message;
    if is_length(message) { Ok((record <= there.len()).then_some(record)) } else { Err(Broken) }
}

/// Cuts them into lines. What changes the connection is its last line: nothing else is in its piece.
fn frame(framer: &mut Framer, mut bytes: &[u8], sink: &mut impl FnMut(Line<'_>) -> Next) -> Next {
    let mut next = Next::GoOn;
    while !bytes.is_empty() {
        let space = framer.space();
        let count = space.len().min(bytes.len());
        space[..count].copy_from_slice(&bytes[..count]);
        bytes = &bytes[count..];
        let ended = framer.filled(count, |line| {
            next = sink(line);
            if matches!(next, Next::End) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if ended.is_break() {
            break;
        }
    }
    next
}

#[cfg(test)]
mod tests;
