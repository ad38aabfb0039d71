//! The dialogues of `transcripts/registry`, with the core and with the real program.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use vox_common::wire::proof::Secret;
use vox_registry::core::{Access, Pace, Sealing, Settings};
use vox_tests::bed::{self, Place, Registry, Surroundings};
use vox_tests::people::People;
use vox_tests::transcript::Transcript;
use vox_tests::wire::{Wire, Wires};
use vox_tests::world::World;

const SECRET: &[u8] = b"sesame\n";

#[test]
fn the_core_keeps_to_every_transcript() {
    for transcript in Transcript::all("registry") {
        let world =
            World::with(|settings| transcript.settings().for_each(|(key, value)| set(settings, key, value)));
        let mut people = People::new(world, 0);
        transcript.hold(&mut people);
        people.have_heard_everything();
    }
}

#[test]
fn the_program_keeps_to_every_transcript() {
    for transcript in Transcript::all("registry") {
        let place = Place::new();
        let registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
            settings.set("access.secret-file", secret_file(&place));
            for (key, value) in transcript.settings() {
                write_setting(settings, key, value);
            }
        });
        transcript.hold(&mut Wires::new(|_| Wire::tcp(&registry.address())));
    }
}

/// The same as a line of the file, for a core.
fn set(settings: &mut Settings, key: &str, value: &str) {
    let number = || value.parse().expect("a number");
    let limits = &mut settings.limits;
    match key {
        "max-users" => settings.max_users = number(),
        "max-rooms" => settings.max_rooms = number(),
        "access.sealed" => settings.sealing = Sealing::parse(value).expect("a word of the configuration"),
        "access.mode" => settings.access = access(value),
        "limits.connections-per-address" => limits.connections_per_address = Some(number()),
        "limits.pace" => limits.pace = Some(Pace { per_second: 1, burst: 10 }),
        _ => panic!("{key} is no setting that this test knows"),
    }
}

fn access(mode: &str) -> Access {
    match mode {
        "secret" => Access::Secret(Secret::new(SECRET).expect("a short word")),
        _ => Access::Keys,
    }
}

/// The same for a program.
fn write_setting(settings: &mut bed::Settings, key: &str, value: &str) {
    match (key, value.parse::<i64>()) {
        ("limits.pace", _) => settings.set("limits.requests-per-second", 1).set("limits.burst", 10),
        (_, Ok(number)) => settings.set(key, number),
        (_, Err(_)) => settings.set(key, value),
    };
}

fn secret_file(place: &Place) -> String {
    let file = place.at("secret");
    let written =
        fs::write(&file, SECRET).and_then(|()| fs::set_permissions(&file, Permissions::from_mode(0o600)));
    written.expect("a private directory can be written");
    file.display().to_string()
}
