//! How much echo is taken out, and how soon.

use vox_tests::echo::cards::Cards;
use vox_tests::echo::room::Room;
use vox_tests::echo::{ECHO, alice_and_bob, erle};

/// Far-end single talk in one room after the other, then with clocks that differ.
pub(crate) fn table() -> String {
    let mut table =
        String::from("## Echo that is taken out (far end talks alone; target: 30 dB within 3 s)\n\n");
    table +=
        &crate::heading(&["RT60", "echo comes after", "cards apart", "1 to 3 s", "3 to 5 s", "5 to 12 s"]);
    for (walls, rt60, delay_ms) in
        [(0, 0.2, 20.0), (1, 0.3, 60.0), (2, 0.4, 100.0), (2, 0.5, 100.0), (0, 0.5, 150.0)]
    {
        table += &row(Room { walls, rt60, delay_ms, ..Room::OFFICE }, &Cards::default());
    }
    for drift_ppm in [200.0, -200.0, 300.0] {
        table += &row(Room::OFFICE, &Cards { drift_ppm, ..Cards::default() });
    }
    for period in [120, 240] {
        table += &row(Room::OFFICE, &Cards { period, loses_every: Some(1.05), ..Cards::default() });
    }
    table
}

fn row(room: Room, cards: &Cards) -> String {
    let [far, _] = alice_and_bob(13);
    let air = room.echo(&cards.heard(&far));
    let sent = cards.run(ECHO, &far, &air).placed(air.len());
    let less = |from, to| format!("{:.1} dB", erle(&air, &sent, from, to));
    let (rt60, delay) = (format!("{:.1} s", room.rt60), format!("{:.0} ms", room.delay_ms));
    let apart = match cards.loses_every {
        None => format!("{:.0} ppm", cards.drift_ppm),
        Some(every) => format!("each loses {} samples in {every:.2} s", cards.period),
    };
    crate::line(&[&rt60, &delay, &apart, &less(1, 3), &less(3, 5), &less(5, 12)])
}
