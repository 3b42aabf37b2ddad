//! Heads that do not keep to the grammar of RFC 9112: folded lines, blanks before a colon, characters that have no place in a name, a
//! value or a target. Whoever talks to each other understands such heads; so do we, and say that they are odd.

use super::head::{Head, MAX_HEADERS, Outcome, is_blank, is_response, may_begin, without_blanks};
use crate::record::{Request, Response};

/// Reads the head at the start of `bytes`, which lie at `offset` in their stream and which a strict reader refuses. Only the first
/// line has to be HTTP/1's; what follows is taken line by line, up to an empty one.
pub(super) fn read(bytes: &[u8], offset: u64) -> Outcome {
    let mut lines = Lines { bytes, at: 0 };
    let Some(first) = lines.next() else {
        return if may_be_first(bytes) {
            Outcome::Partial
        } else {
            Outcome::NotHttp
        };
    };
    if !may_be_first(first) {
        return Outcome::NotHttp;
    }
    let Some(mut head) = first_line(first) else {
        return Outcome::NotHttp;
    };
    let mut found: Vec<(String, String)> = Vec::new();
    loop {
        let Some(line) = lines.next() else {
            return Outcome::Partial;
        };
        if line.is_empty() {
            break;
        }
        if let ([b' ' | b'\t', ..], Some((_, value))) = (line, found.last_mut()) {
            // RFC 9112 §5.2: a folded line goes on with the value before it, after a blank.
            value.push(' ');
            value.push_str(&text(line));
        } else if let Some(colon) = memchr::memchr(b':', line) {
            if found.len() == MAX_HEADERS {
                return Outcome::TooMany;
            }
            found.push((text(&line[..colon]), text(&line[colon + 1..])));
        }
    }
    let end = offset + lines.at as u64;
    match &mut head {
        Head::Request(request) => (request.headers, request.range) = (found, offset..end),
        Head::Response(response) => (response.headers, response.range) = (found, offset..end),
    }
    Outcome::Head(head, lines.at)
}

/// Whether a first line may begin with, or be, `bytes`: it is what tells HTTP from all else, so not just anything will do.
fn may_be_first(bytes: &[u8]) -> bool {
    let line = without_blanks(bytes);
    let asks_for_path = || {
        line.strip_prefix(b"GET")
            .is_some_and(|rest| without_blanks(rest).starts_with(b"/"))
    };
    // A control character has no place in a target or a reason, but whoever sends one to hide a handshake from us must not succeed.
    may_begin(bytes)
        && (asks_for_path() || is_response(line) || line.iter().all(|&b| b >= b' ' && b != 0x7f || is_blank(b)))
}

/// A request line (RFC 9112 §3) or a status line (§4), in words with any blanks between them and around them.
fn first_line(line: &[u8]) -> Option<Head> {
    let (first, rest) = next_word(line);
    if let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] = first {
        let (code, reason) = next_word(rest);
        let &[b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] = code else {
            return None;
        };
        return Some(Head::Response(Response {
            status: std::str::from_utf8(code).ok()?.parse().ok()?,
            reason: text(reason),
            odd: true,
            ..Response::default()
        }));
    }
    if first.is_empty() || !first.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    // A target may have blanks of its own, which it may not.
    let end = rest.iter().rposition(|&b| !is_blank(b))? + 1;
    let (target, version) = rest[..end].split_at(end.checked_sub(8)?);
    let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9'] = version else {
        return None;
    };
    target.last().is_some_and(|&b| is_blank(b)).then(|| {
        Head::Request(Request {
            method: text(first),
            target: text(target),
            http_1_0: *minor == b'0',
            odd: true,
            ..Request::default()
        })
    })
}

/// The first word of `line`, and what comes behind it.
fn next_word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = without_blanks(line);
    line.split_at(line.iter().position(|&b| is_blank(b)).unwrap_or(line.len()))
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|&b| !is_blank(b)).map_or(0, |last| last + 1);
    String::from_utf8_lossy(without_blanks(&bytes[..end])).into_owned()
}

