//! The heads of HTTP/1.1 requests and responses (RFC 9112 §2.1): stream bytes in, [`Request`] or [`Response`] out.

use super::odd;
use crate::record::{Request, Response};

/// Whether a comma-separated list (RFC 9110 §5.6.1) over all `values` holds `token`, in any case.
pub(super) fn has_token<'v>(values: impl Iterator<Item = &'v str>, token: &str) -> bool {
    values
        .flat_map(|v| v.split(','))
        .any(|v| v.trim_matches([' ', '\t']).eq_ignore_ascii_case(token))
}

/// A head that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Head {
    Request(Request),
    Response(Response),
}

/// What bytes are that may begin a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A whole head, of so many bytes.
    Head(Head, usize),
    /// It may become one.
    Partial,
    /// It has more header lines than are read.
    TooMany,
    /// It never will.
    NotHttp,
}

/// No real head has more header lines.
pub(super) const MAX_HEADERS: usize = 128;

/// Reads the head at the start of `bytes`, before which no empty lines are, and which lie at `offset` in their stream.
pub(super) fn read(bytes: &[u8], offset: u64) -> Outcome {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    if is_response(bytes) {
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(bytes) {
            Ok(httparse::Status::Complete(size)) => {
                let head = Response {
                    status: response.code.unwrap_or_default(),
                    reason: response.reason.unwrap_or_default().to_owned(),
                    headers: owned(response.headers),
                    range: offset..offset + size as u64,
                    odd: has_bare_lf(&bytes[..size]),
                    ..Response::default()
                };
                Outcome::Head(Head::Response(head), size)
            }
            Ok(httparse::Status::Partial) => Outcome::Partial,
            Err(httparse::Error::TooManyHeaders) => Outcome::TooMany,
            Err(_) => odd::read(bytes, offset),
        }
    } else {
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(httparse::Status::Complete(size)) => {
                let head = Request {
                    method: request.method.unwrap_or_default().to_owned(),
                    target: request.path.unwrap_or_default().to_owned(),
                    headers: owned(request.headers),
                    range: offset..offset + size as u64,
                    cut: false,
                    http_1_0: request.version == Some(0),
                    odd: has_bare_lf(&bytes[..size]),
                    span: None,
                };
                Outcome::Head(Head::Request(head), size)
            }
            Ok(httparse::Status::Partial) => Outcome::Partial,
            Err(httparse::Error::TooManyHeaders) => Outcome::TooMany,
            Err(_) => odd::read(bytes, offset),
        }
    }
}

/// What the whole lines at the start of `bytes` say, when the rest of the head is lost. `None` when not even the first line
/// is whole; of a status line the code is enough.
pub(super) fn read_cut(bytes: &[u8], offset: u64) -> Option<Head> {
    let mut whole = match memchr::memrchr(b'\n', bytes) {
        Some(end) => bytes[..=end].to_vec(),
        None => [status(bytes)?, b"\r\n"].concat(),
    };
    // An empty line after the last whole one makes a head of them.
    whole.extend_from_slice(b"\r\n");
    let end = offset + bytes.len() as u64;
    match read(&whole, offset) {
        Outcome::Head(Head::Request(mut request), _) => {
            request.cut = true;
            request.range.end = end;
            Some(Head::Request(request))
        }
        Outcome::Head(Head::Response(mut response), _) => {
            response.cut = true;
            response.range.end = end;
            Some(Head::Response(response))
        }
        _ => None,
    }
}

/// Whether a line of a head ends without CR, which a recipient may accept and no sender may send (RFC 9112 §2.2).
fn has_bare_lf(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head[at - 1] != b'\r')
}

/// How long the lines of a head are that are read of one with too many.
pub(super) fn lines_read(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes)
        .nth(MAX_HEADERS)
        .map_or(bytes.len(), |end| end + 1)
}

