//! The page says how to watch what it does, and shows what is on the wire.

use serde_json::json;

use crate::pages::start;
use crate::pages::{choose_language, driver, enter, text_of, url, wait_for_message, wait_for_users};

#[test]
#[ignore = "needs ChromeDriver"]
fn the_command_is_there_before_and_after_the_login_and_can_be_copied() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(1280, 800);
    let command = server.watch.as_str();
    browser.go(&url(&server));
    assert_eq!(text_of(&browser, "command"), command);
    let shown = "return document.getElementById('command').checkVisibility() && document.getElementById('watch').textContent.includes('Start it before you open this page')";
    assert_eq!(browser.run(shown), true);
    enter(&browser, &url(&server), "mynick");
    assert_eq!(browser.run(shown), true);
    let origin = format!("http://{}", server.http);
    browser.devtools(
        "Browser.grantPermissions",
        json!({"origin": origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}),
    );
    browser.point_at("#copy", true);
    browser.wait_until("document.getElementById('copied').textContent !== ''");
    assert_eq!(text_of(&browser, "copied"), "Copied");
    assert_eq!(browser.run("return navigator.clipboard.readText()"), command);
    assert_eq!(
        browser.run("return document.getElementById('command').innerText"),
        command,
        "what is shown"
    );
    for language in ["zh-CN", "zh-TW", "ja", "es", "en"] {
        choose_language(&browser, language);
        assert_eq!(
            browser.run("return [...document.querySelectorAll('#watch [data-text] code')].map((c) => c.textContent)"),
            json!(["--keylog FILE", "make live"]),
            "{language}"
        );
    }
    // It can be closed.
    browser.run("document.querySelector('#watch summary').click()");
    assert_eq!(browser.run(shown), false);
}

/// The true sizes of the documents' message: 52 bytes of text, 58 bytes of TCP.
#[test]
#[ignore = "needs ChromeDriver"]
fn under_a_message_stands_what_was_sent_and_received() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(1280, 800);
    enter(&browser, &url(&server), "mynick");
    browser.point_at("#example", true);
    wait_for_message(&browser, "hi,  all !");
    let received = browser.run("return document.querySelector('.message .wire summary').textContent");
    assert_eq!(received, "On the wire: 58 bytes sent, 96 received");
    browser.run("document.querySelector('.message .wire summary').click()");
    browser.wait_until("document.querySelectorAll('.message .wire code').length === 2");
    let wire =
        "return [...document.querySelectorAll('.message .wire p, .message .wire code')].map((e) => e.textContent)";
    let time = browser.run("return document.querySelector('.message time').dateTime");
    let time = time.as_str().unwrap();
    assert_eq!(
        browser.run(wire),
        json!([
            "Sent: 52 bytes of text, masked, in one frame of 58 bytes of TCP data",
            r#"{"type":"say","to_uid":"all","content":"hi,  all !"}"#,
            "Received: 94 bytes of text, not masked, in one frame of 96 bytes of TCP data",
            format!(r#"{{"type":"say","from_uid":1,"to_uid":"all","content":"hi,  all !","time":"{time}"}}"#),
        ])
    );
    // The switch hides it, for good.
    browser.point_at("#show-wire", true);
    let height = "return document.querySelector('.message .wire').offsetHeight";
    assert_eq!(browser.run(height), 0);
    browser.reload();
    wait_for_users(&browser, 1);
    assert_eq!(browser.run(height), 0);
    let second = "const a = document.querySelector('#watch a'); return [a.href, a.target, a.rel]";
    assert_eq!(browser.run(second), json!([url(&server), "_blank", "noopener"]));
}

/// With the flag of Chromium that the server prints; otherwise its certificate is refused.
#[test]
#[ignore = "needs ChromeDriver"]
fn over_tls_the_page_chats_and_says_how_to_decrypt_it() {
    let Some(driver) = driver() else { return };
    let folder = tempfile::tempdir().unwrap();
    let keylog = folder.path().join("keys.log");
    let keylog = keylog.to_str().unwrap();
    let readable = start(&["--tls", "--keylog", keylog]);
    let closed = start(&["--tls"]);
    let hashes = [&readable, &closed].map(|server| server.certificate.clone().unwrap().1);
    let flag = format!("--ignore-certificate-errors-spki-list={}", hashes.join(","));
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open_with(profile.path(), &[flag]).unwrap();
    browser.resize(1280, 800);
    let closed_note = "return [...document.querySelectorAll('#watch p')].some((p) => p.checkVisibility() && p.textContent.includes('--keylog FILE'))";
    assert!(readable.watch.contains(&format!(" --keylog {keylog} ")) && !closed.watch.contains("keylog"));
    for (server, is_closed) in [(&readable, false), (&closed, true)] {
        enter(
            &browser,
            &format!("https://localhost:{}/", server.http.port()),
            "mynick",
        );
        assert_eq!(text_of(&browser, "command"), server.watch);
        assert_eq!(browser.run(closed_note), is_closed);
        browser.point_at("#example", true);
        wait_for_message(&browser, "hi,  all !");
        browser.run("document.querySelector('.message .wire summary').click()");
        browser.wait_until("document.querySelectorAll('.message .wire code').length === 2");
        let sent = browser.run("return document.querySelector('.message .wire p').textContent");
        assert_eq!(
            sent,
            "Sent: 52 bytes of text, masked, in one frame of 58 bytes inside TLS"
        );
    }
    assert_eq!(browser.log("browser"), [] as [serde_json::Value; 0]);
    assert!(
        std::fs::read_to_string(keylog)
            .unwrap()
            .contains("CLIENT_TRAFFIC_SECRET_0")
    );
}

/// Without script there is a sentence, and no dead form.
#[test]
#[ignore = "needs ChromeDriver"]
fn without_script_there_is_only_the_sentence() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.go(&url(&server));
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": false}));
    assert_eq!(
        browser.run(
            "return [document.getElementById('page').hidden, document.querySelector('noscript').offsetHeight > 0]"
        ),
        json!([true, true])
    );
}
