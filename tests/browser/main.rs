//! The page in a real browser, and the analyzer beside it.
//!
//! Without ChromeDriver the tests here are skipped, and say so; without root, the analyzer's part is.
#![cfg(feature = "server")]
#![allow(unreachable_pub, reason = "nobody imports a test program")]

#[path = "../server/support.rs"]
mod support;

#[path = "../support/mod.rs"]
mod packets;

#[path = "../server/sniffer.rs"]
mod sniffer;

mod access;
mod axe;
mod har;
mod html;
mod log;
#[path = "../support/npm.rs"]
mod npm;
mod login;
mod pages;
mod pictures;
mod sending;
mod story;
mod watch;
mod webdriver;