/// Whether a head may start like this, or `bytes` may grow into one: cheap, for streams that are nearly never HTTP.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    let bytes = without_blanks(&bytes[empty_lines(bytes)..]);
    if bytes.is_empty() {
        return true;
    }
    let start = &bytes[..bytes.len().min(MAX_METHOD)];
    let method = start.iter().take_while(|b| b.is_ascii_uppercase()).count();
    is_response(bytes)
        || match start.get(method) {
            Some(&b) if is_blank(b) => {
                let behind = without_blanks(&bytes[method..]).first();
                method > 0 && behind.is_none_or(u8::is_ascii_graphic)
            }
            Some(_) => false,
            None => method < MAX_METHOD,
        }
}

/// Whether `byte` may stand between the words of a first line, or around them (RFC 9112 §3, §4).
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | b'\r')
}

/// What comes behind the blanks with which `bytes` begin.
pub(super) fn without_blanks(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take_while(|b| is_blank(**b)).count();
    &bytes[blanks..]
}

/// Bytes of empty lines before a head, which a recipient ignores (RFC 9112 §2.2).
pub(super) fn empty_lines(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count()
}

/// `UNSUBSCRIBE` and its like: no method in the registry is much longer.
const MAX_METHOD: usize = 20;

/// Whether `bytes` begin a status line, or may.
pub(super) fn is_response(bytes: &[u8]) -> bool {
    let start = b"HTTP/1.";
    let n = bytes.len().min(start.len());
    n > 0 && bytes[..n] == start[..n]
}

/// The beginning of a status line up to its code: `HTTP/1.1 101`.
fn status(bytes: &[u8]) -> Option<&[u8]> {
    let (start, rest) = bytes.split_at_checked(12)?;
    let code = start[8] == b' ' && start[9..].iter().all(u8::is_ascii_digit);
    (is_response(start) && code && matches!(rest, [] | [b' ' | b'\r', ..])).then_some(start)
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|h| (h.name.to_owned(), String::from_utf8_lossy(h.value).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nX: \xffy\r\n\r\nrest";

    #[test]
    fn a_request_and_what_follows_it() {
        let Outcome::Head(Head::Request(request), size) = read(REQUEST, 10) else {
            panic!("a request");
        };
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/chat"));
        assert_eq!(request.header("hOST"), Some("a"));
        assert_eq!(request.header("x"), Some("\u{fffd}y"));
        assert_eq!((&REQUEST[size..], request.range), (&b"rest"[..], 10..10 + size as u64));
        for cut in 1..size {
            assert_eq!(read(&REQUEST[..cut], 0), Outcome::Partial, "{cut}");
        }
    }

    #[test]
    fn a_head_that_is_cut_keeps_its_whole_lines() {
        let Some(Head::Request(request)) = read_cut(&REQUEST[..32], 5) else {
            panic!("a request");
        };
        assert_eq!(request.headers, [("Host".to_owned(), "a".to_owned())]);
        assert!(request.cut && request.range == (5..37));
        assert_eq!(read_cut(b"GET /chat HT", 0), None);
        let Some(Head::Response(response)) = read_cut(b"HTTP/1.1 101 Switch", 0) else {
            panic!("a response");
        };
        assert!(response.status == 101 && response.cut && response.range == (0..19));
        for nothing in [&b"HTTP/1.1 10"[..], b"HTTP/1.1 1012 x", b"HTTP/1.1 abc x"] {
            assert_eq!(read_cut(nothing, 0), None);
        }
    }

    #[test]
    fn other_protocols_are_not_http() {
        for bytes in [
            &b"\x16\x03\x01\x02\x00\x01"[..],
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"*1\r\n$4\r\nPING\r\n",
            b"\x81\x05Hello",
            b"+OK\r\n",
        ] {
            assert_eq!(read(bytes, 0), Outcome::NotHttp);
            assert!(!may_begin(bytes));
        }
        for whole in [REQUEST, b"HTTP/1.1 101 X\r\n"] {
            assert!((0..whole.len()).all(|cut| may_begin(&whole[..cut])));
        }
    }

    #[test]
    fn tokens_in_lists() {
        assert!(has_token(["keep-alive, UPGRADE"].into_iter(), "upgrade"));
        assert!(!has_token(["upgrades"].into_iter(), "upgrade"));
    }
}
