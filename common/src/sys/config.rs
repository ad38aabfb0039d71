//! Reading a configuration file, with refusals that an operator can act upon: file, line, key, and what is allowed.
//!
//! A program describes its file by reading it: [`Document::parse`] hands out the top [`Section`], each key is
//! asked for by name, and whatever was not asked for is refused at the end. So the list of keys stands once.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The longest file that is read. Longer: refused, for it is not one of ours.
const FILE_BYTES: u64 = 256 * 1024;

/// The longest piece of the file that a refusal repeats.
const QUOTED_CHARS: usize = 60;

/// One sentence for the operator: the file, the line, the key, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

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
}

impl Document {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be opened or read, is longer than 256 KiB, or is not UTF-8.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = slurp(path).map_err(|error| unreadable(path, &reason(&error)))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let line =
                error.as_bytes()[..error.utf8_error().valid_up_to()].split(|&byte| byte == b'\n').count();
            ConfigError(format!("{}:{line}: not UTF-8 text", path.display()))
        })?;
        Ok(Self::new(path, text))
    }

    /// A document that is at hand already; `path` stands in the refusals.
    pub fn new(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text }
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
        Section { document: self, name: "", table: top.into_inner(), keys: Vec::new(), sections: Vec::new() }
            .finish(read)
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

    /// A piece of the file as the operator wrote it, on one line and not too long.
    fn quote(&self, span: Range<usize>) -> String {
        let written = self.text.get(span).unwrap_or_default();
        let short: String = written.chars().take(QUOTED_CHARS).flat_map(escape_control).collect();
        if written.chars().nth(QUOTED_CHARS).is_some() { short + "…" } else { short }
    }
}

