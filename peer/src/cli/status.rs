//! `vox-peer status`: everything about a station, for people and for programs.

use std::io;

use serde_json::Value;
use vox_common::cli::client::Answer;
use vox_common::cli::disk;
use vox_common::cli::fields::Fields;
use vox_common::cli::screen::Screen;
use vox_common::cli::sections::{self, everything, lasting, part, parts};

/// Sections that may stand there any number of times: always an array in JSON.
const MANY: [&str; 7] = ["call", "media", "delay", "audio", "thread", disk::MANY[0], disk::MANY[1]];

/// As a JSON object.
pub(super) fn json(answer: &Answer) -> Value {
    sections::json(answer, &MANY)
}

/// For people.
pub(super) fn show(answer: &Answer, screen: &mut Screen) -> io::Result<()> {
    sections::show(answer, sentence, screen)
}

fn sentence(section: &str, fields: &Fields) -> String {
    match section {
        "peer" => peer(fields),
        "registry" => registry(fields),
        "call" => call(fields),
        "media" => media(fields),
        "delay" => delay(fields),
        "audio" => audio(fields),
        "dsp" => dsp(fields),
        "thread" => thread(fields),
        "realtime" => real_time(fields),
        "security" => security(fields),
        "choices" => choices(fields),
        _ => disk::sentence(section, fields).unwrap_or_else(|| everything(fields)),
    }
}

fn peer(fields: &Fields) -> String {
    let missed = fields.find("missed").filter(|missed| *missed != "0");
    let unread = fields.find("unread").filter(|unread| *unread != "0");
    parts([
        fields.find("name").map(str::to_owned),
        part(fields, "", "display", ""),
        part(fields, "", "state", ""),
        part(fields, "tells ", "status", ""),
        missed.map(|missed| format!("{missed} missed")),
        unread.map(|unread| format!("{unread} unread")),
        lasting(fields, "up for ", "uptime-s"),
        part(fields, "vox-peer ", "version", ""),
    ])
}

fn registry(fields: &Fields) -> String {
    let retry = fields.find("retry-s").filter(|_| fields.value("link") == "down");
    parts([
        part(fields, "", "link", ""),
        part(fields, "", "address", ""),
        part(fields, "as ", "registered", ""),
        lasting(fields, "for ", "since-s"),
        sealing(fields),
        part(fields, "", "reason", ""),
        retry.map(|seconds| format!("next try in {seconds} s")),
        part(fields, "in the room ", "room", ""),
        part(fields, "on the way back into ", "returns-to", ""),
    ])
}

/// Whether others can read along, and whether the registry is known to be itself.
fn sealing(fields: &Fields) -> Option<String> {
    let checked = if fields.value("verified") == "yes" { "verified " } else { "" };
    match fields.find("sealed")? {
        "yes" => Some(format!("sealed, {checked}key {}", fields.value("fingerprint"))),
        _ => Some("not sealed".to_owned()),
    }
}

fn call(fields: &Fields) -> String {
    let with = super::event::person(fields.value("name"), fields);
    let state = super::event::call(fields.value("state"), &with);
    let muted = (fields.value("muted") == "on").then(|| "muted".to_owned());
    parts([
        Some(state),
        part(fields, "at ", "address", ""),
        lasting(fields, "for ", "since-s"),
        part(fields, "", "codec", ""),
        part(fields, "", "ptime-ms", " ms"),
        muted,
        super::trust::key(fields),
        super::trust::open(fields),
        super::trust::words(fields).map(|words| format!("four words {words}")),
    ])
}

fn media(fields: &Fields) -> String {
    parts([
        part(fields, "sent ", "packets-sent", ""),
        part(fields, "received ", "packets-received", ""),
        part(fields, "lost ", "packets-lost", ""),
        part(fields, "late ", "packets-late", ""),
        part(fields, "concealed ", "concealed-percent", " %"),
        part(fields, "far loss ", "far-loss-percent", " %"),
        part(fields, "round trip ", "round-trip-ms", " ms"),
        part(fields, "jitter ", "jitter-ms", " ms"),
        part(fields, "waiting ", "depth-ms", " ms"),
        part(fields, "level in ", "level-in-db", " dB"),
        part(fields, "out ", "level-out-db", " dB"),
        part(fields, "under-runs ", "underruns", ""),
        sends(fields),
        part(fields, "drift ", "drift-ppm", " ppm"),
    ])
}

