//! The URL that a session was opened with, and the version of HTTP.

use crate::record::{Request, Source};

/// `ws://example.test/chat?room=1`: a URL whatever the target and the host are.
pub(super) fn url(source: &Source, request: &Request) -> String {
    let host = request.host();
    let is_host = |host: &&str| {
        !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~:[]%".contains(&b))
    };
    let mut url = format!("{}://", source.scheme.name());
    match host.filter(is_host) {
        Some(host) => url.push_str(host),
        None => url.push_str(&source.server.to_string()),
    }
    let target = request.resource();
    if !target.starts_with('/') {
        url.push('/');
    }
    for byte in target.bytes() {
        match byte {
            b'!'..=b'~' if !b"\"<>\\^`{|}".contains(&byte) => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// The version of HTTP, as a head says it.
pub(super) fn version(source: &Source, http_1_0: bool) -> &'static str {
    match source.stream {
        Some(_) => "HTTP/2",
        None if http_1_0 => "HTTP/1.0",
        None => "HTTP/1.1",
    }
}
