//! Nothing that was written is lost, and what has happened to it is said.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::pages::{
    Bot, CONNECTED, ENTER, choose, driver, enter, last_item, say, text_of, url, wait_for_message, wait_for_users,
};
use crate::pages::{start, start_on};

#[test]
#[ignore = "needs ChromeDriver"]
fn a_text_that_is_too_long_stays_and_the_limit_is_named() {
    let Some(driver) = driver() else { return };
    let server = start(&["--max-content", "2048"]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    for (text, size) in [
        ("x".repeat(3072), "3 KiB"),
        ("猪".repeat(1024), "3 KiB"),
        ("x".repeat(300_032), "293 KiB"),
    ] {
        browser.run("document.getElementById('text').value = ''");
        browser.insert(&text);
        let fault = format!("Too long: {size}; at most 2 KiB.");
        assert_eq!(text_of(&browser, "composer-fault"), fault, "said while one writes");
        browser.press(ENTER);
        assert_eq!(text_of(&browser, "composer-fault"), fault);
        assert_eq!(
            browser.run("return document.getElementById('text').value"),
            text.as_str(),
            "nothing is lost"
        );
    }
    browser.run("document.getElementById('text').value = ''");
    browser.insert(&"x".repeat(2048));
    assert_eq!(text_of(&browser, "composer-fault"), "");
    browser.press(ENTER);
    wait_for_message(&browser, &format!("{}…", "x".repeat(1500)));
    assert!(!server.log().contains("event=disconnect"), "{}", server.log());
}

/// The case that an analyzer is asked about: who has received what, when?
#[test]
#[ignore = "needs ChromeDriver"]
fn a_message_is_pending_until_its_echo_and_is_not_lost_with_the_connection() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let (ws, http) = (server.ws.to_string(), server.http.to_string());
    let bot = Bot::login(&server, "bot");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 2);

    server.signal(Signal::SIGSTOP);
    say(&browser, "late");
    browser.wait_until("document.querySelector('#pending .waiting')?.textContent.startsWith('late')");
    browser.wait_until("/no answer for [0-9]+ s/.test(document.getElementById('pending').textContent)");
    assert_eq!(text_of(&browser, "status"), "Connected, but no answer.");
    server.signal(Signal::SIGCONT);
    wait_for_message(&browser, "late");
    browser.wait_until("document.getElementById('pending').childElementCount === 0");
    browser.wait_until("document.getElementById('status').textContent === 'Connected'");

    server.signal(Signal::SIGSTOP);
    say(&browser, "into the void");
    choose(&browser, "bot");
    say(&browser, "psst");
    server.signal(Signal::SIGKILL);
    server.wait();
    drop(bot);
    browser.wait_until("document.querySelectorAll('#pending .failed').length === 2");
    assert!(
        text_of(&browser, "pending")
            .contains("Not sent: the connection ended before the server had confirmed it; it may have arrived.")
    );
    assert!(
        last_item(&browser).starts_with("The connection has ended without a close frame (code 1006)"),
        "{}",
        last_item(&browser)
    );
    // What is written meanwhile stays where it is, with one line about it however often one tries.
    browser.run("document.getElementById('text').focus()");
    browser.insert("too early");
    browser.press(&ENTER.repeat(3));
    assert_eq!(
        text_of(&browser, "composer-fault"),
        "Not connected. Your text stays here until you can send it."
    );
    assert_eq!(browser.run("return document.getElementById('text').value"), "too early");

    let server = start_on(&ws, &http, &[]);
    // Somebody else has the number of the one to whom the private message was written.
    let _stranger = Bot::login(&server, "stranger");
    browser.wait_until(CONNECTED);
    wait_for_users(&browser, 2);
    assert_eq!(text_of(&browser, "composer-fault"), "");
    browser.run("document.querySelector('#pending .failed:not(.private) button').click()");
    wait_for_message(&browser, "into the void");
    browser.run("document.querySelector('#pending .failed.private button').click()");
    assert_eq!(
        text_of(&browser, "composer-fault"),
        "That user has left. Choose whom to write to."
    );
    assert_eq!(
        browser.run("return document.getElementById('text').value"),
        "psst\ntoo early",
        "what was private goes to nobody else"
    );
    browser.press(ENTER);
    assert_eq!(
        browser.run("return document.querySelectorAll('#messages .private').length"),
        0
    );
}

