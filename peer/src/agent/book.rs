//! The address book: what the registry told, kept while the registry is away, and the contacts of the file.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use heapless::Vec;
use vox_common::wire::event::Event;
use vox_common::wire::limits::{MAX_CONTACTS, MAX_USERS};
use vox_common::wire::names::Name;
use vox_common::wire::users::{Entry, Status};

/// A contact of the configuration file: a name, and the host (with or without a port) where it lives.
pub type Contact = (Name, String);

/// Who is where.
#[derive(Debug, Default)]
pub struct AddressBook {
    contacts: Vec<Contact, MAX_CONTACTS>,
    /// At the brim, users beyond the registry's own bound are not kept; LOOKUP still finds them.
    users: Box<Vec<Known, MAX_USERS>>,
    /// Since when it is not kept up to date. `None`: it is.
    stale: Option<Instant>,
    /// How often an address came or went.
    changes: u64,
}

#[derive(Debug)]
struct Known {
    entry: Entry,
    /// Named in the listing that is coming in.
    fresh: bool,
}

impl AddressBook {
    /// Nothing but the contacts; those beyond [`MAX_CONTACTS`] were refused with the file.
    pub fn new(contacts: impl IntoIterator<Item = Contact>) -> Self {
        Self { contacts: contacts.into_iter().take(MAX_CONTACTS).collect(), ..Self::default() }
    }

    /// The host that the file gives for a name.
    pub fn contact(&self, name: &Name) -> Option<&str> {
        self.contacts.iter().find(|(known, _)| known == name).map(|(_, host)| host.as_str())
    }

    /// What the registry told of a name, now or when it was last there.
    pub fn find(&self, name: &Name) -> Option<&Entry> {
        self.users().find(|entry| entry.name == *name)
    }

    /// Everybody the registry told of.
    pub fn users(&self) -> impl Iterator<Item = &Entry> {
        self.users.iter().map(|known| &known.entry)
    }

    /// Whether somebody is listed there, or a contact is given by that address.
    pub fn lives_at(&self, address: IpAddr) -> bool {
        let is_contact = |(_, host): &Contact| address_of(host) == Some(address);
        self.users().any(|entry| entry.address.ip() == address) || self.contacts.iter().any(is_contact)
    }

    /// All of these addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let contacts = self.contacts.iter().filter_map(|(_, host)| address_of(host));
        self.users().map(|entry| entry.address.ip()).chain(contacts)
    }

    /// Another number whenever they may have changed.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Since when the registry is away.
    pub fn stale_since(&self) -> Option<Instant> {
        self.stale
    }

    /// A listing begins: whoever is not in it is gone.
    pub fn begin_listing(&mut self) {
        for known in self.users.iter_mut() {
            known.fresh = false;
        }
    }

    /// One line of the listing.
    pub fn listed(&mut self, entry: Entry) {
        self.keep(entry);
    }

    /// The listing is complete.
    pub fn end_listing(&mut self) {
        self.stale = None;
        self.changes += 1;
        self.users.retain(|known| known.fresh);
    }

    /// The registry is away: what is known stays in use.
    pub fn went_stale(&mut self, now: Instant) {
        self.stale.get_or_insert(now);
    }

    /// Somebody came, went or changed status.
    pub fn learn(&mut self, event: &Event<'_>) {
        match event {
            Event::Joined(entry) => self.keep(entry.clone()),
            Event::Left(name) => {
                self.changes += 1;
                self.users.retain(|known| known.entry.name != *name);
            }
            Event::Status(name, status) => self.set_status(name, *status),
            // Words and rooms are not about where anybody is.
            _ => {}
        }
    }

    fn keep(&mut self, entry: Entry) {
        self.changes += 1;
        match self.users.iter_mut().find(|known| known.entry.name == entry.name) {
            Some(known) => *known = Known { entry, fresh: true },
            None => drop(self.users.push(Known { entry, fresh: true })),
        }
    }

    /// Somebody says something else about being called; we ourselves, for one.
    pub fn set_status(&mut self, name: &Name, status: Status) {
        if let Some(known) = self.users.iter_mut().find(|known| known.entry.name == *name) {
            known.entry.status = status;
        }
    }
}

/// The address that a host is written as, if it is no name.
fn address_of(host: &str) -> Option<IpAddr> {
    let address: SocketAddr = host.parse().ok()?;
    Some(address.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        Entry::parse(text).expect(text)
    }

    fn names(book: &AddressBook) -> std::vec::Vec<String> {
        book.users().map(|entry| entry.name.to_string()).collect()
    }

    #[test]
    fn a_new_listing_replaces_the_old_one_and_keeps_who_came_meanwhile() {
        let mut book = AddressBook::default();
        book.begin_listing();
        book.listed(entry("bob 192.0.2.7:6000 idle -"));
        book.listed(entry("eve 192.0.2.8:6000 idle -"));
        book.end_listing();
        book.went_stale(vox_common::sys::clock::now());
        assert_eq!(names(&book), ["bob", "eve"]);
        book.begin_listing();
        book.learn(&Event::Joined(entry("zoe 192.0.2.9:6000 away -")));
        book.listed(entry("bob 192.0.2.7:6001 dnd -"));
        book.end_listing();
        assert_eq!(names(&book), ["bob", "zoe"]);
        assert_eq!(book.find(&Name::parse("bob").unwrap()).unwrap().address.port(), 6001);
        assert_eq!(book.stale_since(), None);
    }

    #[test]
    fn who_left_is_gone_and_a_status_is_learned() {
        let mut book = AddressBook::default();
        book.learn(&Event::Joined(entry("bob 192.0.2.7:6000 idle -")));
        book.learn(&Event::Status(Name::parse("bob").unwrap(), Status::Dnd));
        assert_eq!(book.users().next().unwrap().status, Status::Dnd);
        book.learn(&Event::Left(Name::parse("bob").unwrap()));
        assert_eq!(names(&book), [""; 0]);
    }

    #[test]
    fn a_full_book_forgets_nobody_it_knows() {
        let mut book = AddressBook::default();
        for n in 0..=MAX_USERS {
            book.learn(&Event::Joined(entry(&format!("u{n} 192.0.2.7:{} idle -", n + 1))));
        }
        assert_eq!(book.users().count(), MAX_USERS);
        assert!(book.find(&Name::parse("u0").unwrap()).is_some());
    }
}
