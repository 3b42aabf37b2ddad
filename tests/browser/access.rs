//! Keyboard, screen reader, contrast, zoom, forced colours (WCAG 2.2).

use nix::sys::signal::Signal;
use serde_json::json;

use crate::axe;
use crate::pages::{
    Bot, CONNECTED, DOWN, ENTER, ESCAPE, TAB, choose, choose_language, driver, enter, say, text_of, url,
    wait_for_message, wait_for_users,
};
use crate::pages::{start, start_on};

#[test]
#[ignore = "needs ChromeDriver"]
fn axe_finds_no_violation_in_any_state_and_scheme() {
    let Some(driver) = driver() else { return };
    let script = match axe::script() {
        Ok(script) => script,
        Err(why) => return println!("SKIPPED: no axe-core: {why}"),
    };
    let mut server = start(&[]);
    let mut bot = Bot::login(&server, "猪猪");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    let mut found = String::new();
    let mut states = 0;
    let mut check = |state: &str| {
        for (width, height) in [(1280, 800), (320, 640)] {
            for (scheme, forced) in [("light", false), ("dark", false), ("dark", true)] {
                browser.resize(width, height);
                browser.scheme(scheme, forced);
                let violations = axe::violations(&browser, &script);
                if !violations.is_empty() {
                    found += &format!("{state}, {width} px, {scheme}, forced colours {forced}:\n{violations}\n");
                }
                states += 1;
            }
        }
    };
    browser.go(&url(&server));
    browser.wait_until(CONNECTED);
    check("login");
    browser.press(ENTER);
    browser.wait_until("document.getElementById('name-fault').textContent !== ''");
    check("login with a fault");
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 2);
    check("empty chat");
    bot.say("hello, see https://example.org/");
    bot.say_to(2, "psst");
    say(&browser, &format!("hi {}", "x".repeat(2000)));
    browser.wait_until("document.querySelectorAll('#messages .message').length === 3");
    browser.run("document.querySelector('.own .wire summary').click()");
    check("chat");
    choose(&browser, "猪猪");
    say(&browser, "psst, too");
    wait_for_message(&browser, "psst, too");
    check("private");
    bot.leave();
    wait_for_users(&browser, 1);
    browser.press(ENTER);
    check("partner gone");
    browser.press(ESCAPE);
    server.signal(Signal::SIGSTOP);
    say(&browser, "into the void");
    browser.wait_until("document.getElementById('connection').dataset.state === 'silent'");
    check("no answer");
    server.signal(Signal::SIGKILL);
    server.wait();
    browser.wait_until("document.getElementById('connection').dataset.state === 'lost'");
    say(&browser, "too early");
    check("disconnected");
    assert_eq!(states, 48);
    assert!(found.is_empty(), "{found}");
}

/// The colours of names are made from the uid: all of them on all grounds, and the borders of fields.
#[test]
#[ignore = "needs ChromeDriver"]
fn every_name_and_every_border_has_enough_contrast() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    let worst = "
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const rgb = (color) => { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3); };
        const luminance = (color) => rgb(color).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
        const probe = document.createElement('span');
        document.body.append(probe);
        const color = (property, value) => { probe.style[property] = value; const made = getComputedStyle(probe)[property]; probe.style[property] = ''; return made; };
        const grounds = ['--card', '--paper', '--own', '--private'].map((name) => color('backgroundColor', `var(${name})`));
        probe.className = 'who';
        let names = 99, texts = 99, borders = 99;
        for (const ground of grounds) {
          for (let hue = 0; hue < 360; hue++) {
            probe.style.setProperty('--hue', hue);
            names = Math.min(names, contrast(getComputedStyle(probe).color, ground));
          }
          for (const ink of ['--ink', '--faint', '--bad', '--accent', '--private-ink']) texts = Math.min(texts, contrast(color('color', `var(${ink})`), ground));
          borders = Math.min(borders, contrast(color('color', 'var(--field)'), ground));
        }
        const used = ['text', 'to', 'name', 'language'].every((id) => getComputedStyle(document.getElementById(id)).borderTopColor === color('color', 'var(--field)'));
        probe.remove();
        return [names, texts, borders, used, new Set(grounds).size];";
    for scheme in ["light", "dark"] {
        browser.scheme(scheme, false);
        let worst = browser.run(worst);
        let at_least = |index: usize, wanted: f64| {
            let found = worst[index].as_f64().unwrap();
            assert!(found >= wanted && found < 99.0, "{scheme}: {worst}");
        };
        // WCAG 1.4.3 and 1.4.11.
        at_least(0, 4.5);
        at_least(1, 4.5);
        at_least(2, 3.0);
        assert_eq!((&worst[3], &worst[4]), (&json!(true), &json!(4)), "{scheme}: {worst}");
        println!("{scheme}: names {}, texts {}, borders {}", worst[0], worst[1], worst[2]);
    }
}

