//! A page as the tests use it, and what the browser says of its WebSocket.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::webdriver::Browser;

/// What went over one WebSocket, in order, as the browser's own developer tools saw it: sent or not, opcode, payload.
pub type Frames = Vec<(bool, u64, String)>;

/// Opens the page in the current window and logs in; returns when the user list is there.
pub fn enter(browser: &Browser<'_>, url: &str, name: &str) {
    browser.go(url);
    browser.wait_until(
        "document.getElementById('status').dataset.state === 'connected' && document.getElementById('who').open",
    );
    browser.insert(name);
    browser.type_keys("\u{e007}");
    browser.wait_until("!document.getElementById('who').open && document.querySelectorAll('#users li').length > 0");
}

/// Says something by typing it and pressing Enter.
pub fn say(browser: &Browser<'_>, text: &str) {
    browser.run("document.getElementById('text').focus()");
    browser.insert(text);
    browser.type_keys("\u{e007}");
}

/// Waits until the last message in the log has this text.
pub fn wait_for_message(browser: &Browser<'_>, text: &str) {
    let text = Value::from(text);
    browser.wait_until(&format!(
        "[...document.querySelectorAll('.message .body')].at(-1)?.textContent === {text}"
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
