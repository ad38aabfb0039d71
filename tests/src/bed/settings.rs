//! A configuration file of a daemon under test.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Keys such as `audio.input`, or `name` at the top, and their values.
#[derive(Debug, Clone, Default)]
pub struct Settings(BTreeMap<String, BTreeMap<String, String>>);

impl Settings {
    /// Sets a key; the last one counts.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        let (section, key) = key.rsplit_once('.').unwrap_or(("", key));
        self.0.entry(section.to_owned()).or_default().insert(key.to_owned(), value.into().0);
        self
    }

    /// The file, in TOML.
    pub fn to_toml(&self) -> String {
        let mut toml = String::new();
        for (section, keys) in &self.0 {
            if !section.is_empty() {
                let _ = writeln!(toml, "[{section}]");
            }
            for (key, value) in keys {
                let _ = writeln!(toml, "{key} = {value}");
            }
        }
        toml
    }
}

/// A value as TOML writes it.
#[derive(Debug, Clone)]
pub struct Value(String);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self(value.to_string())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self(format!("{value:?}"))
    }
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(texts: [&str; N]) -> Self {
        Self(format!("[{}]", texts.map(|text| Self::from(text).0).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn keys_at_the_top_stand_before_every_section() {
        let mut settings = Settings::default();
        settings.set("audio.input", "tone:440").set("name", "al\"ice").set("audio.ptime-ms", 2.5);
        assert_eq!(
            settings.to_toml(),
            "name = \"al\\\"ice\"\n[audio]\ninput = \"tone:440\"\nptime-ms = 2.5\n"
        );
    }
}
