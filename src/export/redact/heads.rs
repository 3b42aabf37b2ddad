//! The heads of the opening handshake, with nothing in them but what is known to be harmless.

use super::words::{FILL, Words};
use crate::export::secrets::Names as _;
use crate::record::{Request, Response};

/// Headers whose values say nothing that is not to be known. Of all others every byte is replaced.
const HARMLESS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "host",
    "keep-alive",
    "origin",
    "pragma",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "server",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
];

/// Subprotocols that are names and no credentials; most of them are registered.
const SUBPROTOCOLS: &[&str] = &[
    "actioncable-unsupported",
    "actioncable-v1-json",
    "amqp",
    "base64",
    "base64.channel.k8s.io",
    "binary",
    "channel.k8s.io",
    "chat",
    "graphql-transport-ws",
    "graphql-ws",
    "json",
    "jsonrpc",
    "kafka",
    "lws-mirror-protocol",
    "mqtt",
    "mqttv3.1",
    "msrp",
    "ocpp1.5",
    "ocpp1.6",
    "ocpp2.0",
    "ocpp2.0.1",
    "ocpp2.1",
    "sip",
    "soap",
    "stomp",
    "superchat",
    "v10.stomp",
    "v11.stomp",
    "v12.stomp",
    "v2.channel.k8s.io",
    "v3.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "v4.channel.k8s.io",
    "v5.channel.k8s.io",
    "vite-hmr",
    "vite-ping",
    "wamp.2.cbor",
    "wamp.2.json",
    "wamp.2.msgpack",
    "xmpp",
];

/// What extensions are called, and their parameters.
const EXTENSIONS: &[&str] = &[
    "client_max_window_bits",
    "client_no_context_takeover",
    "permessage-deflate",
    "server_max_window_bits",
    "server_no_context_takeover",
    "x-webkit-deflate-frame",
];

/// Reason phrases that are usual.
const REASONS: &[&str] = &[
    "Switching Protocols",
    "Web Socket Protocol Handshake",
    "WebSocket Protocol Handshake",
    "OK",
    "Bad Request",
    "Unauthorized",
    "Forbidden",
    "Not Found",
    "Upgrade Required",
    "Too Many Requests",
    "Internal Server Error",
    "Bad Gateway",
    "Service Unavailable",
];

/// The example of RFC 6455 §1.3, for a handshake that had none.
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(super) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A head that is to be written.
pub(super) struct Head {
    pub(super) first: String,
    pub(super) headers: Vec<(String, String)>,
}

/// What is looked for.
pub(super) struct Scrubber<'w> {
    pub(super) words: &'w Words,
    /// Names of hosts are replaced as well.
    pub(super) hosts: bool,
}

impl Scrubber<'_> {
    /// A request.
    pub(super) fn request(&self, request: &Request) -> Head {
        let version = if request.http_1_0 { "HTTP/1.0" } else { "HTTP/1.1" };
        Head {
            first: format!("{} {} {version}", token(&request.method), self.target(&request.target)),
            headers: self.headers(&request.headers),
        }
    }

    /// A response.
    pub(super) fn response(&self, response: &Response) -> Head {
        let known = REASONS.contains(&response.reason.as_str());
        let reason = if known {
            response.reason.clone()
        } else {
            filled(&response.reason)
        };
        Head {
            first: format!("HTTP/1.1 {:03} {reason}", response.status),
            headers: self.headers(&response.headers),
        }
    }

    /// A request target: all values in its query go.
    pub(super) fn target(&self, target: &str) -> String {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut out = self.scrubbed(path);
        // `ws://user:password@host/`
        if let Some(begin) = out.find("://").map(|at| at + 3) {
            let end = out[begin..].find('/').map_or(out.len(), |at| begin + at);
            let (login, host) = match out[begin..end].rsplit_once('@') {
                Some((login, host)) => (filled(login) + "@", host),
                None => (String::new(), &out[begin..end]),
            };
            let host = if self.hosts { filled(host) } else { host.to_owned() };
            out = format!("{}{login}{host}{}", &out[..begin], &out[end..]);
        }
        for (at, part) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
            out.push(if at == 0 { '?' } else { '&' });
            match part.split_once('=') {
                Some((name, value)) => out.extend([&self.scrubbed(name), "=", &filled(value)]),
                None => out.push_str(&filled(part)),
            }
        }
        let visible = |c: char| {
            if c.is_control() || c == ' ' || c == '\u{fffd}' {
                '_'
            } else {
                c
            }
        };
        out.chars().map(visible).collect()
    }

    fn headers(&self, headers: &[(String, String)]) -> Vec<(String, String)> {
        let each = headers.iter();
        // A pseudo-header of HTTP/2 is none here.
        each.filter(|(name, _)| !name.starts_with(':'))
            .map(|(name, value)| (token(name), self.value(name, value)))
            .collect()
    }

    /// The value of a header.
    pub(super) fn value(&self, name: &str, value: &str) -> String {
        let name = name.to_ascii_lowercase();
        if !HARMLESS.contains(&name.as_str()) || self.words.is_name(&name) {
            return filled(value);
        }
        let value = match name.as_str() {
            "sec-websocket-protocol" => words(value, SUBPROTOCOLS),
            "sec-websocket-extensions" => words(value, EXTENSIONS),
            "host" | "origin" if self.hosts => host(value),
            _ => self.scrubbed(value),
        };
        let visible = |c: char| match c {
            '\u{fffd}' => '?',
            c if c.is_control() => ' ',
            c => c,
        };
        value.chars().map(visible).collect()
    }

    fn scrubbed(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.words.scrub(text)).into_owned()
    }
}

