//! The heads of the opening handshake, with nothing in them but what is known to be harmless.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::words::{FILL, Words};
use crate::export::credentials::{self, SUBPROTOCOLS};
use crate::export::secrets::{Names as _, is_one};
use crate::layer::http1::accept_for;
use crate::record::{Accept, Request, Response};

/// What the value of a header is made of, where that is known. Of all other values every byte is replaced.
#[derive(Clone, Copy)]
enum Shape {
    /// These words.
    Words(&'static [&'static str]),
    /// These words and numbers of versions.
    Versions(&'static [&'static str]),
    /// Language tags.
    Languages,
    /// A number of bytes.
    Length,
    /// A date of HTTP.
    Date,
    /// So many characters of Base64.
    Base64(usize),
    /// A host, perhaps with a scheme before and a port behind it.
    Host,
}

const SHAPES: &[(&str, Shape)] = &[
    ("accept", Shape::Versions(MEDIA)),
    ("accept-encoding", Shape::Versions(CODINGS)),
    ("accept-language", Shape::Languages),
    (
        "cache-control",
        Shape::Words(&[
            "max-age",
            "must-revalidate",
            "no-cache",
            "no-store",
            "no-transform",
            "private",
            "public",
        ]),
    ),
    (
        "connection",
        Shape::Words(&["close", "http2-settings", "keep-alive", "te", "upgrade"]),
    ),
    ("content-length", Shape::Length),
    ("content-type", Shape::Words(MEDIA)),
    ("date", Shape::Date),
    ("host", Shape::Host),
    ("keep-alive", Shape::Words(&["max", "timeout"])),
    ("origin", Shape::Host),
    ("pragma", Shape::Words(&["no-cache"])),
    ("sec-fetch-dest", Shape::Words(&["empty", "websocket"])),
    (
        "sec-fetch-mode",
        Shape::Words(&["cors", "no-cors", "same-origin", "websocket"]),
    ),
    (
        "sec-fetch-site",
        Shape::Words(&["cross-site", "none", "same-origin", "same-site"]),
    ),
    ("sec-websocket-accept", Shape::Base64(28)),
    ("sec-websocket-extensions", Shape::Words(EXTENSIONS)),
    ("sec-websocket-key", Shape::Base64(24)),
    ("sec-websocket-protocol", Shape::Words(SUBPROTOCOLS)),
    ("sec-websocket-version", Shape::Words(&[])),
    ("server", Shape::Versions(PRODUCTS)),
    ("transfer-encoding", Shape::Words(CODINGS)),
    ("upgrade", Shape::Words(&["h2c", "websocket"])),
    ("user-agent", Shape::Versions(PRODUCTS)),
    (
        "vary",
        Shape::Words(&["accept", "accept-encoding", "cookie", "origin", "user-agent"]),
    ),
];

const CODINGS: &[&str] = &["br", "chunked", "compress", "deflate", "gzip", "identity", "q", "zstd"];

const MEDIA: &[&str] = &[
    "application",
    "avif",
    "charset",
    "event-stream",
    "html",
    "image",
    "javascript",
    "jpeg",
    "json",
    "octet-stream",
    "plain",
    "png",
    "q",
    "text",
    "utf-8",
    "webp",
    "xhtml+xml",
    "xml",
];

/// Programs that speak HTTP, and what browsers say of where they run.
const PRODUCTS: &[&str] = &[
    "aiohttp",
    "android",
    "apache",
    "applewebkit",
    "autobahnpython",
    "caddy",
    "chrome",
    "chromium",
    "cloudflare",
    "cowboy",
    "cpu",
    "cpython",
    "curl",
    "daphne",
    "edg",
    "envoy",
    "express",
    "firefox",
    "gecko",
    "go-http-client",
    "gunicorn",
    "headlesschrome",
    "hypercorn",
    "intel",
    "iphone",
    "java",
    "jetty",
    "kestrel",
    "khtml",
    "like",
    "linux",
    "mac",
    "macintosh",
    "microsoft-iis",
    "mobile",
    "mozilla",
    "nginx",
    "node",
    "node.js",
    "nt",
    "okhttp",
    "openresty",
    "opr",
    "os",
    "python",
    "safari",
    "tomcat",
    "tornado",
    "ubuntu",
    "uvicorn",
    "version",
    "websocket",
    "websockets",
    "werkzeug",
    "wget",
    "win64",
    "windows",
    "wschat-server",
    "x",
    "x11",
    "x64",
    "x86_64",
];

/// Methods of HTTP.
const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI",
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

