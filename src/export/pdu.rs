//! The `pdu` export: one packet a complete decoded message, so that Wireshark dissects and filters what it could not decode itself.
//!
//! Out: pcapng of the link type Wireshark Upper PDU. Before the message stand tags (`wsutil/exported_pdu_tlvs.h` of Wireshark) that name
//! its dissector, its sender and receiver, and the packet that completed it.

use std::net::IpAddr;
use std::ops::ControlFlow;

use super::View;
use super::json_text;
use super::pcapng::{MAX_PACKET, Pcapng};
use crate::base::{Captured, Endpoint};
use crate::record::{Message, Opcode, Record, RecordKind, Sink};
use crate::wire::LinkType;

/// `LINKTYPE_WIRESHARK_UPPER_PDU`.
const LINK: LinkType = LinkType(252);

const DISSECTOR: u16 = 12;
const IPV4_SOURCE: u16 = 20;
const IPV4_DESTINATION: u16 = 21;
const IPV6_SOURCE: u16 = 22;
const IPV6_DESTINATION: u16 = 23;
const PORT_TYPE: u16 = 24;
const SOURCE_PORT: u16 = 25;
const DESTINATION_PORT: u16 = 26;
const ORIGINAL_FRAME: u16 = 30;
const END: u16 = 0;

/// The port type of TCP.
const TCP: u32 = 2;

/// The export.
pub struct Pdu {
    file: Pcapng,
    out: Vec<u8>,
    /// The current packet.
    packet: Vec<u8>,
    /// Where JSON goes that is only to be read.
    scratch: Vec<u8>,
}

impl Pdu {
    /// Times have nanoseconds when `nano`.
    pub fn new(nano: bool) -> Self {
        let mut out = Vec::new();
        let mut file = Pcapng::begin(&mut out, nano);
        // Also when no message comes: a file without an interface is none to libpcap.
        file.interface(&mut out, LINK, false);
        Self {
            file,
            out,
            packet: Vec::new(),
            scratch: Vec::new(),
        }
    }

    fn message(&mut self, record: &Record<'_>, message: &Message<'_>) {
        let dissector = self.dissector(message);
        let packet = &mut self.packet;
        packet.clear();
        tag(packet, DISSECTOR, dissector.as_bytes());
        ends(
            packet,
            [message.direction, message.direction.other()].map(|by| record.source.sender(by)),
        );
        tag(packet, ORIGINAL_FRAME, &(record.at.packet as u32).to_be_bytes());
        tag(packet, END, b"");
        let payload = message.payload.bytes;
        let wire_len = packet.len() + payload.len();
        let room = MAX_PACKET - packet.len();
        packet.extend_from_slice(&payload[..payload.len().min(room)]);
        let cut = payload.len().checked_sub(room).filter(|left| *left > 0);
        let comment = cut.map(|left| format!("cut: {left} of the message's {} bytes are left out", payload.len()));
        self.file.packet(
            &mut self.out,
            LINK,
            record.at.time,
            Captured {
                bytes: packet,
                wire_len,
            },
            comment.as_deref().map(str::as_bytes),
        );
        if packet.capacity() > 2 * MAX_PACKET {
            packet.shrink_to(MAX_PACKET);
        }
    }

    /// Wireshark's name of what the message is, by its content: JSON is what the JSON view takes for it.
    fn dissector(&mut self, message: &Message<'_>) -> &'static str {
        if message.meaning.first().is_some_and(|read| read.protocol == "MQTT") {
            return "mqtt";
        }
        let Some(text) = message.text else { return "data" };
        self.scratch.clear();
        if json_text::begins_like_container(text) && json_text::minify_clean(&mut self.scratch, text).is_ok() {
            "json"
        } else if text
            .lines()
            .next()
            .is_some_and(|line| line.split(' ').any(|word| word == "SIP/2.0"))
        {
            "sip"
        } else {
            "data-text-lines"
        }
    }
}

/// Who sends to whom.
fn ends(out: &mut Vec<u8>, ends: [Endpoint; 2]) {
    let tags = [(IPV4_SOURCE, IPV6_SOURCE), (IPV4_DESTINATION, IPV6_DESTINATION)];
    for (end, (v4, v6)) in ends.iter().zip(tags) {
        match end.addr {
            IpAddr::V4(addr) => tag(out, v4, &addr.octets()),
            IpAddr::V6(addr) => tag(out, v6, &addr.octets()),
        }
    }
    tag(out, PORT_TYPE, &TCP.to_be_bytes());
    for (end, port) in ends.iter().zip([SOURCE_PORT, DESTINATION_PORT]) {
        tag(out, port, &u32::from(end.port).to_be_bytes());
    }
}

fn tag(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    let length = value.len().next_multiple_of(4);
    out.extend(tag.to_be_bytes());
    out.extend((length as u16).to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len() + length - value.len(), 0);
}

impl Sink for Pdu {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if let RecordKind::Message(message) = record.kind
            && message.complete
            && message.payload.holes.is_empty()
            && message.opcode != Opcode::Continuation
        {
            self.message(record, message);
        }
        ControlFlow::Continue(())
    }
}

impl View for Pdu {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}
