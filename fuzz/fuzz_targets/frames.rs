//! One direction of frames, with gaps and without a beginning. See `../bodies/frames.rs`.

#![no_main]

#[path = "../bodies/frames.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
