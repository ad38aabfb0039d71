//! What is typed becomes a line that the station knows.

use super::*;
use clap::CommandFactory;
use vox_common::wire::control::Request;

fn line(typed: &str) -> String {
    let words = typed.split(' ').filter(|word| !word.is_empty());
    let cli = Cli::try_parse_from(["vox-peer"].into_iter().chain(words)).expect(typed);
    cli.command.line().expect(typed)
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_is_a_control_line_that_the_station_knows() {
    for (typed, sent) in [
        ("call bob", "CALL bob"),
        ("call @bob.lan:6001 --detach", "CALL @bob.lan:6001 detach"),
        ("answer", "ANSWER"),
        ("reject", "REJECT"),
        ("hangup", "HANGUP"),
        ("mute", "MUTE on"),
        ("unmute", "MUTE off"),
        ("volume in 0", "VOLUME in 0"),
        ("volume out 200", "VOLUME out 200"),
        ("status --json", "STATUS"),
        ("users", "USERS"),
        ("lookup Bob", "LOOKUP Bob"),
        ("history", "HISTORY"),
        ("messages", "MESSAGES"),
        ("devices", "DEVICES"),
        ("key --json", "KEY"),
        ("key Bob", "KEY Bob"),
        ("keys", "KEYS"),
        ("forget @bob.lan", "FORGET @bob.lan"),
        ("verify intercom.lan:5000", "VERIFY intercom.lan:5000"),
        ("msg bob two words", "MSG bob two words"),
        ("msg bob -- --json", "MSG bob --json"),
        ("broadcast fire drill", "BROADCAST fire drill"),
        ("create hall 12", "CREATE hall 12"),
        ("join hall", "JOIN hall"),
        ("leave", "LEAVE"),
        ("rooms", "ROOMS"),
        ("members", "MEMBERS"),
        ("members hall", "MEMBERS hall"),
        ("say hello there", "SAY hello there"),
        ("echo two words", "ECHO two words"),
        ("set-status dnd", "SET-STATUS dnd"),
        ("watch --json", "WATCH"),
    ] {
        assert_eq!(line(typed), sent);
        assert!(Request::parse(sent).is_ok(), "{sent}");
    }
}

#[test]
fn what_makes_no_sense_is_a_mistake_of_usage() {
    for typed in
        ["", "dance", "call", "call bob ann", "volume up 5", "volume in 201", "set-status asleep", "echo"]
    {
        let words = typed.split(' ').filter(|word| !word.is_empty());
        let error = Cli::try_parse_from(["vox-peer"].into_iter().chain(words)).expect_err(typed);
        assert_eq!(error.exit_code(), 2, "{typed}");
    }
    assert!(Cli::try_parse_from(["vox-peer", "call", "bob\nHANGUP"]).is_err());
    assert!(Cli::try_parse_from(["vox-peer", "call", "bob detach"]).is_err());
}

#[test]
fn free_text_stays_on_its_line() {
    let check = |text: &str| Command::Echo { text: vec![text.into()] }.check();
    assert!(check("two  words").is_ok());
    assert!(check("two\nlines").is_err());
    assert!(check(&"x".repeat(TEXT_BYTES + 1)).is_err());
}
