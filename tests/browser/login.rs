//! Logging in: never a state without a way in, and always a word about what is wrong.

use nix::sys::signal::Signal;

use crate::pages::{
    Bot, CONNECTED, ENTER, ESCAPE, choose_language, driver, enter, say, text_of, url, wait_for_message, wait_for_users,
};
use crate::pages::{start, start_on};
use crate::webdriver::Browser;

fn open(browser: &Browser<'_>, url: &str) {
    browser.go(url);
    browser.wait_until(CONNECTED);
}

fn value(browser: &Browser<'_>, id: &str) -> String {
    let value = browser.run(&format!("return document.getElementById('{id}').value"));
    value.as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs ChromeDriver"]
fn escape_never_locks_one_out() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    open(&browser, &url(&server));
    for _ in 0..3 {
        browser.press(ESCAPE);
    }
    browser.insert("mynick");
    browser.press(ENTER);
    wait_for_users(&browser, 1);
    browser.wait_until("document.activeElement.id === 'text'");
}

#[test]
#[ignore = "needs ChromeDriver"]
fn on_a_phone_the_login_is_in_sight_however_long_the_command_is() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(320, 640);
    open(&browser, &url(&server));
    browser.run("document.querySelector('#watch code').textContent = 'sudo /home/somebody/' + 'folder/'.repeat(40)");
    let below = browser.run(
        "return Math.round(document.querySelector('#login [type=submit]').getBoundingClientRect().bottom - innerHeight)",
    );
    assert!(below.as_i64().unwrap() <= 0, "{below} pixels below");
}

#[test]
#[ignore = "needs ChromeDriver"]
fn the_login_says_how_the_connection_is_and_keeps_what_is_typed() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let (ws, http) = (server.ws.to_string(), server.http.to_string());
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    open(&browser, &url(&server));
    browser.insert("myni");
    server.signal(Signal::SIGTERM);
    server.wait();
    browser.wait_until("document.getElementById('login-state').textContent.startsWith('Connection lost.')");
    let server = start_on(&ws, &http, &[]);
    browser.wait_until(CONNECTED);
    browser.insert("ck");
    assert_eq!(value(&browser, "name"), "mynick", "value, caret and focus are kept");

    // A slow server: the button is busy until the answer, and a second Enter does nothing.
    server.signal(Signal::SIGSTOP);
    browser.press(ENTER);
    browser.press(ENTER);
    assert_eq!(
        browser.run("const b = document.getElementById('enter'); return [b.ariaDisabled, b.textContent]"),
        serde_json::json!(["true", "Entering…"])
    );
    server.signal(Signal::SIGCONT);
    wait_for_users(&browser, 1);
    assert_eq!(
        browser.run("return document.querySelectorAll('#messages > li').length"),
        1,
        "one login, no error"
    );
}

#[test]
#[ignore = "needs ChromeDriver"]
fn enter_without_a_connection_waits_for_one_visibly() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let (ws, http) = (server.ws.to_string(), server.http.to_string());
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    open(&browser, &url(&server));
    server.signal(Signal::SIGTERM);
    server.wait();
    browser.wait_until("document.getElementById('connection').dataset.state === 'lost'");
    browser.insert("mynick");
    browser.press(ENTER);
    browser.wait_until(
        "document.getElementById('login-state').textContent.includes('You will enter as soon as there is a connection.')",
    );
    let _server = start_on(&ws, &http, &[]);
    wait_for_users(&browser, 1);
}

#[test]
#[ignore = "needs ChromeDriver"]
fn a_server_that_is_full_cannot_be_reached_and_is_not_called_lost() {
    let Some(driver) = driver() else { return };
    let server = start(&["--max-clients", "1"]);
    let _bot = Bot::login(&server, "the only one");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.go(&url(&server));
    browser.wait_until("document.getElementById('connection').dataset.state === 'lost'");
    assert_eq!(text_of(&browser, "status"), "Cannot reach the chat.");
    let state = text_of(&browser, "login-state");
    assert!(
        state.contains(&format!(
            "Nothing answers at ws://{}/, or the server is full.",
            server.ws
        )),
        "{state}"
    );
}

