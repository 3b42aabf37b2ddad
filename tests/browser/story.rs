//! Two pages chat, and the analyzer watches them.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::pages::{Frames, collect_frames, enter, say, wait_for_message};
use crate::sniffer::Sniffer;
use crate::support::Server;
use crate::webdriver::{Browser, Driver};

fn driver() -> Option<Driver> {
    Driver::start()
        .map_err(|missing| println!("SKIPPED: no browser: {missing}"))
        .ok()
}

#[test]
fn two_pages_chat_and_the_analyzer_tells_it() {
    let Some(driver) = driver() else { return };
    let server = Server::start(&[]);
    let skipped = |why| println!("SKIPPED: the analyzer's part: {why}");
    let json_view = Sniffer::start(&["--format", "json"], server.ws.port())
        .map_err(skipped)
        .ok();
    let trace_view = Sniffer::start(&["--format", "trace", "--lang", "en", "-A"], server.ws.port()).ok();

    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    let url = format!("http://127.0.0.1:{}/", server.http.port());
    let nick = browser.window();
    let pig = browser.new_window();
    let mut frames = HashMap::new();

    enter(&browser, &url, "mynick");
    browser.switch_to(&pig);
    enter(&browser, &url, "猪猪");
    browser.switch_to(&nick);
    browser.wait_until("document.querySelectorAll('#users li').length === 2");
    say(&browser, "hi, all !");
    wait_for_message(&browser, "hi, all !");
    assert_eq!(
        browser.run("return document.querySelector('.message.own .who').textContent"),
        "mynick"
    );

    browser.switch_to(&pig);
    wait_for_message(&browser, "hi, all !");
    assert_eq!(
        browser.run("return document.querySelectorAll('.message:not(.own)').length"),
        1
    );
    // A private answer, chosen from the list of users.
    browser.run("document.querySelector('#users button:enabled').click()");
    say(&browser, "only for you");
    wait_for_message(&browser, "only for you");
    assert_eq!(
        browser.run("return document.querySelector('.own.private .mark').textContent"),
        "private, to mynick"
    );

    browser.switch_to(&nick);
    wait_for_message(&browser, "only for you");
    assert_eq!(
        browser.run("return document.querySelector('.private:not(.own) .mark').textContent"),
        "private"
    );
    say(&browser, "😀");
    wait_for_message(&browser, "😀");
    browser.switch_to(&pig);
    wait_for_message(&browser, "😀");
    picture(&browser, "chat");
    collect_frames(&browser, &mut frames);

    browser.switch_to(&nick);
    assert_eq!(
        browser.log("browser"),
        [] as [Value; 0],
        "the console is quiet, and so is the Content-Security-Policy"
    );
    browser.close_window();
    browser.switch_to(&pig);
    browser.wait_until("document.querySelectorAll('#users li').length === 1");
    server.wait_for_log(&["event=disconnect", "uid=1", "by=client", "code=1000"]);
    collect_frames(&browser, &mut frames);
    // Leaves too, without closing its window, so that the browser's log can still be asked for.
    browser.go("about:blank");
    server.wait_for_log(&["event=disconnect", "uid=2", "by=client", "code=1000"]);
    collect_frames(&browser, &mut frames);

    let [nick, pig] = [&nick, &pig].map(|window| frames.get(window).cloned().unwrap_or_default());
    check_what_the_browser_saw(&nick, &pig);
    if let (Some(json_view), Some(trace_view)) = (json_view, trace_view) {
        json_view.wait_until("the end of both sessions", |output| {
            output.matches(r#""event":"session-end""#).count() == 2
        });
        let (output, code) = json_view.stop();
        assert_eq!(code, Some(0));
        check_json(&output, &nick, &pig);
        trace_view.wait_until("the last FIN", |output| output.matches("Flags [F.]").count() >= 4);
        let (output, code) = trace_view.stop();
        assert_eq!(code, Some(0));
        check_trace(&output);
    }
}

/// The frames are what the story says: else the comparison that follows would compare nothing.
fn check_what_the_browser_saw(nick: &Frames, pig: &Frames) {
    let told = |frames: &Frames| -> Vec<String> {
        let texts = frames.iter().filter(|(_, opcode, _)| *opcode == 1);
        let kind = |sent: bool, text: &str| {
            let message: Value = serde_json::from_str(text).unwrap();
            let content = message["content"]
                .as_str()
                .or(message["name"].as_str())
                .unwrap_or_default();
            format!(
                "{} {} {content}",
                if sent { ">" } else { "<" },
                message["type"].as_str().unwrap()
            )
        };
        texts
            .map(|(sent, _, text)| kind(*sent, text).trim_end().to_owned())
            .collect()
    };
    let nick_story = [
        "> login mynick",
        "< user_list",
        "< login mynick",
        "< login 猪猪",
        "> say hi, all !",
        "< say hi, all !",
        "< say only for you",
        "> say 😀",
        "< say 😀",
    ];
    let pig_story = [
        "> login 猪猪",
        "< user_list",
        "< login 猪猪",
        "< say hi, all !",
        "> say only for you",
        "< say only for you",
        "< say 😀",
        "< logout",
    ];
    assert_eq!(told(nick), nick_story);
    assert_eq!(told(pig), pig_story);
}

/// The live `json` view holds exactly what both pages sent and got, in order.
fn check_json(output: &str, nick: &Frames, pig: &Frames) {
    let events: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let mut sessions: Vec<u64> = Vec::new();
    for event in events.iter().filter(|event| event["event"] == "handshake") {
        assert_eq!(
            (&event["accept"], &event["response"]["status"]),
            (&json!("valid"), &json!(101)),
            "{event}"
        );
        sessions.push(event["session"].as_u64().unwrap());
    }
    assert_eq!(sessions.len(), 2, "{output}");
    assert_eq!(
        events.iter().filter(|event| event["event"] == "violation").count(),
        0,
        "{output}"
    );
    for (session, frames) in sessions.into_iter().zip([nick, pig]) {
        let messages: Vec<&Value> = events
            .iter()
            .filter(|event| event["event"] == "message" && event["session"] == session)
            .collect();
        for direction in ["client-to-server", "server-to-client"] {
            let seen: Vec<&str> = messages
                .iter()
                .filter(|event| event["opcode"] == "text" && event["direction"] == direction)
                .map(|event| {
                    assert_eq!(
                        (&event["complete"], &event["inferred"]),
                        (&json!(true), &json!(false)),
                        "{event}"
                    );
                    assert_eq!(event["json"].to_string(), event["text"].as_str().unwrap(), "{event}");
                    event["text"].as_str().unwrap()
                })
                .collect();
            let sent = direction == "client-to-server";
            let truth: Vec<&str> = frames
                .iter()
                .filter(|frame| frame.0 == sent && frame.1 == 1)
                .map(|frame| frame.2.as_str())
                .collect();
            assert_eq!(seen, truth, "session {session}, {direction}");
        }
        let closes: Vec<(&Value, &Value)> = messages
            .iter()
            .filter(|event| event["opcode"] == "close")
            .map(|event| (&event["direction"], &event["close"]["code"]))
            .collect();
        let both = [
            (&json!("client-to-server"), &json!(1000)),
            (&json!("server-to-client"), &json!(1000)),
        ];
        assert_eq!(closes, both, "session {session}");
        let end = events
            .iter()
            .find(|event| event["event"] == "session-end" && event["session"] == session)
            .unwrap();
        assert_eq!(
            (&end["how"], &end["close_codes"]["client"], &end["by"]),
            (&json!("close"), &json!(1000), &json!("client")),
            "{end}"
        );
    }
    // Across the sessions: whoever speaks hears it first, then the other.
    let order: Vec<(u64, &str)> = events
        .iter()
        .filter(|event| event["direction"] == "server-to-client" && event["json"]["type"] == "say")
        .map(|event| {
            (
                event["session"].as_u64().unwrap(),
                event["json"]["content"].as_str().unwrap(),
            )
        })
        .collect();
    let (nick, pig) = (order[0].0, order[1].0);
    let expected = [
        (nick, "hi, all !"),
        (pig, "hi, all !"),
        (pig, "only for you"),
        (nick, "only for you"),
        (nick, "😀"),
        (pig, "😀"),
    ];
    assert_eq!(order, expected);
    assert_ne!(nick, pig);
}

/// The trace tells it: each of these in a comment block, in this order.
fn check_trace(output: &str) {
    let blocks: Vec<&str> = output
        .split("/*\n")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(" */")?.0))
        .collect();
    let mut rest = blocks.iter();
    for (what, parts) in [
        ("the first step of the TCP handshake", &["SYN"][..]),
        ("the upgrade request", &["WebSocket handshake", "request"]),
        ("mynick's login", &["mynick"]),
        ("猪猪's login", &["猪猪"]),
        ("what mynick says", &["mynick", "hi, all !"]),
        ("what 猪猪 says to mynick", &["猪猪", "mynick", "only for you"]),
        ("the emoji", &["mynick", "😀"]),
        ("the goodbye", &["1000"]),
    ] {
        assert!(
            rest.any(|block| parts.iter().all(|part| block.contains(part))),
            "no block tells {what} in its place:\n{output}"
        );
    }
    assert!(
        output.contains("    {\n") && output.contains("\"content\": \"hi, all !\""),
        "{output}"
    );
}

