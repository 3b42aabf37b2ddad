//! Compressed messages. See `../bodies/inflate.rs`.

#![no_main]

#[path = "../bodies/inflate.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
