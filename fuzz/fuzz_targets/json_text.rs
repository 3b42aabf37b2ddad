//! Text to be shown, and JSON. See `../bodies/json_text.rs`.

#![no_main]

#[path = "../bodies/json_text.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