/// The key of the example in RFC 6455 §1.3, for a handshake that had none.
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

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
        let method = match METHODS.contains(&request.method.as_str()) {
            true => request.method.clone(),
            false => filled(&request.method),
        };
        Head {
            first: format!("{method} {} {version}", self.target(&request.target)),
            headers: self.headers(&request.headers),
        }
    }

    /// The response to a request that was written as `asked`.
    pub(super) fn answer(&self, asked: &Head, response: &Response, accept: Accept) -> Head {
        let reason = match is_one(&response.reason, REASONS) {
            true => response.reason.clone(),
            false => filled(&response.reason),
        };
        let mut head = Head {
            first: format!("HTTP/1.1 {:03} {reason}", response.status),
            headers: self.headers(&response.headers),
        };
        // It answers the key, whatever became of that.
        if accept == Accept::Valid
            && let Some(key) = asked.value("sec-websocket-key")
            && let Some((_, answer)) = head
                .headers
                .iter_mut()
                .find(|(name, _)| is_one(name, &["sec-websocket-accept"]))
        {
            *answer = accept_for(key);
        }
        if response.status != 101 {
            // Its body stands there in one piece, or not at all.
            head.drop(&["transfer-encoding"]);
        }
        head
    }

    /// A request target: all values in its query go, and what in its path looks like a credential.
    pub(super) fn target(&self, target: &str) -> String {
        let end = target.find(['?', '#']).unwrap_or(target.len());
        let (path, query) = target.split_at(end);
        let mut out = self.scrubbed(path);
        // `ws://host/`
        if let Some(begin) = out.find("://").map(|at| at + 3) {
            let end = out[begin..].find('/').map_or(out.len(), |at| begin + at);
            out = format!("{}{}{}", &out[..begin], self.host(&out[begin..end]), &out[end..]);
        }
        let mut at = out.len();
        while let Some(slash) = out[..at].rfind('/') {
            if is_random(&out[slash + 1..at]) {
                out.replace_range(slash + 1..at, &filled(&out[slash + 1..at]));
            }
            at = slash;
        }
        let (query, fragment) = match query.split_once('#') {
            Some((query, fragment)) => (query, Some(fragment)),
            None => (query, None),
        };
        if let Some(query) = query.strip_prefix('?') {
            for (at, part) in query.split('&').enumerate() {
                out.push(if at == 0 { '?' } else { '&' });
                match part.split_once('=') {
                    Some((name, value)) => out.extend([&self.scrubbed(name), "=", &filled(value)]),
                    None => out.push_str(&filled(part)),
                }
            }
        }
        if let Some(fragment) = fragment {
            out.extend(["#", &filled(fragment)]);
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
        let shape = SHAPES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        let Some((_, shape)) = shape.filter(|_| !self.words.is_name(name)) else {
            return filled(value);
        };
        let value = match *shape {
            Shape::Words(known) => words(value, |word, _| is_one(word, known) || is_small(word)),
            Shape::Versions(known) => words(value, |word, before| is_one(word, known) || is_version(word, before)),
            Shape::Languages => words(value, |word, before| is_language(word) || is_version(word, before)),
            Shape::Length => words(value, |word, _| {
                word.len() < 20 && word.bytes().all(|byte| byte.is_ascii_digit())
            }),
            Shape::Date if is_date(value) => value.to_owned(),
            Shape::Base64(length) if value.len() == length && STANDARD.decode(value).is_ok() => value.to_owned(),
            Shape::Date | Shape::Base64(_) => filled(value),
            Shape::Host => match value.split_once("://") {
                Some((scheme, host)) if is_one(scheme, &["http", "https", "ws", "wss"]) => {
                    format!("{scheme}://{}", self.host(host))
                }
                Some(_) => filled(value),
                None if value == "null" => value.to_owned(),
                None => self.host(value),
            },
        };
        self.scrubbed(&value)
    }

    /// A host and a port; who logs in is hidden.
    fn host(&self, value: &str) -> String {
        let (login, host) = match value.rsplit_once('@') {
            Some((login, host)) => (filled(login) + "@", host),
            None => (String::new(), value),
        };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]%".contains(&byte);
        let host = match host.bytes().all(fits) {
            true if self.hosts => hidden_host(host),
            true => host.to_owned(),
            false => filled(host),
        };
        login + &host
    }

    /// Without what is secret by the names that were given, or looks like a credential of a handshake.
    fn scrubbed(&self, text: &str) -> String {
        let mut out = self.words.scrub(text);
        for range in credentials::find(text) {
            out[range].fill(FILL);
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

impl Head {
    /// The value of a header.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
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

/// A list of words, of which those that are not known, by themselves and what stands before them, are replaced: each by letters of its own,
/// so that they stay apart.
fn words(value: &str, is_known: impl Fn(&str, Option<char>) -> bool) -> String {
    const BETWEEN: &[char] = &[',', ';', '=', ' ', '\t', '"', '/', '(', ')', '*'];
    let mut out = String::new();
    let mut unknown: Vec<&str> = Vec::new();
    for part in value.split_inclusive(BETWEEN) {
        let word = part.trim_end_matches(BETWEEN);
        if word.is_empty() || is_known(word, out.chars().next_back()) {
            out.push_str(part);
            continue;
        }
        let index = unknown.iter().position(|other| *other == word).unwrap_or_else(|| {
            // So many letters there are.
            unknown.truncate(13);
            unknown.push(word);
            unknown.len() - 1
        });
        let letter = char::from(b"xyzwvutsrqponm"[index]);
        out.extend([&String::from(letter).repeat(word.len()), &part[word.len()..]]);
    }
    out
}

fn is_small(word: &str) -> bool {
    word.len() < 3 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `/537.36`, `=0.9`
fn is_version(word: &str, before: Option<char>) -> bool {
    let is_part = |part: &str| (1..5).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(before, Some('/' | '=')) && word.len() <= 16 && word.split('.').all(is_part)
}

/// `en`, `zh-Hant-TW`, `q`
fn is_language(word: &str) -> bool {
    let mut parts = word.split('-');
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    parts.next().is_some_and(|part| part.len() < 4 && letters(part))
        && parts.all(|part| part.len() < 5 && letters(part))
}

/// `Tue, 12 Aug 2014 09:51:02 GMT` (RFC 9110 §5.6.7)
fn is_date(value: &str) -> bool {
    let form = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    let fits = |(byte, form): (u8, &u8)| match form {
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        b'0' => byte.is_ascii_digit(),
        _ => byte == *form,
    };
    value.len() == form.len() && value.bytes().zip(form).all(fits)
}

/// Letters and digits without end: no name that anybody gave.
fn is_random(segment: &str) -> bool {
    segment.len() >= 20
        && segment.contains(|c: char| c.is_ascii_digit())
        && segment.contains(|c: char| c.is_ascii_alphabetic())
}

/// A host of which only the port stays.
fn hidden_host(value: &str) -> String {
    let port = value.rfind(':');
    let port = port.filter(|at| value[at + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    let (name, port) = value.split_at(port.unwrap_or(value.len()));
    let hidden = |c: char| if c.is_alphanumeric() { char::from(FILL) } else { c };
    name.chars().map(hidden).collect::<String>() + port
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
        assert!(request("ws://me:pw@h.example/a", &[]).starts_with("GET ws://xxxxx@x.xxxxxxx/a HTTP/1.1"));
    }

    #[test]
    fn a_value_that_has_not_the_form_of_its_header_does_not_pass() {
        for (name, value, rest) in [
            (
                "Server",
                "nginx/1.25.3 (Ubuntu) s3cret/x",
                "nginx/1.25.3 (Ubuntu) xxxxxx/x",
            ),
            (
                "User-Agent",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 me@h",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 xxxx",
            ),
            ("Date", "Tue, 12 Aug 2014 09:51:02 GMT", "Tue, 12 Aug 2014 09:51:02 GMT"),
            ("Date", "s3cret", "xxxxxx"),
            ("Keep-Alive", "timeout=5, max=99, s3cret", "timeout=5, max=99, xxxxxx"),
            (
                "Content-Type",
                "text/html; charset=utf-8; x=s3cret",
                "text/html; charset=utf-8; x=yyyyyy",
            ),
            ("Accept-Language", "zh-TW,en;q=0.9,s3cret", "zh-TW,en;q=0.9,xxxxxx"),
            ("Accept", "*/*;q=0.8, text/s3cret", "*/*;q=0.8, text/xxxxxx"),
            (
                "Connection",
                "keep-alive, Upgrade, s3cret",
                "keep-alive, Upgrade, xxxxxx",
            ),
            ("Content-Length", "123456", "123456"),
            (
                "Sec-WebSocket-Key",
                "dGhlIHNhbXBsZSBub25jZQ==",
                "dGhlIHNhbXBsZSBub25jZQ==",
            ),
            ("Sec-WebSocket-Key", "s3cret", "xxxxxx"),
            ("Origin", "null", "null"),
            (
                "Origin",
                "https://me:s3cret@h.example:80",
                "https://xxxxxxxxx@h.example:80",
            ),
            ("Origin", "s3cret://h", "xxxxxxxxxx"),
            ("Host", "s3cret@h.example", "xxxxxx@h.example"),
            ("Host", "a s3cret", "xxxxxxxx"),
            ("X-Unknown", "s3cret", "xxxxxx"),
        ] {
            let words = Words::new(&["token".to_owned()], &[]);
            let (words, hosts) = (&words, false);
            assert_eq!(Scrubber { words, hosts }.value(name, value), rest, "{name}");
        }
    }

    #[test]
    fn credentials_in_the_path_do_not_pass() {
        for (target, rest) in [
            ("/c/eyJhbGciOi.eyJzdWIiOi.c2ln/x", "/c/xxxxxxxxxxxxxxxxxxxxxxxxxx/x"),
            ("/token/s3cret/websocket", "/token/xxxxxx/websocket"),
            (
                "/ws/0a1b2c3d4e5f60718293a4b5/a-name-that-is-as-long-as-that",
                "/ws/xxxxxxxxxxxxxxxxxxxxxxxx/a-name-that-is-as-long-as-that",
            ),
            ("/a#s3cret", "/a#xxxxxx"),
        ] {
            let line = request(target, &[]);
            assert!(line.starts_with(&format!("GET {rest} HTTP/1.1\r\n")), "{line}");
        }
        let request = Request {
            method: "S3CRET".to_owned(),
            ..Request::default()
        };
        let words = Words::new(&[], &[]);
        let (words, hosts) = (&words, false);
        assert_eq!(Scrubber { words, hosts }.request(&request).first, "xxxxxx  HTTP/1.1");
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
