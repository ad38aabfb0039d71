//! Words of a line: spaces between them, `key=value` among them, percent-encoding inside them.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What cannot stand in a word as it is: white space, the percent sign, and control characters.
const NOT_IN_A_WORD: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'"');

/// Writes any text as one word without spaces. Letters of all scripts stand as they are: lines are UTF-8.
pub fn encode(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut word, character| {
        if character.is_ascii() || character.is_control() {
            word.extend(utf8_percent_encode(character.encode_utf8(&mut [0; 4]), NOT_IN_A_WORD));
        } else {
            word.push(character);
        }
        word
    })
}

/// Reads a word back. `None`: what it stands for is not UTF-8.
pub fn decode(word: &str) -> Option<String> {
    percent_decode_str(word).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Takes the first word off a line: the word, and the rest without the spaces before it.
pub fn split_first(line: &str) -> (&str, &str) {
    let line = line.trim_start_matches(' ');
    match line.split_once(' ') {
        Some((word, rest)) => (word, rest.trim_start_matches(' ')),
        None => (line, ""),
    }
}

/// The value of `key=value` among the words of a line.
///
/// # Errors
/// The same key twice: a reader who takes the first and one who takes the last would disagree.
pub fn value<'a>(words: &'a str, key: &str) -> Result<Option<&'a str>, RepeatedKey> {
    let mut values = words.split(' ').filter_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    let first = values.next();
    if values.next().is_some() { Err(RepeatedKey) } else { Ok(first) }
}

/// A `key=` stood twice in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedKey;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_as_a_word() {
        for text in ["", "João da Silva", "100 %", "a=b", "tab\there", "\u{1f600}", "next\u{85}line"] {
            let word = encode(text);
            assert!(!word.contains(|character: char| character == ' ' || character.is_control()), "{word:?}");
            assert_eq!(decode(&word).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_word_that_hides_bytes_outside_utf8_is_refused() {
        assert_eq!(decode("%ff"), None);
    }

    #[test]
    fn words_are_separated_by_one_or_more_spaces() {
        assert_eq!(split_first("  MSG   bob  two  words "), ("MSG", "bob  two  words "));
        assert_eq!(split_first("QUIT"), ("QUIT", ""));
    }

    #[test]
    fn a_repeated_key_is_no_value() {
        assert_eq!(value("key=a port=6 key=b", "key"), Err(RepeatedKey));
        assert_eq!(value("key=a port=6", "port"), Ok(Some("6")));
        assert_eq!(value("monkey=a", "key"), Ok(None));
    }
}