#[test]
#[ignore = "needs ChromeDriver"]
fn recipients_are_chosen_by_arrow_keys_and_the_focus_stays() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let bots = ["anna", "bob", "chris"].map(|name| Bot::login(&server, name));
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(1280, 800);
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 4);
    let label = "return document.getElementById('text').ariaLabel";
    assert_eq!(browser.run(label), "Message to everyone");
    browser.run("document.getElementById('to').focus()");
    browser.press(&DOWN.repeat(3));
    assert_eq!(
        browser.run("return [document.activeElement.id, document.getElementById('to').selectedOptions[0].text]"),
        json!(["to", "chris"])
    );
    assert_eq!(browser.run(label), "Message to chris (private)");
    browser.press(TAB);
    assert_eq!(browser.run("return document.activeElement.id"), "text");
    browser.press(ESCAPE);
    assert_eq!(
        browser.run(&format!("{label} + document.getElementById('to').value")),
        "Message to everyoneall"
    );

    // The focus is on somebody who leaves: it goes to the next one, not away.
    browser.run("[...document.querySelectorAll('#users button')].find((b) => b.textContent === 'bob').focus()");
    let [anna, bob, chris] = bots;
    bob.leave();
    wait_for_users(&browser, 3);
    assert_eq!(browser.run("return document.activeElement.textContent"), "chris");
    // Somebody who comes does not move it either.
    let _ben = Bot::login(&server, "ben");
    wait_for_users(&browser, 4);
    assert_eq!(browser.run("return document.activeElement.textContent"), "chris");
    drop((anna, chris));
}

#[test]
#[ignore = "needs ChromeDriver"]
fn a_reconnect_leaves_the_focus_and_is_announced_once() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let (ws, http) = (server.ws.to_string(), server.http.to_string());
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    browser.run("document.getElementById('scroller').focus()");
    browser.run(
        "window.said = []; window.counted = 0; const s = document.getElementById('status'); \
         new MutationObserver(() => said.push(s.textContent)).observe(s, { childList: true, characterData: true, subtree: true }); \
         new MutationObserver(() => { counted += 1; }).observe(document.getElementById('countdown'), { childList: true, characterData: true, subtree: true })",
    );
    server.signal(Signal::SIGTERM);
    server.wait();
    browser.wait_until("counted > 6");
    let _server = start_on(&ws, &http, &[]);
    browser.wait_until(CONNECTED);
    wait_for_users(&browser, 1);
    assert_eq!(browser.run("return said"), json!(["Connection lost.", "Connected"]));
    assert_eq!(
        browser.run("return [document.getElementById('status').role, document.getElementById('countdown').ariaHidden, document.activeElement.id]"),
        json!(["status", "true", "scroller"])
    );
}

/// 400 % of a window of 1280 × 1024 (WCAG 1.4.10).
#[test]
#[ignore = "needs ChromeDriver"]
fn at_400_percent_messages_can_be_read() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let mut bot = Bot::login(&server, "bot");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(320, 256);
    enter(&browser, &url(&server), "mynick");
    bot.say("one line");
    wait_for_message(&browser, "one line");
    let sizes = "const h = (id) => document.getElementById(id).offsetHeight; \
                 return [h('scroller'), document.documentElement.scrollWidth, document.activeElement.id]";
    let found = browser.run(sizes);
    assert!(
        found[0].as_u64().unwrap() >= 120 && found[1].as_u64().unwrap() <= 320,
        "{found}"
    );
    assert_eq!(found[2], "text");
    let visible = "const m = document.querySelector('#messages .body'); m.scrollIntoView({ block: 'center' }); const r = m.getBoundingClientRect(); \
                   return r.top >= 0 && r.bottom <= innerHeight && document.elementFromPoint(r.x + 5, r.y + r.height / 2) === m";
    assert_eq!(browser.run(visible), true);
    for language in ["zh-CN", "zh-TW", "ja", "es"] {
        choose_language(&browser, language);
        assert_eq!(
            browser.run("return document.documentElement.scrollWidth <= 320"),
            true,
            "{language}"
        );
    }
}

#[test]
#[ignore = "needs ChromeDriver"]
fn forced_colours_keep_the_connection_mark() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    browser.scheme("dark", true);
    assert_eq!(
        browser.run("return matchMedia('(forced-colors: active)').matches"),
        true
    );
    let mark = "const p = getComputedStyle(document.getElementById('connection'), '::before'), r = getComputedStyle(document.body); \
                return [p.borderTopWidth, p.borderTopColor !== r.backgroundColor && p.borderTopColor !== 'rgba(0, 0, 0, 0)']";
    let found = browser.run(mark);
    assert_eq!(found[1], true, "{found}");
    assert_ne!(found[0], "0px");
    assert_eq!(text_of(&browser, "status"), "Connected");
}

