//! The page in a real browser, and the analyzer beside it.
//!
//! Without ChromeDriver the tests here are skipped, and say so; without root, the analyzer's part is.
#![cfg(feature = "server")]
#![allow(unreachable_pub, reason = "nobody imports a test program")]

#[path = "../server/support.rs"]
mod support;

#[path = "../server/sniffer.rs"]
mod sniffer;

mod pages;
mod story;
mod webdriver;
