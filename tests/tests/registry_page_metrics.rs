//! The figures of a registry, judged by those who read them.

use std::process::Command;

use vox_tests::bed::need::program;
use vox_tests::bed::{Page, Place, may};

/// Runs what judges metrics over them.
fn judged(mut judge: Command, metrics: &str, place: &Place) -> String {
    let file = place.write("metrics.txt", metrics);
    let output = judge.stdin(std::fs::File::open(file).expect("just written")).output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}\n{metrics}", String::from_utf8_lossy(&said));
    String::from_utf8_lossy(&said).into_owned()
}

/// A parser of Debian's python3-prometheus-client, which says each sample that it understood.
fn python(parser: &str) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    let families = "parser.text_string_to_metric_families(sys.stdin.read())";
    command.arg("-c").arg(format!(
        "import sys\nfrom prometheus_client{parser} import parser\n\
         for family in {families}:\n  assert family.documentation, family\n  for s in family.samples: print(family.type, s.name, s.value)"
    ));
    command
}

const OPEN_METRICS: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1\r\n\r\n";

#[test]
fn prometheus_understands_the_figures_in_both_of_its_languages() {
    let there = python("").arg("--version").output().is_ok();
    let library = there && std::path::Path::new("/usr/lib/python3/dist-packages/prometheus_client").exists();
    let needed =
        if library { Ok(()) } else { Err(vox_tests::bed::Lack::Package("python3-prometheus-client")) };
    let Some(()) = may("registry_page::prometheus", needed) else { return };
    let place = Place::new();
    let (registry, page) = Page::start(&place);
    let _ann = registry.user("ann", 6000);
    let open = page.ask(OPEN_METRICS).expect("an answer");
    assert_eq!(open.field("Content-Type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(open.body.ends_with("# EOF\n"));
    let strict = judged(python(".openmetrics"), &open.body, &place);
    let classic = judged(python(""), &page.get("/metrics").body, &place);
    for sample in [
        "gauge vox_registry_users 1.0",
        "counter vox_registry_registrations_total 1.0",
        "gauge vox_registry_rooms 0.0",
    ] {
        for said in [&strict.replace(" 1\n", " 1.0\n").replace(" 0\n", " 0.0\n"), &classic] {
            assert!(said.lines().any(|line| line == sample), "{sample}: {said}");
        }
    }
}

#[test]
fn promtool_has_nothing_to_say_about_the_figures() {
    let Some(()) = may("registry_page::promtool", program("promtool", "prometheus")) else { return };
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]);
    assert_eq!(judged(promtool, &page.get("/metrics").body, &place), "");
}
