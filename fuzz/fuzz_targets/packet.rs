//! Packets, down to the streams. See `../bodies/packet.rs`.

#![no_main]

#[path = "../bodies/packet.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
