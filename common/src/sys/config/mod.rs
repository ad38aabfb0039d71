//! Reading a configuration file, with refusals that an operator can act upon: file, line, key, and what is allowed.
//!
//! A program describes its file by reading it: [`Document::parse`] hands out the top [`Section`], each key is
//! asked for by name, and whatever was not asked for is refused at the end. So the list of keys stands once.

mod given;
mod section;

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use toml::de::DeTable;

pub use self::given::Given;
pub use self::section::Section;

/// The longest file that is read. Longer: refused, for it is not one of ours.
const FILE_BYTES: u64 = 256 * 1024;

/// The longest piece of the file that a refusal repeats.
const QUOTED_CHARS: usize = 60;

/// One sentence for the operator: the file, the line, the key, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    /// About another file that the configuration names.
    pub(super) fn new(sentence: String) -> Self {
        Self(sentence)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// A configuration file as text.
#[derive(Debug, Clone)]
pub struct Document {
    path: PathBuf,
    text: String,
    /// The places of the values that were asked for, by full name (`audio.ptime-ms`): a refusal that takes several keys to
    /// find has a line, too.
    places: RefCell<Vec<(String, Range<usize>)>>,
}

impl Document {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be opened or read, is longer than 256 KiB, or is not UTF-8.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = slurp(path).map_err(|error| unreadable(path, &error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let line =
                error.as_bytes()[..error.utf8_error().valid_up_to()].split(|&byte| byte == b'\n').count();
            ConfigError(format!("{}:{line}: not UTF-8 text", path.display()))
        })?;
        Ok(Self::new(path, text))
    }

    /// A document that is at hand already; `path` stands in the refusals.
    pub fn new(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text, places: RefCell::default() }
    }

    /// Hands the top section to `read` and refuses every key that it did not ask for.
    ///
    /// # Errors
    /// The text is not TOML, or a key or value is refused.
    pub fn parse<T>(
        &self,
        read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        let top = DeTable::parse(&self.text).map_err(|error| self.not_toml(&error))?;
        Section::top(self, top.into_inner()).finish(read)
    }

    fn not_toml(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or_default();
        let said = error.message().replace('\n', "; ");
        match said.as_str() {
            "duplicate key" => self.refuse(span.start, &format!("{} stands twice", self.quote(span))),
            _ => self.refuse(span.start, &format!("this is not TOML: {said}")),
        }
    }

    fn refuse(&self, place: usize, sentence: &str) -> ConfigError {
        let line = 1 + self.text.bytes().take(place).filter(|&byte| byte == b'\n').count();
        ConfigError(format!("{}:{line}: {sentence}", self.path.display()))
    }

    /// Refuses the value of a key that was asked for, by its full name; `allowed` is what it must be, and why.
    fn refuse_value(&self, key: &str, allowed: &str) -> ConfigError {
        let places = self.places.borrow();
        match places.iter().find(|(known, _)| known == key) {
            Some((_, place)) => {
                let written = self.quote(place.clone());
                self.refuse(place.start, &format!("{key} is {written}, but must be {allowed}"))
            }
            None => ConfigError(format!("{}: {key} must be {allowed}", self.path.display())),
        }
    }

    /// What is wrong with a thing that a key names, such as a file: with the line of the key, if it is there.
    pub fn refuse_about(&self, key: &str, fault: &ConfigError) -> ConfigError {
        let places = self.places.borrow();
        match places.iter().find(|(known, _)| known == key) {
            Some((_, place)) => self.refuse(place.start, &format!("{key}: {fault}")),
            None => ConfigError(format!("{}: {key}: {fault}", self.path.display())),
        }
    }

    /// A piece of the file as the operator wrote it, on one line and not too long.
    fn quote(&self, span: Range<usize>) -> String {
        let written = self.text.get(span).unwrap_or_default();
        let short: String = written.chars().take(QUOTED_CHARS).flat_map(escape_control).collect();
        if written.chars().nth(QUOTED_CHARS).is_some() { short + "…" } else { short }
    }
}

/// Why the system refused, as a person would say it: "permission denied".
pub fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => Errno::from_raw(code).desc().to_lowercase(),
        None => error.to_string(),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    let hint = if error.kind() == io::ErrorKind::NotFound { ", write it or name another" } else { "" };
    ConfigError(format!("cannot read {}: {}{hint}", path.display(), reason(error)))
}

fn slurp(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        Err(io::Error::other("it is longer than 256 KiB"))
    } else {
        Ok(bytes)
    }
}