/// In a small window the users are a sheet over the chat.
#[test]
#[ignore = "needs ChromeDriver"]
fn the_list_of_users_closes_when_one_turns_elsewhere() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let _bots = ["anna", "bob"].map(|name| Bot::login(&server, name));
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(390, 844);
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 3);
    let is_open = "document.getElementById('users').offsetHeight > 0 && document.getElementById('users-toggle').ariaExpanded === 'true'";
    let is_closed = "document.getElementById('users').offsetHeight === 0 && document.getElementById('users-toggle').ariaExpanded === 'false'";
    let open = || {
        browser.point_at("#users-toggle", true);
        browser.wait_until(is_open);
    };
    open();
    browser.press(&TAB.repeat(2));
    browser.wait_until(&format!("document.activeElement.textContent === 'bob' && {is_open}"));
    browser.run("document.getElementById('text').focus()");
    browser.wait_until(is_closed);
    open();
    browser.press(ESCAPE);
    browser.wait_until(&format!("document.activeElement.id === 'users-toggle' && {is_closed}"));
    // Esc also where nothing has the focus; a tap on what cannot have it.
    open();
    browser.run("document.activeElement.blur()");
    browser.press(ESCAPE);
    browser.wait_until(is_closed);
    open();
    browser.point_at("#connection", true);
    browser.wait_until(is_closed);

    // Without a connection nobody is known to be here: no empty sheet, and the focus stays.
    open();
    server.signal(Signal::SIGKILL);
    server.wait();
    browser.wait_until(&format!(
        "document.getElementById('users-toggle').ariaDisabled === 'true' && {is_closed}"
    ));
    browser.run("document.getElementById('users-toggle').focus()");
    browser.press(ENTER);
    assert_eq!(
        browser.run(&format!(
            "return {is_closed} && document.activeElement.id === 'users-toggle'"
        )),
        true
    );
}

/// A note of who has come grows; what is announced does not.
#[test]
#[ignore = "needs ChromeDriver"]
fn who_comes_and_leaves_is_announced_once() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    let said =
        |text: &str| browser.wait_until(&format!("document.getElementById('presence').textContent === '{text}'"));
    said("mynick has joined");
    browser.run(
        "window.said = []; const p = document.getElementById('presence'); \
         new MutationObserver(() => said.push(p.textContent)).observe(p, { childList: true, characterData: true, subtree: true })",
    );
    let anna = Bot::login(&server, "anna");
    said("anna has joined");
    let _bob = Bot::login(&server, "bob");
    said("bob has joined");
    anna.leave();
    said("anna has left");
    assert_eq!(
        browser.run("return said"),
        json!(["anna has joined", "bob has joined", "anna has left"])
    );
    // The note itself, where all of them stand, is read but not announced. Nor is the log, when its language changes.
    let note = "return [...document.querySelectorAll('#messages .note')].map((n) => [n.textContent.split(' · ').length, n.ariaLive])";
    assert_eq!(browser.run(note), json!([[2, "off"]]));
    assert_eq!(browser.run("return document.getElementById('presence').role"), "status");
    assert_eq!(
        browser.run(
            "const l = document.getElementById('live'), s = document.getElementById('language'); s.value = 'es'; \
             s.dispatchEvent(new Event('change')); return [l.role, l.ariaLive, document.querySelector('#messages .note').textContent.includes('han entrado')]"
        ),
        json!(["log", "off", true])
    );
    browser.wait_until("document.getElementById('live').ariaLive === null");
}

#[test]
#[ignore = "needs ChromeDriver"]
fn a_recipient_is_said_to_have_left_only_by_who_is_here() {
    let Some(driver) = driver() else { return };
    let mut server = start(&[]);
    let bot = Bot::login(&server, "bot");
    let anna = Bot::login(&server, "anna");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(1280, 800);
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 3);
    let shown =
        "return [document.getElementById('text').placeholder, document.getElementById('to').selectedOptions[0].text]";
    choose(&browser, "bot");
    bot.leave();
    wait_for_users(&browser, 2);
    assert_eq!(
        browser.run(shown),
        json!(["Message to bot, who has left (private)", "bot (has left)"])
    );
    choose(&browser, "anna");
    server.signal(Signal::SIGSTOP);
    say(&browser, "psst");
    server.signal(Signal::SIGKILL);
    server.wait();
    browser.wait_until("document.querySelectorAll('#pending .failed').length === 1 && document.getElementById('users').childElementCount === 0");
    assert_eq!(browser.run(shown), json!(["Message to anna (private)", "anna"]));
    assert_eq!(browser.run("return document.title"), "connection lost · wschat");
    browser.run("document.querySelector('#pending button').click()");
    assert_eq!(
        text_of(&browser, "composer-fault"),
        "Not connected. Your text stays here until you can send it."
    );
    assert_eq!(
        browser.run("return document.querySelectorAll('#pending .failed').length"),
        1
    );
    // What one can do with it stands in one row, also in a narrow window beside its scroll bar.
    browser.resize(320, 640);
    let tops = "return ['#pending button, #pending button + button', 'h1, #leave, #language'].map((row) => { \
                const middles = [...document.querySelectorAll(row)].map((e) => { const r = e.getBoundingClientRect(); return r.y + r.height / 2; }); \
                return [middles.length, Math.max(...middles) - Math.min(...middles) < 4]; })";
    for language in ["zh-CN", "zh-TW", "ja", "es", "en"] {
        choose_language(&browser, language);
        assert_eq!(browser.run(tops), json!([[2, true], [3, true]]), "{language}");
    }
    drop(anna);
}