/// "sending 64 kbit/s in 10 ms, 2 copies".
fn sends(fields: &Fields) -> Option<String> {
    let bits: f64 = fields.find("bitrate")?.parse().ok()?;
    let frames = part(fields, " in ", "ptime-ms", " ms").unwrap_or_default();
    let copies = match fields.value("copies") {
        "0" | "" => String::new(),
        "1" => ", 1 copy".into(),
        many => format!(", {many} copies"),
    };
    Some(format!("sending {} kbit/s{frames}{copies}", bits / 1e3))
}

/// "there 12.50 ms: capture 2.60, encode 2.60 …".
fn delay(fields: &Fields) -> String {
    let late = if fields.value("late") == "yes" { ", too late" } else { "" };
    format!("{} {}{late}", fields.value("direction"), super::event::delay(fields))
}

fn audio(fields: &Fields) -> String {
    let state = match fields.value("state") {
        "unused" => Some("not in use".to_owned()),
        "lost" => Some("does not work".to_owned()),
        _ => None,
    };
    parts([
        part(fields, "", "direction", ""),
        state,
        part(fields, "volume ", "volume", " %"),
        part(fields, "", "sentence", ""),
    ])
}

fn dsp(fields: &Fields) -> String {
    fields.value("does").replace(',', ", ")
}

fn thread(fields: &Fields) -> String {
    let (priority, wanted) = (fields.value("priority"), fields.value("wanted"));
    let scheduling = format!("{} {}", fields.value("policy"), if priority == "0" { "" } else { priority });
    let wish = (wanted != priority && !wanted.is_empty()).then(|| format!("but wanted fifo {wanted}"));
    parts([fields.find("name").map(str::to_owned), Some(scheduling.trim_end().to_owned()), wish])
}

fn real_time(fields: &Fields) -> String {
    let granted = match fields.value("granted") {
        "yes" => Some("granted".to_owned()),
        "no" => Some("not granted".to_owned()),
        _ => None,
    };
    parts([granted, part(fields, "memory ", "memory", ""), part(fields, "", "advice", "")])
}

fn security(fields: &Fields) -> String {
    let calls = match fields.value("media") {
        "off" => Some("calls are NOT ENCRYPTED".to_owned()),
        "required" => Some("calls are encrypted".to_owned()),
        _ => None,
    };
    let lasts = (fields.value("key-kept") == "no").then(|| "which is of this run alone".to_owned());
    parts([calls, part(fields, "own key ", "fingerprint", ""), lasts])
}

