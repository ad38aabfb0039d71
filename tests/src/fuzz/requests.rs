//! What people ask of a station and administrators of a registry: each request, written as a line, is read as the same
//! request. The daemons only read them, so who writes them stands here.

use std::net::IpAddr;

use vox_common::wire::admin::{Ban, Request as Order};
use vox_common::wire::control::{Request as Wish, Way, Who};
use vox_common::wire::limits::{CALLEE_BYTES, LINE_BYTES, TEXT_BYTES};
use vox_common::wire::names::Name;
use vox_common::wire::request::Request as Ask;
use vox_common::wire::users::Status;

/// Each line is read as a request of either kind; and, as a name, a host, a number and a text, it is a part of every one.
pub fn holds(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for line in text.lines().filter(|line| line.len() < LINE_BYTES && !line.chars().any(char::is_control)) {
        Wish::parse(line).iter().for_each(wish_is_read_again);
        Order::parse(line).iter().for_each(order_is_read_again);
        wishes(line).iter().for_each(wish_is_read_again);
        orders(line).iter().for_each(order_is_read_again);
    }
}

fn wish_is_read_again(wish: &Wish<'_>) {
    let line = wish_line(wish);
    assert!(line.len() < LINE_BYTES, "{} bytes: {line}", line.len());
    assert_eq!(Wish::parse(&line).as_ref(), Ok(wish), "{line}");
}

fn order_is_read_again(order: &Order) {
    let line = order_line(order);
    assert!(line.len() < LINE_BYTES, "{} bytes: {line}", line.len());
    assert_eq!(Order::parse(&line).as_ref(), Ok(order), "{line}");
}

/// The line that asks a station for this.
fn wish_line(wish: &Wish<'_>) -> String {
    match wish {
        Wish::Call(who, false) => format!("CALL {}", word(who)),
        Wish::Call(who, true) => format!("CALL {} detach", word(who)),
        Wish::Answer => "ANSWER".to_owned(),
        Wish::Reject => "REJECT".to_owned(),
        Wish::Hangup => "HANGUP".to_owned(),
        Wish::Mute(on) => format!("MUTE {}", if *on { "on" } else { "off" }),
        Wish::Volume(Way::In, percent) => format!("VOLUME in {percent}"),
        Wish::Volume(Way::Out, percent) => format!("VOLUME out {percent}"),
        Wish::Status => "STATUS".to_owned(),
        Wish::Users => "USERS".to_owned(),
        Wish::Lookup(name) => format!("LOOKUP {name}"),
        Wish::History => "HISTORY".to_owned(),
        Wish::Devices => "DEVICES".to_owned(),
        Wish::Messages => "MESSAGES".to_owned(),
        Wish::Key(None) => "KEY".to_owned(),
        Wish::Key(Some(who)) => format!("KEY {}", word(who)),
        Wish::Keys => "KEYS".to_owned(),
        Wish::Forget(who) => format!("FORGET {}", word(who)),
        Wish::Verify(who) => format!("VERIFY {}", word(who)),
        Wish::PassedOn(ask) => ask.to_string(),
        Wish::SetStatus(status) => format!("SET-STATUS {status}"),
        Wish::Watch => "WATCH".to_owned(),
        Wish::Help => "HELP".to_owned(),
    }
}

/// Every host may be written with the sign that it is one.
fn word(who: &Who<'_>) -> String {
    match who {
        Who::Name(name) => name.to_string(),
        Who::Host(host) => format!("@{host}"),
    }
}

/// The line that asks a registry for this.
fn order_line(order: &Order) -> String {
    match order {
        Order::Status => "STATUS".to_owned(),
        Order::Users => "USERS".to_owned(),
        Order::Kick(name) => format!("KICK {name}"),
        Order::Ban(ban) => format!("BAN {ban}"),
        Order::Unban(ban) => format!("UNBAN {ban}"),
        Order::Bans => "BANS".to_owned(),
        Order::Forget(name) => format!("FORGET {name}"),
        Order::Stop => "STOP".to_owned(),
        Order::Help => "HELP".to_owned(),
    }
}

/// Every wish that can be made of this.
fn wishes(line: &str) -> Vec<Wish<'_>> {
    let mut wishes = vec![Wish::Answer, Wish::Reject, Wish::Hangup, Wish::Mute(true), Wish::Mute(false)];
    wishes.extend([Wish::Status, Wish::Users, Wish::History, Wish::Devices, Wish::Messages, Wish::Key(None)]);
    wishes.extend([Wish::Keys, Wish::Watch, Wish::Help]);
    wishes.extend([Ask::Leave, Ask::Rooms, Ask::Members(None), Ask::Echo("")].map(Wish::PassedOn));
    wishes.extend(Status::ALL.map(Wish::SetStatus));
    let percent = line.bytes().fold(0, u8::wrapping_add) % 201;
    wishes.extend([Wish::Volume(Way::In, percent), Wish::Volume(Way::Out, percent)]);
    host(line).into_iter().for_each(|host| wishes.extend(about(&host)));
    if let Ok(name) = Name::parse(line) {
        wishes.extend(about(&Who::Name(name.clone())));
        wishes.push(Wish::Lookup(name.clone()));
        let asks = [Ask::Create(name.clone(), 1 + usize::from(percent)), Ask::Join(name.clone())];
        wishes.extend(asks.into_iter().chain([Ask::Members(Some(name))]).map(Wish::PassedOn));
    }
    wishes.extend(text(line).into_iter().flat_map(told).map(Wish::PassedOn));
    wishes
}

/// What is asked about somebody.
fn about<'a>(who: &Who<'a>) -> [Wish<'a>; 5] {
    let who = || who.clone();
    let (attached, detached) = (Wish::Call(who(), false), Wish::Call(who(), true));
    [attached, detached, Wish::Key(Some(who())), Wish::Forget(who()), Wish::Verify(who())]
}

/// What is told to others.
fn told(text: &str) -> [Ask<'_>; 4] {
    let bob = Name::parse("bob").expect("a name");
    [Ask::Msg(bob, text), Ask::Broadcast(text), Ask::Say(text), Ask::Echo(text)]
}

/// One word that is short enough.
fn host(line: &str) -> Option<Who<'_>> {
    let is_host = !line.is_empty() && line.len() <= CALLEE_BYTES && !line.contains(' ');
    is_host.then_some(Who::Host(line))
}

/// Words may end with spaces, but begin with something else.
fn text(line: &str) -> Option<&str> {
    let text = line.trim_start_matches(' ');
    (!text.is_empty() && text.len() <= TEXT_BYTES).then_some(text)
}

/// Every order that can be made of this.
fn orders(line: &str) -> Vec<Order> {
    let mut orders = vec![Order::Status, Order::Users, Order::Bans, Order::Stop, Order::Help];
    if let Ok(address) = line.parse::<IpAddr>() {
        orders.extend(banned(Ban::Address(address.to_canonical())));
    }
    if let Ok(name) = Name::parse(line) {
        orders.extend([Order::Kick(name.clone()), Order::Forget(name.clone())]);
        orders.extend(banned(Ban::Name(name)));
    }
    orders
}

fn banned(ban: Ban) -> [Order; 2] {
    [Order::Ban(ban.clone()), Order::Unban(ban)]
}
