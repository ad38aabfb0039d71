//! Names of users and rooms, and what people see instead of them.

use std::fmt;

use heapless::String as Text;

use super::limits::{DISPLAY_BYTES, NAME_BYTES};
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

/// What people see instead of a name: printable UTF-8, 1 to 64 bytes before it is percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(Text<DISPLAY_BYTES>);

impl DisplayName {
    /// Checks a display name in plain text.
    ///
    /// `None`: empty, longer than 64 bytes, or with a control character.
    pub fn new(text: &str) -> Option<Self> {
        let printable = !text.is_empty() && !text.chars().any(char::is_control);
        printable.then(|| Text::try_from(text).ok().map(Self))?
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
        assert_eq!(DisplayName::new("João Silva").expect("printable").to_word(), "Jo%C3%A3o%20Silva");
        assert!(DisplayName::new(&"x".repeat(DISPLAY_BYTES)).is_some());
        for text in ["", "two\nlines", &"x".repeat(DISPLAY_BYTES + 1)] {
            assert_eq!(DisplayName::new(text), None, "{text:?}");
        }
    }
}
