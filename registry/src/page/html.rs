//! The page as HTML, complete without JavaScript. page.js makes the same of the same state: change both.

use std::fmt::{self, Write};
use std::time::Duration;

use vox_common::cli::when::spoken;
use vox_common::wire::users::Status;

use super::Snapshot;
use super::escape::Text;
use super::snapshot::Moment;
use crate::core::counters::Counter;
use crate::core::overview::{EventView, RoomView, UserView};

/// The whole page.
pub(super) fn page(seen: &Snapshot) -> String {
    let mut out = String::new();
    write_page(seen, &mut out).expect("a string takes everything");
    out
}

fn write_page(seen: &Snapshot, out: &mut String) -> fmt::Result {
    let name = Text(seen.overview.name.as_str());
    write!(out, include_str!("assets/head.html"), name = name, here = seen.overview.users.len())?;
    header(seen, out)?;
    out.push_str("<main>\n");
    users(seen, out)?;
    rooms(seen, out)?;
    out.push_str("<div class=\"beside\">\n");
    events(seen, out)?;
    counters(seen, out)?;
    out.push_str("</div>\n</main>\n");
    let now = seen.ago(Duration::ZERO);
    writeln!(out, "<footer id=\"clock\">{now} UTC, as all times here</footer>\n</body>\n</html>")
}

fn header(seen: &Snapshot, out: &mut String) -> fmt::Result {
    let overview = &seen.overview;
    let talking = overview.users.iter().filter(|user| user.status == Status::Busy).count();
    writeln!(out, "<header>\n<h1>{}</h1>", Text(overview.name.as_str()))?;
    out.push_str("<p id=\"link\" role=\"status\" hidden></p>\n<ul id=\"counts\">");
    for (count, what) in [
        (overview.users.len(), "here"),
        (talking, "busy"),
        (overview.rooms.len(), if overview.rooms.len() == 1 { "room" } else { "rooms" }),
        (overview.connections, "connected"),
    ] {
        write!(out, "<li><b>{count}</b> {what}</li>")?;
    }
    writeln!(out, "<li><b>{}</b> up</li></ul>\n</header>", Text(&up(overview.uptime)))
}

