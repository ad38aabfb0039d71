//! The decisions of the thread `store`, with time as plain numbers.

use super::*;
use crate::sys::clock;

struct Bench {
    queue: Queue,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        let start = clock::now();
        Self { queue: Queue::new(start, None), start }
    }

    fn at(&self, s: u64) -> Instant {
        self.start + Duration::from_secs(s)
    }

    fn keep(&mut self, s: u64, file: &'static str, text: &str) {
        self.queue.put(self.at(s), file, text.as_bytes(), None, false);
    }

    fn order(&mut self, s: u64, file: &'static str, text: &str) {
        self.queue.put(self.at(s), file, text.as_bytes(), None, true);
    }

    /// What is written at this time, which succeeds unless it fails for a reason.
    fn write(&mut self, s: u64, failed: Option<&str>) -> Vec<String> {
        let (mut written, now) = (Vec::new(), self.at(s));
        while let Next::Write(paper) = self.queue.next(now) {
            let text = String::from_utf8_lossy(&paper.text).into_owned();
            written.push(format!("{} {text}{}", paper.file, if paper.is_there { " is there" } else { "" }));
            self.queue.written(now, paper, failed);
        }
        written
    }

    fn unkept(&self, s: u64) -> Vec<String> {
        let told = |it: Unkept| format!("{} {} {}", it.file, (self.at(s) - it.since).as_secs(), it.why);
        self.queue.unkept(self.at(s)).into_iter().map(told).collect()
    }
}

#[test]
fn a_file_is_written_at_once_and_then_once_in_an_interval() {
    let mut bench = Bench::new();
    bench.keep(0, "history", "1");
    assert_eq!(bench.write(0, None), ["history 1"]);
    for s in 1..5 {
        bench.keep(s, "history", &s.to_string());
        assert_eq!(bench.write(s, None), [""; 0]);
        assert!(matches!(bench.queue.next(bench.at(s)), Next::Wait(due) if due == bench.at(5)));
    }
    assert_eq!(bench.write(5, None), ["history 4"]);
    bench.keep(20, "history", "20");
    assert_eq!(bench.write(20, None), ["history 20"]);
}

#[test]
fn one_file_waits_for_no_other_and_whoever_has_waited_longest_comes_first() {
    let mut bench = Bench::new();
    bench.keep(0, "history", "1");
    bench.write(0, None);
    bench.keep(1, "history", "2");
    bench.keep(2, "messages", "1");
    assert_eq!(bench.write(2, None), ["messages 1"]);
    bench.keep(3, "messages", "2");
    bench.order(4, "settings", "dnd");
    assert_eq!(bench.write(9, None), ["history 2", "messages 2", "settings dnd"]);
}

#[test]
fn what_somebody_waits_for_is_written_at_once_and_takes_along_what_has_waited() {
    let mut bench = Bench::new();
    for s in 0..3 {
        bench.order(s, "settings", &s.to_string());
        assert_eq!(bench.write(s, None), [format!("settings {s}")]);
    }
    bench.keep(3, "settings", "3");
    bench.order(3, "settings", "4");
    bench.keep(3, "settings", "5");
    assert_eq!(bench.write(3, None), ["settings 5"]);
}

#[test]
fn a_short_text_that_is_there_is_not_written_again() {
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.order(0, "settings", "dnd");
        bench.order(0, "history", &"long ".repeat(1000));
        bench.write(0, None);
    }
    bench.order(1, "settings", "dnd");
    assert_eq!(bench.write(1, None), ["settings dnd is there"]);
    bench.order(1, "history", &"long ".repeat(1000));
    assert!(!bench.write(1, None)[0].ends_with("is there"));
    bench.order(2, "settings", "idle");
    bench.write(2, Some("full"));
    bench.order(3, "settings", "dnd");
    assert_eq!(bench.write(3, None), ["settings dnd"], "nobody knows what a failure has left there");
}

