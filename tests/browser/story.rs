//! Two pages chat, and the analyzer watches them.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::pages::{Frames, choose, collect_frames, driver, enter, say, url, wait_for_message};
use crate::sniffer::Sniffer;
use crate::support::Server;

#[test]
#[ignore = "needs ChromeDriver"]
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
    let url = url(&server);
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
        browser.run("return document.querySelector('.message.own .head').textContent.split(' ')[0]"),
        "You"
    );

    browser.switch_to(&pig);
    wait_for_message(&browser, "hi, all !");
    assert_eq!(
        browser.run("return document.querySelectorAll('.message:not(.own)').length"),
        1
    );
    // A private answer, chosen from the list of users.
    choose(&browser, "mynick");
    say(&browser, "only for you");
    wait_for_message(&browser, "only for you");
    assert_eq!(
        browser.run("return document.querySelector('.own.private .mark').textContent"),
        "private message to mynick"
    );

    browser.switch_to(&nick);
    wait_for_message(&browser, "only for you");
    assert_eq!(
        browser.run("return document.querySelector('.private:not(.own) .mark').textContent"),
        "private message"
    );
    say(&browser, "😀");
    wait_for_message(&browser, "😀");
    browser.switch_to(&pig);
    wait_for_message(&browser, "😀");
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
