//! What a packet does in HTTP/2 (RFC 9113): in short, beside what the WebSockets in its streams do.

use super::users::quote;
use super::{Narrator, Note, Title};
use crate::base::{Direction, Text};
use crate::record::{Http2Frame, Record, http2_error_name};

/// Bytes of a method and path that are quoted.
const QUOTED: usize = 100;
/// Frames of one packet that are told.
const NOTES: usize = 256;
/// How many of the last are looked through for one that does the same.
const ALIKE: usize = 16;

impl Narrator {
    /// A frame that `direction` carried.
    pub(super) fn http2(&mut self, record: &Record<'_>, direction: Direction, stream: u32, frame: &Http2Frame) {
        // A connection that was recognised late has frames of earlier packets.
        if record.at.packet != self.now.packet {
            return;
        }
        let Some(tcp) = &self.now.tcp else { return };
        let from = tcp.party(direction);
        let code = |code: u32| http2_error_name(code).unwrap_or("?");
        let note = match frame {
            Http2Frame::Preface => Note::Http2Preface { from },
            Http2Frame::Data { length: 0, end: true } => Note::Http2EndStream { from, stream },
            Http2Frame::Data { length, .. } => Note::Http2Data {
                from,
                stream,
                length: *length,
            },
            Http2Frame::Request { method, path, .. } => {
                let method = method.as_deref().unwrap_or("…");
                let what = format!("{method} {}", path.as_deref().unwrap_or("…"));
                let what = quote(&mut self.story, Text::Plain(&what), QUOTED);
                Note::Http2Request { from, stream, what }
            }
            Http2Frame::Response { status } => Note::Http2Response {
                from,
                stream,
                status: *status,
            },
            Http2Frame::Settings { enable_connect } => Note::Http2Settings {
                from,
                allows: *enable_connect == Some(true),
            },
            Http2Frame::Reset { code: number } => Note::Http2Reset {
                from,
                stream,
                code: code(*number),
            },
            Http2Frame::GoAway { code: number, .. } => Note::Http2GoAway {
                from,
                code: code(*number),
            },
            other => Note::Http2Control {
                from,
                frame: control(other),
            },
        };
        self.now.told = true;
        self.story.entitle(35, Title::Http2);
        // Several frames that do the same are told once.
        if self.tail.len() < NOTES && !self.tail.iter().rev().take(ALIKE).any(|told| *told == note) {
            self.tail.push(note);
        }
    }
}

/// The name of a frame that serves the connection.
fn control(frame: &Http2Frame) -> &'static str {
    match frame {
        Http2Frame::SettingsAck => "SETTINGS (ACK)",
        Http2Frame::Ping { ack: false } => "PING",
        Http2Frame::Ping { ack: true } => "PING (ACK)",
        Http2Frame::WindowUpdate { .. } => "WINDOW_UPDATE",
        Http2Frame::Fields => "HEADERS",
        Http2Frame::Other(0x2 | 0x10) => "PRIORITY",
        _ => "?",
    }
}
