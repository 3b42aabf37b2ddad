//! HTTP/2 connections. See `../bodies/http2.rs`.

#![no_main]

#[path = "../bodies/http2.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
