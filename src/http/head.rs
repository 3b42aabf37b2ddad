//! The heads of HTTP/1.1 requests and responses (RFC 9112 §2.1).

use std::ops::Range;

/// An HTTP/1.1 request head (RFC 9112). Bytes that are not UTF-8 stand as U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// `GET`, when it is a good upgrade.
    pub method: String,
    /// The request target.
    pub target: String,
    /// Names and values as sent, in order.
    pub headers: Vec<(String, String)>,
    /// Where the head lies in the client's stream.
    pub range: Range<u64>,
}

/// An HTTP/1.1 response head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status code; 101 when the connection was upgraded.
    pub status: u16,
    /// Names and values as sent, in order.
    pub headers: Vec<(String, String)>,
    /// Where the head lies in the server's stream.
    pub range: Range<u64>,
}

impl Request {
    /// The first value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl Response {
    /// The first value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.as_str())
}
