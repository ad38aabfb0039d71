//! Lines that are sealed from one line on: the shell has the keys, and the core says when.

use vox_common::wire::refusal::{Bar, Refusal};
use vox_common::wire::reply::Reply;

use super::connections::Stage;
use super::counters::Counter;
use super::{ConnId, Out, Output, Registry, Shaken};

impl Registry<'_> {
    /// Answers in plain, for the last time. Who offers what does not open is told why, and has to come again: each
    /// connection costs one such offer at most.
    pub(super) fn secure(&mut self, conn: ConnId, out: Out<'_>) -> Result<(), Refusal> {
        let shaken = self.shaken.take();
        let connection = self.tables.connections.live(conn).ok_or(Refusal::TooLateToSecure)?;
        if connection.stage != Stage::Unregistered || connection.bond.sealed_by.is_some() {
            return Err(Refusal::TooLateToSecure);
        }
        let Some(Shaken { key, answer }) = shaken else {
            self.refuse(conn, Refusal::NotLetIn(Bar::WrongOffer), out);
            self.dismiss(conn, None, out);
            return Ok(());
        };
        connection.bond.sealed_by = Some(key);
        self.counters.count(Counter::Sealed);
        self.reply(conn, &Reply::Secure(&answer), out);
        out(Output::Seal(conn));
        Ok(())
    }
}
