//! How long somebody waits who behaves well, while others behave as badly as they can.

use std::thread;
use std::time::Duration;

use vox_common::sys::clock;
use vox_tests::bed::{Place, listen};
use vox_tests::crowd::Crowd;
use vox_tests::torture::{self, Bystander};

use crate::report::Report;

const TORTURE: Duration = Duration::from_secs(10);

pub(crate) fn measure(report: &mut Report) {
    let took = answers_under_torture();
    let at = |share| format!("{:.2} ms", listen::quantile(&took, share));
    let table = report.table("Torture");
    table.add("a bystander's PING, 50th percentile", at(0.5), "");
    table.add("… 99th percentile", at(0.99), "< 50 ms");
    table.note(
        "Torture is bursts of 200 clients who come and vanish, properly or by RST, in mid-line or with answers unread; floods by a\n\
         client that does not read; lines of 10 MB; every byte value; all of it again and again, side by side, for 10 s.",
    );
}

fn answers_under_torture() -> Vec<f64> {
    let place = Place::new();
    let registry = crate::registry(&place);
    let address = registry.address();
    let bystander = Bystander::of(&address);
    let until = clock::now() + TORTURE;
    thread::scope(|scope| {
        scope.spawn(|| {
            while clock::now() < until {
                torture::flood_unread(&address);
            }
        });
        scope.spawn(|| {
            while clock::now() < until {
                torture::endless_line(&address, 10_000_000);
                torture::every_byte(&address);
            }
        });
        let (mut crowd, mut chance) = (Crowd::of(&address), torture::chance());
        while clock::now() < until {
            torture::vanish(&mut crowd, &mut chance, 200);
        }
    });
    bystander.finish()
}
