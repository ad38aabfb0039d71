//! A program at a daemon's control socket.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A connection to a control socket.
#[derive(Debug)]
pub struct Control {
    stream: BufReader<UnixStream>,
    events: VecDeque<String>,
}

impl Control {
    /// Connects; `None`: nobody answers there.
    pub fn connect(socket: &Path) -> Option<Self> {
        let stream = UnixStream::connect(socket).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket of our own");
        Some(Self { stream: BufReader::new(stream), events: VecDeque::new() })
    }

    /// Says a line and returns the lines of its answer; events in between are kept for [`Control::event`].
    pub fn ask(&mut self, line: &str) -> Vec<String> {
        self.say(line);
        let mut answer = Vec::new();
        while let Some(line) = self.read() {
            if line.starts_with("* ") {
                self.events.push_back(line);
                continue;
            }
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            answer.push(line);
            if is_last {
                break;
            }
        }
        answer
    }

    /// Says a line and waits for nothing.
    pub fn say(&mut self, line: &str) {
        self.stream.get_mut().write_all(format!("{line}\n").as_bytes()).expect("the daemon takes a line");
    }

    /// The next event; `None` after ten seconds of silence, or at the end of the connection.
    pub fn event(&mut self) -> Option<String> {
        self.events.pop_front().or_else(|| self.read())
    }

    /// All events so far that nobody has waited for.
    pub fn told(&mut self) -> Vec<String> {
        self.ask("HELP");
        self.events.drain(..).collect()
    }

    /// Waits for an event with all these words in it.
    pub fn wait_for(&mut self, words: &[&str]) -> String {
        self.wait_for_event(words, |event| words.iter().all(|word| has(event, word)))
    }

    /// Waits for an event with one of these words in it.
    pub fn wait_for_one_of(&mut self, words: &[&str]) -> String {
        self.wait_for_event(words, |event| words.iter().any(|word| has(event, word)))
    }

    fn wait_for_event(&mut self, words: &[&str], meant: impl Fn(&str) -> bool) -> String {
        let mut seen = Vec::new();
        while let Some(event) = self.event() {
            if meant(&event) {
                return event;
            }
            seen.push(event);
        }
        panic!("no event with {words:?} came, but {seen:#?}");
    }

    fn read(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.stream.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim_end().to_owned())
    }
}

fn has(event: &str, word: &str) -> bool {
    event.split(' ').any(|has| has == word)
}
