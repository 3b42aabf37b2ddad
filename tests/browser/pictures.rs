//! Pictures of the page for people to look at: `PICTURES=folder cargo test --test browser pictures`.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use nix::sys::signal::Signal;

use crate::pages::start;
use crate::pages::{Bot, CONNECTED, choose, driver, enter, say, url, wait_for_message, wait_for_users};
use crate::webdriver::Browser;

#[test]
#[ignore = "needs ChromeDriver"]
fn pictures() {
    let (Ok(folder), Some(driver)) = (std::env::var("PICTURES"), driver()) else {
        return;
    };
    let mut server = start(&[]);
    let (mut pig, mut omar) = (Bot::login(&server, "猪猪"), Bot::login(&server, "عمر"));
    let profile = tempfile::tempdir().unwrap();
    let browser = driver.open(profile.path()).unwrap();
    let take = |name: &str| pictures_of(&browser, &folder, name);
    browser.go(&url(&server));
    browser.wait_until(CONNECTED);
    take("login");
    browser.resize(1280, 800);
    enter(&browser, &url(&server), "mynick");
    wait_for_users(&browser, 3);
    pig.say("你好，mynick");
    pig.say("The page of the protocol: https://www.rfc-editor.org/rfc/rfc6455");
    omar.say("שלום! (abc) 123.");
    omar.say_to(3, "A word in private");
    wait_for_message(&browser, "A word in private");
    browser.point_at("#example", true);
    wait_for_message(&browser, "hi,  all !");
    browser.run("document.querySelector('.own .wire summary').click()");
    take("chat");
    choose(&browser, "عمر");
    say(&browser, "Only for you");
    wait_for_message(&browser, "Only for you");
    take("private");
    browser.press(crate::pages::ESCAPE);
    let names = [
        "Anna",
        "Bob",
        "chris",
        "Дмитрий",
        "エミ",
        "Zoë",
        "łukasz",
        "x".repeat(40).leak(),
    ];
    let crowd: Vec<Bot> = (0..47)
        .map(|number| Bot::login(&server, &format!("{} {number}", names[number % names.len()])))
        .collect();
    wait_for_users(&browser, 50);
    take("50-users");
    drop(crowd);
    wait_for_users(&browser, 3);
    server.signal(Signal::SIGSTOP);
    say(&browser, "into the void");
    std::thread::sleep(Duration::from_secs(4));
    take("no-answer");
    server.signal(Signal::SIGKILL);
    server.wait();
    browser.wait_until("document.getElementById('connection').dataset.state === 'lost'");
    say(&browser, "too early");
    take("disconnected");
}

fn pictures_of(browser: &Browser<'_>, folder: &str, name: &str) {
    for (width, height) in [(320, 256), (320, 640), (390, 844), (1280, 800)] {
        for (scheme, forced) in [("light", false), ("dark", false), ("dark", true)] {
            browser.resize(width, height);
            browser.scheme(scheme, forced);
            std::thread::sleep(Duration::from_millis(200));
            let png = BASE64_STANDARD.decode(browser.screenshot()).unwrap();
            let colours = if forced { "forced" } else { scheme };
            std::fs::write(format!("{folder}/{name}-{width}x{height}-{colours}.png"), png).unwrap();
        }
    }
    browser.resize(1280, 800);
    browser.scheme("light", false);
}
