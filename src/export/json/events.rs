//! The fields of all events but `message`.

use super::message::{masking, packets};
use super::shape::{Field, Line, optional};
use super::{direction, put, put_bool, put_string};
use crate::annotate::texts::Catalog;
use crate::base::{Direction, Gap, Violation};
use crate::export::put::number;
use crate::record::{Accept, Deflate, Extension, FrameInfo, Handshake, Proxied, SessionEnd, TlsEnd, TlsHandshake};

/// `proxied`, of all events.
pub(super) fn proxied(line: &mut Line<'_>, proxied: &Proxied) {
    if !line.key(Field::Proxied) {
        return;
    }
    put(line.out, "{\"client\":");
    optional(line.out, Some(&*proxied.client).filter(|client| !client.is_empty()));
    put(line.out, ",\"server\":");
    optional(line.out, Some(&*proxied.server).filter(|server| !server.is_empty()));
    put(line.out, ",\"by\":");
    put_string(line.out, proxied.by);
    put(line.out, "}");
}

/// `handshake`.
pub(super) fn handshake(line: &mut Line<'_>, handshake: &Handshake, stream: Option<u32>) {
    let request = &handshake.request;
    line.word(Field::Http, if stream.is_some() { "2" } else { "1.1" });
    if line.key(Field::Request) {
        put(line.out, "{\"method\":");
        put_string(line.out, &request.method);
        put(line.out, ",\"target\":");
        put_string(line.out, &request.target);
        headers(line.out, &request.headers);
        put(line.out, "}");
    }
    if line.key(Field::Response) {
        let out = &mut *line.out;
        match &handshake.response {
            Some(response) => {
                put(out, "{\"status\":");
                number(out, response.status.into());
                put(out, ",\"reason\":");
                put_string(out, &response.reason);
                headers(out, &response.headers);
                if let Some(body) = &response.body {
                    put(out, ",\"body\":");
                    put_string(out, &String::from_utf8_lossy(body));
                    put(out, ",\"body_length\":");
                    number(out, response.body_length);
                }
                put(out, "}");
            }
            None => put(out, "null"),
        }
    }
    let accept = match handshake.accept {
        Accept::Valid => "valid",
        Accept::Invalid => "invalid",
        Accept::Missing => "missing",
    };
    line.string(Field::Accept, stream.is_none().then_some(accept));
    line.string(Field::Subprotocol, handshake.subprotocol.as_deref());
    if line.key(Field::Extensions) {
        put(line.out, "[");
        separated(line.out, &handshake.extensions, extension);
        put(line.out, "]");
    }
    if line.key(Field::Deflate) {
        match &handshake.deflate {
            Some(agreed) => deflate(line.out, agreed),
            None => put(line.out, "null"),
        }
    }
}

fn headers(out: &mut Vec<u8>, headers: &[(String, String)]) {
    put(out, ",\"headers\":[");
    separated(out, headers, |out, (name, value)| {
        put(out, "[");
        put_string(out, name);
        put(out, ",");
        put_string(out, value);
        put(out, "]");
    });
    put(out, "]");
}

fn extension(out: &mut Vec<u8>, extension: &Extension) {
    put(out, "{\"name\":");
    put_string(out, &extension.name);
    put(out, ",\"parameters\":[");
    separated(out, &extension.parameters, |out, (name, value)| {
        put(out, "[");
        put_string(out, name);
        put(out, ",");
        optional(out, value.as_deref());
        put(out, "]");
    });
    put(out, "]}");
}

fn deflate(out: &mut Vec<u8>, deflate: &Deflate) {
    put(out, "{\"server_no_context_takeover\":");
    put_bool(out, deflate.server_no_context_takeover);
    put(out, ",\"client_no_context_takeover\":");
    put_bool(out, deflate.client_no_context_takeover);
    put(out, ",\"server_max_window_bits\":");
    number(out, deflate.server_max_window_bits.into());
    put(out, ",\"client_max_window_bits\":");
    number(out, deflate.client_max_window_bits.into());
    put(out, "}");
}

