//! The programs at a daemon's control socket: each has a place and a reader, and the owner of the core writes.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use nix::sys::socket::{setsockopt, sockopt};

use super::net::{Sent, send_now};
use super::rights::{Credentials, credentials};
use super::thread::spawn;

/// The longest answer (USERS of a full registry) goes in whole; the kernel doubles it for its own needs.
const SEND_BUFFER: usize = 256 * 1024;

/// The programs that are connected, each in its place, which is its number.
#[derive(Debug)]
pub struct Clients<const N: usize>([Option<Client>; N]);

#[derive(Debug)]
struct Client {
    stream: UnixStream,
    who: Credentials,
}

impl<const N: usize> Clients<N> {
    /// Gives a program a place and a reader on a thread of its own called `thread-N`, or tells it that there is none.
    ///
    /// The last that `read` posts has to be that the place is free.
    pub fn admit(
        &mut self,
        stream: UnixStream,
        thread: &str,
        read: impl FnOnce(u8, &UnixStream) + Send + 'static,
    ) {
        let Some(free) = self.0.iter().position(Option::is_none) else {
            return refuse(&stream, "420 too many programs on this socket, try again later\n");
        };
        match attend(free, &stream, thread, read) {
            Ok(who) => self.0[free] = Some(Client { stream, who }),
            Err(error) => refuse(&stream, &format!("500 cannot serve you: {error}\n")),
        }
    }

    /// Sends whole lines; a program that does not read them is cut off.
    pub fn send(&self, place: u8, lines: &str) {
        let Some(client) = self.at(place) else { return };
        if !matches!(send_now(&client.stream, lines.as_bytes()), Sent::Whole) {
            log::debug!("a program on the control socket does not read client={place}");
            let _ = client.stream.shutdown(Shutdown::Both);
        }
    }

    /// Who sits there, as the kernel knows it.
    pub fn who(&self, place: u8) -> Option<Credentials> {
        self.at(place).map(|client| client.who)
    }

    /// Its reader has spoken its last word: the place is free.
    pub fn dismiss(&mut self, place: u8) {
        if let Some(place) = self.0.get_mut(usize::from(place)) {
            *place = None;
        }
    }

    fn at(&self, place: u8) -> Option<&Client> {
        self.0.get(usize::from(place))?.as_ref()
    }
}

impl<const N: usize> Default for Clients<N> {
    fn default() -> Self {
        Self([const { None }; N])
    }
}

fn refuse(stream: &UnixStream, line: &str) {
    let _ = send_now(stream, line.as_bytes());
    let _ = stream.shutdown(Shutdown::Both);
}

fn attend(
    place: usize,
    stream: &UnixStream,
    thread: &str,
    read: impl FnOnce(u8, &UnixStream) + Send + 'static,
) -> io::Result<Credentials> {
    let place = u8::try_from(place).expect("there are fewer than 256 places");
    let who = credentials(stream)?;
    setsockopt(stream, sockopt::SndBuf, &SEND_BUFFER)?;
    let reader = stream.try_clone()?;
    spawn(format!("{thread}-{place}"), move || read(place, &reader))?;
    log::debug!("a program speaks to us client={place} {who}");
    Ok(who)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::ops::ControlFlow;
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::sys::lines::read_lines;

    fn heard(stream: &UnixStream) -> String {
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    }

    #[test]
    fn each_has_its_place_until_its_reader_has_ended() {
        let mut clients = Clients::<2>::default();
        let (post, mailbox) = sync_channel(8);
        let connect = |clients: &mut Clients<2>| {
            let (near, far) = UnixStream::pair().unwrap();
            let post = post.clone();
            clients.admit(near, "ctl", move |place, stream| {
                let _ = read_lines(stream, |line| {
                    post.send((place, format!("{line:?}"))).unwrap();
                    ControlFlow::Continue(())
                });
                post.send((place, "gone".into())).unwrap();
            });
            far
        };
        let first = connect(&mut clients);
        let mut second = connect(&mut clients);
        assert_eq!(heard(&connect(&mut clients)), "420 too many programs on this socket, try again later\n");
        second.write_all(b"HELP\n").unwrap();
        assert_eq!(mailbox.recv().unwrap(), (1, "Text(\"HELP\")".into()));
        clients.send(1, "214 end\n");
        assert_eq!(heard(&second), "214 end\n");
        assert_eq!(clients.who(1).map(|who| who.pid), Some(std::process::id().cast_signed()));
        drop(first);
        assert_eq!(mailbox.recv().unwrap(), (0, "gone".into()));
        clients.dismiss(0);
        assert_eq!(clients.who(0), None);
        drop(connect(&mut clients));
        assert_eq!(mailbox.recv().unwrap(), (0, "gone".into()));
    }

    #[test]
    fn a_program_that_does_not_read_is_cut_off() {
        let mut clients = Clients::<1>::default();
        let (near, far) = UnixStream::pair().unwrap();
        let (post, ended) = sync_channel(1);
        clients.admit(near, "ctl", move |_, stream| {
            let _ = read_lines(stream, |_| ControlFlow::Continue(()));
            post.send(()).unwrap();
        });
        let line = "x".repeat(1023) + "\n";
        (0..2_000).for_each(|_| clients.send(0, &line));
        ended.recv().unwrap();
        drop(far);
    }
}
