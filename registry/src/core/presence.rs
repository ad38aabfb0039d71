//! Who watches, and what watchers are told of the others.

use vox_common::wire::event::Event;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Reply;
use vox_common::wire::users::Status;

use super::{ConnId, Out, Registry, Tables};

impl Registry<'_> {
    pub(super) fn watch(&mut self, conn: ConnId, on: bool, out: Out<'_>) -> Result<(), Refusal> {
        let user = self.tables.users.of_mut(conn).ok_or(Refusal::RegisterFirst)?;
        user.watching = on;
        self.reply(conn, &Reply::Watching(on), out);
        Ok(())
    }

    pub(super) fn set_status(&mut self, conn: ConnId, status: Status, out: Out<'_>) -> Result<(), Refusal> {
        let user = self.tables.users.of_mut(conn).ok_or(Refusal::RegisterFirst)?;
        let before = std::mem::replace(&mut user.status, status);
        let name = user.name.clone();
        self.reply(conn, &Reply::Status(status), out);
        // A newcomer's status is told when the newcomer is.
        if before != status && !self.tables.newcomers.contains(conn) {
            self.tell_watchers(conn, &Event::Status(name, status), out);
        }
        Ok(())
    }

    /// Tells everybody who watches but the one whom it is about. While the registry ends, nobody is told.
    pub(super) fn tell_watchers(&mut self, about: ConnId, event: &Event<'_>, out: Out<'_>) {
        if !self.is_serving() {
            return;
        }
        let Tables { users, voice, .. } = &mut *self.tables;
        voice.line(event);
        for watcher in users.iter().filter(|user| user.watching && user.conn != about) {
            voice.send(watcher.conn, out);
        }
    }
}