/// One `[section]` of a file, or its top.
pub struct Section<'a> {
    document: &'a Document,
    name: &'static str,
    table: DeTable<'a>,
    keys: Vec<&'static str>,
    sections: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The value of a key as `parse` reads it, or `default` when the key is not there.
    ///
    /// # Errors
    /// `parse` gave `None`: the refusal says what the file holds and what is `allowed`.
    pub fn value<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        default: T,
        parse: impl FnOnce(&Given) -> Option<T>,
    ) -> Result<T, ConfigError> {
        Ok(self.optional(key, allowed, parse)?.unwrap_or(default))
    }

    /// The value of a key that the file must have.
    ///
    /// # Errors
    /// As for [`Section::value`], and when the key is not there.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        parse: impl FnOnce(&Given) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let value = self.optional(key, allowed, parse)?;
        value.ok_or_else(|| self.refuse(&format!("{} is missing: it must be {allowed}", self.full_name(key))))
    }

    /// The value of a key, or `None` when it is not there.
    ///
    /// # Errors
    /// As for [`Section::value`].
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        parse: impl FnOnce(&Given) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.keys.push(key);
        let Some(value) = self.table.remove(key) else { return Ok(None) };
        self.parse_value(key, &value, allowed, parse).map(Some)
    }

    /// Hands a section inside this one to `read` (an empty one when the file has none).
    ///
    /// # Errors
    /// The name stands for something else than a section, or what `read` refuses, or a key it did not ask for.
    pub fn section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        self.sections.push(name);
        let table = self.table.remove(name).map_or(Ok(DeTable::new()), |value| self.table_of(name, value))?;
        Section { document: self.document, name, table, keys: Vec::new(), sections: Vec::new() }.finish(read)
    }

    /// Every key of a section whose keys are the operator's own, in alphabetical order.
    ///
    /// # Errors
    /// `parse` gave `None` for one of them.
    pub fn each<T>(
        &mut self,
        allowed: &str,
        mut parse: impl FnMut(&str, &Given) -> Option<T>,
    ) -> Result<Vec<T>, ConfigError> {
        let table = std::mem::take(&mut self.table);
        let read = |(key, value): (Spanned<Cow<'_, str>>, _)| {
            self.parse_value(key.get_ref(), &value, allowed, |given| parse(key.get_ref(), given))
        };
        table.into_iter().map(read).collect()
    }

    /// A refusal about this section as a whole: "contacts has 70 entries, but …".
    pub fn refuse(&self, sentence: &str) -> ConfigError {
        ConfigError(format!("{}: {sentence}", self.document.path.display()))
    }

    fn parse_value<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        allowed: &str,
        parse: impl FnOnce(&Given) -> Option<T>,
    ) -> Result<T, ConfigError> {
        parse(&Given::new(value.get_ref())).ok_or_else(|| {
            let written = self.document.quote(value.span());
            let sentence = format!("{} is {written}, but must be {allowed}", self.full_name(key));
            self.document.refuse(value.span().start, &sentence)
        })
    }

    fn table_of(&self, name: &str, value: Spanned<DeValue<'a>>) -> Result<DeTable<'a>, ConfigError> {
        let span = value.span();
        if let DeValue::Table(table) = value.into_inner() {
            return Ok(table);
        }
        let written = self.document.quote(span.clone());
        Err(self.document.refuse(span.start, &format!("{name} is {written}, but must be a section [{name}]")))
    }

    fn finish<T>(
        mut self,
        read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        let done = read(&mut self)?;
        match self.table.iter().min_by_key(|(key, _)| key.span().start) {
            None => Ok(done),
            Some((key, value)) => Err(self.unknown(key, value.get_ref())),
        }
    }

    fn unknown(&self, key: &Spanned<Cow<'_, str>>, value: &DeValue<'_>) -> ConfigError {
        let name: String = key.get_ref().chars().take(QUOTED_CHARS).flat_map(escape_control).collect();
        let sentence = match value {
            DeValue::Table(_) if self.name.is_empty() => {
                format!("[{name}] is not a section: there are {}", list(&self.sections))
            }
            _ if self.name.is_empty() => {
                format!("{name} is not a key: outside sections there are {}", list(&self.keys))
            }
            _ => format!("{} is not a key: [{}] has {}", self.full_name(&name), self.name, list(&self.keys)),
        };
        self.document.refuse(key.span().start, &sentence)
    }

    fn full_name(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

/// A value as the file gives it; each question answers `None` for a value of another kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Given(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Text(String),
    Flag(bool),
    Number(f64),
    Other,
}

impl Given {
    fn new(value: &DeValue<'_>) -> Self {
        Self(match value {
            DeValue::String(text) => Kind::Text(text.clone().into_owned()),
            DeValue::Boolean(flag) => Kind::Flag(*flag),
            DeValue::Float(float) => float.as_str().parse().map_or(Kind::Other, Kind::Number),
            DeValue::Integer(integer) => i32::from_str_radix(integer.as_str(), integer.radix())
                .map_or(Kind::Other, |number| Kind::Number(f64::from(number))),
            _ => Kind::Other,
        })
    }

    /// A string.
    pub fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.0 { Some(text) } else { None }
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        if let Kind::Flag(flag) = self.0 { Some(flag) } else { None }
    }

    /// Any number: 2.5, 10 and 10.0 alike.
    pub fn number(&self) -> Option<f64> {
        if let Kind::Number(number) = self.0 { Some(number) } else { None }
    }

    /// A whole number between two bounds, both allowed; 10.0 is one too.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and within the range of u32"
    )]
    pub fn whole(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let number = self.number().filter(|number| number.fract() == 0.0)?;
        let bounds = f64::from(*range.start())..=f64::from(*range.end());
        bounds.contains(&number).then_some(number as u32)
    }
}

/// Why the system refused, as a person would say it: "permission denied".
pub fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => Errno::from_raw(code).desc().to_lowercase(),
        None => error.to_string(),
    }
}

fn unreadable(path: &Path, why: &str) -> ConfigError {
    ConfigError(format!("cannot read {}: {why}", path.display()))
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

fn list(names: &[&str]) -> String {
    match names {
        [] => "none".into(),
        [only] => (*only).into(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
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
            ("count = 1\n[adio]\nx = 7", ":2: [adio] is not a section: there are audio and contacts"),
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
        assert_eq!(told("/nonexistent/x.toml"), "cannot read /nonexistent/x.toml: no such file or directory");
        assert_eq!(told("/"), "cannot read /: is a directory");
        assert_eq!(told("/dev/zero"), "cannot read /dev/zero: it is longer than 256 KiB");
    }
}