#[test]
fn pages_come_back_by_themselves_when_the_server_does() {
    let Some(driver) = driver() else { return };
    let mut server = Server::start(&[]);
    let (ws, http) = (server.ws.to_string(), server.http.to_string());
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    let url = format!("http://{http}/");
    let a = browser.window();
    let b = browser.new_window();
    for (window, name) in [(&a, "twin"), (&b, "twin")] {
        browser.switch_to(window);
        enter(&browser, &url, name);
    }
    browser.switch_to(&a);
    browser.wait_until("document.querySelectorAll('#users li').length === 2");
    let users = "[...document.querySelectorAll('#users .who')].map((who) => who.textContent).join()";
    assert_eq!(
        browser.run(&format!("return {users}")),
        "twin #1,twin #2",
        "two of one name are told apart"
    );
    say(&browser, "before");

    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0));
    browser.wait_until("document.getElementById('status').dataset.state === 'lost'");
    browser.run("document.getElementById('text').focus()");
    browser.insert("too early");
    browser.type_keys("\u{e007}");
    assert_eq!(
        browser.run("return document.getElementById('text').value"),
        "too early",
        "what cannot be sent is kept"
    );

    let _server = Server::start_on(&ws, &http, &[]);
    for window in [&a, &b] {
        browser.switch_to(window);
        browser.wait_until(&format!(
            "document.querySelectorAll('#users li').length === 2 && {users} === 'twin #1,twin #2'"
        ));
    }
    browser.switch_to(&a);
    browser.run("document.getElementById('text').focus()");
    browser.type_keys("\u{e007}");
    browser.switch_to(&b);
    wait_for_message(&browser, "too early");
}

