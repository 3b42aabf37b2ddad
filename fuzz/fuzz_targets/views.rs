//! A capture file through the engine and all views together. See `../bodies/views.rs`.

#![no_main]

#[path = "../bodies/views.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
