//! Whole captures, up to the events. See `../bodies/capture.rs`.

#![no_main]

#[path = "../bodies/capture.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
