//! The command line against a station that says what the test tells it to: printed answers, JSON, exit codes.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use vox_tests::bed::{Place, Process, Said};
use vox_tests::bins;

/// What the station answers to each line; a line that is not listed ends the connection.
type Script = &'static [(&'static str, &'static str)];

struct Station {
    place: Place,
}

impl Station {
    fn new(script: Script) -> Self {
        let place = Place::new();
        let listener = UnixListener::bind(place.at("peer.sock")).expect("a private directory can be written");
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.expect("a listener of our own");
                thread::spawn(move || serve(&stream, script));
            }
        });
        Self { place }
    }

    fn socket(&self) -> PathBuf {
        self.place.at("peer.sock")
    }

    fn command(&self, typed: &str) -> Command {
        let mut command = Command::new(bins::peer());
        command.args(typed.split(' ')).env("VOX_SOCKET", self.socket());
        command
    }

    fn run(&self, typed: &str) -> Said {
        said(self.command(typed))
    }

    fn json(&self, typed: &str) -> Value {
        let said = self.run(typed);
        assert_eq!(said.code, 0, "{said:?}");
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error} in {}", said.out))
    }
}

fn serve(mut stream: &UnixStream, script: Script) {
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let Some((_, answer)) = script.iter().find(|(asked, _)| *asked == line) else { return };
        if stream.write_all(answer.as_bytes()).is_err() || answer.is_empty() {
            return;
        }
    }
}

