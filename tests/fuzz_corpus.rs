//! The fuzz targets' bodies over their corpora: what fuzzing has once found stays found, without a fuzzer.

#![allow(unreachable_pub, reason = "the bodies are public to the fuzz targets")]

use std::path::Path;

#[path = "../fuzz/bodies/capture.rs"]
mod capture;
#[path = "../fuzz/bodies/frames.rs"]
mod frames;
#[path = "../fuzz/bodies/head.rs"]
mod head;
#[path = "../fuzz/bodies/hpack.rs"]
mod hpack;
#[path = "../fuzz/bodies/http2.rs"]
mod http2;
#[path = "../fuzz/bodies/inflate.rs"]
mod inflate;
#[path = "../fuzz/bodies/json_text.rs"]
mod json_text;
#[path = "../fuzz/bodies/packet.rs"]
mod packet;
#[path = "../fuzz/bodies/resync.rs"]
mod resync;
#[path = "../fuzz/bodies/savefile.rs"]
mod savefile;
#[path = "../fuzz/bodies/tcpdump_view.rs"]
mod tcpdump_view;
#[path = "../fuzz/bodies/tls_hello.rs"]
mod tls_hello;
#[path = "../fuzz/bodies/tls_key_log.rs"]
mod tls_key_log;
#[path = "../fuzz/bodies/tls_records.rs"]
mod tls_records;
#[path = "../fuzz/bodies/views.rs"]
mod views;

/// Runs every file of `fuzz/corpus/NAME`, and every beginning of the shorter ones: most faults are at an end.
fn replay(name: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let data = std::fs::read(&file).unwrap();
        println!("{}", file.display());
        run(&data);
        if data.len() < 600 {
            (0..data.len()).for_each(|end| run(&data[..end]));
        }
    }
}

#[test]
fn capture_corpus() {
    replay("capture", capture::run);
}

#[test]
fn frames_corpus() {
    replay("frames", frames::run);
}

#[test]
fn head_corpus() {
    replay("head", head::run);
}

#[test]
fn hpack_corpus() {
    replay("hpack", hpack::run);
}

#[test]
fn http2_corpus() {
    replay("http2", http2::run);
}

#[test]
fn inflate_corpus() {
    replay("inflate", inflate::run);
}

#[test]
fn json_text_corpus() {
    replay("json_text", json_text::run);
}

#[test]
fn packet_corpus() {
    replay("packet", packet::run);
}

#[test]
fn resync_corpus() {
    replay("resync", resync::run);
}

#[test]
fn savefile_corpus() {
    replay("savefile", savefile::run);
}

#[test]
fn tcpdump_view_corpus() {
    replay("tcpdump_view", tcpdump_view::run);
}

#[test]
fn tls_hello_corpus() {
    replay("tls_hello", tls_hello::run);
}

#[test]
fn tls_key_log_corpus() {
    replay("tls_key_log", tls_key_log::run);
}

#[test]
fn tls_records_corpus() {
    replay("tls_records", tls_records::run);
}

#[test]
fn views_corpus() {
    replay("views", views::run);
    replay("capture", views::run);
}
