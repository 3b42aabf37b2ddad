//! The log: fast, and the newest message is seen unless one reads elsewhere.

use serde_json::json;

use crate::pages::start;
use crate::pages::{
    Bot, choose, choose_language, distance_from_end, driver, enter, last_item, say, text_of, url, wait_for_message,
    wait_for_users,
};
use crate::webdriver::Browser;

/// A metric of the DevTools protocol's `Performance` domain.
fn metric(browser: &Browser<'_>, name: &str) -> f64 {
    let metrics = browser.devtools("Performance.getMetrics", json!({}));
    let found = metrics["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["name"] == name);
    found.unwrap()["value"].as_f64().unwrap()
}

/// One read and one scroll a frame: 2,000 messages are not 2,000 layouts.
#[test]
#[ignore = "needs ChromeDriver"]
fn two_thousand_messages_are_shown_at_once_and_the_end_is_in_sight() {
    let Some(driver) = driver() else { return };
    let server = start(&["--rate", "0"]);
    let mut bot = Bot::login(&server, "bot");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 2);
    // Seconds of processor time of the page's thread: other programs on the machine do not count.
    browser.devtools("Performance.enable", json!({"timeDomain": "threadTicks"}));
    let (layouts, seconds) = (metric(&browser, "LayoutCount"), metric(&browser, "LayoutDuration"));
    let start = std::time::Instant::now();
    for number in 1..=2000 {
        bot.say(&format!("message {number}"));
    }
    wait_for_message(&browser, "message 2000");
    browser.wait_until("(() => { const l = document.getElementById('scroller'); return l.scrollHeight - l.scrollTop - l.clientHeight < 2 })()");
    let (layouts, seconds) = (
        metric(&browser, "LayoutCount") - layouts,
        metric(&browser, "LayoutDuration") - seconds,
    );
    println!(
        "2,000 messages in {:?}: {layouts} layouts, {seconds:.2} s of them",
        start.elapsed()
    );
    assert!(seconds > 0.0 && seconds < 1.0, "{seconds} s");
    // A frame is 16 ms: so many in a quarter of a minute, on a machine that is busy with other tests.
    assert!(layouts < 500.0, "{layouts} layouts");
    assert_eq!(
        browser.run("return document.querySelectorAll('#messages > li').length"),
        1000,
        "what is kept is bounded"
    );
}

#[test]
#[ignore = "needs ChromeDriver"]
fn the_end_stays_in_sight_when_the_log_gets_smaller() {
    let Some(driver) = driver() else { return };
    let server = start(&["--rate", "0"]);
    let mut bot = Bot::login(&server, "bot");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(390, 844);
    enter(&browser, &url(&server), "mynick");
    for number in 1..=40 {
        bot.say(&format!("message {number}"));
    }
    wait_for_message(&browser, "message 40");
    let at_end = "(() => { const l = document.getElementById('scroller'); return l.scrollHeight - l.scrollTop - l.clientHeight < 2 })()";
    browser.wait_until(at_end);
    // The keyboard of a phone; then a text of six lines.
    browser.resize(390, 480);
    browser.wait_until(&format!("innerHeight === 480 && {at_end}"));
    browser.resize(390, 844);
    let height = browser.run("return document.getElementById('text').offsetHeight");
    browser.insert("1\n2\n3\n4\n5\n6");
    browser.wait_until(&format!(
        "document.getElementById('text').offsetHeight > {height} + 50 && {at_end}"
    ));
    bot.say("and one more");
    wait_for_message(&browser, "and one more");
    browser.wait_until(at_end);
    assert_eq!(browser.run("return document.getElementById('newer').hidden"), true);
}

#[test]
#[ignore = "needs ChromeDriver"]
fn who_reads_elsewhere_is_not_moved_and_is_told_how_many_are_new() {
    let Some(driver) = driver() else { return };
    let server = start(&["--rate", "0"]);
    let mut bot = Bot::login(&server, "bot");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(1280, 800);
    enter(&browser, &url(&server), "mynick");
    // More than are kept, so that every new one removes an old one.
    for number in 1..=1010 {
        bot.say(&format!("message {number}"));
    }
    wait_for_message(&browser, "message 1010");
    browser.wait_until("document.querySelectorAll('#messages > li').length === 1000");
    browser.run("document.getElementById('scroller').scrollTop -= 600");
    browser.wait_until("!document.getElementById('scroller').classList.contains('following')");
    let place = "const m = [...document.querySelectorAll('#messages .body')].find((b) => b.textContent === 'message 1003'); \
                 return m.getBoundingClientRect().top";
    let before = browser.run(place).as_f64().unwrap();
    for number in 1..=300 {
        bot.say(&format!("more {number}"));
    }
    bot.say_to(2, "psst");
    wait_for_message(&browser, "psst");
    browser.wait_until("document.getElementById('newer').textContent === '301 new messages ↓'");
    let after = browser.run(place).as_f64().unwrap();
    assert!((before - after).abs() <= 2.0, "moved from {before} to {after}");
    assert_eq!(
        browser.run("return [document.title, document.getElementById('icon').getAttribute('href')]"),
        json!(["(301, 1 private) wschat", "icon-unread.svg"])
    );
    // Beside the log, not over the field that one writes in.
    let apart = "const n = document.getElementById('newer').getBoundingClientRect(), c = document.getElementById('composer').getBoundingClientRect(); \
                 return n.bottom <= c.top && n.width > 0";
    assert_eq!(browser.run(apart), true);
    assert_eq!(
        browser.run(
            "return document.querySelector('.unread-marker').nextElementSibling.querySelector('.body').textContent"
        ),
        "more 1"
    );
    browser.point_at("#newer", true);
    browser.wait_until("document.title === 'wschat' && document.getElementById('newer').hidden");
    assert!(distance_from_end(&browser) < 2.0);
    assert_eq!(
        browser.run("return document.getElementById('icon').getAttribute('href')"),
        "icon.svg"
    );
}