fn users(seen: &Snapshot, out: &mut String) -> fmt::Result {
    out.push_str(
        "<section>\n<h2>Who is here</h2>\n<table>\n<thead><tr><th scope=\"col\">Name</th>\
         <th scope=\"col\">Status</th><th scope=\"col\">Address</th><th scope=\"col\">Since</th></tr></thead>\n\
         <tbody id=\"users\">\n",
    );
    for user in &seen.overview.users {
        row(seen, user, out)?;
    }
    if seen.overview.users.is_empty() {
        out.push_str("<tr><td class=\"nobody\" colspan=\"4\">Nobody is here yet.</td></tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
    Ok(())
}

fn row(seen: &Snapshot, user: &UserView, out: &mut String) -> fmt::Result {
    let name = Text(user.name.as_str());
    let status = user.status.word();
    write!(out, "<tr data-name=\"{name}\"><th scope=\"row\">")?;
    if let Some(display) = &user.display {
        write!(out, "<bdi class=\"display\">{}</bdi> ", Text(display.as_str()))?;
    }
    write!(out, "<span class=\"name\">{name}</span></th><td class=\"status {status}\">{status}</td>")?;
    let since = Time::ago(seen, user.there_for);
    writeln!(out, "<td class=\"address\">{}</td><td class=\"since\">{since}</td></tr>", user.address)
}

fn rooms(seen: &Snapshot, out: &mut String) -> fmt::Result {
    out.push_str("<section>\n<h2>Rooms</h2>\n<ul id=\"rooms\">\n");
    for room in &seen.overview.rooms {
        card(room, out)?;
    }
    if seen.overview.rooms.is_empty() {
        out.push_str("<li class=\"nobody\">No rooms.</li>\n");
    }
    out.push_str("</ul>\n</section>\n");
    Ok(())
}

fn card(room: &RoomView, out: &mut String) -> fmt::Result {
    let (name, there) = (Text(room.name.as_str()), room.members.len());
    write!(out, "<li><h3>{name} <span>{there} of {}</span></h3><ul>", room.capacity)?;
    for member in &room.members {
        write!(out, "<li>{}</li>", Text(member.as_str()))?;
    }
    out.push_str("</ul></li>\n");
    Ok(())
}

/// The newest first.
fn events(seen: &Snapshot, out: &mut String) -> fmt::Result {
    out.push_str("<section>\n<h2>Lately</h2>\n<ol id=\"events\">\n");
    for EventView { ago, text } in seen.overview.events.iter().rev() {
        let (sentence, details) = text.split_at(end_of_sentence(text));
        write!(out, "<li>{}<div><bdi>{}</bdi>", Time::ago(seen, *ago), Text(sentence))?;
        writeln!(out, "<span class=\"details\">{}</span></div></li>", Text(details))?;
    }
    if seen.overview.events.is_empty() {
        out.push_str("<li class=\"nobody\">Nothing has happened yet.</li>\n");
    }
    out.push_str("</ol>\n</section>\n");
    Ok(())
}

/// Where words such as ` users=3` begin.
fn end_of_sentence(text: &str) -> usize {
    let is_detail = |word: &str| word.split_once('=').is_some_and(|(key, _)| is_key(key));
    let mut spaces = text.match_indices(' ').map(|(place, _)| place);
    spaces.find(|space| is_detail(&text[space + 1..])).unwrap_or(text.len())
}

fn is_key(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn counters(seen: &Snapshot, out: &mut String) -> fmt::Result {
    out.push_str("<section>\n<h2>Since the start</h2>\n<dl id=\"counters\">\n");
    for counter in Counter::ALL {
        let value = seen.overview.counters.of(counter);
        writeln!(out, "<div><dt>{}</dt><dd>{value}</dd></div>", Text(counter.meaning()))?;
    }
    out.push_str("</dl>\n</section>\n");
    Ok(())
}

/// A time of today, or a day and a time, by the clock in Greenwich. page.js makes it that of the reader.
struct Time {
    then: Moment,
    now: Moment,
}

impl Time {
    fn ago(seen: &Snapshot, ago: Duration) -> Self {
        Self { then: seen.ago(ago), now: seen.ago(Duration::ZERO) }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([now, then], datetime) =
            ([self.now, self.then].map(|time| time.to_string()), self.then.for_programs());
        let is_today = now.split(' ').next() == then.split(' ').next();
        let shown = if is_today { then.split(' ').next_back() } else { Some(&*then) };
        write!(out, "<time datetime=\"{datetime}\">{}</time>", shown.unwrap_or_default())
    }
}

/// To the minute, or every second would be news.
fn up(uptime: Duration) -> String {
    match uptime.as_secs() / 60 {
        0 => "< 1 min".into(),
        minutes => spoken(Duration::from_secs(60 * minutes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_today_has_no_date() {
        let now = Moment(1_772_355_907);
        let told = |then| Time { then: Moment(then), now }.to_string();
        assert_eq!(told(now.0 - 7), "<time datetime=\"2026-03-01T09:05:00Z\">09:05:00</time>");
        assert_eq!(
            told(now.0 - 86_407),
            "<time datetime=\"2026-02-28T09:05:00Z\">2026-02-28 09:05:00</time>"
        );
    }

    #[test]
    fn an_event_is_a_sentence_and_details() {
        for (text, sentence) in [
            ("bob has left users=3", "bob has left"),
            ("refused \"no such user\" conn=3 a=b", "refused \"no such user\""),
            ("all is well", "all is well"),
            ("1 + 1 = 2", "1 + 1 = 2"),
            ("", ""),
        ] {
            assert_eq!(&text[..end_of_sentence(text)], sentence);
        }
    }

    #[test]
    fn uptime_is_told_to_the_minute() {
        for (seconds, text) in [(59, "< 1 min"), (3_599, "59 min"), (7_205, "2 h"), (100_000, "1 d 3 h")] {
            assert_eq!(up(Duration::from_secs(seconds)), text);
        }
    }
}
