//! A real browser, headless Chromium, driven through W3C's `WebDriver` as its own driver speaks it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Http, Reply};
use super::need::{self, Lack};
use super::ports::Port;
use super::{Place, Process, wait};

/// What keeps Chromium to itself: no processes of its own kind, no profile, nobody whom it calls by itself.
const ARGUMENTS: [&str; 13] = [
    // Driven over a pipe, it ends when its driver does, however that ends.
    "--remote-debugging-pipe",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-default-apps",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
];

/// A browser with one window. Dropped: ended, with everything that it started.
#[derive(Debug)]
pub struct Browser {
    session: String,
    address: String,
    _driver: Process,
    _port: Port,
}

impl Browser {
    /// Starts one.
    pub fn start(place: &Place) -> Result<Self, Lack> {
        need::program("chromium", "chromium")?;
        need::program("chromedriver", "chromium-driver")?;
        let (port, driver) = start_driver(place);
        let address = format!("127.0.0.1:{}", port.number());
        let profile = format!("--user-data-dir={}", place.at("profile").display());
        let arguments: Vec<_> = ARGUMENTS.iter().copied().chain([profile.as_str()]).collect();
        let wanted = json!({"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": arguments}});
        let begun = call(&address, "POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        let session = begun["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {begun}")).to_owned();
        Ok(Self { session, address, _driver: driver, _port: port })
    }

    /// Goes to a page and waits until it is there.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// Runs a function's body in the page and returns what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until a function's body returns something that is true.
    pub fn wait_until(&self, script: &str) {
        wait::until(script, 10, || self.run(script).as_bool().filter(|is_so| *is_so));
    }

    /// What the page and its scripts complained of since the last time it was asked.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let lines = log.as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| line["message"].to_string()).collect()
    }

    /// Makes the window as wide and high as a screen, and light or dark.
    pub fn look_like(&self, width: u32, height: u32, scheme: &str) {
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &scheme);
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        call(&self.address, "POST", &self.path(path), body)
    }

    fn path(&self, path: &str) -> String {
        format!("/session/{}{path}", self.session)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium; its driver alone would leave it behind.
        let _ = ask(&self.address, "DELETE", &self.path(""), &Value::Null);
    }
}

fn start_driver(place: &Place) -> (Port, Process) {
    let port = Port::claim();
    let home = place.at("home");
    let _ = fs::create_dir_all(&home);
    let mut command = Command::new("chromedriver");
    command.arg(format!("--port={}", port.number()));
    command
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .env("XDG_CONFIG_HOME", &home)
        .env("XDG_CACHE_HOME", &home);
    let driver = Process::start_asking_to_end("chromedriver", &command, &place.at("chromedriver.log"));
    let address = format!("127.0.0.1:{}", port.number());
    wait::until("chromedriver", 20, || {
        std::net::TcpStream::connect(&address).ok()?;
        ask(&address, "GET", "/status", &Value::Null)?.json()["value"]["ready"]
            .as_bool()
            .filter(|ready| *ready)
    });
    (port, driver)
}

fn call(address: &str, method: &str, path: &str, body: &Value) -> Value {
    let reply =
        ask(address, method, path, body).unwrap_or_else(|| panic!("{method} {path} was not answered"));
    assert_eq!(reply.status, 200, "{method} {path} {body}: {}", reply.body);
    reply.json()["value"].clone()
}

/// One command (`WebDriver`, section 6). `None`: there was no answer.
fn ask(address: &str, method: &str, path: &str, body: &Value) -> Option<Reply> {
    let body = if method == "POST" { body.to_string() } else { String::new() };
    let mut http = Http::to(address);
    http.be_patient(Duration::from_secs(60));
    let fields = "Host: localhost\r\nConnection: close\r\nContent-Type: application/json";
    let length = body.len();
    http.send(
        format!("{method} {path} HTTP/1.1\r\n{fields}\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes(),
    );
    http.reply()
}