#[test]
#[ignore = "needs ChromeDriver"]
fn long_messages_are_folded_and_addresses_are_links() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let mut bot = Bot::login(&server, "bot");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    bot.say(&"long ".repeat(20_480));
    browser.wait_until("document.querySelector('#messages .more')?.textContent === 'Show all (100 KiB)'");
    let height = "return document.querySelector('#messages .message').offsetHeight";
    assert!(browser.run(height).as_f64().unwrap() < 1000.0);
    browser.run("document.querySelector('#messages .more').click()");
    assert!(browser.run(height).as_f64().unwrap() > 5000.0);
    assert_eq!(
        browser.run("return document.querySelector('#messages .body').textContent.length"),
        102_400
    );
    browser.run("document.querySelector('#messages .more').click()");

    bot.say("see https://example.org/a?b=c&d#e. Or (http://127.0.0.1:1/), not javascript:alert(1)\nhttps://");
    browser.wait_until("document.querySelectorAll('#messages a').length > 0");
    let links = "return [...document.querySelectorAll('#messages a')].map((a) => [a.getAttribute('href'), a.textContent, a.target, a.rel])";
    let link = |address: &str| json!([address, address, "_blank", "noopener noreferrer"]);
    assert_eq!(
        browser.run(links),
        json!([link("https://example.org/a?b=c&d#e"), link("http://127.0.0.1:1/")])
    );

    // Heaps of combining marks stay in their bubble.
    bot.say(&format!("a{}", "\u{301}".repeat(60)));
    browser.wait_until("[...document.querySelectorAll('#messages .body')].at(-1).textContent.length === 61");
    assert_eq!(
        browser.run("return getComputedStyle([...document.querySelectorAll('#messages .body')].at(-1)).overflowY"),
        "clip"
    );
}

#[test]
#[ignore = "needs ChromeDriver"]
fn one_authors_consecutive_messages_are_one_group() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let mut bot = Bot::login(&server, "bot");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 2);
    bot.say("one");
    bot.say("two");
    bot.say_to(2, "three, in private");
    wait_for_message(&browser, "three, in private");
    say(&browser, "four");
    wait_for_message(&browser, "four");
    say(&browser, "five");
    wait_for_message(&browser, "five");
    assert_eq!(
        browser.run(
            "return [...document.querySelectorAll('#messages .message')].map((m) => m.classList.contains('continued'))"
        ),
        json!([false, true, false, false, true])
    );
    assert_eq!(
        browser.run("return document.querySelectorAll('.own .who').length"),
        0,
        "one knows one's own name"
    );
    // A received private message is answered from where it stands.
    browser.run("document.querySelector('#messages .reply').click()");
    assert_eq!(
        browser.run("return [document.activeElement.id, document.getElementById('text').placeholder]"),
        json!(["text", "Message to bot (private)"])
    );
    browser.run(
        "document.getElementById('to').value = 'all'; document.getElementById('to').dispatchEvent(new Event('change'))",
    );
    browser.run("document.querySelector('#messages .message .who').click()");
    assert_eq!(
        browser.run("return document.getElementById('text').placeholder"),
        "Message to bot (private)"
    );
}

