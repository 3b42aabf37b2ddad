//! Captures of WebSocket sessions made by hand: raw IPv4, every byte chosen by the test.

use std::fs;
use std::path::{Path, PathBuf};

use crate::builder::{ACK, FIN, Ip4, PSH, SYN, Tcp};
use crate::savefile::{Record, Savefile};

/// The link type of raw IP.
const RAW: u32 = 101;

/// One session, packet by packet.
pub(crate) struct Conversation {
    file: Savefile,
    client: u16,
    /// The next sequence numbers, the client's first.
    next: [u32; 2],
}

impl Conversation {
    /// With the TCP handshake.
    pub(crate) fn new(client: u16) -> Self {
        let mut new = Self {
            file: Savefile::new(RAW),
            client,
            next: [1_000, 900_000],
        };
        new.packet(true, SYN, b"");
        new.packet(false, SYN | ACK, b"");
        new.packet(true, ACK, b"");
        new
    }

    /// With the handshake of WebSocket as well; the headers are added to both heads.
    pub(crate) fn open(client: u16, target: &str, request: &str, response: &str) -> Self {
        let mut new = Self::new(client);
        new.send(
            true,
            format!(
                "GET {target} HTTP/1.1\r\nHost: chat.example:7272\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{request}\r\n"
            )
            .as_bytes(),
        );
        new.send(
            false,
            format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{response}\r\n"
            )
            .as_bytes(),
        );
        new
    }

    /// Bytes in a segment, and its ACK.
    pub(crate) fn send(&mut self, from_client: bool, bytes: &[u8]) {
        self.packet(from_client, PSH | ACK, bytes);
        self.packet(!from_client, ACK, b"");
    }

    /// FIN from both sides.
    pub(crate) fn end(&mut self) {
        self.packet(true, FIN | ACK, b"");
        self.packet(false, FIN | ACK, b"");
        self.packet(true, ACK, b"");
    }

    fn packet(&mut self, from_client: bool, flags: u8, payload: &[u8]) {
        let (own, other) = if from_client { (0, 1) } else { (1, 0) };
        let ip = Ip4 {
            id: self.file.records.len() as u16,
            ..Ip4::default()
        };
        let tcp = Tcp {
            sport: if from_client { self.client } else { 7272 },
            dport: if from_client { 7272 } else { self.client },
            seq: self.next[own],
            ack: if flags == SYN { 0 } else { self.next[other] },
            flags,
            payload: payload.to_vec(),
            ..Tcp::default()
        };
        let bytes = tcp.over4(&if from_client { ip } else { ip.back() });
        self.next[own] += payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        let at = self.file.records.len() as u32;
        self.file.records.push(Record::whole(1_700_000_000 + at, 0, bytes));
    }

    /// The capture.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, self.file.to_bytes()).unwrap();
        path
    }

    /// Their packets, one session behind the other.
    pub(crate) fn join(mut self, other: Self) -> Self {
        let behind = self.file.records.len() as u32;
        self.file
            .records
            .extend(other.file.records.into_iter().map(|record| Record {
                seconds: record.seconds + behind,
                ..record
            }));
        self
    }
}

/// A frame (RFC 6455 §5.2). `first` is its first byte.
pub(crate) fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut out = vec![first];
    match payload.len() {
        short @ 0..126 => out.push(bit | short as u8),
        medium @ 126..65_536 => {
            out.push(bit | 126);
            out.extend((medium as u16).to_be_bytes());
        }
        long => {
            out.push(bit | 127);
            out.extend((long as u64).to_be_bytes());
        }
    }
    match mask {
        Some(key) => {
            out.extend(key);
            out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
        None => out.extend(payload),
    }
    out
}
