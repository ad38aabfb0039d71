//! What a station finds of its earlier runs when it starts, and where it keeps what comes.

use std::io;
use std::path::Path;

use vox_common::seal::identity::Identity;
use vox_common::sys::config::reason;
use vox_common::sys::key_file::{self, KeyError};
use vox_common::sys::state::StateDirectory;
use vox_common::sys::store::Store;
use vox_common::sys::{file, random};
use vox_common::wire::disk::Damaged;

use super::known;
use crate::agent::choices::Choices;
use crate::agent::io::Kept;
use crate::agent::known::KnownKeys;

/// All of it. A directory that cannot be written is no reason not to use what is in it.
pub(super) struct State {
    pub(super) identity: Identity,
    /// Where the key is. `None`: it is of this run alone.
    pub(super) key_file: Option<String>,
    pub(super) known: KnownKeys,
    pub(super) choices: Choices,
    pub(super) history: String,
    pub(super) messages: String,
    pub(super) found: Found,
}

/// The directory, and what was wrong with files in it.
pub(super) struct Found {
    directory: StateDirectory,
    damaged: Vec<Damaged>,
    /// Files that cannot be read, and stand in the way of what is kept under their names; and why.
    withheld: Vec<(&'static str, String)>,
}

impl State {
    /// Reads everything. What cannot be kept is said once, here.
    ///
    /// # Errors
    /// The directory is missing and cannot be made; or the key or the keys of others are there and cannot be read: without
    /// them this station would be another one, or everybody else.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let directory = StateDirectory::open(path);
        if let Some(why) = directory.refusal().filter(|_| directory.is_missing()) {
            return Err(format!("cannot write to {}: {why}, choose another state.directory", path.display()));
        }
        let (identity, is_kept) = identity(&directory)?;
        let mut found = Found { directory, damaged: Vec::new(), withheld: Vec::new() };
        let (known, damaged) = known::recall(path)?;
        found.damaged.extend(damaged);
        Ok(Self {
            identity,
            key_file: is_kept.then(|| path.join(key_file::NAME).display().to_string()),
            known,
            choices: found.choices(),
            history: found.text(Kept::History),
            messages: found.text(Kept::Messages),
            found,
        })
    }
}

/// The key of this station, and whether the next run has the same.
fn identity(directory: &StateDirectory) -> Result<(Identity, bool), String> {
    let path = directory.path().display();
    let (identity, why) = match key_file::load_or_make(directory.path()) {
        Ok(identity) => (Some(identity), directory.refusal().map(str::to_owned)),
        Err(KeyError::NotMade(error)) => (None, Some(reason(&error))),
        Err(KeyError::Wrong(error)) => return Err(error.to_string()),
    };
    let is_kept = identity.is_some();
    match why {
        Some(why) if !is_kept => log::warn!(
            "this station has a key for this run alone, and who remembers it will refuse the next one: cannot write to {path}: {why}"
        ),
        Some(why) => log::warn!(
            "keys, calls and messages that are new do not outlive a restart: cannot write to {path}: {why}; what is there is used"
        ),
        None if directory.is_in_memory() => log::warn!(
            "the key of this station and all that it keeps do not outlive a restart of the machine: {path} is in memory, choose another state.directory"
        ),
        None => {}
    }
    Ok((identity.unwrap_or_else(|| Identity::new(*random::secret())), is_kept))
}

impl Found {
    /// Starts the thread that keeps files there.
    pub(super) fn store(self) -> io::Result<Store> {
        let mut store = Store::start(self.directory)?;
        self.withheld.iter().for_each(|(file, why)| store.withhold(file, why));
        self.damaged.into_iter().for_each(|damaged| store.note_damage(damaged));
        Ok(store)
    }

    fn choices(&mut self) -> Choices {
        let (choices, damaged) = Choices::parse(&self.text(Kept::Settings));
        if damaged > 0 {
            let sentence = "what they set holds no more: set the status, the volume or the room again";
            log::warn!(
                "{damaged} lines of {} are damaged, and {sentence}",
                self.path(Kept::Settings).display()
            );
            let file = Kept::Settings.file();
            self.damaged.push(Damaged { file, lines: Some(damaged), sentence: sentence.to_owned() });
        }
        choices
    }

    /// A state file as it was kept. One that cannot be read is as good as none, and moved out of the way of the next text.
    fn text(&mut self, kept: Kept) -> String {
        let path = self.path(kept);
        file::read(&path).unwrap_or_else(|error| {
            self.put_aside(kept, &reason(&error));
            String::new()
        })
    }

    fn put_aside(&mut self, kept: Kept, why: &str) {
        let path = self.path(kept);
        let (shown, file) = (path.display(), kept.file());
        let moved = file::move_aside(&path, "unread").ok();
        let sentence = match &moved {
            Some(aside) => format!("cannot read {shown}: {why}, it is {} from now on", aside.display()),
            None => format!("cannot read {shown}: {why}"),
        };
        if moved.is_none() {
            self.withheld.push((file, format!("it cannot be read ({why}): mend it or move it away")));
        }
        log::warn!("{sentence}");
        self.damaged.push(Damaged { file, lines: None, sentence });
    }

    fn path(&self, kept: Kept) -> std::path::PathBuf {
        self.directory.path().join(kept.file())
    }
}