fn escape_control(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(f64, u32, bool, Vec<String>), String> {
        let document = Document::new(Path::new("/etc/vox/x.toml"), text.into());
        document.parse(read).map_err(|error| error.to_string())
    }

    fn read(top: &mut Section<'_>) -> Result<(f64, u32, bool, Vec<String>), ConfigError> {
        let count = top.required("count", "1 to 9", |given| given.whole(1..=9))?;
        let (ptime, on) = top.section("audio", |audio| {
            let ptime = audio.value("ptime-ms", "2.5, 5, 10 or 20", 10.0, |given| {
                given.number().filter(|ptime| [2.5, 5.0, 10.0, 20.0].contains(ptime))
            })?;
            Ok((ptime, audio.value("on", "true or false", false, Given::flag)?))
        })?;
        let contacts = top.section("contacts", |contacts| {
            contacts.each("an address", |key, given| Some(format!("{key}={}", given.text()?)))
        })?;
        Ok((ptime, count, on, contacts))
    }

    #[test]
    fn numbers_may_be_written_in_any_way() {
        for (written, ptime) in [("2.5", 2.5), ("10", 10.0), ("10.0", 10.0), ("0x5", 5.0), ("1e1", 10.0)] {
            let text = format!("count = 3.0\n[audio]\nptime-ms = {written}");
            assert_eq!(parse(&text), Ok((ptime, 3, false, vec![])), "{written}");
        }
    }

    #[test]
    fn a_section_may_be_written_with_dots_and_contacts_are_free() {
        let text = "count = 1\naudio.on = true\n[contacts]\nbob = \"b\"\nann = \"a\"";
        assert_eq!(parse(text), Ok((10.0, 1, true, vec!["ann=a".into(), "bob=b".into()])));
    }

    #[test]
    fn every_refusal_names_file_line_key_and_what_is_allowed() {
        for (text, sentence) in [
            ("count = 1\n\n[audio]\nptime-ms = 7", ":4: audio.ptime-ms is 7, but must be 2.5, 5, 10 or 20"),
            (
                "count = 1\n[audio]\nptime-ms = \"10\"",
                ":3: audio.ptime-ms is \"10\", but must be 2.5, 5, 10 or 20",
            ),
            ("count = 1\n[audio]\nptime-ms = nan", ":3: audio.ptime-ms is nan, but must be 2.5, 5, 10 or 20"),
            ("count = 1\n[audio]\non = 1", ":3: audio.on is 1, but must be true or false"),
            ("count = 0", ":1: count is 0, but must be 1 to 9"),
            ("count = 4294967297", ":1: count is 4294967297, but must be 1 to 9"),
            ("count = -1", ":1: count is -1, but must be 1 to 9"),
            ("count = 1.5", ":1: count is 1.5, but must be 1 to 9"),
            ("\n[audio]", ": count is missing: it must be 1 to 9"),
            ("count = 1\n[audio]\nptime = 7", ":3: audio.ptime is not a key: [audio] has ptime-ms and on"),
            ("count = 1\nspeed = 7", ":2: speed is not a key: outside sections there are count"),
            ("coutn = 1", ":1: coutn is not a key: did you mean count?"),
            ("count = 1\n[audio]\nptime-sm = 7", ":3: audio.ptime-sm is not a key: did you mean ptime-ms?"),
            ("count = 1\n[adio]\nx = 7", ":2: [adio] is not a section: did you mean [audio]?"),
            ("count = 1\n[video]\nx = 7", ":2: [video] is not a section: there are audio and contacts"),
            ("audio = 5\ncount = 1", ":1: audio is 5, but must be a section [audio]"),
            ("count = 1\n[contacts]\nbob = 5", ":3: contacts.bob is 5, but must be an address"),
            ("count = 1\ncount = 2", ":2: count stands twice"),
            ("count = 1\n[audio]\non = true\non = true", ":4: on stands twice"),
        ] {
            assert_eq!(parse(text), Err(format!("/etc/vox/x.toml{sentence}")), "{text}");
        }
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        for (text, line) in [("count", 1), ("count = 1\n[audio", 2), ("count = 1\n\nx = \"a", 3), ("=", 1)] {
            let refusal = parse(text).expect_err(text);
            let start = format!("/etc/vox/x.toml:{line}: this is not TOML: ");
            assert!(refusal.starts_with(&start) && !refusal.contains('\n'), "{text:?}: {refusal}");
        }
    }

    #[test]
    fn a_refusal_is_one_short_line_whatever_the_file_holds() {
        let text = format!("count = \"\"\"a\n{}\"\"\"", "x".repeat(500));
        let refusal = parse(&text).expect_err("not a number");
        assert!(refusal.len() < 200 && !refusal.contains('\n'), "{refusal}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_in_one_sentence() {
        let told = |path: &str| Document::read(Path::new(path)).expect_err(path).to_string();
        assert_eq!(
            told("/nonexistent/x.toml"),
            "cannot read /nonexistent/x.toml: no such file or directory, write it or name another"
        );
        assert_eq!(told("/"), "cannot read /: is a directory");
        assert_eq!(told("/dev/zero"), "cannot read /dev/zero: it is longer than 256 KiB");
    }
}
