//! Dialogues as files, that run against a core and against a real program alike.
//!
//! ```text
//! # prose
//! = max-users 2                    a setting, for whoever starts the program
//! C1: REGISTER bob 6000            client 1 says; it connects when it is first named
//! S1: 200 registered bob …:6000    client 1 hears exactly this next, where … is anything
//! C1 leaves                        client 1 vanishes
//! S1 closes                        the program ends client 1's connection
//! ```

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
#[derive(Debug)]
pub struct Transcript {
    name: String,
    settings: Vec<(String, String)>,
    steps: Vec<(usize, Step)>,
}

#[derive(Debug)]
enum Step {
    Say(u16, String),
    Hear(u16, String),
    Leave(u16),
    Closed(u16),
}

/// What a dialogue is held with.
pub trait Party {
    /// Sends a line from a client, which connects first if it is new.
    fn say(&mut self, client: u16, line: &str);
    /// The next line to a client, which connects first if it is new; `None`: nothing came, or the end.
    fn hear(&mut self, client: u16) -> Option<String>;
    /// The client vanishes.
    fn leave(&mut self, client: u16);
    /// Whether nothing more comes to the client because its connection was ended.
    fn is_closed(&mut self, client: u16) -> bool;
}

impl Transcript {
    /// All transcripts of a directory below `tests/transcripts`.
    pub fn all(directory: &str) -> Vec<Self> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts").join(directory);
        let entries = fs::read_dir(directory).expect("the directory of transcripts");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "there are transcripts");
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a transcript");
        let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
        let mut transcript = Self { name, settings: Vec::new(), steps: Vec::new() };
        for (number, line) in (1..).zip(text.lines()) {
            transcript.add(number, line);
        }
        transcript
    }

    fn add(&mut self, number: usize, line: &str) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if let Some(setting) = line.strip_prefix("= ") {
            let (key, value) = setting.split_once(' ').expect("a key and a value");
            self.settings.push((key.into(), value.into()));
            return;
        }
        let step = Step::parse(line).unwrap_or_else(|| panic!("{}:{number}: no step: {line}", self.name));
        self.steps.push((number, step));
    }

    /// What it asks of whoever starts the program.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Holds the dialogue.
    ///
    /// # Panics
    /// The other side did not keep to it; with file and line.
    pub fn hold(&self, with: &mut impl Party) {
        for (number, step) in &self.steps {
            let Err(heard) = step.perform(with) else { continue };
            panic!("{}:{number}: expected {step:?}, but heard {heard:?}", self.name);
        }
    }
}

impl Step {
    fn parse(line: &str) -> Option<Self> {
        if let Some((who, words)) = line.split_once(": ") {
            let client = who[1..].parse().ok()?;
            return match who.as_bytes()[0] {
                b'C' => Some(Self::Say(client, words.into())),
                b'S' => Some(Self::Hear(client, words.into())),
                _ => None,
            };
        }
        match line.split_once(' ')? {
            (who, "leaves") => Some(Self::Leave(who.strip_prefix('C')?.parse().ok()?)),
            (who, "closes") => Some(Self::Closed(who.strip_prefix('S')?.parse().ok()?)),
            _ => None,
        }
    }

    /// The error is what was heard instead.
    fn perform(&self, with: &mut impl Party) -> Result<(), Option<String>> {
        match self {
            Self::Say(client, line) => with.say(*client, line),
            Self::Leave(client) => with.leave(*client),
            Self::Closed(client) if with.is_closed(*client) => {}
            Self::Closed(client) => return Err(with.hear(*client)),
            Self::Hear(client, pattern) => {
                let heard = with.hear(*client);
                if !heard.as_deref().is_some_and(|line| matches(pattern, line)) {
                    return Err(heard);
                }
            }
        }
        Ok(())
    }
}

/// Whether a line is as the pattern says, in which `…` is any text.
fn matches(pattern: &str, line: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('…') else {
        return pattern == line;
    };
    let Some(line) = line.strip_prefix(first) else {
        return false;
    };
    let mut ends = line.char_indices().map(|(index, _)| index).chain([line.len()]);
    ends.any(|end| matches(rest, &line[end..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn an_ellipsis_is_any_text() {
        for (pattern, line, expected) in [
            ("200 pong", "200 pong", true),
            ("200 pong", "200 pong!", false),
            ("220 vox-registry … vox …", "220 vox-registry 0.1.0 vox 00ff", true),
            ("220 …", "220 ", true),
            ("…:6000", "200 bob 127.0.0.1:6000", true),
            ("…:6000", "200 bob 127.0.0.1:60000", false),
        ] {
            assert_eq!(matches(pattern, line), expected, "{pattern} {line}");
        }
    }
}
