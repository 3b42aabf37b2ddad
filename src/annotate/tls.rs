//! What a packet does in TLS (RFC 5246, RFC 8446): in short, beside what lies in its records.

use super::users::quote;
use super::{Narrator, Note, Title};
use crate::base::{Direction, Text};
use crate::record::{Record, TlsPacket};

/// Bytes of a server name that are quoted.
const QUOTED: usize = 100;

impl Narrator {
    /// The records that `direction` carried in the current packet.
    pub(super) fn tls(&mut self, record: &Record<'_>, direction: Direction, packet: &TlsPacket) {
        if record.at.packet != self.now.packet {
            return;
        }
        let Some(tcp) = &self.now.tcp else { return };
        let from = tcp.party(direction);
        let before = self.tail.len();
        if packet.client_hello {
            let name = packet.server_name.as_deref().unwrap_or_default();
            let name = quote(&mut self.story, Text::Plain(name), QUOTED);
            self.tail.push(Note::TlsClientHello { from, name });
        }
        if let Some((version, suite)) = packet.server_hello {
            let version = version.map_or("TLS", version_name);
            self.tail.push(Note::TlsServerHello { from, version, suite });
        }
        if let Some(alert) = packet.alert {
            let name = alert.name;
            self.tail.push(Note::TlsAlert { from, name });
        }
        let hello = self.tail.len() > before;
        if !hello && !self.now.told {
            let records = packet.sealed;
            match (packet.sealed, packet.data, packet.handshake) {
                (1.., ..) => self.tail.push(Note::TlsSealed { from, records }),
                (0, 1.., _) => self.tail.push(Note::TlsData { from }),
                (0, 0, 1..) => self.tail.push(Note::TlsHandshake { from }),
                (0, 0, 0) => {}
            }
        }
        if self.tail.len() > before {
            self.now.told = true;
            let handshake = hello && packet.alert.is_none() || packet.handshake > 0;
            self.story
                .entitle(34, if handshake { Title::TlsHandshake } else { Title::Tls });
        }
    }
}

fn version_name(version: u16) -> &'static str {
    match version {
        0x0304 => "TLS 1.3",
        0x0303 => "TLS 1.2",
        0x0302 => "TLS 1.1",
        0x0301 => "TLS 1.0",
        0x0300 => "SSL 3.0",
        _ => "TLS",
    }
}
