//! The search for a frame header. See `../bodies/resync.rs`.

#![no_main]

#[path = "../bodies/resync.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
