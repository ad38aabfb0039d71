//! Everything that is read from one line or one word, but for requests to a daemon (`requests.rs`): what was read is written
//! as something that is read as the same.

use std::fmt::{Debug, Display};

use vox_common::wire::admin::Ban;
use vox_common::wire::control::Who;
use vox_common::wire::event::{Event, Heard};
use vox_common::wire::keys::{Fingerprint, PublicKey};
use vox_common::wire::limits::LINE_BYTES;
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::proof::Proof;
use vox_common::wire::reply::{Greeting, ReplyLine};
use vox_common::wire::request::Request;
use vox_common::wire::secure::{Answer, Offer};
use vox_common::wire::signal::{CallId, Cookie, Hello, Reason, Sealed, Tag};
use vox_common::wire::users::{Entry, Found, Status};
use vox_common::wire::words;
use vox_peer::agent::known::Known;

/// Every line of a text, as each kind of line and of word.
pub fn holds(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for line in text.lines().filter(|line| line.len() < LINE_BYTES && !line.chars().any(char::is_control)) {
        are_lines(line);
        are_words(line);
    }
}

fn are_lines(line: &str) {
    let request = |line: &str| Request::parse(line).ok().map(|request| request.to_string());
    stays(line, request);
    stays(line, |line| Event::parse(line).map(|event| event.to_string()));
    stays(line, |line| ReplyLine::parse(line).map(|reply| reply.to_string()));
    stays(line, |line| Greeting::parse(line).map(|greeting| greeting.to_string()));
    is_read_again(line, Entry::parse);
    is_read_again(line, Found::parse);
    is_read_again(line, Known::parse);
    is_read_again(line, |line| Hello::parse(line).ok());
    let _ = Heard::parse(line);
}

fn are_words(word: &str) {
    is_read_again(word, PublicKey::parse);
    is_read_again(word, Fingerprint::parse);
    is_read_again(word, |word| Name::parse(word).ok());
    is_read_again(word, Status::parse);
    is_read_again(word, Ban::parse);
    is_read_again(word, CallId::parse);
    is_read_again(word, Reason::parse);
    is_read_again(word, Sealed::parse);
    is_read_again(word, Tag::parse);
    is_read_again(word, Offer::parse);
    is_read_again(word, Answer::parse);
    stays(word, |word| Proof::parse(word).map(|proof| proof.to_string()));
    stays(word, |word| Cookie::parse(word).map(|cookie| cookie.as_str().to_owned()));
    stays(word, |word| DisplayName::from_word(word).map(|name| name.to_word()));
    let _ = (Who::parse(word), words::value(word, "key"));
    assert_eq!(words::decode(&words::encode(word)).as_deref(), Some(word), "encoded and decoded");
}

/// For what borrows from its line: writing what was read of a written line changes nothing.
fn stays(line: &str, written: impl Fn(&str) -> Option<String>) {
    let Some(first) = written(line) else { return };
    assert_eq!(written(&first).as_deref(), Some(first.as_str()), "of {line:?}");
}

fn is_read_again<T: PartialEq + Debug + Display>(line: &str, parse: impl Fn(&str) -> Option<T>) {
    let Some(read) = parse(line) else { return };
    assert_eq!(parse(&read.to_string()).as_ref(), Some(&read), "of {line:?}");
}
