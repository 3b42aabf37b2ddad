//! A page as the tests use it, and what the browser says of its WebSocket.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::support::{Client, Server};
use crate::webdriver::{Browser, Driver};

pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";
pub const TAB: &str = "\u{e004}";
pub const DOWN: &str = "\u{e015}";

/// `None`, and why on stdout, where there is no browser.
pub fn driver() -> Option<Driver> {
    Driver::start()
        .map_err(|missing| println!("SKIPPED: no browser: {missing}"))
        .ok()
}

/// A server that waits long for an answer to its pings: a [`Bot`] gives none.
pub fn start(flags: &[&str]) -> Server {
    start_on("127.0.0.1:0", "127.0.0.1:0", flags)
}

pub fn start_on(ws: &str, http: &str, flags: &[&str]) -> Server {
    Server::start_on(ws, http, &[flags, &["--ping", "600", "--idle", "1200"]].concat())
}

/// Where the page is.
pub fn url(server: &Server) -> String {
    format!("http://{}/", server.http)
}

/// A user without a page. It reads nothing of what it is sent.
pub struct Bot {
    runtime: Runtime,
    pub client: Client,
}

impl Bot {
    pub fn login(server: &Server, name: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(Client::login(server, name));
        Self { runtime, client }
    }

    pub fn say(&mut self, text: &str) {
        self.runtime.block_on(self.client.say(json!("all"), text));
    }

    pub fn say_to(&mut self, uid: u64, text: &str) {
        self.runtime.block_on(self.client.say(json!(uid), text));
    }

    /// Leaves with a closing handshake.
    pub fn leave(mut self) {
        self.runtime.block_on(async {
            self.client.socket.close(None).await.unwrap();
            self.client.closed().await;
        });
    }
}

/// What went over one WebSocket, in order, as the browser's own developer tools saw it: sent or not, opcode, payload.
pub type Frames = Vec<(bool, u64, String)>;

pub const CONNECTED: &str = "document.getElementById('connection').dataset.state === 'connected'";

/// Opens the page in the current window and logs in; returns when the user list is there.
pub fn enter(browser: &Browser<'_>, url: &str, name: &str) {
    browser.go(url);
    browser.wait_until(&format!(
        "{CONNECTED} && document.activeElement === document.getElementById('name')"
    ));
    browser.run("document.getElementById('name').value = ''");
    browser.insert(name);
    browser.type_keys(ENTER);
    browser.wait_until("!document.getElementById('chat').hidden && document.querySelectorAll('#users li').length > 0");
}

/// Waits for so many users in the list.
pub fn wait_for_users(browser: &Browser<'_>, count: usize) {
    browser.wait_until(&format!("document.querySelectorAll('#users li').length === {count}"));
}

/// Chooses a user of the list as the recipient, or gives the choice up.
pub fn choose(browser: &Browser<'_>, name: &str) {
    let name = Value::from(name);
    browser.run(&format!(
        "[...document.querySelectorAll('#users button')].find((b) => b.textContent === {name}).click()"
    ));
}

/// The text of the element with this id.
pub fn text_of(browser: &Browser<'_>, id: &str) -> String {
    let text = browser.run(&format!("return document.getElementById('{id}').textContent"));
    text.as_str().unwrap().to_owned()
}

/// As if it had been chosen at the top of the page.
pub fn choose_language(browser: &Browser<'_>, language: &str) {
    browser.run(&format!(
        "const s = document.getElementById('language'); s.value = '{language}'; s.dispatchEvent(new Event('change'))"
    ));
}

/// The last items of the log, as one reads them.
pub fn last_item(browser: &Browser<'_>) -> String {
    let text = browser.run("return document.getElementById('messages').lastElementChild?.innerText ?? ''");
    text.as_str().unwrap().to_owned()
}

/// How far the log is from its end, in pixels.
pub fn distance_from_end(browser: &Browser<'_>) -> f64 {
    let log = "const l = document.getElementById('scroller'); return l.scrollHeight - l.scrollTop - l.clientHeight";
    browser.run(log).as_f64().unwrap()
}

/// Says something by typing it and pressing Enter.
pub fn say(browser: &Browser<'_>, text: &str) {
    browser.run("document.getElementById('text').focus()");
    browser.insert(text);
    browser.type_keys(ENTER);
}

/// Waits until the last message in the log has this text.
pub fn wait_for_message(browser: &Browser<'_>, text: &str) {
    let text = Value::from(text);
    browser.wait_until(&format!(
        "[...document.querySelectorAll('#messages .body')].at(-1)?.textContent === {text}"
    ));
}

/// Adds what the browser has seen since the last call.
pub fn collect_frames(browser: &Browser<'_>, frames: &mut HashMap<String, Frames>) {
    for entry in browser.log("performance") {
        let Ok(entry) = serde_json::from_str::<Value>(entry["message"].as_str().unwrap_or_default()) else {
            continue;
        };
        let message = &entry["message"];
        let sent = match message["method"].as_str() {
            Some("Network.webSocketFrameSent") => true,
            Some("Network.webSocketFrameReceived") => false,
            _ => continue,
        };
        let window = entry["webview"].as_str().unwrap_or_default().to_owned();
        let frame = &message["params"]["response"];
        let (opcode, payload) = (
            frame["opcode"].as_u64().unwrap(),
            frame["payloadData"].as_str().unwrap(),
        );
        let payload = match opcode {
            1 => payload.to_owned(),
            _ => String::from_utf8_lossy(&BASE64_STANDARD.decode(payload).unwrap_or_default()).into_owned(),
        };
        frames.entry(window).or_default().push((sent, opcode, payload));
    }
}