/// What was set by hand.
fn choices(fields: &Fields) -> String {
    let restored = (fields.value("restored") == "yes").then(|| "as before the last start".to_owned());
    parts([
        part(fields, "status ", "status", ""),
        part(fields, "volume in ", "volume-in", " %"),
        part(fields, "out ", "volume-out", " %"),
        part(fields, "room ", "room", ""),
        restored,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;
    use vox_common::cli::sections::sections;

    const LINES: [&str; 14] = [
        "peer name=alice display=Alice%20A. version=0.1.0 state=talking status=idle missed=2 uptime-s=7500",
        "registry link=down address=reg:5000 registered= since-s=5 reason=connection%20refused retry-s=4",
        "call call=0a name=bob display= address=10.0.0.2:6000 direction=out state=talking since-s=65 codec=opus ptime-ms=10 muted=on fingerprint=SHA256:1 trust=verified sealed=yes words=one-two-three-four",
        "media call=0a packets-sent=100 packets-lost=1 concealed-percent=0.5 round-trip-ms=- level-in-db=-20.5 drift-ppm=-12.3 ptime-ms=10 bitrate=64000 copies=2",
        "delay call=0a direction=there late=yes total-ms=212.50 capture-ms=2.60 encode-ms=2.60 network-ms=200.00 jitter-buffer-ms=4.80 playback-ms=2.50",
        "delay call=0a direction=here late=no total-ms=- capture-ms=- encode-ms=- network-ms=0.20 jitter-buffer-ms=4.80 playback-ms=2.50",
        "audio direction=in state=lost volume=100 sentence=no%20such%20device",
        "audio direction=out state=unused volume=50",
        "thread name=udp policy=other priority=0 wanted=69",
        "thread name=capture policy=fifo priority=70 wanted=70",
        "realtime memory=unlocked granted=no advice=do%20this",
        "security media=off fingerprint=SHA256:0 key-kept=no",
        "choices status=dnd volume-in=100 volume-out=20 room=hall restored=yes",
        "disk directory=/var/lib/vox-peer state=lost lasts=yes sentence=read-only%20file%20system",
    ];

    fn answer() -> Answer {
        Answer { lines: LINES.iter().map(|line| (*line).to_owned()).collect(), last: "end".into() }
    }

    #[test]
    fn people_read_what_matters() {
        let answer = answer();
        let shown: Vec<_> = sections(&answer).map(|(section, fields)| sentence(section, &fields)).collect();
        assert_eq!(
            shown,
            [
                "alice, Alice A., talking, tells idle, 2 missed, up for 2 h 5 min, vox-peer 0.1.0",
                "down, reg:5000, for 5 s, connection refused, next try in 4 s",
                "talking with bob, at 10.0.0.2:6000, for 1 min 5 s, opus, 10 ms, muted, verified key SHA256:1, four words one two three four",
                "sent 100, lost 1, concealed 0.5 %, level in -20.5 dB, sending 64 kbit/s in 10 ms, 2 copies, drift -12.3 ppm",
                "there 212.50 ms: capture 2.60, encode 2.60, network 200.00, jitter buffer 4.80, playback 2.50, too late",
                "here unknown: network 0.20, jitter buffer 4.80, playback 2.50",
                "in, does not work, volume 100 %, no such device",
                "out, not in use, volume 50 %",
                "udp, other, but wanted fifo 69",
                "capture, fifo 70",
                "not granted, memory unlocked, do this",
                "calls are NOT ENCRYPTED, own key SHA256:0, which is of this run alone",
                "status dnd, volume in 100 %, out 20 %, room hall, as before the last start",
                "/var/lib/vox-peer, cannot be written: read-only file system",
            ]
        );
    }

    #[test]
    fn programs_read_objects_and_arrays() {
        let status = json(&answer());
        assert_eq!(status["peer"]["missed"], 2);
        assert_eq!(status["registry"]["registered"], Value::Null);
        assert_eq!(status["call"][0]["muted"], true);
        assert_eq!(status["call"][0]["sealed"], true);
        assert_eq!(status["call"][0]["words"], "one-two-three-four");
        assert_eq!(status["media"][0]["level-in-db"], -20.5);
        assert_eq!(status["media"][0]["copies"], 2);
        assert_eq!(status["delay"][0]["total-ms"], 212.5);
        assert_eq!(
            (&status["delay"][0]["late"], &status["delay"][1]["total-ms"]),
            (&true.into(), &Value::Null)
        );
        assert_eq!(status["thread"].as_array().map(Vec::len), Some(2));
        assert_eq!(status["audio"][0]["state"], "lost");
        assert_eq!(
            (&status["choices"]["volume-out"], &status["choices"]["restored"]),
            (&20.into(), &true.into())
        );
        assert_eq!((&status["disk"]["state"], &status["unkept"]), (&"lost".into(), &value!([])));
    }

    #[test]
    fn what_may_be_several_is_an_array_even_when_there_is_none() {
        let idle = json(&Answer { lines: vec!["security media=off".into()], last: "end".into() });
        assert_eq!(
            idle,
            value!({
                "call": [], "media": [], "delay": [], "audio": [], "thread": [], "unkept": [], "damaged": [],
                "security": {"media": "off"},
            })
        );
    }
}
