//! Key logs. See `../bodies/tls_key_log.rs`.

#![no_main]

#[path = "../bodies/tls_key_log.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