#[test]
fn text_from_others_is_text_and_keys_do_what_they_say() {
    let Some(driver) = driver() else { return };
    let server = Server::start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.go(&format!("http://localhost:{}/", server.http.port()));
    browser.wait_until(
        "document.getElementById('status').dataset.state === 'connected' && document.getElementById('who').open",
    );
    // No name, no entry.
    browser.type_keys("  \u{e007}");
    browser
        .wait_until("document.getElementById('name-fault').textContent !== '' && document.getElementById('who').open");
    browser.run("document.getElementById('name').value = ''");
    let name = "<img src=x onerror=alert(1)>";
    browser.insert(name);
    browser.type_keys("\u{e007}");
    browser.wait_until("document.querySelectorAll('#users li').length === 1");
    assert_eq!(
        browser.run("return document.querySelector('#users .who').textContent"),
        name
    );

    browser.run("document.getElementById('text').focus()");
    browser.insert("<b>one</b>");
    browser.type_keys("\u{e008}\u{e007}\u{e000}");
    browser.insert("</p><script>document.title = 'taken'</script>");
    assert_eq!(
        browser.run("return document.querySelectorAll('.message').length"),
        0,
        "Shift+Enter does not send"
    );
    browser.type_keys("\u{e007}");
    wait_for_message(&browser, "<b>one</b>\n</p><script>document.title = 'taken'</script>");
    assert_eq!(
        browser.run("return document.querySelectorAll('#log b, #log script, #log img, #users img').length"),
        0
    );
    assert_eq!(browser.run("return document.title"), "wschat");

    for language in ["zh-CN", "zh-TW", "ja", "es", "en"] {
        browser.run(&format!(
            "const s = document.getElementById('language'); s.value = '{language}'; s.dispatchEvent(new Event('change'))"
        ));
        assert_eq!(browser.run("return document.documentElement.lang"), language);
        assert_eq!(
            browser.run("return [...document.querySelectorAll('[data-word]')].every((e) => e.textContent.length > 0)"),
            true
        );
    }
    assert_eq!(browser.log("browser"), [] as [Value; 0]);
    picture(&browser, "page");
}

/// Leaves pictures where a person asked for them: `PICTURES=folder cargo test --test browser`.
fn picture(browser: &Browser<'_>, name: &str) {
    let Ok(folder) = std::env::var("PICTURES") else { return };
    for (form, width, height, scheme) in [("desktop", 1100, 750, "light"), ("phone", 390, 760, "dark")] {
        browser.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}),
        );
        browser.devtools(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
        std::thread::sleep(Duration::from_millis(200));
        let png = BASE64_STANDARD.decode(browser.screenshot()).unwrap();
        std::fs::write(format!("{folder}/{name}-{form}-{scheme}.png"), png).unwrap();
    }
}
