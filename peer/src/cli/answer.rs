//! `vox-peer answer`: whom one talks to now, and what there is to compare.

use std::io;

use vox_common::cli::client::Answer;
use vox_common::cli::fields::Fields;
use vox_common::cli::screen::Screen;
use vox_common::cli::sections::parts;

use super::{event, trust};

/// What the station says of the call that was answered, for people.
pub(super) fn show(answer: &Answer, screen: &mut Screen) -> io::Result<()> {
    lines(&answer.last).iter().try_for_each(|line| screen.line(line))
}

fn lines(answer: &str) -> Vec<String> {
    let fields = Fields::read(answer, &["answered", "name", "call"]);
    let name = fields.value("name");
    let talking = event::call("talking", &event::person(name, &fields));
    let talking = parts([Some(talking), trust::key(&fields)]);
    std::iter::once(talking).chain(trust::compare(&fields, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_reads_whom_they_talk_to_and_what_to_compare() {
        let said = |words: &str| {
            lines(&format!("answered alice 0a fingerprint=SHA256:0 {words} words=one-two-three-four"))
        };
        let words = "four words: one two three four";
        let compare = format!("{words}; if alice reads the same ones, `vox-peer verify alice`");
        assert_eq!(said("trust=new sealed=yes"), ["talking with alice, new key SHA256:0", &compare]);
        let shown = said("display=Alice%20A. trust=known sealed=yes");
        assert_eq!(shown, ["talking with Alice A. (alice), known key SHA256:0", &compare]);
        assert_eq!(said("trust=known sealed=yes"), ["talking with alice, known key SHA256:0", &compare]);
        let open = "NOT ENCRYPTED: everybody on the way can listen";
        assert_eq!(
            said("trust=verified sealed=no"),
            ["talking with alice, verified key SHA256:0", open, words]
        );
    }
}
