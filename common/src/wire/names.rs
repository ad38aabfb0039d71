//! Names of users and rooms, and what people see instead of them.

use std::fmt;

use heapless::String as Text;

use super::limits::{DISPLAY_BYTES, DISPLAY_CHARS, NAME_BYTES};
use super::words;

/// A user's or a room's name: 1 to 32 bytes of `a-z 0-9 . _ -`, beginning with a letter.
///
/// Holding one is proof that it was checked, so nobody checks it again. Upper case is folded when it is read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Text<NAME_BYTES>);

/// What a name may be; the sentence behind `430`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadName;

impl Name {
    /// Reads a name as somebody typed it.
    ///
    /// # Errors
    /// [`BadName`] when it is empty, too long, begins with anything but a letter, or holds another character.
    pub fn parse(typed: &str) -> Result<Self, BadName> {
        let mut name = Text::new();
        for character in typed.chars() {
            name.push(allowed(character).ok_or(BadName)?).map_err(|_| BadName)?;
        }
        if name.starts_with(|first: char| first.is_ascii_lowercase()) { Ok(Self(name)) } else { Err(BadName) }
    }

    /// The folded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(character: char) -> Option<char> {
    let folded = character.to_ascii_lowercase();
    matches!(folded, 'a'..='z' | '0'..='9' | '.' | '_' | '-').then_some(folded)
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), out)
    }
}

impl fmt::Display for BadName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name is 1 to 32 of a-z 0-9 . _ - and begins with a letter")
    }
}

/// What people see instead of a name: 1 to 64 printable characters, [`DISPLAY_BYTES`] at most once it is written as a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(Text<DISPLAY_BYTES>);

impl DisplayName {
    /// Checks a display name in plain text.
    ///
    /// `None`: empty, too long, or with a character that is not seen but changes what is.
    pub fn new(text: &str) -> Option<Self> {
        let is_long = text.chars().count() > DISPLAY_CHARS || words::encode(text).len() > DISPLAY_BYTES;
        let is_fit = !text.is_empty() && !is_long && !text.chars().any(is_hidden);
        is_fit.then(|| Text::try_from(text).ok().map(Self))?
    }

    /// Reads a display name from a percent-encoded word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::new(&words::decode(word)?)
    }

    /// The plain text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as one word of a line.
    pub fn to_word(&self) -> String {
        words::encode(self.as_str())
    }
}

/// Control characters, ends of lines and paragraphs, and marks that turn the direction of the text (UAX #9): with these
/// one name could be shown as another.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_folded_and_kept_short() {
        let longest = "a".repeat(NAME_BYTES);
        for (typed, name) in [("Bob", "bob"), ("door-2.hall_b", "door-2.hall_b"), (&*longest, &*longest)] {
            assert_eq!(Name::parse(typed).expect(typed).as_str(), name);
        }
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        for typed in ["", "2bob", "-bob", "bob smith", "jo\u{e3}o", "bob\n", &"a".repeat(NAME_BYTES + 1)] {
            assert_eq!(Name::parse(typed), Err(BadName), "{typed:?}");
        }
    }

    #[test]
    fn a_display_name_is_printable_and_fits() {
        assert_eq!(DisplayName::from_word("Jo%C3%A3o").expect("printable").as_str(), "João");
        assert_eq!(DisplayName::new("João Silva").expect("printable").to_word(), "João%20Silva");
        for letter in ["x", "ü", "門", " ", "%"] {
            let longest = DisplayName::new(&letter.repeat(DISPLAY_CHARS)).expect(letter);
            assert!(longest.to_word().len() <= DISPLAY_BYTES);
            assert_eq!(DisplayName::from_word(&longest.to_word()), Some(longest));
            assert_eq!(DisplayName::new(&letter.repeat(DISPLAY_CHARS + 1)), None, "{letter}");
        }
        assert!(DisplayName::new(&"🚪".repeat(48)).is_some() && DisplayName::new(&"🚪".repeat(49)).is_none());
        for text in ["", "two\nlines", "bob\u{202e}ecila", "two\u{2028}lines", "\u{85}"] {
            assert_eq!(DisplayName::new(text), None, "{text:?}");
        }
    }
}
