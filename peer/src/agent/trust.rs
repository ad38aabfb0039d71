//! What people ask and say about keys: KEY, KEYS, FORGET and VERIFY.

use std::fmt::Write;

use vox_common::wire::control::Who;
use vox_common::wire::words::encode;

use super::Agent;
use super::desk::Desk;
use super::io::{ClientId, Kept, Moment, Out, Output};
use super::known::Known;

impl Agent {
    pub(super) fn show_own_key(&self, client: ClientId, out: Out<'_>) {
        let file = self.key_file.as_ref().map_or_else(|| "-".to_owned(), |file| encode(file));
        let (name, key) = (&self.calls.me().name, self.key);
        let fingerprint = key.fingerprint();
        let text = format!("234-self {name} fingerprint={fingerprint} key={key} file={file}\n234 end");
        Desk::answer(client, &text, out);
    }

    pub(super) fn show_key(&self, client: ClientId, who: &Who<'_>, out: Out<'_>) {
        match self.calls.known.meant_by(who) {
            Some(known) => Desk::answer(client, &format!("234-{}\n234 end", told(known)), out),
            None => not_known(client, who, out),
        }
    }

    pub(super) fn show_keys(&self, now: Moment, client: ClientId, out: Out<'_>) {
        let known = &self.calls.known;
        let mut text =
            known.iter().fold(String::new(), |text, known| text + &format!("234-{}\n", told(known)));
        let remark = self.front.disk.remark(Kept::KnownKeys.file(), now.at);
        let _ = write!(text, "234 {} keys{remark}", known.iter().count());
        Desk::answer(client, &text, out);
    }

    pub(super) fn forget_key(&mut self, client: ClientId, who: &Who<'_>, out: Out<'_>) {
        let meant = self.calls.known.meant_by(who).map(|known| known.whom.clone());
        let Some(known) = meant.and_then(|whom| self.calls.known.forget(&whom)) else {
            return not_known(client, who, out);
        };
        let word = known.whom.word();
        out(Output::Log(log::Level::Info, &format!("a key was forgotten {}", told(&known))));
        let answer = format!("200 forgot the key of {word}, the next one is trusted on its first use");
        self.keep_and_answer(client, &answer, out);
    }

    pub(super) fn verify_key(&mut self, now: Moment, client: ClientId, who: &Who<'_>, out: Out<'_>) {
        let Some(whom) = self.calls.known.meant_by(who).map(|known| known.whom.clone()) else {
            return not_known(client, who, out);
        };
        let word = whom.word();
        let Some(key) = self.calls.known.verify(&whom, now.unix) else {
            let answer =
                format!("409 what was remembered of {word}'s key is damaged, try `vox-peer forget {word}`");
            return Desk::answer(client, &answer, out);
        };
        let fingerprint = key.fingerprint();
        let log = format!("a key was verified with={word} fingerprint={fingerprint}");
        out(Output::Log(log::Level::Info, &log));
        self.keep_and_answer(client, &format!("200 verified {word} {fingerprint}"), out);
    }

    /// Whoever hears that a key is forgotten or verified can pull the plug.
    fn keep_and_answer(&self, client: ClientId, answer: &str, out: Out<'_>) {
        out(Output::KeepAndAnswer(Kept::KnownKeys, &self.calls.known.to_string(), client, answer));
    }
}

fn not_known(client: ClientId, who: &Who<'_>, out: Out<'_>) {
    let word = match who {
        Who::Name(name) => name.as_str(),
        Who::Host(host) => host,
    };
    let answer = format!("404 no key of {word} is known, `vox-peer keys` lists those that are");
    Desk::answer(client, &answer, out);
}

/// The words of one key: `peer|host|registry <word> fingerprint=… key=… first-seen=<unix> verified=yes|no verified-at=<unix or ->`.
fn told(known: &Known) -> String {
    let Known { whom, key, first_seen, verified } = known;
    let Some(key) = key else {
        return format!("{whom} fingerprint=- key=- first-seen=- verified=no verified-at=-");
    };
    let verified = match verified {
        Some(unix) => format!("verified=yes verified-at={unix}"),
        None => "verified=no verified-at=-".to_owned(),
    };
    let fingerprint = key.fingerprint();
    format!("{whom} fingerprint={fingerprint} key={key} first-seen={first_seen} {verified}")
}
