//! Makes the captures that the speed is measured on: `cargo bench --bench generate -- KIND MEGABYTES FILE`.
//!
//! The same arguments give the same bytes. KIND is one of
//! - `chat`: 1,000 connections in rooms of ten; a client says something (masked JSON of 60 to 250 bytes), the server says it to
//!   the ten of the room, each of whom acknowledges it;
//! - `deflate`: the same with permessage-deflate and context takeover both ways;
//! - `lossy`: the same as `chat`, with 1 % of the packets missing from the capture and 5 % out of order;
//! - `tls`: the same as `chat` in TLS 1.3 with AES-128-GCM, and FILE.keys is its key log (real handshakes: the bytes differ each time);
//!   `tls-chacha`: with ChaCha20-Poly1305;
//! - `bulk`: 50 connections, binary messages of 30 KB to 1 MB in full-size segments, both ways;
//! - `idle`: connections that are upgraded and then are silent; MEGABYTES is their number in thousands; `idle-tcp`: without the
//!   upgrade; `idle-login`: with a login as well;
//! - what `hostile.rs` says, to see what strangers can do to us; there MEGABYTES may count something else.

mod traffic;

use std::fs::{self, File};
use std::io::{self, BufWriter};

use traffic::hostile::{KINDS, hostile};
use traffic::tls::Settings;
use traffic::{Capture, Idle, bulk, chat, idle};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [kind, megabytes, path] = &arguments[..] else {
        // `cargo bench` without arguments runs every bench: nothing to do then.
        eprintln!(
            "usage: cargo bench --bench generate -- chat|deflate|lossy|tls|tls-chacha|bulk|idle|idle-tcp|idle-login MEGABYTES FILE"
        );
        eprintln!("or instead of chat and MEGABYTES: {KINDS}");
        return Ok(());
    };
    let size: u64 = megabytes
        .parse()
        .map_err(|_| io::Error::other("MEGABYTES is a whole number"))?;
    let mut capture = Capture::new(BufWriter::with_capacity(1 << 20, File::create(path)?))?;
    match kind.as_str() {
        "chat" => chat(&mut capture, size << 20, false)?,
        "deflate" => chat(&mut capture, size << 20, true)?,
        "lossy" => {
            capture.loss = true;
            chat(&mut capture, size << 20, false)?;
        }
        kind @ ("tls" | "tls-chacha") => {
            capture.tls = Some(Settings::new(kind == "tls-chacha")?);
            chat(&mut capture, size << 20, false)?;
            let key_log = capture.tls.as_ref().map(Settings::key_log);
            fs::write(format!("{path}.keys"), key_log.unwrap_or_default())?;
        }
        "bulk" => bulk(&mut capture, size << 20)?,
        "idle-tcp" => idle(&mut capture, size * 1000, Idle::Tcp)?,
        "idle" => idle(&mut capture, size * 1000, Idle::Upgraded)?,
        "idle-login" => idle(&mut capture, size * 1000, Idle::LoggedIn)?,
        other => match hostile(&mut capture, other, size) {
            Some(written) => written?,
            None => return Err(io::Error::other(format!("{other}: no such kind of capture"))),
        },
    }
    capture.finish()?;
    eprintln!(
        "{path}: {} packets, {} messages, {} bytes",
        capture.packets, capture.messages, capture.bytes
    );
    Ok(())
}
