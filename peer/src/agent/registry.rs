//! What the registry tells, and what that means for the address book, for people, and for the log.

use vox_common::wire::keys::PublicKey;
use vox_common::wire::names::Name;
use vox_common::wire::reply::ReplyLine;
use vox_common::wire::words::encode;

use super::Agent;
use super::book::AddressBook;
use super::calls::Me;
use super::desk::Desk;
use super::dice::Dice;
use super::front::Front;
use super::io::{Kept, Moment, Out, Output};
use super::known::Full;
use super::link::{Link, LinkNews, LinkOut, Memory};
use super::messages::Message;

impl Agent {
    /// What the link tells of the address book and of look-ups is taken in after it has finished speaking.
    pub(super) fn with_link(
        &mut self,
        now: Moment,
        out: Out<'_>,
        act: impl FnOnce(&mut Link, &mut Dice, LinkOut<'_>),
    ) {
        let Self { link, dice, front, calls, logged_reason, .. } = self;
        let (mut looked_up, mut registered, mut moved) = (None, None, None);
        act(link, dice, &mut |news| match news {
            LinkNews::LookedUp(reply) => looked_up = Some((reply.code, reply.text.to_owned())),
            LinkNews::Moved(client, line) => moved = Some((client, line.to_owned())),
            LinkNews::StatusIs(status) => calls.book.set_status(&calls.me.name, status),
            LinkNews::LostRoom(room, why) => lost_room(front, &calls.me, &room, why, out),
            news => {
                if let LinkNews::Registered(_, key) = news {
                    registered = Some(key);
                }
                learn(&mut calls.book, front, now, &news, out);
                note_reason(logged_reason, &news, out);
                link_out(out)(news);
            }
        });
        if let Some((client, line)) = moved {
            self.keep_choices_and_answer(client, &line, out);
        }
        if let Some(key) = registered {
            self.note_registrys_key(now, key, out);
        }
        if let Some((code, text)) = looked_up {
            self.looked_up(now, ReplyLine { code, more: false, text: &text }, out);
        }
    }
}

impl Agent {
    /// What is remembered of the registry's key.
    pub(super) fn memory_of_registry(&self) -> Memory {
        self.registry.as_ref().and_then(|whom| self.calls.known.find(whom)).into()
    }

    /// Remembers the key of a registry that has sealed its lines with it for the first time, and says where there is
    /// none.
    fn note_registrys_key(&mut self, now: Moment, key: Option<PublicKey>, out: Out<'_>) {
        let Some(whom) = &self.registry else { return };
        let Some(key) = key else {
            let sentence = format!(
                "lines to the registry are not sealed, anybody on the way can read and change them address={}",
                whom.word()
            );
            return out(Output::Log(log::Level::Warn, &sentence));
        };
        let words = format!("fingerprint={} address={}", key.fingerprint(), whom.word());
        match self.calls.known.learn(whom, key, now.unix) {
            Ok(false) => {}
            Ok(true) => {
                let sentence = format!("the registry's key is trusted on its first use {words}");
                out(Output::Log(log::Level::Info, &sentence));
                out(Output::Keep(Kept::KnownKeys, &self.calls.known.to_string()));
            }
            Err(Full) => {
                let sentence = format!("no more keys can be remembered, and the registry's is not {words}");
                out(Output::Log(log::Level::Warn, &sentence));
            }
        }
    }
}

fn learn(book: &mut AddressBook, front: &mut Front, now: Moment, news: &LinkNews<'_>, out: Out<'_>) {
    match news {
        LinkNews::ListBegins => book.begin_listing(),
        LinkNews::Listed(entry) => book.listed(entry.clone()),
        LinkNews::ListEnds => book.end_listing(),
        LinkNews::Event(event, line) => {
            book.learn(event);
            front.desk.tell(None, line, out);
            if let Some(message) = Message::of(event, now.unix) {
                front.take_message(message, out);
            }
        }
        LinkNews::Registered(_, key) => {
            let sealed = if key.is_some() { "yes" } else { "no" };
            front.desk.tell(None, &format!("* LINK up sealed={sealed}"), out);
        }
        LinkNews::Down(why) => {
            book.went_stale(now.at);
            front.desk.tell(None, &format!("* LINK down reason={}", encode(why)), out);
        }
        _ => {}
    }
}

/// Told as the registry would tell it of somebody else, and why.
fn lost_room(front: &Front, me: &Me, room: &Name, why: &str, out: Out<'_>) {
    let event = format!("* EXITED {room} {} reason={}", me.name, encode(why));
    front.desk.tell(None, &event, out);
    out(Output::Log(log::Level::Warn, &format!("room does not take us back room={room} reason={why:?}")));
}

fn note_reason(logged: &mut String, news: &LinkNews<'_>, out: Out<'_>) {
    match news {
        LinkNews::Registered(text, _) => {
            logged.clear();
            out(Output::Log(log::Level::Info, &format!("registry has us words={text:?}")));
        }
        LinkNews::Down(why) if logged != why => {
            (*why).clone_into(logged);
            out(Output::Log(log::Level::Warn, &format!("registry is away reason={why:?}")));
        }
        _ => {}
    }
}

/// Passes on what the link wants done; what it tells of the book is taken in elsewhere.
pub(super) fn link_out(out: Out<'_>) -> impl FnMut(LinkNews<'_>) {
    move |news| match news {
        LinkNews::Connect => out(Output::Connect),
        LinkNews::Disconnect => out(Output::Disconnect),
        LinkNews::Send(line) => out(Output::ToRegistry(line)),
        LinkNews::Seal(sealer, opener) => out(Output::Seal(sealer, opener)),
        LinkNews::Answer(client, line) => Desk::answer(client, line, out),
        _ => {}
    }
}
