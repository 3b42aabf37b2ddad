//! Packets through the `tcpdump` view. See `../bodies/tcpdump_view.rs`.

#![no_main]

#[path = "../bodies/tcpdump_view.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