#[test]
fn what_fails_is_tried_again_and_told_of_until_it_is_kept() {
    let mut bench = Bench::new();
    bench.keep(0, "history", "1");
    assert_eq!(bench.unkept(0), [""; 0], "it has had no time yet");
    bench.write(0, Some("full"));
    assert_eq!(bench.unkept(12), ["history 12 full"]);
    bench.keep(13, "history", "2");
    assert_eq!(bench.write(29, None), [""; 0]);
    assert_eq!(bench.write(30, Some("read-only")), ["history 2"]);
    assert_eq!(bench.unkept(40), ["history 40 read-only"]);
    assert_eq!(bench.write(60, None), ["history 2"]);
    assert_eq!(bench.unkept(60), [""; 0]);
}

#[test]
fn whoever_waits_is_tried_for_at_once_whatever_has_failed() {
    let mut bench = Bench::new();
    bench.order(0, "settings", "dnd");
    assert_eq!(bench.write(0, Some("full")), ["settings dnd"]);
    assert_eq!(bench.write(1, None), [""; 0]);
    bench.order(2, "settings", "idle");
    assert_eq!(bench.write(2, None), ["settings idle"]);
}

#[test]
fn the_log_hears_of_each_reason_once_and_of_the_end() {
    let mut bench = Bench::new();
    let mut told = Vec::new();
    for (s, failed) in
        [(0, None), (60, Some("full")), (120, Some("full")), (180, Some("gone")), (240, None), (300, None)]
    {
        bench.keep(s, "history", &s.to_string());
        let now = bench.at(s);
        let Next::Write(paper) = bench.queue.next(now) else { panic!("nothing to write at {s}") };
        told.push(bench.queue.written(now, paper, failed));
    }
    assert_eq!(told, [false, true, false, true, true, false]);
}

#[test]
fn a_disk_that_does_not_answer_is_told_of_with_all_that_waits_for_it() {
    let mut bench = Bench::new();
    bench.keep(0, "history", "1");
    assert!(matches!(bench.queue.next(bench.at(0)), Next::Write(_)));
    bench.keep(1, "messages", "1");
    bench.keep(2, "history", "2");
    assert_eq!(bench.unkept(10), [""; 0]);
    let hangs = ["history 11 the disk does not answer", "messages 10 the disk does not answer"];
    assert_eq!(bench.unkept(11), hangs);
}

#[test]
fn a_directory_is_looked_at_again_and_again() {
    let mut bench = Bench::new();
    let look = |bench: &mut Bench, s: u64, found: Option<&str>| {
        assert!(matches!(bench.queue.next(bench.at(s - 1)), Next::Wait(due) if due == bench.at(s)));
        assert!(matches!(bench.queue.next(bench.at(s)), Next::Look));
        let now = bench.at(s);
        bench.queue.looked(now, found.map(str::to_owned))
    };
    assert!(!look(&mut bench, 60, None));
    assert!(look(&mut bench, 120, Some("read-only")));
    assert_eq!(bench.queue.refusal(), Some("read-only"));
    assert!(!look(&mut bench, 180, Some("read-only")));
    assert!(look(&mut bench, 240, None));
    assert_eq!(bench.queue.refusal(), None);
    assert!(matches!(bench.queue.next(bench.at(300)), Next::Look));
    bench.keep(301, "history", "1");
    assert_eq!(bench.unkept(311), ["history 10 the disk does not answer"]);
}

#[test]
fn at_the_end_everything_is_tried_once_more() {
    let mut bench = Bench::new();
    bench.keep(0, "history", "1");
    bench.keep(0, "messages", "1");
    bench.write(0, None);
    bench.keep(1, "history", "2");
    bench.order(1, "settings", "dnd");
    bench.queue.close();
    assert_eq!(bench.write(1, Some("full")), ["history 2", "settings dnd"]);
    assert!(matches!(bench.queue.next(bench.at(1)), Next::End));
    assert!(!bench.queue.is_unwritten());
}