/// `frame`.
pub(super) fn frame(line: &mut Line<'_>, frame: &FrameInfo) {
    direction(line, frame.direction);
    line.word(Field::Opcode, frame.opcode.name());
    line.bool(Field::Fin, frame.fin);
    if line.key(Field::Rsv) {
        put(line.out, "[");
        separated(line.out, &frame.rsv, |out, bit| put_bool(out, *bit));
        put(line.out, "]");
    }
    masking(line, frame.masking_key.is_some(), frame.masking_key);
    line.number(Field::Length, frame.length);
    packets(line, frame.span.packets());
    line.number(Field::Offset, frame.offset);
}

/// `violation`.
pub(super) fn violation(line: &mut Line<'_>, by: Direction, violation: &Violation) {
    direction(line, by);
    line.word(Field::Id, violation.rule.id());
    line.string(Field::Rfc, violation.rule.rfc());
    line.string(Field::Detail, &*violation.detail);
}

/// `gap`.
pub(super) fn gap(line: &mut Line<'_>, of: Direction, gap: &Gap) {
    direction(line, of);
    line.number(Field::Length, Some(gap.length).filter(|_| !gap.is_unknown()));
    line.word(Field::Cause, gap.cause.name());
}

/// `session-end`.
pub(super) fn session_end(line: &mut Line<'_>, end: &SessionEnd, catalog: &'static Catalog) {
    line.word(Field::How, end.how.name());
    line.string(Field::By, end.by.map(Direction::sender));
    if line.key(Field::CloseCodes) {
        for direction in Direction::BOTH {
            put(
                line.out,
                match direction {
                    Direction::ClientToServer => "{\"client\":",
                    Direction::ServerToClient => ",\"server\":",
                },
            );
            match end.close_codes[direction].flatten() {
                Some(code) => number(line.out, code.into()),
                None => put(line.out, "null"),
            }
        }
        put(line.out, "}");
    }
    line.bool(Field::ClosingHandshake, end.closing_handshake);
    line.number(Field::Messages, end.message_count());
    line.number(Field::Bytes, end.byte_count());
    line.word(Field::Verdict, end.verdict.name());
    line.bool(Field::Abnormal, end.verdict.is_abnormal());
    if line.key(Field::Explanation) {
        let mut explanation = Vec::new();
        catalog.verdict(end, &mut explanation);
        put_string(line.out, std::str::from_utf8(&explanation).unwrap_or_default());
    }
}

/// `tls`.
pub(super) fn tls(line: &mut Line<'_>, tls: &TlsHandshake) {
    line.string(Field::Version, tls.version.map(version_name).as_deref());
    match (tls.cipher_name, tls.cipher) {
        (None, Some(number)) => line.word(Field::Cipher, &format!("0x{number:04x}")),
        (name, _) => line.string(Field::Cipher, name),
    }
    line.string(Field::ServerName, tls.server_name.as_deref());
    line.string(Field::Alpn, tls.alpn.as_deref());
    line.bool(Field::Resumed, tls.resumed);
    line.string(Field::Keys, tls.keys);
    let random = tls.client_random.as_ref();
    let random = random.map(|random| random.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    line.string(Field::ClientRandom, random.as_deref());
    line.bool(Field::Late, tls.late);
}

fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSLv3".to_owned(),
        0x0301 => "TLSv1".to_owned(),
        0x0302..=0x0304 => format!("TLSv1.{}", version - 0x0301),
        other => format!("0x{other:04x}"),
    }
}

/// `tls-end`.
pub(super) fn tls_end(line: &mut Line<'_>, end: &TlsEnd) {
    line.number(Field::Decrypted, end.decrypted.iter().sum::<u64>());
    line.number(Field::Undecrypted, end.undecrypted.iter().sum::<u64>());
    line.string(Field::Reason, end.reason);
    line.string(Field::Alert, end.alert.map(|(_, alert)| alert.name));
    line.string(Field::AlertBy, end.alert.map(|(direction, _)| direction.sender()));
}

fn separated<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            put(out, ",");
        }
        write(out, item);
    }
}
