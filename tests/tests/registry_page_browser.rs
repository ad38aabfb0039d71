//! The status page as people see it: in a real browser.

use vox_tests::bed::{Browser, Page, Place, Registry, may};

/// Would be a script, an image and the end of an attribute, if anybody let it; 64 bytes at most.
const MARKUP: &str = "<img src=x onerror=window.hacked=1>\"'<script>window.hacked=2//";

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
    let mut ann = registry.user_shown_as("João", "ann", 6000);
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

/// Compares what page.js has made with what the registry makes now, but for the form of times.
const SAME: &str = r"
    const shown = (page, id) => {
        const part = page.getElementById(id).cloneNode(true);
        for (const time of part.querySelectorAll('time')) time.replaceWith('TIME');
        for (const row of part.querySelectorAll('.new')) row.removeAttribute('class');
        return part.innerHTML.replace(/>\s+</g, '><').trim();
    };
    return fetch('/').then((answer) => answer.text()).then((text) => {
        const fresh = new DOMParser().parseFromString(text, 'text/html');
        const ids = ['counts', 'users', 'rooms', 'events'];
        return ids.map((id) => [shown(document, id), shown(fresh, id)]).filter(([was, is]) => was !== is);
    });";

#[test]
fn with_javascript_and_without_the_page_is_the_same() {
    let Some((browser, registry, _place)) = seen("registry_page_browser::same") else { return };
    browser.wait_until("return document.getElementById('link').textContent === 'live'");
    assert_eq!(browser.run(SAME), serde_json::json!([]), "nobody is there");
    let mut ann = registry.user_shown_as("João <3", "ann", 6000);
    let mut bob = registry.user("bob", 6001);
    for line in ["CREATE kitchen 4", "STATUS away"] {
        assert!(bob.ask(line).is_some_and(|reply| reply.starts_with("200 ")), "{line}");
    }
    ann.ask("JOIN kitchen");
    browser.wait_until("return document.getElementById('rooms').innerText.includes('ann')");
    browser.wait_until("return document.querySelector('.status.away') !== null");
    assert_eq!(browser.run(SAME), serde_json::json!([]));
}

#[test]
fn it_fits_a_phone_and_a_wall_whoever_is_there_by_day_and_by_night() {
    let Some((browser, registry, _place)) = seen("registry_page_browser::fits") else { return };
    let longest = "w".repeat(32);
    let mut user = registry.user_shown_as(&"M".repeat(64), &longest, 6000);
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
    let _mallory = registry.user_shown_as(MARKUP, "mallory", 6000);
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
