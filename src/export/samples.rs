//! Events for the tests of the views.

use std::net::Ipv4Addr;

use crate::base::PacketRef;
use crate::base::{Direction, Endpoint, Side, Timestamp};
use crate::record::{
    Accept, ConnectionId, Handshake, Message, Opcode, Payload, Record, RecordKind, Request, Response, Scheme,
    SessionId, Source, Span, StreamRange,
};

/// The document's first browser and its server, session 2.
pub(super) fn session() -> Source {
    Source {
        connection: ConnectionId(2),
        session: Some(SessionId(2)),
        stream: None,
        scheme: Scheme::Ws,
        proxied: None,
        client: Endpoint::new(Ipv4Addr::LOCALHOST.into(), 60653),
        server: Endpoint::new(Ipv4Addr::LOCALHOST.into(), 7272),
        client_side: Side::A,
        inferred: false,
        began: Timestamp::from_nanos(1_407_837_000_000_000_000),
    }
}

/// Packet 28 of 2014-08-12, 09:51:02.775205 UTC.
pub(super) fn at() -> PacketRef {
    PacketRef {
        packet: 28,
        time: Timestamp::from_nanos(1_407_837_062_775_205_000),
    }
}

/// An upgrade that succeeded.
pub(super) fn handshake(target: &str, headers: &[(&str, &str)]) -> Handshake {
    Handshake {
        request: Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: self::headers(headers),
            ..Request::default()
        },
        response: Some(Response {
            status: 101,
            reason: "Switching Protocols".to_owned(),
            ..Response::default()
        }),
        accept: Accept::Valid,
        subprotocol: None,
        extensions: Vec::new(),
        deflate: None,
        deflate_unknown: false,
    }
}

pub(super) fn headers(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    headers.iter().map(owned).collect()
}

/// A whole message from the client.
pub(super) fn message(opcode: Opcode, bytes: &[u8]) -> Message<'_> {
    Message {
        direction: Direction::ClientToServer,
        opcode,
        payload: Payload::whole(bytes),
        text: if matches!(opcode, Opcode::Text) {
            std::str::from_utf8(bytes).ok()
        } else {
            None
        },
        wire_length: bytes.len() as u64,
        frames: 1,
        masked: true,
        masking_key: Some([0x3c, 0x31, 0x37, 0x44]),
        compressed: false,
        extended: false,
        span: Span::packet(at(), StreamRange::default()),
        range: StreamRange {
            start: 0,
            end: bytes.len() as u64 + 6,
        },
        complete: true,
        inferred: false,
        told_late: false,
        meaning: &[],
        close: None,
    }
}

/// What happened, in that session at that time.
pub(super) fn record<'a>(session: &'a Source, kind: RecordKind<'a>) -> Record<'a> {
    Record {
        at: at(),
        source: session,
        kind,
    }
}
