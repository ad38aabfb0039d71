//! Replies have their lines, and clients read what was written.

use super::*;
use crate::wire::users::tests::longest;
use proptest::prelude::*;

#[test]
fn every_reply_has_its_line() {
    let [bob, hall] = ["bob", "hall"].map(|name| Name::parse(name).unwrap());
    for (reply, line) in [
        (Reply::Registered(&bob, "10.0.0.1:6000".parse().unwrap()), "200 registered bob 10.0.0.1:6000"),
        (Reply::Secure(&Answer([0; 48])), &format!("200 secure {}", "A".repeat(64))),
        (Reply::Status(Status::Dnd), "200 status is dnd"),
        (Reply::Watching(true), "200 watching"),
        (Reply::Watching(false), "200 not watching"),
        (Reply::Delivered, "200 delivered"),
        (Reply::DeliveredTo(3), "200 delivered to 3"),
        (Reply::Created(&hall), "200 created hall"),
        (Reply::Joined(&hall), "200 joined hall"),
        (Reply::Left(&hall), "200 left hall"),
        (Reply::Room(&hall, 2, 12), "212-hall 2/12"),
        (Reply::Rooms(1), "212 1 rooms"),
        (Reply::Member(&bob), "213-bob"),
        (Reply::Members(1), "213 1 members"),
        (Reply::SaidTo(11), "200 said to 11"),
        (Reply::Counter("messages", 7), "215-messages 7"),
        (Reply::StatsEnd, "215 end"),
        (Reply::Pong(""), "200 pong"),
        (Reply::Pong("1 2"), "200 pong 1 2"),
        (Reply::Echo("hello"), "200 hello"),
        (Reply::Users(0), "210 0 users"),
        (Reply::Help(Verb::Ping), "214-PING [text]: answers pong"),
        (Reply::Goodbye(Some(&bob)), "221 goodbye bob"),
        (Reply::Goodbye(None), "221 goodbye"),
        (Reply::Refused(Refusal::NoSuchUser), "404 no such user"),
    ] {
        assert_eq!(reply.to_string(), line);
    }
}

#[test]
fn a_listed_user_is_as_long_as_said() {
    assert_eq!(Reply::User(&longest()).to_string().len() + 1, LISTED_USER_BYTES);
}

#[test]
fn a_client_reads_the_parts_of_a_line() {
    for (line, parts) in [
        ("200 registered bob", Some((200, false, "registered bob"))),
        ("210-bob", Some((210, true, "bob"))),
        ("200", Some((200, false, ""))),
        ("200 ", Some((200, false, ""))),
        ("20", None),
        ("+20 x", None),
        ("2000", None),
        ("20é", None),
        ("* JOINED", None),
        ("SSH-2.0", None),
    ] {
        let read = ReplyLine::parse(line).map(|reply| (reply.code, reply.more, reply.text));
        assert_eq!(read, parts, "{line}");
    }
}

#[test]
fn a_greeting_of_another_program_is_none() {
    for text in [
        "ESMTP Postfix",
        "vox-registry 1 vox",
        "vox-registry 1 vox 00",
        "vox-registry 1 vox +0000000000000000000000000000000",
        "vox-registry 1 vox 00000000000000000000000000000000 key=short",
        "vox-registry 1 vox 00000000000000000000000000000000 key= key=",
    ] {
        assert_eq!(Greeting::parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_greeting_is_read_as_it_was_written(
        version in "[0-9.]{1,9}",
        name in "[a-z]{1,32}",
        nonce: [u8; 16],
        key: Option<[u8; 32]>,
    ) {
        let key = key.map(PublicKey);
        let greeting = Greeting { version: &version, name: &name, nonce: Nonce(nonce), key };
        let line = greeting.to_string();
        prop_assert_eq!(Greeting::parse(&line), Some(greeting));
    }

    #[test]
    fn a_line_is_read_as_it_was_written(code in 0_u16..1000, more: bool, text in "\\PC{0,80}") {
        let reply = ReplyLine { code, more, text: &text };
        let line = reply.to_string();
        prop_assert_eq!(ReplyLine::parse(&line), Some(reply));
    }

    #[test]
    fn no_line_is_too_strange_to_read(line in "\\PC{0,80}") {
        let _ = ReplyLine::parse(&line);
    }
}
