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

/// Places that only root's programs may take: a crowd of others, who may speak here too, must not lock out whoever comes to
/// look after the machine.
const ROOT_ONLY: usize = 1;

/// The programs that are connected, each in its place, which is its number. At the brim a program is refused with 420; for
/// others than root the brim is one place earlier.
#[derive(Debug)]
pub struct Clients<const N: usize> {
    places: [Option<Client>; N],
    /// So many programs have had a place.
    sessions: u64,
}

#[derive(Debug)]
struct Client {
    stream: UnixStream,
    who: Credentials,
    session: u64,
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
        let admitted = credentials(&stream).and_then(|who| match self.place_for(who) {
            Some(free) => attend(free, who, &stream, thread, read).map(|()| Some((free, who))),
            None => Ok(None),
        });
        match admitted {
            Ok(Some((free, who))) => {
                self.sessions += 1;
                self.places[free] = Some(Client { stream, who, session: self.sessions });
            }
            Ok(None) => refuse(&stream, "420 too many programs on this socket, try again later\n"),
            Err(error) => refuse(&stream, &format!("500 cannot serve you: {error}\n")),
        }
    }

    /// A free place that this program may take.
    fn place_for(&self, who: Credentials) -> Option<usize> {
        let kept = if who.is_root() { 0 } else { ROOT_ONLY };
        let mut free = (0..N).filter(|&place| self.places[place].is_none());
        let first = free.next()?;
        (free.count() >= kept).then_some(first)
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

    /// Which program sits there, of all that ever came: the number of its session.
    pub fn session(&self, place: u8) -> Option<u64> {
        self.at(place).map(|client| client.session)
    }

    /// Its reader has spoken its last word: the place is free.
    pub fn dismiss(&mut self, place: u8) {
        if let Some(place) = self.places.get_mut(usize::from(place)) {
            *place = None;
        }
    }

    fn at(&self, place: u8) -> Option<&Client> {
        self.places.get(usize::from(place))?.as_ref()
    }
}

impl<const N: usize> Default for Clients<N> {
    fn default() -> Self {
        Self { places: [const { None }; N], sessions: 0 }
    }
}

fn refuse(stream: &UnixStream, line: &str) {
    let _ = send_now(stream, line.as_bytes());
    let _ = stream.shutdown(Shutdown::Both);
}

fn attend(
    place: usize,
    who: Credentials,
    stream: &UnixStream,
    thread: &str,
    read: impl FnOnce(u8, &UnixStream) + Send + 'static,
) -> io::Result<()> {
    let place = u8::try_from(place).expect("there are fewer than 256 places");
    setsockopt(stream, sockopt::SndBuf, &SEND_BUFFER)?;
    let reader = stream.try_clone()?;
    spawn(format!("{thread}-{place}"), move || read(place, &reader))?;
    log::debug!("a program speaks to us client={place} {who}");
    Ok(())
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

    fn program(uid: u32) -> Client {
        let (stream, _far) = UnixStream::pair().unwrap();
        Client { stream, who: Credentials { pid: 1, uid, gid: uid }, session: 0 }
    }

    /// Fills the table with programs of these users, and tells who may take another place.
    fn places_beside(users: &[u32]) -> [Option<usize>; 2] {
        let mut clients = Clients::<4>::default();
        users.iter().enumerate().for_each(|(place, uid)| clients.places[place] = Some(program(*uid)));
        [0, 1000].map(|uid| clients.place_for(program(uid).who))
    }

    #[test]
    fn the_last_place_is_for_root() {
        assert_eq!(places_beside(&[1000; 2]), [Some(2); 2]);
        assert_eq!(places_beside(&[1000; 3]), [Some(3), None]);
        assert_eq!(places_beside(&[1000, 1000, 0]), [Some(3), None]);
        assert_eq!(places_beside(&[1000, 1000, 1000, 0]), [None, None]);
    }

    #[test]
    fn each_has_its_place_until_its_reader_has_ended() {
        let mut clients = Clients::<3>::default();
        let (post, mailbox) = sync_channel(8);
        let connect = |clients: &mut Clients<3>| {
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
        clients.places[2] = Some(program(0));
        assert_eq!(heard(&connect(&mut clients)), "420 too many programs on this socket, try again later\n");
        second.write_all(b"HELP\n").unwrap();
        assert_eq!(mailbox.recv().unwrap(), (1, "Text(\"HELP\")".into()));
        clients.send(1, "214 end\n");
        assert_eq!(heard(&second), "214 end\n");
        assert_eq!(clients.who(1).map(|who| who.pid), Some(std::process::id().cast_signed()));
        drop(first);
        assert_eq!(mailbox.recv().unwrap(), (0, "gone".into()));
        clients.dismiss(0);
        assert_eq!((clients.who(0), clients.session(0), clients.session(1)), (None, None, Some(2)));
        drop(connect(&mut clients));
        assert_eq!(mailbox.recv().unwrap(), (0, "gone".into()));
    }

    #[test]
    fn a_program_that_does_not_read_is_cut_off() {
        let mut clients = Clients::<2>::default();
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
