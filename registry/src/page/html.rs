//! The page as HTML, complete without JavaScript. page.js makes the same of the same state: change both.

use std::fmt::{self, Write};
use std::time::Duration;

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
    write!(out, include_str!("assets/head.html"), name = name)?;
    header(seen, out)?;
    out.push_str("<main>\n");
    users(seen, out)?;
    rooms(seen, out)?;
    out.push_str("<div class=\"beside\">\n");
    events(seen, out)?;
    counters(seen, out)?;
    out.push_str("</div>\n</main>\n");
    let now = Time(seen.ago(Duration::ZERO));
    writeln!(out, "<footer><span id=\"clock\">{now} UTC, as all times here</span></footer>\n</body>\n</html>")
}

fn header(seen: &Snapshot, out: &mut String) -> fmt::Result {
    let overview = &seen.overview;
    let talking = overview.users.iter().filter(|user| user.status == Status::Busy).count();
    writeln!(out, "<header>\n<h1>{}</h1>", Text(overview.name.as_str()))?;
    out.push_str("<p id=\"link\" hidden></p>\n<ul id=\"counts\">");
    for (count, what) in [
        (overview.users.len(), "here"),
        (talking, "busy"),
        (overview.rooms.len(), if overview.rooms.len() == 1 { "room" } else { "rooms" }),
        (overview.connections, "connected"),
    ] {
        write!(out, "<li><b>{count}</b> {what}</li>")?;
    }
    writeln!(out, "<li><b>{}</b> up</li></ul>\n</header>", spoken(overview.uptime))
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
    let since = Time(seen.ago(user.there_for));
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
        writeln!(out, "<li>{} <bdi>{}</bdi></li>", Time(seen.ago(*ago)), Text(text))?;
    }
    if seen.overview.events.is_empty() {
        out.push_str("<li class=\"nobody\">Nothing has happened yet.</li>\n");
    }
    out.push_str("</ol>\n</section>\n");
    Ok(())
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

/// A time for people, which page.js turns into that of the reader's place.
struct Time(Moment);

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<time datetime=\"{}\">{}</time>", self.0.for_programs(), self.0)
    }
}

/// A duration in its largest units: `3 d 4 h`.
fn spoken(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_told_in_its_largest_units() {
        for (seconds, text) in [(59, "0 min"), (3_599, "59 min"), (7_500, "2 h 5 min"), (100_000, "1 d 3 h")]
        {
            assert_eq!(spoken(Duration::from_secs(seconds)), text);
        }
    }
}
