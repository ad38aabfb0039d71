//! The framer: the same lines whatever pieces the bytes come in, each of them printable and none too long.

use std::ops::ControlFlow;

use vox_common::wire::limits::LINE_BYTES;
use vox_common::wire::line::{Framer, Line};

/// The first byte says how long the pieces are.
pub fn holds(bytes: &[u8]) {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    let whole = framed(bytes, LINE_BYTES);
    assert_eq!(framed(bytes, 1 + usize::from(piece)), whole, "in pieces of {piece}");
    assert_eq!(whole, split(bytes));
}

/// A line with what it says, or with the name of what it is.
pub(super) type Told = Result<String, &'static str>;

pub(super) fn told(line: Line<'_>) -> Told {
    match line {
        Line::Text(text) => Ok(text.to_owned()),
        Line::TooLong => Err("too long"),
        Line::NotText => Err("not text"),
    }
}

/// The lines of these bytes, which come in such pieces.
pub(super) fn framed(bytes: &[u8], piece: usize) -> Vec<Told> {
    let (mut framer, mut lines, mut rest) = (Framer::new(), Vec::new(), bytes);
    while !rest.is_empty() {
        let space = framer.space();
        let count = rest.len().min(piece).min(space.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        let _ = framer.filled(count, |line| {
            lines.push(told(line));
            ControlFlow::Continue(())
        });
    }
    lines
}

/// What the framer should say, as somebody would write it who has all the memory in the world.
fn split(bytes: &[u8]) -> Vec<Told> {
    let mut pieces: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let unfinished = pieces.pop().unwrap_or_default();
    let mut lines: Vec<_> = pieces.into_iter().map(|line| read(line, line.len() + 1)).collect();
    // Of the last one it is known only whether it is too long already.
    lines.extend((unfinished.len() >= LINE_BYTES).then_some(Err("too long")));
    lines
}

fn read(line: &[u8], with_end: usize) -> Told {
    if with_end > LINE_BYTES {
        return Err("too long");
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).ok().filter(|text| !text.chars().any(char::is_control));
    text.map(str::to_owned).ok_or("not text")
}
