//! Who may ring here (`[call] allow`).

use vox_common::wire::names::Name;

use super::known::Verdict;

/// Whose calls are taken; everybody else is told that they are not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Allow {
    /// Everybody's.
    #[default]
    Anyone,
    /// Of those whose key is remembered: who was talked to before.
    Known,
    /// Of those who have these names, at most [`MAX_ALLOWED`](vox_common::wire::limits::MAX_ALLOWED). The first key that comes
    /// with a name is the one that counts from then on.
    Only(Box<[Name]>),
}

impl Allow {
    /// Whether somebody of this name may ring, whose key was judged like this.
    pub fn admits(&self, name: &Name, verdict: Verdict) -> bool {
        match self {
            Self::Anyone => true,
            Self::Known => verdict.is_known(),
            Self::Only(names) => names.contains(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_ring_is_a_matter_of_the_key_or_of_the_name() {
        let [bob, zoe] = ["bob", "zoe"].map(|name| Name::parse(name).unwrap());
        let (known, new) = (Verdict::Known { verified: false }, Verdict::New);
        let only_bob = Allow::Only([bob.clone()].into());
        for (allow, name, verdict, admitted) in [
            (&Allow::Anyone, &zoe, new, true),
            (&Allow::Known, &zoe, new, false),
            (&Allow::Known, &zoe, known, true),
            (&only_bob, &bob, new, true),
            (&only_bob, &zoe, known, false),
            (&Allow::Only([].into()), &bob, known, false),
        ] {
            assert_eq!(allow.admits(name, verdict), admitted, "{allow:?} {name} {verdict:?}");
        }
    }
}