#[test]
#[ignore = "needs ChromeDriver"]
fn notes_are_folded_and_speak_the_language_that_is_chosen() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    say(&browser, "first");
    wait_for_message(&browser, "first");
    let bots: Vec<Bot> = (1..=5)
        .map(|number| Bot::login(&server, &format!("bot {number}")))
        .collect();
    wait_for_users(&browser, 6);
    browser.wait_until("document.getElementById('messages').lastElementChild.textContent.startsWith('5 have joined')");
    for bot in bots {
        bot.leave();
    }
    wait_for_users(&browser, 1);
    browser.wait_until(
        "document.getElementById('messages').lastElementChild.textContent.startsWith('5 have joined · 5 have left')",
    );
    say(&browser, "second");
    wait_for_message(&browser, "second");
    // Who leaves and comes again at once is back.
    Bot::login(&server, "猪猪").leave();
    wait_for_users(&browser, 1);
    let _bot = Bot::login(&server, "猪猪");
    wait_for_users(&browser, 2);
    browser.wait_until("document.getElementById('messages').lastElementChild.textContent.includes('猪猪 is back')");
    assert!(!last_item(&browser).contains("has left"), "{}", last_item(&browser));
    for (language, back, you) in [
        ("zh-CN", "猪猪 回来了", "我"),
        ("zh-TW", "猪猪 回來了", "我"),
        ("ja", "猪猪 さんが戻りました", "自分"),
        ("es", "猪猪 ha vuelto", "Tú"),
        ("en", "猪猪 is back", "You"),
    ] {
        choose_language(&browser, language);
        assert!(last_item(&browser).contains(back), "{}", last_item(&browser));
        assert_eq!(
            browser.run("return document.querySelector('.own .you').textContent"),
            you
        );
    }
}

#[test]
#[ignore = "needs ChromeDriver"]
fn numbers_stand_beside_names_only_while_two_who_are_here_share_one() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let mut omar = Bot::login(&server, "عمر");
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 2);
    omar.say("one");
    wait_for_message(&browser, "one");
    let names = "return ['#users', '#messages .message'].map((p) => [...document.querySelectorAll(`${p} .who`)].map((w) => w.textContent).join())";
    assert_eq!(browser.run(names), json!(["mynick,عمر", "عمر"]));
    let twin = Bot::login(&server, "عمر");
    wait_for_users(&browser, 3);
    assert_eq!(browser.run(names), json!(["mynick,عمر #1,عمر #3", "عمر #1"]));
    assert_eq!(
        browser.run("return document.querySelector('#messages .message .who bdi').textContent"),
        "عمر",
        "the number is outside of the name's direction"
    );
    twin.leave();
    wait_for_users(&browser, 2);
    assert_eq!(browser.run(names), json!(["mynick,عمر", "عمر"]));
}

#[test]
#[ignore = "needs ChromeDriver"]
fn times_say_that_they_are_the_servers() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.devtools("Emulation.setTimezoneOverride", json!({"timezoneId": "Asia/Tokyo"}));
    enter(&browser, &url(&server), "mynick");
    say(&browser, "now");
    wait_for_message(&browser, "now");
    let time =
        browser.run("const t = document.querySelector('.message time'); return [t.title, t.textContent, t.dateTime]");
    let wire = time[2].as_str().unwrap();
    assert_eq!(time[0], format!("{wire}, by the server’s clock"));
    assert_eq!(time[1], &wire[11..]);
    assert!(text_of(&browser, "scroller").contains("Times are those of the server’s clock"));
}

#[test]
#[ignore = "needs ChromeDriver"]
fn text_is_written_in_its_own_direction() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    enter(&browser, &url(&server), "mynick");
    browser.insert("שלום! (abc) 123.");
    assert_eq!(
        browser.run("return getComputedStyle(document.getElementById('text')).direction"),
        "rtl"
    );
    assert_eq!(browser.run("return document.getElementById('name').dir"), "auto");
}

#[test]
#[ignore = "needs ChromeDriver"]
fn oneself_is_first_and_the_others_are_sorted_by_name() {
    let Some(driver) = driver() else { return };
    let server = start(&[]);
    let _bots = ["Zoë", "bot 10", "bot 9", "Anna"].map(|name| Bot::login(&server, name));
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    browser.resize(1280, 800);
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 5);
    assert_eq!(
        browser.run("return [...document.querySelectorAll('#users li')].map((l) => l.textContent)"),
        json!(["mynick (you)", "Anna", "bot 9", "bot 10", "Zoë"])
    );
    // The chosen one looks chosen under the mouse, too.
    choose(&browser, "Anna");
    let ground = "return getComputedStyle(document.querySelector('#users [aria-pressed=true]')).backgroundColor";
    let chosen = browser.run(ground);
    browser.point_at("#users [aria-pressed=true]", false);
    assert_eq!(
        browser.run("return document.querySelector('#users [aria-pressed=true]').matches(':hover')"),
        true
    );
    assert_eq!(browser.run(ground), chosen);

    // On a phone the users are a sheet, which the choice closes.
    browser.resize(390, 844);
    browser.wait_until("document.getElementById('users').offsetHeight === 0");
    assert_eq!(text_of(&browser, "count"), "5");
    browser.point_at("#users-toggle", true);
    browser.wait_until("document.getElementById('users').offsetHeight > 0");
    assert_eq!(
        browser.run("return document.documentElement.scrollWidth <= innerWidth"),
        true
    );
    choose(&browser, "Zoë");
    browser.wait_until("document.getElementById('users').offsetHeight === 0");
}
