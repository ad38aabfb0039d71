//! A section that remembers what it was asked for, and refuses the rest.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, Document, Given, QUOTED_CHARS, escape_control};

/// One `[section]` of a file, or its top.
pub struct Section<'a> {
    document: &'a Document,
    name: &'static str,
    /// Its place in the file. `None`: the top, or a section that is not there.
    start: Option<usize>,
    table: DeTable<'a>,
    keys: Vec<&'static str>,
    sections: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn top(document: &'a Document, table: DeTable<'a>) -> Self {
        Self { document, name: "", start: None, table, keys: Vec::new(), sections: Vec::new() }
    }

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
        value.ok_or_else(|| self.missing(key, allowed))
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
        let value = self.table.remove(name);
        let start = value.as_ref().map(|value| value.span().start);
        let table = value.map_or(Ok(DeTable::new()), |value| self.table_of(name, value))?;
        Section { name, start, ..Section::top(self.document, table) }.finish(read)
    }

    /// The absolute path that a key holds, or `default` when the key is not there.
    ///
    /// # Errors
    /// As for [`Section::value`].
    pub fn path(&mut self, key: &'static str, default: &Path) -> Result<PathBuf, ConfigError> {
        self.value(key, "a path that begins with /", default.into(), |given| {
            given.text().filter(|path| path.starts_with('/')).map(PathBuf::from)
        })
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
        match self.start {
            Some(start) => self.document.refuse(start, sentence),
            None => ConfigError(format!("{}: {sentence}", self.document.path.display())),
        }
    }

    /// Refuses the value of a key of any section that was read before, by its full name, with the line where it stands.
    pub fn refuse_value(&self, key: &str, allowed: &str) -> ConfigError {
        self.document.refuse_value(key, allowed)
    }

    /// Refuses a key whose case does not matter, and which stands twice.
    pub fn refuse_again(&self, key: &str) -> ConfigError {
        let name = self.full_name(key);
        let sentence = format!("{name} stands twice (case does not matter)");
        let places = self.document.places.borrow();
        let last =
            places.iter().filter(|(known, _)| known.eq_ignore_ascii_case(&name)).map(|(_, at)| at.start);
        last.max().map_or_else(|| self.refuse(&sentence), |start| self.document.refuse(start, &sentence))
    }

    /// What is wrong with a thing that a key of any section names, such as a file, with the line where it stands.
    pub fn refuse_about(&self, key: &str, fault: &ConfigError) -> ConfigError {
        self.document.refuse_about(key, fault)
    }

    fn parse_value<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        allowed: &str,
        parse: impl FnOnce(&Given) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let name = self.full_name(key);
        self.document.places.borrow_mut().push((name.clone(), value.span()));
        parse(&Given::new(value.get_ref())).ok_or_else(|| self.document.refuse_value(&name, allowed))
    }

    fn table_of(&self, name: &str, value: Spanned<DeValue<'a>>) -> Result<DeTable<'a>, ConfigError> {
        let span = value.span();
        if let DeValue::Table(table) = value.into_inner() {
            return Ok(table);
        }
        let written = self.document.quote(span.clone());
        Err(self.document.refuse(span.start, &format!("{name} is {written}, but must be a section [{name}]")))
    }

    /// Lets `read` ask for what it knows, and refuses the rest.
    pub(super) fn finish<T>(
        mut self,
        read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        let done = read(&mut self)?;
        match self.table.iter().min_by_key(|(key, _)| key.span().start) {
            None => Ok(done),
            Some((key, value)) => Err(self.unknown(key, value.get_ref())),
        }
    }

    /// A key that must be there is more often misspelt than left out.
    fn missing(&self, key: &'static str, allowed: &str) -> ConfigError {
        let is_meant = |given: &&Spanned<Cow<'_, str>>| meant(given.get_ref(), &[key]).is_some();
        match self.table.iter().map(|(given, _)| given).find(is_meant) {
            Some(given) => {
                let name = self.full_name(&shown(given));
                let sentence = format!("{name} is not a key: did you mean {key}?");
                self.document.refuse(given.span().start, &sentence)
            }
            None => self.refuse(&format!("{} is missing: it must be {allowed}", self.full_name(key))),
        }
    }

    fn unknown(&self, key: &Spanned<Cow<'_, str>>, value: &DeValue<'_>) -> ConfigError {
        let name = shown(key);
        let is_section = matches!(value, DeValue::Table(_)) && self.name.is_empty();
        let sentence = match meant(&name, if is_section { &self.sections } else { &self.keys }) {
            Some(section) if is_section => format!("[{name}] is not a section: did you mean [{section}]?"),
            Some(key) => format!("{} is not a key: did you mean {key}?", self.full_name(&name)),
            None => self.unlike_any(&name, is_section),
        };
        self.document.refuse(key.span().start, &sentence)
    }

    fn unlike_any(&self, name: &str, is_section: bool) -> String {
        if is_section {
            format!("[{name}] is not a section: there are {}", list(&self.sections))
        } else if self.name.is_empty() {
            format!("{name} is not a key: outside sections there are {}", list(&self.keys))
        } else {
            format!("{} is not a key: [{}] has {}", self.full_name(name), self.name, list(&self.keys))
        }
    }

    fn full_name(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

/// A key as it is told: on one line and not too long.
fn shown(key: &Spanned<Cow<'_, str>>) -> String {
    key.get_ref().chars().take(QUOTED_CHARS).flat_map(escape_control).collect()
}

/// The name that somebody meant who wrote this: one that differs by a slip of the finger or two (optimal string alignment).
fn meant<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
    let slips = |name: &&str| strsim::osa_distance(written, name);
    let nearest = names.iter().copied().min_by_key(slips)?;
    (slips(&nearest) <= 2.min(nearest.len() / 3)).then_some(nearest)
}

fn list(names: &[&str]) -> String {
    match names {
        [] => "none".into(),
        [only] => (*only).into(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
