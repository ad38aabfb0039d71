//! Requests are read in any case, and every mistake has a refusal of its own.

use proptest::prelude::*;

use super::*;

#[test]
fn names_and_hosts_are_told_apart() {
    let name = |word| Who::Name(Name::parse(word).expect("a name"));
    for (word, who) in [
        ("bob", name("bob")),
        ("Bob", name("bob")),
        ("door.hall", name("door.hall")),
        ("@bob", Who::Host("bob")),
        ("192.0.2.7", Who::Host("192.0.2.7")),
        ("192.0.2.7:6001", Who::Host("192.0.2.7:6001")),
        ("[2001:db8::7]:6000", Who::Host("[2001:db8::7]:6000")),
        ("2001:db8::7", Who::Host("2001:db8::7")),
        ("2nd.example", Who::Host("2nd.example")),
    ] {
        assert_eq!(Who::parse(word), Ok(who), "{word}");
    }
}

#[test]
fn requests_are_read_in_any_case() {
    let bob = Name::parse("bob").expect("a name");
    for (line, request) in [
        ("call @bob detach", Request::Call(Who::Host("bob"), true)),
        ("Volume out 200", Request::Volume(Way::Out, 200)),
        ("MUTE on ", Request::Mute(true)),
        ("set-status dnd", Request::SetStatus(Status::Dnd)),
        ("messages", Request::Messages),
        ("key ", Request::Key(None)),
        ("key Bob", Request::Key(Some(Who::Name(bob.clone())))),
        ("Forget bob", Request::Forget(Who::Name(bob.clone()))),
        ("VERIFY intercom.lan:5000", Request::Verify(Who::Host("intercom.lan:5000"))),
        ("echo  two  words ", Request::PassedOn(request::Request::Echo("two  words "))),
        ("say  two  words ", Request::PassedOn(request::Request::Say("two  words "))),
        ("Msg Bob  hi ", Request::PassedOn(request::Request::Msg(bob, "hi "))),
        ("leave ", Request::PassedOn(request::Request::Leave)),
    ] {
        assert_eq!(Request::parse(line), Ok(request), "{line}");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    for (line, code) in [
        ("", "501"),
        ("DANCE", "501"),
        ("CALL", "400"),
        ("CALL bob now", "400"),
        ("CALL b!b", "404"),
        ("VOLUME out 201", "400"),
        ("VOLUME up 20", "400"),
        ("STATUS all", "400"),
        ("SET-STATUS asleep", "400"),
        ("LOOKUP", "404"),
        ("MESSAGES 3", "400"),
        ("KEYS bob", "400"),
        ("KEY bob ann", "400 this request takes one word"),
        ("KEY b!b", "404"),
        ("FORGET", "400 say whose key"),
        ("VERIFY ", "400 say whose key"),
        ("MSG bob", "400 say something"),
        ("CREATE hall", "400 say it like this: CREATE <room> <capacity>"),
        ("CREATE hall 513", "432"),
        ("JOIN 2hall", "405"),
        ("LIST", "501"),
        ("REGISTER eve 6000", "501"),
    ] {
        let refusal = Request::parse(line).expect_err(line);
        assert!(refusal.starts_with(code), "{line}: {refusal}");
    }
}

#[test]
fn every_usage_is_a_request_that_is_known() {
    for usage in usages() {
        let verb = usage.split([' ', ':']).next().expect("a verb");
        assert!(!Request::parse(verb).is_err_and(|refusal| refusal.starts_with("501")), "{usage}");
    }
}

proptest! {
    #[test]
    fn no_line_is_too_strange_to_read(line in "\\PC{0,80}") {
        let _ = Request::parse(&line);
    }
}
