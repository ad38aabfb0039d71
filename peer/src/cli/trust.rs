//! What a person is told of who is at the other end: the key, whether it was compared, and whether others can listen.

use vox_common::cli::fields::Fields;

/// `acorn-bridge-lemon-zebra` as it is read aloud.
pub(super) fn words(fields: &Fields) -> Option<String> {
    fields.find("words").map(|words| words.replace('-', " "))
}

/// That everybody on the way can listen, where it is so.
pub(super) fn open(fields: &Fields) -> Option<String> {
    (fields.value("sealed") == "no").then(|| "NOT ENCRYPTED".to_owned())
}

/// What is thought of the key, and the key.
pub(super) fn key(fields: &Fields) -> Option<String> {
    let key = fields.find("fingerprint")?;
    Some(match fields.value("trust") {
        "verified" => format!("verified key {key}"),
        "known" => format!("known key {key}"),
        "new" => format!("new key {key}"),
        "no-room" => format!("new key {key}, which is not remembered: too many are, forget one"),
        "changed" => format!("another key than the one that is known, {key}"),
        "unlisted" => format!("another key than the registry lists, {key}"),
        other => format!("{other} key {key}"),
    })
}

/// What to say when a call begins, a line each: what is new or wrong, and the words to compare. `typed` is who was called.
pub(super) fn lines(fields: &Fields, typed: &str) -> Vec<String> {
    let name = fields.value("name");
    let news = match fields.value("trust") {
        "new" | "no-room" => key(fields).map(|key| format!("{name} has a {key}")),
        _ => None,
    };
    news.into_iter().chain(compare(fields, typed)).collect()
}

/// That others can listen, where it is so, and the words to compare with whoever is known as `typed`.
pub(super) fn compare(fields: &Fields, typed: &str) -> impl Iterator<Item = String> {
    let name = fields.value("name");
    let open = open(fields).map(|open| format!("{open}: everybody on the way can listen"));
    let compare = match fields.value("trust") {
        "verified" => String::new(),
        _ => format!("; if {name} reads the same ones, `vox-peer verify {typed}`"),
    };
    let words = words(fields).map(|words| format!("four words: {words}{compare}"));
    open.into_iter().chain(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> Vec<String> {
        lines(&Fields::read(&format!("bob {words}"), &["name"]), "@door")
    }

    #[test]
    fn a_call_begins_with_what_there_is_to_compare() {
        let compare = "four words: one two three four; if bob reads the same ones, `vox-peer verify @door`";
        assert_eq!(
            said("fingerprint=SHA256:0 trust=new sealed=yes words=one-two-three-four"),
            ["bob has a new key SHA256:0", compare]
        );
        assert_eq!(said("fingerprint=SHA256:0 trust=known sealed=yes words=one-two-three-four"), [compare]);
        assert_eq!(
            said("fingerprint=SHA256:0 trust=verified sealed=no words=one-two-three-four"),
            ["NOT ENCRYPTED: everybody on the way can listen", "four words: one two three four"]
        );
        assert_eq!(said(""), [""; 0]);
    }

    #[test]
    fn every_thought_of_a_key_is_said() {
        for (trust, said) in [
            ("verified", "verified key SHA256:0"),
            ("known", "known key SHA256:0"),
            ("new", "new key SHA256:0"),
            ("no-room", "new key SHA256:0, which is not remembered: too many are, forget one"),
            ("changed", "another key than the one that is known, SHA256:0"),
            ("unlisted", "another key than the registry lists, SHA256:0"),
        ] {
            let fields = Fields::read(&format!("fingerprint=SHA256:0 trust={trust}"), &[]);
            assert_eq!(key(&fields).as_deref(), Some(said));
        }
    }
}