#[test]
#[ignore = "needs ChromeDriver"]
fn a_chat_on_another_address_than_the_page_is_reached() {
    let Some(driver) = driver() else { return };
    let server = start_on("127.0.0.2:0", "127.0.0.1:0", &[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    assert_eq!(browser.log("browser"), [] as [serde_json::Value; 0]);
}

#[test]
#[ignore = "needs ChromeDriver"]
fn a_handshake_that_is_never_answered_times_out() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    let address = server.ws;
    server.signal(Signal::SIGKILL);
    server.wait();
    // It accepts, and says nothing.
    let _silent = std::net::TcpListener::bind(address).unwrap();
    browser.wait_until("document.getElementById('countdown').textContent === 'Trying again…'");
    browser.wait_until("document.getElementById('countdown').textContent.startsWith('Next try in')");
    browser.wait_until("document.getElementById('countdown').textContent === 'Trying again…'");
    browser.wait_until("document.getElementById('countdown').textContent.startsWith('Next try in')");
    assert_eq!(text_of(&browser, "status"), "Connection lost.");
}

/// The connection stands, and the answer to the login does not come.
#[test]
#[ignore = "needs ChromeDriver"]
fn a_login_that_is_never_answered_is_given_up_and_can_be_tried_again() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    open(&browser, &url(&server));
    browser.insert("mynick");
    server.signal(Signal::SIGSTOP);
    browser.press(ENTER);
    browser.wait_until("document.getElementById('status').textContent === 'Connected, but no answer.'");
    browser.wait_until("/^[0-9]+ s$/.test(document.getElementById('countdown').textContent)");
    assert_eq!(text_of(&browser, "login-state"), "Connected, but no answer.");
    browser.wait_until(
        "document.getElementById('name-fault').textContent === 'No answer to your login for 10 s. You can try again.'",
    );
    let form = "const b = document.getElementById('enter'), n = document.getElementById('name'); \
                return [b.ariaDisabled, b.textContent, n.value, n.ariaInvalid, document.activeElement.id]";
    assert_eq!(
        browser.run(form),
        serde_json::json!(["false", "Enter", "mynick", null, "name"])
    );
    // Another name, with the next connection; the login before comes too late to be answered.
    browser.insert(" again");
    browser.press(ENTER);
    server.signal(Signal::SIGCONT);
    browser.wait_until("document.querySelector('#users li')?.textContent === 'mynick again (you)'");
    assert_eq!(text_of(&browser, "status"), "Connected");
}

/// The same when the page logs in again by itself: it goes on trying, and says so.
#[test]
#[ignore = "needs ChromeDriver"]
fn a_login_after_a_lost_connection_that_is_never_answered_is_tried_again() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let (ws, http) = (server.ws, server.http.to_string());
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    browser.insert("a draft");
    server.signal(Signal::SIGKILL);
    server.wait();
    // It takes one connection, and answers nothing on it.
    let silent = std::net::TcpListener::bind(ws).unwrap();
    let silent =
        std::thread::spawn(move || tokio_tungstenite::tungstenite::accept(silent.accept().unwrap().0).unwrap());
    browser.wait_until("document.getElementById('status').textContent === 'Connected, but no answer.'");
    browser.wait_until("document.getElementById('status').textContent === 'Connection lost.'");
    assert_eq!(value(&browser, "text"), "a draft");
    let _silent = silent.join().unwrap();
    let _server = start_on(&ws.to_string(), &http, &[]);
    wait_for_users(&browser, 1);
    browser.wait_until("document.getElementById('status').textContent === 'Connected'");
    assert_eq!(value(&browser, "text"), "a draft");
}