impl Head {
    /// The value of a header.
    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Without these headers.
    pub(super) fn drop(&mut self, names: &[&str]) {
        self.headers
            .retain(|(known, _)| !names.iter().any(|name| known.eq_ignore_ascii_case(name)));
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// The head as bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        self.lines(": ").into_bytes()
    }

    /// The head in exactly so many bytes: blanks fill it up, and headers that matter little go when there is no room. `None` when that cannot
    /// be.
    pub(super) fn write_within(mut self, length: usize) -> Option<Vec<u8>> {
        let mut lines = self.lines(": ");
        if lines.len() > length {
            lines = self.lines(":");
        }
        while lines.len() > length {
            let least = self.headers.iter().rposition(|(name, _)| {
                let name = name.to_ascii_lowercase();
                !matches!(name.as_str(), "host" | "upgrade" | "connection") && !name.starts_with("sec-websocket")
            })?;
            self.headers.remove(least);
            lines = self.lines(": ");
        }
        let missing = length - lines.len();
        if missing > 0 {
            // Blanks behind the last value (RFC 9112 §5.1).
            self.headers.last()?;
            lines.insert_str(lines.len() - 4, &" ".repeat(missing));
        }
        Some(lines.into_bytes())
    }

    fn lines(&self, sign: &str) -> String {
        let mut out = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            out.extend([name, sign, value, "\r\n"]);
        }
        out.push_str("\r\n");
        out
    }
}

/// As many bytes that say nothing.
pub(super) fn filled(text: &str) -> String {
    String::from(char::from(FILL)).repeat(text.len())
}

/// A name, with what may not be in one replaced (RFC 9110 §5.6.2).
fn token(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    name.bytes()
        .map(char::from)
        .map(|c| if fits(c) { c } else { char::from(FILL) })
        .collect()
}

/// A list of words, of which those that are not known are replaced: each by letters of its own, so that they stay apart.
fn words(value: &str, known: &[&str]) -> String {
    let mut out = String::new();
    let mut unknown: Vec<&str> = Vec::new();
    for part in value.split_inclusive([',', ';', '=', ' ', '\t', '"']) {
        let word = part.trim_end_matches([',', ';', '=', ' ', '\t', '"']);
        let number = !word.is_empty() && word.len() < 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        if word.is_empty() || number || known.iter().any(|known| word.eq_ignore_ascii_case(known)) {
            out.push_str(part);
            continue;
        }
        let index = unknown.iter().position(|other| *other == word).unwrap_or_else(|| {
            unknown.push(word);
            unknown.len() - 1
        });
        let letter = char::from(b"xyzwvutsrqponm"[index % 14]);
        out.extend([&String::from(letter).repeat(word.len()), &part[word.len()..]]);
    }
    out
}

/// A host or an origin: the scheme and the port stay.
fn host(value: &str) -> String {
    let begin = value.find("://").map_or(0, |at| at + 3);
    let port = value[begin..].rfind(':').map(|at| begin + at);
    let port = port.filter(|at| value[at + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    let end = port.unwrap_or(value.len());
    let hidden = |c: char| if c.is_alphanumeric() { char::from(FILL) } else { c };
    let name: String = value[begin..end].chars().map(hidden).collect();
    format!("{}{name}{}", &value[..begin], &value[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, headers: &[(&str, &str)]) -> String {
        let words = Words::new(&["token".to_owned()], &[]);
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: headers.collect(),
            ..Request::default()
        };
        let scrubber = Scrubber {
            words: &words,
            hosts: true,
        };
        String::from_utf8(scrubber.request(&request).write()).unwrap()
    }

    #[test]
    fn only_what_is_known_stays() {
        assert_eq!(
            request(
                "/chat?room=a&token=b&c",
                &[
                    ("Host", "10.1.2.3:7272"),
                    ("Origin", "https://shop.example"),
                    ("Cookie", "a=b"),
                    ("X-Anything", "c"),
                    ("Sec-WebSocket-Protocol", "chat, s3cret,other;s3cret"),
                    (
                        "Sec-WebSocket-Extensions",
                        "permessage-deflate; client_max_window_bits=10, my-own"
                    ),
                ]
            ),
            "GET /chat?room=x&token=x&x HTTP/1.1\r\nHost: xx.x.x.x:7272\r\nOrigin: https://xxxx.xxxxxxx\r\nCookie: xxx\r\n\
             X-Anything: x\r\nSec-WebSocket-Protocol: chat, xxxxxx,yyyyy;xxxxxx\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10, xxxxxx\r\n\r\n"
        );
        assert!(request("ws://me:pw@h.example/a", &[]).starts_with("GET ws://xxxxx@xxxxxxxxx/a HTTP/1.1"));
    }

    #[test]
    fn a_head_gets_the_length_that_it_had() {
        let head = || Head {
            first: "GET / HTTP/1.1".to_owned(),
            headers: vec![("Host".to_owned(), "a".to_owned()), ("Date".to_owned(), "b".to_owned())],
        };
        let whole = head().write().len();
        for length in 16 + 2 + 8..whole + 40 {
            match head().write_within(length) {
                Some(bytes) => assert_eq!(bytes.len(), length),
                None => assert!(length < 27, "{length}"),
            }
        }
    }
}