/// Lines without their ends (CR LF, or LF alone: RFC 9112 §2.2). What comes behind the last end is none.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let end = memchr::memchr(b'\n', rest)?;
        self.at += end + 1;
        let line = &rest[..end];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layer::http1::head;

    fn request(bytes: &[u8]) -> Request {
        match head::read(bytes, 7) {
            Outcome::Head(Head::Request(request), size) => {
                assert_eq!((size, request.range.clone()), (bytes.len(), 7..7 + bytes.len() as u64));
                request
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn odd_heads_are_read_and_called_odd() {
        let odd = b"GET /caf\xe9 x HTTP/1.1\r\nA : 1\r\nX: a\r\n  b\r\n\tc\r\ngarbage\r\nX(y): \x01\r\n: n\r\nZ: a\rb\r\n\r\n";
        let request = request(odd);
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("GET", "/caf\u{fffd} x")
        );
        let headers: Vec<_> = request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            headers,
            [("A", "1"), ("X", "a b c"), ("X(y)", "\u{1}"), ("", "n"), ("Z", "a\rb")]
        );
        assert!(request.odd && !request.http_1_0);
        for cut in 1..odd.len() {
            assert_eq!(head::read(&odd[..cut], 0), Outcome::Partial, "{cut}");
        }
    }

    #[test]
    fn rfc9112_3_the_words_of_a_first_line_may_have_any_blanks_around_them() {
        for line in [
            "GET  /x HTTP/1.1",
            "GET /x  HTTP/1.1",
            "GET\t/x\tHTTP/1.1",
            "GET\u{b}/x\u{c}HTTP/1.1",
            "GET\r/x \r HTTP/1.1",
            " \tGET /x HTTP/1.1 ",
        ] {
            let head = format!("{line}\r\nA: b\r\n\r\n");
            let request = request(head.as_bytes());
            assert_eq!(
                (request.method.as_str(), request.target.as_str()),
                ("GET", "/x"),
                "{line:?}"
            );
            assert!(request.odd, "{line:?}");
            for cut in 1..head.len() {
                assert_eq!(
                    head::read(&head.as_bytes()[..cut], 0),
                    Outcome::Partial,
                    "{line:?} {cut}"
                );
            }
        }
        for line in ["HTTP/1.1  101 O K", "HTTP/1.1\t101\tO K\t", " HTTP/1.1 101  O K"] {
            let head = format!("{line}\r\n\r\n");
            let Outcome::Head(Head::Response(response), _) = head::read(head.as_bytes(), 0) else {
                panic!("{line:?}");
            };
            assert_eq!((response.status, response.reason.as_str()), (101, "O K"), "{line:?}");
            assert!(response.odd, "{line:?}");
        }
    }

    #[test]
    fn good_heads_are_not_odd() {
        assert!(!request(b"GET / HTTP/1.1\r\nA: 1\r\n\r\n").odd);
        assert!(request(b"GET / HTTP/1.0\r\nA: 1\r\n\r\n").http_1_0);
        assert!(request(b"GET / HTTP/1.0\nA : 1\n\n").http_1_0);
    }

    #[test]
    fn odd_responses() {
        let Outcome::Head(Head::Response(response), _) = head::read(b"HTTP/1.1 101 X\r\nA: b\r\n c\r\n\r\n", 0) else {
            panic!("a response");
        };
        assert_eq!((response.status, response.odd), (101, true));
        assert_eq!(response.headers, [("A".to_owned(), "b c".to_owned())]);
        let control = b"HTTP/1.1 101 O\x01K\x7f\r\n\r\n";
        let Outcome::Head(Head::Response(response), _) = head::read(control, 0) else {
            panic!("a response");
        };
        assert_eq!((response.status, response.odd), (101, true));
        assert_eq!(response.reason, "O\u{1}K\u{7f}");
        for cut in 1..control.len() {
            assert_eq!(head::read(&control[..cut], 0), Outcome::Partial, "{cut}");
        }
        for bytes in [
            &b"HTTP/1.1 1012 X\r\n \r\n"[..],
            b"HTTP/1.1 abc\r\n",
            b"HTTP/2.0 101 X\r\n",
        ] {
            assert_eq!(head::read(bytes, 0), Outcome::NotHttp);
        }
    }

    proptest! {
        #[test]
        fn what_is_a_head_was_the_beginning_of_one_at_every_byte(
            first in prop_oneof![
                "(GET|POST|A) [ -~\u{1}\u{e9}\t]{0,12} HTTP/1.[0-3]",
                "HTTP/1.[01] [0-9]{3}[ -~\u{1}\u{e9}]{0,6}",
            ],
            lines in prop::collection::vec("[ \t]?[A-Za-z(:\r\u{0}\u{e9}]{0,6}:?[ -~\u{1}\r]{0,8}", 0..6),
            end in prop_oneof![Just("\r\n"), Just("\n")],
        ) {
            let text = format!("{first}{end}{}{end}{end}", lines.join(end));
            let bytes = text.as_bytes();
            if let Outcome::Head(_, size) = head::read(bytes, 0) {
                prop_assert!(size <= bytes.len());
                for cut in 1..size {
                    prop_assert_eq!(head::read(&bytes[..cut], 0), Outcome::Partial, "{:?}", &text.get(..cut));
                }
            }
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let head = [b"GET / HTTP/1.1\n".as_slice(), &bytes, b"\n\n"].concat();
            prop_assert!(matches!(head::read(&head, 0), Outcome::Head(..)));
        }
    }

    #[test]
    fn other_protocols_stay_others() {
        for bytes in [
            &b"GET a\x01b"[..],
            b"INVITE sip:a@b SIP/2.0\r\nA: b\r\n",
            b"A001 LOGIN x y\r\n",
            b"SET key 0 0 5\r\nhello\r\n",
            b"PRI * HTTP/2.0\r\n\r\n",
            b"GET /x\r\n",
        ] {
            assert_eq!(head::read(bytes, 0), Outcome::NotHttp, "{bytes:?}");
        }
    }
}
