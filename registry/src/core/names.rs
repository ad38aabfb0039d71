//! Which name belongs to which key (`[access] mode = "keys"`): to the one with which it was taken first.

use heapless::Vec;
use vox_common::wire::keys::{KEY_BYTES, PublicKey};
use vox_common::wire::limits::{MAX_BOUND_NAMES, NAME_BYTES};
use vox_common::wire::names::Name;
use vox_common::wire::refusal::Bar;
use vox_common::wire::request::Registration;

use super::tables::LISTING_BYTES;

const _: () = assert!(MAX_BOUND_NAMES * (NAME_BYTES + 1 + KEY_BYTES + 1) <= LISTING_BYTES);

/// Names and their keys. At the brim no name is bound any more, and an administrator has to forget one.
#[derive(Debug)]
pub(super) struct Names(Vec<(Name, PublicKey), MAX_BOUND_NAMES>);

impl Names {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether somebody who has proved to hold this key may have this name.
    pub(super) fn may_take(&self, registration: &Registration, proved: Option<PublicKey>) -> Result<(), Bar> {
        let told = registration.key.ok_or(Bar::KeyNeeded)?;
        let key = proved.filter(|key| *key == told).ok_or(Bar::KeyProofNeeded)?;
        match self.key_of(&registration.name) {
            Some(bound) if bound == key => Ok(()),
            Some(_) => Err(Bar::WrongKey),
            None if self.0.is_full() => Err(Bar::NamesFull),
            None => Ok(()),
        }
    }

    /// From now on the name belongs to the key, unless it belongs to one already. `true`: that is new.
    pub(super) fn bind(&mut self, name: &Name, key: PublicKey) -> bool {
        self.key_of(name).is_none() && self.0.push((name.clone(), key)).is_ok()
    }

    /// The name is free again. `false`: it was.
    pub(super) fn forget(&mut self, name: &Name) -> bool {
        let before = self.0.len();
        self.0.retain(|(bound, _)| bound != name);
        self.0.len() < before
    }

    /// Reads the text of the state file; how many lines of it are none of ours.
    pub(super) fn recall(&mut self, text: &str) -> usize {
        text.lines().filter(|line| self.recall_line(line).is_none()).count()
    }

    fn recall_line(&mut self, line: &str) -> Option<()> {
        let (name, key) = line.split_once(' ')?;
        self.bind(&Name::parse(name).ok()?, PublicKey::parse(key)?).then_some(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Name, PublicKey)> {
        self.0.iter().map(|(name, key)| (name, *key))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn key_of(&self, name: &Name) -> Option<PublicKey> {
        self.0.iter().find(|(bound, _)| bound == name).map(|(_, key)| *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_damaged_file_loses_only_its_damaged_lines() {
        let mut names = Names::new();
        let (first, second) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let text = format!("bob {first}\n\0\0 garbage\nann {second}\nbob {second}\ncarol");
        assert_eq!(names.recall(&text), 3);
        assert!(names.iter().eq([(&name("bob"), first), (&name("ann"), second)]));
    }

    #[test]
    fn a_name_belongs_to_its_first_key_until_it_is_forgotten() {
        let mut names = Names::new();
        assert!(names.bind(&name("bob"), PublicKey([1; 32])));
        assert!(!names.bind(&name("bob"), PublicKey([2; 32])));
        assert!(names.forget(&name("bob")) && !names.forget(&name("bob")));
        assert!(names.bind(&name("bob"), PublicKey([2; 32])));
    }
}
