//! Answers requests, each in a few lines.

use vox_common::wire::names::Name;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Reply;
use vox_common::wire::request::Request;
use vox_common::wire::verb::Verb;

use super::ends::Ends;
use super::{ConnId, Output, Registry, Tables};

impl Registry<'_> {
    pub(super) fn serve(
        &mut self,
        conn: ConnId,
        ends: Ends,
        request: Request<'_>,
        out: &mut impl FnMut(Output<'_>),
    ) -> Result<(), Refusal> {
        match request {
            Request::Register(registration) => self.register(conn, ends, registration, out)?,
            Request::List(prefix) => self.list(conn, ends, prefix, out),
            Request::Lookup(name) => self.look_up(conn, ends, &name, out)?,
            Request::Status(status) => self.set_status(conn, status, out)?,
            Request::Watch(on) => self.watch(conn, on, out)?,
            Request::Ping(text) => self.reply(conn, &Reply::Pong(text), out),
            Request::Echo(text) => self.reply(conn, &Reply::Echo(text), out),
            Request::Help(Some(verb)) => self.help(conn, &[verb], out),
            Request::Help(None) => self.help(conn, &Verb::ALL, out),
            Request::Quit => self.quit(conn, out),
            Request::Msg(..)
            | Request::Broadcast(_)
            | Request::Create(..)
            | Request::Join(_)
            | Request::Leave
            | Request::Rooms
            | Request::Members(_)
            | Request::Say(_)
            | Request::Stats => return Err(Refusal::UnknownVerb),
        }
        Ok(())
    }

    /// One buffer, one send: no event gets between its lines.
    fn list(&mut self, conn: ConnId, asker: Ends, prefix: &str, out: &mut impl FnMut(Output<'_>)) {
        let Tables { users, text, .. } = &mut *self.tables;
        let prefix = prefix.to_ascii_lowercase();
        let mut count = 0;
        text.0.clear();
        for user in users.iter().filter(|user| user.name.as_str().starts_with(&prefix)) {
            text.add(Reply::User(&user.entry_for(&asker)));
            count += 1;
        }
        text.add(Reply::Users(count));
        out(Output::Send(conn, &text.0));
    }

    fn look_up(
        &mut self,
        conn: ConnId,
        asker: Ends,
        name: &Name,
        out: &mut impl FnMut(Output<'_>),
    ) -> Result<(), Refusal> {
        let user = self.tables.users.by_name(name).ok_or(Refusal::NoSuchUser)?;
        if user.conn == conn {
            return Err(Refusal::Yourself);
        }
        let found = user.found_for(&asker);
        self.reply(conn, &Reply::Found(&found), out);
        Ok(())
    }

    fn watch(&mut self, conn: ConnId, on: bool, out: &mut impl FnMut(Output<'_>)) -> Result<(), Refusal> {
        let user = self.tables.users.of_mut(conn).ok_or(Refusal::RegisterFirst)?;
        user.watching = on;
        self.reply(conn, &Reply::Watching(on), out);
        Ok(())
    }

    fn help(&mut self, conn: ConnId, verbs: &[Verb], out: &mut impl FnMut(Output<'_>)) {
        let text = &mut self.tables.text;
        text.0.clear();
        for &verb in verbs {
            text.add(Reply::Help(verb));
        }
        text.add(Reply::HelpEnd);
        out(Output::Send(conn, &text.0));
    }

    fn quit(&mut self, conn: ConnId, out: &mut impl FnMut(Output<'_>)) {
        let Tables { users, text, .. } = &mut *self.tables;
        let name = users.of(conn).map(|user| &user.name);
        out(Output::Send(conn, text.line(Reply::Goodbye(name))));
        self.dismiss(conn, None, out);
    }
}
