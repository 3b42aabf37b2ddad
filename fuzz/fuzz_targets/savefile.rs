//! A capture in a file. See `../bodies/savefile.rs`.

#![no_main]

#[path = "../bodies/savefile.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