fn said(mut command: Command) -> Said {
    let output = command.output().expect("vox-peer starts");
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_command_that_is_done_prints_the_answer() {
    let station = Station::new(&[
        (
            "ANSWER",
            "200 answered alice 0a fingerprint=SHA256:0 trust=verified sealed=yes words=one-two-three-four\n",
        ),
        ("REJECT", "200 rejected\n"),
        ("HANGUP", "200 hung up\n"),
        ("MUTE on", "200 muted\n"),
        ("MUTE off", "200 not muted\n"),
        ("VOLUME out 80", "200 volume is 80 %\n"),
        ("SET-STATUS dnd", "200 status is dnd\n"),
        ("ECHO two words", "* LINK up\n200 two words\n"),
        ("MSG bob two words", "* MSG bob hi\n200 delivered\n"),
        ("MSG bob -5 degrees", "200 delivered\n"),
        ("BROADCAST fire drill", "200 delivered to 3\n"),
        ("SAY hello", "200 said to 2\n"),
        ("CREATE hall 12", "200 created hall\n"),
        ("JOIN hall", "200 joined hall\n"),
        ("LEAVE", "200 left hall\n"),
    ]);
    for (typed, answer) in [
        ("answer", "talking with alice, verified key SHA256:0\nfour words: one two three four\n"),
        ("reject", "rejected\n"),
        ("hangup", "hung up\n"),
        ("mute", "muted\n"),
        ("unmute", "not muted\n"),
        ("volume out 80", "volume is 80 %\n"),
        ("set-status dnd", "status is dnd\n"),
        ("echo two words", "two words\n"),
        ("msg bob two words", "delivered\n"),
        ("msg bob -- -5 degrees", "delivered\n"),
        ("broadcast fire drill", "delivered to 3\n"),
        ("say hello", "said to 2\n"),
        ("create hall 12", "created hall\n"),
        ("join hall", "joined hall\n"),
        ("leave", "left hall\n"),
    ] {
        let said = station.run(typed);
        assert_eq!((said.code, &*said.out, &*said.err), (0, answer, ""), "{typed}");
    }
}

#[test]
fn a_refusal_is_one_sentence_and_1() {
    let station = Station::new(&[
        ("HANGUP", "442 no such call\n"),
        ("USERS", "443 no registry\n"),
        ("STATUS", "420 too many control clients\n"),
        ("CALL bob", "440 already in a call\n"),
        ("MSG zoe hello", "404 no such user\n"),
        ("JOIN hall", "422 room full\n"),
        ("ROOMS", "429 slow down\n"),
    ]);
    for (typed, sentence) in [
        ("hangup", "no such call\n"),
        ("users --json", "no registry\n"),
        ("status", "too many control clients\n"),
        ("call bob", "already in a call\n"),
        ("msg zoe hello", "no such user\n"),
        ("join hall", "room full\n"),
        ("rooms", "slow down\n"),
    ] {
        let said = station.run(typed);
        assert_eq!((said.code, &*said.out, &*said.err), (1, "", sentence), "{typed}");
    }
}

#[test]
fn without_a_daemon_it_is_3_and_says_what_to_do() {
    let place = Place::new();
    let socket = place.at("none.sock").display().to_string();
    let sentence =
        format!("no vox-peer answers at {socket}: is it running? try `systemctl start vox-peer`\n");
    for typed in ["status", "call bob", "watch", "hangup"] {
        let mut command = Command::new(bins::peer());
        command.args(["--socket", &socket]).args(typed.split(' '));
        let said = said(command);
        assert_eq!((said.code, &*said.out, &*said.err), (3, "", &*sentence), "{typed}");
    }
}

#[test]
fn a_station_of_the_user_is_found_before_the_systems() {
    let station = Station::new(&[("HANGUP", "200 hung up\n")]);
    let place = Place::new();
    std::fs::create_dir(place.at("vox")).expect("a private directory can be written");
    std::os::unix::fs::symlink(station.socket(), place.at("vox/peer.sock")).expect("a link");
    let mut command = Command::new(bins::peer());
    command.arg("hangup").env_remove("VOX_SOCKET").env("XDG_RUNTIME_DIR", place.path());
    assert_eq!(said(command).code, 0);
}

#[test]
fn a_station_that_goes_away_is_4() {
    let station = Station::new(&[("ECHO x", "")]);
    for typed in ["status", "echo x"] {
        let said = station.run(typed);
        assert_eq!((said.code, &*said.err), (4, "vox-peer went away\n"), "{typed}");
    }
}

#[test]
fn listings_are_bare_in_a_pipe_and_objects_in_json() {
    let station = Station::new(&[
        (
            "USERS",
            "210-bob 10.0.0.2:6000 idle - display=Jo%C3%A3o%20B.\n210-ann [::1]:6000 dnd -\n210 2 users as of 9 s ago\n",
        ),
        ("LOOKUP bob", "211 bob 10.0.0.2:6000 idle\n"),
        ("HISTORY", "231-1772355900 out bob 10.0.0.2:6000 far-hangup talked-s=65 call=12\n231 1 calls\n"),
        (
            "DEVICES",
            "232-in USB%20card default rates=44100,48000 channels=1-2 description=A%20card\n\
             232-out hw:1 trouble=it%20is%20in%20use\n232 2 devices\n",
        ),
    ]);
    let users = station.run("users");
    assert_eq!(users.out, "bob\t10.0.0.2:6000\tidle\tJoão B.\nann\t[::1]:6000\tdnd\t\n");
    assert_eq!(users.err, "as of 9 s ago: the registry is away\n");
    assert_eq!(station.run("lookup bob").out, "bob\t10.0.0.2:6000\tidle\t\n");
    let history = station.run("history").out;
    assert!(history.ends_with("\tto\tbob\t10.0.0.2:6000\thung up there\t1 min 5 s\t\t\n"), "{history}");
    let devices = "in\tUSB card\tdefault\t44100,48000\t1-2\t\tA card\nout\thw:1\t\t\t\tit is in use\t\n";
    assert_eq!(station.run("devices").out, devices);

    let users = station.json("users --json");
    assert_eq!((&users["users"][0]["display"], &users["as-of-s"]), (&json!("João B."), &json!(9)));
    assert_eq!(station.json("lookup bob --json")["address"], "10.0.0.2:6000");
    let history = station.json("history --json");
    assert_eq!((&history["calls"][0]["talked-s"], &history["calls"][0]["call"]), (&json!(65), &json!("12")));
    assert_eq!(station.json("devices --json")["devices"][0]["default"], true);
}

#[test]
fn rooms_members_and_messages_are_bare_in_a_pipe_and_objects_in_json() {
    let station = Station::new(&[
        ("ROOMS", "212-hall 2/12\n212-lobby 1/3\n212 2 rooms\n"),
        ("MEMBERS", "213-ann\n213-bob\n213 2 members\n"),
        ("MEMBERS lobby", "213-zoe\n213 1 members\n"),
        (
            "MESSAGES",
            "233-1772355900 bob msg text=two  words\n233-1772355901 ann broadcast text=100%25\n\
             233-1772355902 zoe say room=hall text=text=-\n233 3 messages\n",
        ),
    ]);
    assert_eq!(station.run("rooms").out, "hall\t2\t12\nlobby\t1\t3\n");
    assert_eq!(station.run("members").out, "ann\nbob\n");
    assert_eq!(station.run("members lobby").out, "zoe\n");
    let messages = station.run("messages").out;
    let told: Vec<_> = messages.lines().filter_map(|line| line.split_once('\t')).collect();
    let told: Vec<_> = told.into_iter().map(|(_, told)| told).collect();
    assert_eq!(told, ["bob\tyou\ttwo  words", "ann\tall\t100%25", "zoe\thall\ttext=-"]);

    let rooms = station.json("rooms --json");
    assert_eq!(rooms["rooms"][0], json!({"name": "hall", "members": 2, "capacity": 12}));
    assert_eq!(station.json("members --json"), json!({"members": [{"name": "ann"}, {"name": "bob"}]}));
    let messages = station.json("messages --json");
    let expected =
        json!({"time": 1_772_355_902, "from": "zoe", "kind": "say", "room": "hall", "text": "text=-"});
    assert_eq!(messages["messages"][2], expected);
}

#[test]
fn what_cannot_be_said_is_a_mistake_of_usage() {
    let station = Station::new(&[]);
    let long = format!("say {}", "x".repeat(901));
    for typed in ["say two\nlines", "msg bob a\u{1b}[2J", "broadcast a\tb", &long] {
        let said = station.run(typed);
        let sentence = "a text is at most 900 bytes without control characters\n";
        assert_eq!((said.code, &*said.out, &*said.err), (2, "", sentence), "{typed:?}");
    }
    for typed in ["msg", "msg bob", "say", "create hall", "create hall many", "join", "leave hall"] {
        assert_eq!(station.run(typed).code, 2, "{typed}");
    }
}

#[test]
fn a_status_is_one_object_with_a_section_each() {
    let station = Station::new(&[(
        "STATUS",
        "230-peer name=alice version=0.1.0 state=idle status=idle missed=1 messages=3 unread=2 uptime-s=9\n\
         230-registry link=down address=reg:5000 reason=connection%20refused retry-s=2\n\
         230-thread name=udp policy=fifo priority=69 wanted=69\n230-security media=required\n230 end\n",
    )]);
    let status = station.json("status --json");
    assert_eq!(status["peer"]["missed"], 1);
    assert_eq!(status["registry"]["reason"], "connection refused");
    assert_eq!(status["thread"][0]["priority"], 69);
    assert_eq!((&status["call"], &status["media"]), (&json!([]), &json!([])));
    let shown = station.run("status").out;
    assert!(
        shown.starts_with("peer      alice, idle, tells idle, 1 missed, 2 unread, up for 9 s, "),
        "{shown}"
    );
    assert!(shown.contains("\nregistry  down, reg:5000, connection refused, next try in 2 s\n"), "{shown}");
}

#[test]
fn a_watcher_hears_sentences_or_objects() {
    let station = Station::new(&[
        (
            "WATCH",
            "200 watching\n* CALL 0a ringing-here ann direction=in\n* LEFT bob\n* SAY hall ann hi  you\n* EXITED hall ann\n* WHAT is this\n200 stray\n",
        ),
        ("QUIT", ""),
    ]);
    let log = station.place.at("watch.log");
    let mut watching = Process::start("watch", &station.command("watch"), &log);
    watching.wait_for_log("what: is this");
    watching.kill();
    assert_eq!(
        watching.log(),
        "ann is calling\nbob is gone\nann in hall: hi  you\nann went out of hall\nwhat: is this\n"
    );

    let log = station.place.at("json.log");
    let mut watching = Process::start("watch --json", &station.command("watch --json"), &log);
    watching.wait_for_log("what");
    watching.kill();
    let events: Vec<Value> =
        watching.log().lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    assert_eq!((&events[0]["event"], &events[0]["state"]), (&json!("call"), &json!("ringing-here")));
    assert_eq!((&events[1]["event"], &events[1]["name"]), (&json!("left"), &json!("bob")));
    assert_eq!((&events[2]["event"], &events[2]["text"]), (&json!("say"), &json!("hi  you")));
    assert!(events.iter().all(|event| event["time"].as_u64() > Some(1_700_000_000)));
}

#[test]
fn who_stops_reading_ends_the_program_and_that_is_no_failure() {
    let station = Station::new(&[("WATCH", "200 watching\n* LEFT a\n* LEFT b\n* LEFT c\n")]);
    let (nobody, pipe) = std::io::pipe().expect("a pipe");
    drop(nobody);
    let mut command = Command::new(bins::peer());
    command.arg("watch").env("VOX_SOCKET", station.socket()).stdout(pipe);
    assert_eq!(command.status().expect("vox-peer starts").code(), Some(0));
}

const BUSY: &str = "200 calling bob 0a\n* CALL 0a calling bob\n* CALL 0a ended bob reason=busy\n";
const DECLINED: &str =
    "200 calling bob 0a\n* CALL 0a ringing-there bob\n* CALL 0a ended bob reason=declined\n";
const LOST: &str = "200 calling bob 0a\n* CALL 0a talking bob\n* CALL 0a ended bob reason=lost\n";
const ENDED: &str = "200 calling bob 0a (no such user; tried as a host)\n* CALL 0b ended ann reason=busy\n\
    * CALL 0a talking bob\n* CALL 0a ended bob reason=far-hangup\n";

#[test]
fn how_a_call_ends_is_told_apart() {
    for (script, code, out, err) in [
        (&[("CALL bob", BUSY)] as Script, 1, "calling bob\n", "bob is busy\n"),
        (&[("CALL bob", DECLINED)], 1, "calling bob\nit rings at bob\n", "bob declined\n"),
        (
            &[("CALL bob", LOST)],
            4,
            "calling bob\ntalking with bob\n",
            "bob was lost: nothing was heard any more\n",
        ),
        (
            &[("CALL bob", ENDED)],
            0,
            "calling bob (no such user; tried as a host)\ntalking with bob\nhung up there after 0 s\n",
            "",
        ),
    ] {
        let said = Station::new(script).run("call bob");
        assert_eq!((said.code, &*said.out, &*said.err), (code, out, err));
    }
}

#[test]
fn a_detached_call_returns_when_it_is_answered_or_refused() {
    let talking = "200 calling bob 0a\n* CALL 0a ringing-there bob\n* CALL 0a talking bob\n";
    let station: Script = Box::leak(Box::new([("CALL bob detach", talking), ("CALL ann detach", BUSY)]));
    let station = Station::new(station);
    let said = station.run("call bob --detach");
    assert_eq!((said.code, &*said.out), (0, "calling bob\nit rings at bob\ntalking with bob\n"));
    assert_eq!(station.run("call ann --detach").code, 1);
}

#[test]
fn ctrl_c_hangs_up_and_is_no_failure() {
    let station = Station::new(&[
        ("CALL bob", "200 calling bob 0a\n* CALL 0a talking bob\n"),
        ("HANGUP", "200 hung up\n* CALL 0a ended bob reason=hangup\n"),
    ]);
    let mut call = Process::start("call", &station.command("call bob"), &station.place.at("call.log"));
    call.wait_for_log("talking");
    call.signal(Signal::SIGINT);
    assert_eq!(call.wait(10).code(), Some(0));
    assert!(call.log().contains("\nhung up here after "), "{}", call.log());
}

#[test]
fn ctrl_c_while_it_rings_takes_the_call_back_and_is_no_failure() {
    let station = Station::new(&[
        ("CALL bob", "200 calling bob 0a\n* CALL 0a ringing-there bob\n"),
        ("HANGUP", "200 hung up\n* CALL 0a ended bob reason=cancelled\n"),
    ]);
    let mut call = Process::start("call", &station.command("call bob"), &station.place.at("call.log"));
    call.wait_for_log("it rings");
    call.signal(Signal::SIGINT);
    assert_eq!(call.wait(10).code(), Some(0));
    assert!(call.log().ends_with("\ncancelled\n"), "{}", call.log());
}

#[test]
fn a_station_that_does_not_hang_up_is_left_in_time() {
    let station = Station::new(&[
        ("CALL bob", "200 calling bob 0a\n* CALL 0a talking bob\n"),
        ("HANGUP", "200 soon\n"),
    ]);
    let mut call = Process::start("call", &station.command("call bob"), &station.place.at("call.log"));
    call.wait_for_log("talking");
    call.signal(Signal::SIGINT);
    assert_eq!(call.wait(10).code(), Some(0));
}
