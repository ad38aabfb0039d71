//! Errands: what may take long and is done once, on a thread of its own that posts what it found.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use vox_common::sys::net::plain_here;
use vox_common::sys::thread::spawn_roomy;

use super::mail::{Mail, Mailbox};
use crate::agent::io::{ClientId, Ticket};
use crate::audio;

/// Errands at once: one that asks a resolver that stands still may take a minute. At the brim an errand is refused.
const MOST: usize = 16;

/// All errands under way; each holds the thing that is counted.
#[derive(Debug, Default)]
pub struct Errands(Arc<()>);

impl Errands {
    /// Asks the resolver for `host:port`.
    ///
    /// # Errors
    /// There is no room for another errand.
    pub fn resolve(&self, ticket: Ticket, host: &str, mailbox: &Mailbox) -> io::Result<()> {
        let (host, mailbox) = (host.to_owned(), mailbox.clone());
        self.run("resolve", move || {
            let found =
                host.to_socket_addrs().map(|found| found.map(plain_here).collect::<Vec<SocketAddr>>());
            let _ = mailbox.send(Mail::Resolved(ticket, found.map_err(|error| unresolved(&error))));
        })
    }

    /// Lists the sound devices for a program on the control socket.
    ///
    /// # Errors
    /// There is no room for another errand.
    pub fn list_devices(&self, client: ClientId, mailbox: &Mailbox) -> io::Result<()> {
        let mailbox = mailbox.clone();
        self.run("devices", move || {
            let devices = audio::list();
            let lines =
                devices.iter().fold(String::new(), |lines, device| lines + &format!("232-{device}\n"));
            let _ = mailbox.send(Mail::Devices(client, format!("{lines}232 {} devices", devices.len())));
        })
    }

    fn run(&self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        if Arc::strong_count(&self.0) > MOST {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let place = Arc::clone(&self.0);
        let work = move || {
            work();
            drop(place);
        };
        spawn_roomy(name, work).map(drop)
    }
}

/// What getaddrinfo(3) says, without its name.
fn unresolved(error: &io::Error) -> String {
    let text = error.to_string();
    let why = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    match why {
        "Name or service not known" | "No address associated with hostname" => "no such host".to_owned(),
        "Temporary failure in name resolution" => "the name server does not answer".to_owned(),
        why => why.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_resolver_that_stands_still_takes_so_many_threads_and_no_more() {
        let errands = Errands::default();
        let (answers, frozen): (Vec<_>, Vec<_>) = (0..MOST).map(|_| channel::<()>()).unzip();
        for answer in frozen {
            errands.run("frozen", move || _ = answer.recv()).unwrap();
        }
        assert!(errands.run("one more", || ()).is_err());
        drop(answers);
        while errands.run("again", || ()).is_err() {
            std::thread::yield_now();
        }
    }
}