#[test]
#[ignore = "needs ChromeDriver"]
fn what_the_server_refuses_stays_and_is_said_once() {
    let Some(driver) = driver() else { return };
    let server = start(&["--rate", "1", "--burst", "20"]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    browser.run(
        "for (let i = 0; i < 60; i++) { document.getElementById('text').value = `message ${i}`; \
         document.getElementById('composer').requestSubmit(); }",
    );
    browser.wait_until("document.querySelectorAll('#pending .waiting').length === 0");
    let counts = browser.run(
        "return [document.querySelectorAll('#messages .message').length, document.querySelectorAll('#pending .failed').length]",
    );
    let (shown, failed) = (counts[0].as_u64().unwrap(), counts[1].as_u64().unwrap());
    assert!(shown >= 19 && failed > 0 && shown + failed == 60, "{shown} + {failed}");
    assert_eq!(
        text_of(&browser, "composer-fault"),
        "Too many messages in too short a time."
    );
    assert_eq!(
        browser.run("return document.querySelectorAll('[role=alert]:not(:empty)').length"),
        1,
        "one line, not one for each"
    );
    let first = browser.run("return document.querySelector('#pending .body').textContent");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    browser.run("document.querySelector('#pending button').click()");
    wait_for_message(&browser, first.as_str().unwrap());
    // The other button gives a message up.
    browser.run("document.querySelector('#pending button + button').click()");
    assert_eq!(
        browser.run("return document.querySelectorAll('#pending .failed').length"),
        json!(failed - 2)
    );
}

#[test]
#[ignore = "needs ChromeDriver"]
fn pages_come_back_by_themselves_when_the_server_does() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let (ws, http) = (server.ws.to_string(), server.http.to_string());
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    let url = url(&server);
    let a = browser.window();
    let b = browser.new_window();
    for window in [&a, &b] {
        browser.switch_to(window);
        enter(&browser, &url, "twin");
    }
    browser.switch_to(&a);
    wait_for_users(&browser, 2);
    let users = "[...document.querySelectorAll('#users .who')].map((who) => who.textContent).join()";
    assert_eq!(
        browser.run(&format!("return {users}")),
        "twin #1,twin #2",
        "two of one name are told apart"
    );
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0));
    browser.wait_until("document.getElementById('connection').dataset.state === 'lost'");
    let log = text_of(&browser, "messages");
    assert!(log.contains("The server has stopped (code 1001)"), "{log}");
    browser.insert("too early");
    browser.press(ENTER);

    let _server = start_on(&ws, &http, &[]);
    for window in [&b, &a] {
        browser.switch_to(window);
        wait_for_users(&browser, 2);
    }
    browser.run("document.getElementById('text').focus()");
    browser.press(ENTER);
    browser.switch_to(&b);
    wait_for_message(&browser, "too early");
    assert!(text_of(&browser, "messages").contains("Connected again"));
}

#[test]
#[ignore = "needs ChromeDriver"]
fn shift_enter_starts_a_line_and_text_from_others_is_text() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    let name = "<img src=x onerror=alert(1)>";
    enter(&browser, &format!("http://localhost:{}/", server.http.port()), name);
    assert_eq!(
        browser.run("return document.querySelector('#users .who').textContent"),
        name
    );
    browser.insert("<b>one</b>");
    browser.type_keys("\u{e008}\u{e007}\u{e000}");
    browser.insert("</p><script>document.title = 'taken'</script>");
    assert_eq!(
        browser.run("return document.querySelectorAll('.message').length"),
        0,
        "Shift+Enter does not send"
    );
    browser.press(ENTER);
    wait_for_message(&browser, "<b>one</b>\n</p><script>document.title = 'taken'</script>");
    assert_eq!(
        browser
            .run("return document.querySelectorAll('#messages b, #messages script, #messages img, #users img').length"),
        0
    );
    assert_eq!(browser.run("return document.title"), "wschat");
    assert_eq!(browser.log("browser"), [] as [serde_json::Value; 0]);
}
