//! Files that people write or that we kept: every text is taken or refused in one sentence that says where.

use std::path::Path;

use vox_common::sys::config::Document;
use vox_peer::agent::choices::Choices;
use vox_peer::agent::history::History;
use vox_peer::agent::known::KnownKeys;
use vox_peer::agent::messages::Messages;
use vox_peer::config::{Config as Peer, Places};
use vox_registry::config::Config as Registry;

/// One text, as each of the files.
pub fn holds(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = Path::new("x.toml");
    let document = Document::new(file, text.to_owned());
    is_taken_or_refused(Peer::parse(&document, &Places::default()).map(drop));
    is_taken_or_refused(Registry::parse(&document, Path::new("/state")).map(drop));
    let _ = (History::parse(text), Messages::parse(text));
    known_keys_stay(text);
    choices_stay(text);
}

fn is_taken_or_refused<E: ToString>(read: Result<(), E>) {
    let Err(sentence) = read.map_err(|error| error.to_string()) else { return };
    assert!(sentence.starts_with("x.toml"), "{sentence:?} does not say where");
    assert!(!sentence.chars().any(char::is_control), "{sentence:?} is not one line");
}

/// What a file of choices still says is kept as such.
fn choices_stay(text: &str) {
    let (choices, _) = Choices::parse(text);
    assert_eq!(Choices::parse(&choices.to_string()), (choices, 0));
}

/// What a damaged file still says is kept as such, and no line of it is lost by keeping it.
fn known_keys_stay(text: &str) {
    let (keys, _) = KnownKeys::parse(text);
    let kept = keys.to_string();
    assert_eq!(KnownKeys::parse(&kept).0.to_string(), kept);
}
