// Keeps the page up to date. It makes of each event what html.rs makes of the same state: change both.
// Whatever comes from outside becomes text (textContent) and never markup.
"use strict";

const place = (id) => document.getElementById(id);

// An element with a class, and text or other elements in it.
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// A time by the reader's clock, to the minute or to the second.
function time(seconds, finest) {
  const then = new Date(seconds * 1000);
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (finest === "second") parts.second = "2-digit";
  const clock = then.toLocaleTimeString([], parts);
  const isToday = then.toDateString() === new Date().toDateString();
  const day = isToday ? "" : then.toLocaleDateString([], { day: "numeric", month: "short" }) + " ";
  const made = element("time", "", day + clock);
  made.dateTime = then.toISOString();
  made.title = then.toLocaleString();
  return made;
}

// A duration in its two largest units, to the minute.
function spoken(seconds) {
  const minutes = Math.floor(seconds / 60);
  const parts = [[Math.floor(minutes / 1440), "d"], [Math.floor(minutes / 60) % 24, "h"], [minutes % 60, "min"]];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "< 1 min";
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

function counts(figures) {
  return figures.map(([value, what]) => element("li", "", element("b", "", String(value)), " " + what));
}

function row(user, isNew) {
  const name = element("th", "");
  name.scope = "row";
  if (user.display !== null) name.append(element("bdi", "display", user.display), " ");
  name.append(element("span", "name", user.name));
  const made = element("tr", isNew ? "new" : "");
  made.dataset.name = user.name;
  made.append(
    name,
    element("td", "status " + user.status, user.status),
    element("td", "address", user.address),
    element("td", "since", time(user.since, "minute")),
  );
  return made;
}

function nobody() {
  const cell = element("td", "nobody", "Nobody is here yet.");
  cell.colSpan = 4;
  return element("tr", "", cell);
}

function users(all) {
  const before = new Set(Array.from(place("users").rows, (row) => row.dataset.name));
  const rows = all.map((user) => row(user, !before.has(user.name)));
  return rows.length ? rows : [nobody()];
}

function rooms(all) {
  const cards = all.map((room) => {
    const size = element("span", "", `${room.members.length} of ${room.capacity}`);
    const members = room.members.map((member) => element("li", "", member));
    return element("li", "", element("h3", "", room.name + " ", size), element("ul", "", ...members));
  });
  return cards.length ? cards : [element("li", "nobody", "No rooms.")];
}

// A sentence, and behind it words such as users=3.
function told(text) {
  const [, sentence, details] = text.match(/^(.*?)((?: [a-z-]+=.*)?)$/s);
  return [element("bdi", "", sentence), element("span", "details", details)];
}

function events(all) {
  const lines = all.map((event) =>
    element("li", "", time(event.time, "second"), element("div", "", ...told(event.text))));
  return lines.length ? lines.reverse() : [element("li", "nobody", "Nothing has happened yet.")];
}

function counters(all) {
  return all.map(({ meaning, value }) =>
    element("div", "", element("dt", "", meaning), element("dd", "", String(value))));
}

// Makes a part of the page anew if it would look different, so that what somebody has selected stays so.
const shown = {};
function put(id, state, make) {
  const look = new Date().toDateString() + JSON.stringify(state);
  if (look === shown[id]) return;
  shown[id] = look;
  place(id).replaceChildren(...make(state));
}

function show(state) {
  const busy = state.users.filter((user) => user.status === "busy").length;
  document.title = `${state.name} · ${state.users.length} here`;
  put("counts", [
    [state.users.length, "here"],
    [busy, "busy"],
    [state.rooms.length, state.rooms.length === 1 ? "room" : "rooms"],
    [state.connections, "connected"],
    [spoken(state["uptime-s"]), "up"],
  ], counts);
  put("users", state.users, users);
  put("rooms", state.rooms, rooms);
  put("events", state.events, events);
  put("counters", state.counters, counters);
  place("clock").textContent = "Times are those of your clock.";
}

function link(isUp) {
  const shown = place("link");
  shown.hidden = false;
  shown.className = isUp ? "up" : "down";
  shown.textContent = isUp ? "live" : "not connected";
}

// A browser asks again by itself when it loses the connection, but not when it was refused.
function listen() {
  const source = new EventSource("/events");
  source.onopen = () => link(true);
  source.onmessage = (message) => show(JSON.parse(message.data));
  source.onerror = () => {
    link(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 10000);
  };
}

listen();
