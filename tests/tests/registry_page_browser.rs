//! The status page as people see it: in a real browser.

use vox_common::wire::names::DisplayName;
use vox_tests::bed::{Browser, Page, Place, Registry, may};
use vox_tests::wire::Wire;

/// Would be a script, an image and the end of an attribute, if anybody let it; 64 bytes at most.
const MARKUP: &str = "<img src=x onerror=window.hacked=1>\"'<script>window.hacked=2//";

/// Connects and registers.
fn user(registry: &Registry, name: &str, port: u16, display: &str) -> Wire {
    let mut wire = Wire::tcp(&registry.address());
    wire.hear().expect("a greeting");
    let display = DisplayName::new(display).expect("it can be shown").to_word();
    let reply = wire.ask(&format!("REGISTER {name} {port} display={display}"));
    assert_eq!(reply, Some(format!("200 registered {name} 127.0.0.1:{port}")));
    wire
}

/// A place, a registry with a page, and a browser that looks at it; `None`: skipped.
fn seen(test: &str) -> Option<(Browser, Registry, Place)> {
    let place = Place::new();
    let (registry, page) = Page::start(&place);
    let browser = may(test, Browser::start(&place))?;
    browser.open(&format!("http://{}/", page.address()));
    Some((browser, registry, place))
}

fn rows(count: usize) -> String {
    format!("return document.querySelectorAll('#users tr[data-name]').length === {count}")
}

#[test]
fn users_appear_change_and_disappear_without_a_reload() {
    let Some((browser, registry, _place)) = seen("registry_page_browser::live") else { return };
    browser.wait_until("return document.getElementById('link').textContent === 'live'");
    browser.run("window.loadedOnce = true");
    let mut ann = user(&registry, "ann", 6000, "João");
    browser.wait_until(&rows(1));
    let text = browser.run("return document.querySelector('#users tr').innerText");
    let text = text.as_str().expect("text").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.starts_with("João ann idle 127.0.0.1:6000 "), "{text}");
    ann.ask("STATUS dnd");
    browser.wait_until("return document.querySelector('#users .status').textContent === 'dnd'");
    ann.ask("CREATE kitchen 4");
    browser.wait_until("return document.getElementById('rooms').innerText.includes('kitchen')");
    drop(ann);
    browser.wait_until(&rows(0));
    browser.wait_until("return document.getElementById('events').innerText.includes('ann has left')");
    assert_eq!(browser.run("return window.loadedOnce"), true, "the page was never loaded again");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn it_fits_a_phone_and_a_wall_whoever_is_there_by_day_and_by_night() {
    let Some((browser, registry, _place)) = seen("registry_page_browser::fits") else { return };
    let longest = "w".repeat(32);
    let mut user = user(&registry, &longest, 6000, &"M".repeat(64));
    user.ask(&format!("CREATE {longest} 4"));
    browser.wait_until(&rows(1));
    let mut papers = Vec::new();
    for (width, scheme) in [(320, "light"), (390, "dark"), (1920, "dark"), (1920, "light")] {
        browser.look_like(width, 900, scheme);
        browser.wait_until("return document.documentElement.scrollWidth <= window.innerWidth");
        let paper = browser.run("return getComputedStyle(document.body).backgroundColor");
        papers.push(paper.as_str().expect("a colour").to_owned());
    }
    assert!(papers[0] == papers[3] && papers[1] == papers[2] && papers[0] != papers[1], "{papers:?}");
}

#[test]
fn a_name_full_of_markup_stays_text_and_runs_nothing() {
    let Some((browser, registry, _place)) = seen("registry_page_browser::markup") else { return };
    let _mallory = user(&registry, "mallory", 6000, MARKUP);
    for reload in [false, true] {
        if reload {
            browser.run("location.reload()");
        }
        // As page.js writes it, and as the registry does.
        browser.wait_until("return document.querySelector('#users .display') !== null");
        assert_eq!(browser.run("return document.querySelector('#users .display').textContent"), MARKUP);
        assert_eq!(browser.run("return window.hacked === undefined"), true);
        let elements = "return document.querySelectorAll('img, tbody script, [onerror]').length";
        assert_eq!(browser.run(elements), 0);
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
