//! The fields of all events but `message`.

use super::message::{masking, packets};
use super::{put, put_bool, put_direction, put_string};
use crate::base::{Direction, Gap, Violation};
use crate::export::put::number;
use crate::record::{Accept, Deflate, Extension, FrameInfo, Handshake, Proxied, SessionEnd, TlsEnd, TlsHandshake};

/// `proxied`, of all events.
pub(super) fn proxied(out: &mut Vec<u8>, proxied: &Proxied) {
    put(out, ",\"proxied\":{\"client\":");
    optional(out, Some(&*proxied.client).filter(|client| !client.is_empty()));
    put(out, ",\"server\":");
    optional(out, Some(&*proxied.server).filter(|server| !server.is_empty()));
    put(out, ",\"by\":");
    put_string(out, proxied.by);
    put(out, "}");
}

/// `handshake`.
pub(super) fn handshake(out: &mut Vec<u8>, handshake: &Handshake, stream: Option<u32>) {
    let request = &handshake.request;
    put(out, ",\"http\":");
    put_string(out, if stream.is_some() { "2" } else { "1.1" });
    put(out, ",\"request\":{\"method\":");
    put_string(out, &request.method);
    put(out, ",\"target\":");
    put_string(out, &request.target);
    headers(out, &request.headers);
    match &handshake.response {
        Some(response) => {
            put(out, "},\"response\":{\"status\":");
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
        None => put(out, "},\"response\":null"),
    }
    put(out, ",\"accept\":");
    let accept = match handshake.accept {
        Accept::Valid => "valid",
        Accept::Invalid => "invalid",
        Accept::Missing => "missing",
    };
    optional(out, stream.is_none().then_some(accept));
    put(out, ",\"subprotocol\":");
    optional(out, handshake.subprotocol.as_deref());
    put(out, ",\"extensions\":[");
    separated(out, &handshake.extensions, extension);
    put(out, "],\"deflate\":");
    match &handshake.deflate {
        Some(agreed) => deflate(out, agreed),
        None => put(out, "null"),
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
pub(super) fn frame(out: &mut Vec<u8>, frame: &FrameInfo) {
    put_direction(out, frame.direction);
    put(out, ",\"opcode\":\"");
    put(out, frame.opcode.name());
    put(out, "\",\"fin\":");
    put_bool(out, frame.fin);
    put(out, ",\"rsv\":[");
    separated(out, &frame.rsv, |out, bit| put_bool(out, *bit));
    put(out, "]");
    masking(out, frame.masking_key.is_some(), frame.masking_key);
    put(out, ",\"length\":");
    number(out, frame.length);
    packets(out, frame.span.packets());
    put(out, ",\"offset\":");
    number(out, frame.offset);
}

/// `violation`.
pub(super) fn violation(out: &mut Vec<u8>, direction: Direction, violation: &Violation) {
    put_direction(out, direction);
    put(out, ",\"id\":\"");
    put(out, violation.rule.id());
    put(out, "\",\"rfc\":");
    optional(out, violation.rule.rfc());
    put(out, ",\"detail\":");
    put_string(out, &violation.detail);
}

/// `gap`.
pub(super) fn gap(out: &mut Vec<u8>, direction: Direction, gap: &Gap) {
    put_direction(out, direction);
    put(out, ",\"length\":");
    match gap.is_unknown() {
        true => put(out, "null"),
        false => number(out, gap.length),
    }
    put(out, ",\"cause\":\"");
    put(out, gap.cause.name());
    put(out, "\"");
}

/// `session-end`.
pub(super) fn session_end(out: &mut Vec<u8>, end: &SessionEnd, explanation: &str) {
    put(out, ",\"how\":\"");
    put(out, end.how.name());
    put(out, "\",\"by\":");
    optional(out, end.by.map(Direction::sender));
    put(out, ",\"close_codes\":{");
    for direction in Direction::BOTH {
        put(
            out,
            match direction {
                Direction::ClientToServer => "\"client\":",
                Direction::ServerToClient => ",\"server\":",
            },
        );
        match end.close_codes[direction].flatten() {
            Some(code) => number(out, code.into()),
            None => put(out, "null"),
        }
    }
    put(out, "},\"closing_handshake\":");
    match end.closing_handshake {
        Some(complete) => put_bool(out, complete),
        None => put(out, "null"),
    }
    put(out, ",\"messages\":");
    number(out, end.message_count());
    put(out, ",\"bytes\":");
    number(out, end.byte_count());
    put(out, ",\"verdict\":\"");
    put(out, end.verdict.name());
    put(out, "\",\"abnormal\":");
    put_bool(out, end.verdict.is_abnormal());
    put(out, ",\"explanation\":");
    put_string(out, explanation);
}

/// `tls`.
pub(super) fn tls(out: &mut Vec<u8>, tls: &TlsHandshake) {
    put(out, ",\"version\":");
    match tls.version {
        Some(version) => put_string(out, &version_name(version)),
        None => put(out, "null"),
    }
    put(out, ",\"cipher\":");
    match (tls.cipher_name, tls.cipher) {
        (Some(name), _) => put_string(out, name),
        (None, Some(number)) => put_string(out, &format!("0x{number:04x}")),
        (None, None) => put(out, "null"),
    }
    put(out, ",\"server_name\":");
    optional(out, tls.server_name.as_deref());
    put(out, ",\"alpn\":");
    optional(out, tls.alpn.as_deref());
    put(out, ",\"resumed\":");
    match tls.resumed {
        Some(resumed) => put_bool(out, resumed),
        None => put(out, "null"),
    }
    put(out, ",\"keys\":");
    optional(out, tls.keys);
    put(out, ",\"client_random\":");
    match &tls.client_random {
        Some(random) => put_string(
            out,
            &random.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        ),
        None => put(out, "null"),
    }
    put(out, ",\"late\":");
    put_bool(out, tls.late);
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
pub(super) fn tls_end(out: &mut Vec<u8>, end: &TlsEnd) {
    put(out, ",\"decrypted\":");
    number(out, end.decrypted.iter().sum());
    put(out, ",\"undecrypted\":");
    number(out, end.undecrypted.iter().sum());
    put(out, ",\"reason\":");
    optional(out, end.reason);
    put(out, ",\"alert\":");
    optional(out, end.alert.map(|(_, alert)| alert.name));
    put(out, ",\"alert_by\":");
    optional(out, end.alert.map(|(direction, _)| direction.sender()));
}

fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => put_string(out, text),
        None => put(out, "null"),
    }
}

fn separated<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            put(out, ",");
        }
        write(out, item);
    }
}
