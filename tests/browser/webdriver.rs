//! As much of a WebDriver client (W3C WebDriver) as the test needs: plain HTTP and JSON to ChromeDriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Long enough for a browser to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running ChromeDriver; killed, with its browser, when it is dropped.
pub struct Driver {
    child: Child,
    port: u16,
}

/// One browser.
pub struct Browser<'d> {
    driver: &'d Driver,
    session: String,
}

impl Driver {
    /// Starts it on a free port; `Err` says what is missing.
    pub fn start() -> Result<Self, String> {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver (Debian's chromium-driver): {error}"))?;
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let port = lines.find_map(|line| {
            let rest = line.split_once("successfully on port ")?.1;
            rest.trim_end_matches('.').parse().ok()
        });
        std::thread::spawn(move || lines.for_each(drop));
        match port {
            Some(port) => Ok(Self { child, port }),
            None => Err("chromedriver does not say on which port it listens".to_owned()),
        }
    }

    /// Opens a browser with a profile in `profile`.
    pub fn open(&self, profile: &Path) -> Result<Browser<'_>, String> {
        self.open_with(profile, &[])
    }

    /// The same with these flags as well.
    pub fn open_with(&self, profile: &Path, flags: &[String]) -> Result<Browser<'_>, String> {
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en-US",
        ];
        let mut arguments = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        arguments.extend_from_slice(flags);
        let answer = self.request(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": {"args": arguments},
                "timeouts": {"script": 180_000, "pageLoad": 180_000},
                "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            }}}),
        )?;
        let session = answer["sessionId"].as_str().ok_or("no session")?.to_owned();
        Ok(Browser { driver: self, session })
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let exchange = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let body = if method == "POST" {
                body.to_string()
            } else {
                String::new()
            };
            let length = body.len();
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\n\r\n{body}",
                self.port
            )?;
            let mut reader = BufReader::new(stream);
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line)? > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            Ok(String::from_utf8_lossy(&body).into_owned())
        };
        let text = exchange().map_err(|error| format!("{method} {path}: {error}"))?;
        let mut answer: Value =
            serde_json::from_str(&text).map_err(|error| format!("{method} {path}: {error}: {text}"))?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{method} {path}: {error}: {}", value["message"])),
            None => Ok(value),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser<'_> {
    fn post(&self, path: &str, body: Value) -> Value {
        let path = format!("/session/{}/{path}", self.session);
        self.driver
            .request("POST", &path, &body)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The handle of the window that commands go to.
    pub fn window(&self) -> String {
        let path = format!("/session/{}/window", self.session);
        self.driver
            .request("GET", &path, &Value::Null)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Opens another window; commands still go to the one before.
    pub fn new_window(&self) -> String {
        self.post("window/new", json!({"type": "window"}))["handle"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub fn switch_to(&self, window: &str) {
        self.post("window", json!({"handle": window}));
    }

    /// Closes the window that commands go to.
    pub fn close_window(&self) {
        let path = format!("/session/{}/window", self.session);
        self.driver.request("DELETE", &path, &Value::Null).unwrap();
    }

    pub fn go(&self, url: &str) {
        self.post("url", json!({"url": url}));
    }

    pub fn reload(&self) {
        self.post("refresh", json!({}));
    }

    /// Runs the body of a function in the page.
    pub fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []}))
    }

    /// Types into the element that has the focus, key by key; `\u{e007}` is Enter, `\u{e008}` holds Shift.
    pub fn type_keys(&self, text: &str) {
        let element = self
            .driver
            .request(
                "GET",
                &format!("/session/{}/element/active", self.session),
                &Value::Null,
            )
            .unwrap();
        let id = element
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        self.post(&format!("element/{id}/value"), json!({"text": text}));
    }

    /// Presses keys wherever the focus is, as [`Browser::type_keys`] does, but also where there is nothing to type into.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        self.post(
            "actions",
            json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}),
        );
    }

    /// Moves the mouse over the middle of an element, and clicks if asked to.
    pub fn point_at(&self, selector: &str, click: bool) {
        let place = self.run(&format!(
            "const r = document.querySelector({}).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]",
            Value::from(selector)
        ));
        let (x, y) = (place[0].as_f64().unwrap() as i64, place[1].as_f64().unwrap() as i64);
        let mut actions = vec![json!({"type": "pointerMove", "duration": 0, "x": x, "y": y, "origin": "viewport"})];
        if click {
            actions.extend(["pointerDown", "pointerUp"].map(|kind| json!({"type": kind, "button": 0})));
        }
        self.post(
            "actions",
            json!({"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]}),
        );
    }

    /// The window's size in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Light or dark, with the system's colours (`forced-colors`) or without.
    pub fn scheme(&self, scheme: &str, forced_colors: bool) {
        let forced = if forced_colors { "active" } else { "none" };
        let features =
            json!([{"name": "prefers-color-scheme", "value": scheme}, {"name": "forced-colors", "value": forced}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// Enters text as an input method does: the driver's keys know nothing beyond U+FFFF.
    pub fn insert(&self, text: &str) {
        self.post(
            "goog/cdp/execute",
            json!({"cmd": "Input.insertText", "params": {"text": text}}),
        );
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, params: Value) -> Value {
        self.post("goog/cdp/execute", json!({"cmd": command, "params": params}))
    }

    /// Waits until `condition` holds in the page.
    pub fn wait_until(&self, condition: &str) {
        let start = Instant::now();
        while self.run(&format!("return Boolean({condition})")) != true {
            if start.elapsed() > PATIENCE {
                let page = self.run("return document.body.innerText");
                panic!(
                    "still not: {condition}\nthe page says: {page}\nconsole: {:?}",
                    self.log("browser")
                );
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// The entries of a log since they were last asked for: `performance`, or `browser`, the console.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        match self.post("se/log", json!({"type": kind})) {
            Value::Array(entries) => entries,
            _ => Vec::new(),
        }
    }

    /// A picture of the window, as base64 of a PNG.
    pub fn screenshot(&self) -> String {
        let path = format!("/session/{}/screenshot", self.session);
        self.driver
            .request("GET", &path, &Value::Null)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        let _ = self
            .driver
            .request("DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}
