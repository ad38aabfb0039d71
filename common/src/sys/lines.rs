//! Reads lines from anything that can be read: registry connections, control clients, the peer's registry link.

use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;

use crate::seal::incoming::{Broken, Incoming, Next};
use crate::wire::line::Framer;
pub use crate::wire::line::Line;

/// Reads to the end, telling each line to `sink` as it comes, in a fixed buffer of 1,024 bytes.
///
/// Returns at the end of the stream, or when `sink` breaks. A last line without LF is not told.
///
/// # Errors
/// Those of `from`, but for interruptions: a reset connection, above all.
pub fn read_lines(mut from: impl Read, mut sink: impl FnMut(Line<'_>) -> ControlFlow<()>) -> io::Result<()> {
    let mut framer = Framer::new();
    loop {
        let count = read_some(&mut from, framer.space())?;
        if count == 0 || framer.filled(count, &mut sink).is_break() {
            return Ok(());
        }
    }
}

/// As [`read_lines`], of a connection whose lines are sealed from the one on after which `sink` says so.
///
/// # Errors
/// Those of `from`, but for interruptions; [`ErrorKind::InvalidData`]: a record that is none, or does not open.
pub fn read_sealable(mut from: impl Read, mut sink: impl FnMut(Line<'_>) -> Next) -> io::Result<()> {
    let mut incoming = Incoming::new();
    loop {
        let count = read_some(&mut from, incoming.space())?;
        let flow = incoming.filled(count, &mut sink);
        let flow =
            flow.map_err(|Broken| io::Error::new(ErrorKind::InvalidData, "what came does not open"))?;
        if count == 0 || flow.is_break() {
            return Ok(());
        }
    }
}

/// At least one byte; 0: the end.
fn read_some(from: &mut impl Read, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(space) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{Shutdown, TcpListener, TcpStream};

    #[test]
    fn lines_come_off_a_real_connection_until_its_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client.write_all(&[b'x'; 3000]).unwrap();
        client.write_all(b"\nPING \xff\r\nQUIT\r\nnever ended").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut told = Vec::new();
        read_lines(&server, |line| {
            told.push(format!("{line:?}"));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(told, ["TooLong", "NotText", "Text(\"QUIT\")"]);
    }
}