#[test]
#[ignore = "needs ChromeDriver"]
fn the_language_can_be_chosen_before_the_login() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    open(&browser, &url(&server));
    let reachable = "const s = document.getElementById('language'), r = s.getBoundingClientRect(); \
                     return document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2) === s";
    assert_eq!(browser.run(reachable), true);
    for (language, word, title) in [
        ("zh-CN", "进入", "wschat 聊天室"),
        ("zh-TW", "進入", "wschat 聊天室"),
        ("ja", "入室", "wschat チャット"),
        ("es", "Entrar", "wschat"),
        ("en", "Enter", "wschat"),
    ] {
        choose_language(&browser, language);
        assert_eq!(text_of(&browser, "enter"), word);
        assert_eq!(
            browser.run("return [document.documentElement.lang, document.title]"),
            serde_json::json!([language, title])
        );
        assert_eq!(
            browser.run("return [...document.querySelectorAll('[data-text]')].every((e) => e.textContent.length > 0)"),
            true
        );
    }
    let chosen = "return import('./texts.js').then(({ choose }) => [['yue'], ['zh-HK'], ['zh-Hant-MO'], ['zh-SG'], ['zh-Hans-HK'], \
                  ['de-DE', 'es-MX'], ['ja-JP'], ['pt-BR'], []].map(choose))";
    assert_eq!(
        browser.run(chosen),
        serde_json::json!(["zh-TW", "zh-TW", "zh-TW", "zh-CN", "zh-CN", "es", "ja", "en", "en"])
    );
    let keys = "return import('./texts.js').then(({ allTexts }) => new Set(Object.values(allTexts).map((t) => Object.keys(t).sort().join())).size)";
    assert_eq!(browser.run(keys), 1, "every language has every text");
}

#[test]
#[ignore = "needs ChromeDriver"]
fn a_nickname_that_is_not_possible_says_why() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let _bot = Bot::login(&server, "mynick");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    open(&browser, &url(&server));
    for (name, fault) in [
        ("  ", "Please enter a nickname."),
        ("a\u{202e}b", "This nickname has characters that are invisible"),
        ("\u{2800}", "This nickname has characters that are invisible"),
        (&"👍".repeat(65), "Too long: 65 characters; at most 64."),
        ("myni\u{441}k", "This nickname looks like that of another user"),
    ] {
        browser.run("document.getElementById('name').value = ''; document.getElementById('name').focus()");
        browser.insert(name);
        browser.press(ENTER);
        let fault = serde_json::Value::from(fault);
        browser.wait_until(&format!(
            "document.getElementById('name-fault').textContent.startsWith({fault})"
        ));
        browser.wait_until(
            "document.getElementById('name').ariaInvalid === 'true' && document.activeElement.id === 'name'",
        );
    }
    browser.run("document.getElementById('name').value = ''");
    browser.insert(&"👍".repeat(64));
    assert_eq!(
        browser.run("return document.getElementById('name').ariaInvalid"),
        serde_json::Value::Null,
        "a fault is gone when one goes on typing"
    );
    browser.press(ENTER);
    wait_for_users(&browser, 2);
}

#[test]
#[ignore = "needs ChromeDriver"]
fn a_reload_keeps_the_tab_logged_in_with_its_draft_and_messages() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let mut bot = Bot::login(&server, "bot");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    say(&browser, "said before");
    wait_for_message(&browser, "said before");
    bot.say("heard before");
    wait_for_message(&browser, "heard before");
    crate::pages::choose(&browser, "bot");
    browser.insert("a draft");
    browser.reload();
    wait_for_users(&browser, 2);
    assert_eq!(value(&browser, "text"), "a draft");
    browser.wait_until("document.getElementById('text').placeholder === 'Message to bot (private)'");
    let log = text_of(&browser, "messages");
    assert!(
        log.contains("said before")
            && log.contains("heard before")
            && log.contains("from before the page was reloaded"),
        "{log}"
    );
    // Another tab is another user.
    let other = browser.new_window();
    browser.switch_to(&other);
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 3);
}

#[test]
#[ignore = "needs ChromeDriver"]
fn leaving_ends_with_a_closing_handshake_and_shows_the_login() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(1280, 800);
    enter(&browser, &url(&server), "mynick");
    browser.point_at("#leave", true);
    server.wait_for_log(&["event=disconnect", "uid=1", "by=client", "code=1000"]);
    browser.wait_until(&format!("{CONNECTED} && !document.getElementById('login-part').hidden"));
    browser.insert("other");
    browser.press(ENTER);
    wait_for_users(&browser, 1);
}
