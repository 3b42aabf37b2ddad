//! HTTP heads and what lies between them. See `../bodies/head.rs`.

#![no_main]

#[path = "../bodies/head.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
