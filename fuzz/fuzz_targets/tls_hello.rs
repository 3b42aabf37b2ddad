//! Hello messages. See `../bodies/tls_hello.rs`.

#![no_main]

#[path = "../bodies/tls_hello.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
