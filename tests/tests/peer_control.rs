//! The dialogues of `transcripts/peer` with the real program's control socket.

use vox_tests::bed::{Place, Station};
use vox_tests::transcript::Transcript;
use vox_tests::wire::{Wire, Wires};

#[test]
fn the_program_keeps_to_every_transcript() {
    for transcript in Transcript::all("peer") {
        let place = Place::new();
        let mut station = Station::named("alice").set("audio.input", "silence");
        for (key, value) in transcript.settings() {
            station = station.set(key, value);
        }
        let station = station.start(&place);
        transcript.hold(&mut Wires::new(|| Wire::unix(&station.socket())));
    }
}
