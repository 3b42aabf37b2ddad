//! Which web pages may speak to the server.
//!
//! A browser lets any page open a WebSocket to anywhere and sends along the page's origin (RFC 6454, RFC 6455 §10.2); a server
//! on the loopback interface is otherwise open to every page that its user visits.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// The origins that are welcome.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    page_port: u16,
    allowed: Vec<String>,
}

impl Origins {
    /// The own page on `page_port`, and what the user named.
    pub(super) fn new(page_port: u16, allowed: &[String]) -> Self {
        Self {
            page_port,
            allowed: allowed
                .iter()
                .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
                .collect(),
        }
    }

    /// May a request with these headers become a WebSocket? Programs that are no browsers send no origin, and are welcome.
    pub(super) fn welcomes(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return true;
        };
        let (Ok(origin), None) = (origin.to_str(), origins.next()) else {
            return false;
        };
        let origin = origin.to_ascii_lowercase();
        self.allowed.contains(&origin) || self.is_own_page(&origin, headers)
    }

    /// Is it the page that we serve, reached as `127.0.0.1`, `localhost` or the host that this request was made to?
    fn is_own_page(&self, origin: &str, headers: &HeaderMap) -> bool {
        let Some(authority) = origin.strip_prefix("http://") else {
            return false;
        };
        let (host, port) = split_port(authority);
        let asked = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .map(|host| split_port(host).0);
        port.unwrap_or("80") == self.page_port.to_string()
            && (host == "127.0.0.1"
                || host == "localhost"
                || asked.is_some_and(|asked| asked.eq_ignore_ascii_case(host)))
    }
}

/// Host and port of `host:port`, `host`, `[::1]:port` or `[::1]`.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn welcomes(origin: Option<&str>, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        Origins::new(55151, &["https://chat.example/".into()]).welcomes(&headers)
    }

    #[test]
    fn the_own_page_programs_and_named_origins_are_welcome() {
        for origin in [
            None,
            Some("http://127.0.0.1:55151"),
            Some("http://localhost:55151"),
            Some("http://LocalHost:55151"),
            Some("http://box.lan:55151"),
            Some("https://chat.example"),
        ] {
            assert!(welcomes(origin, "box.lan:7272"), "{origin:?}");
        }
        assert!(welcomes(Some("http://[::1]:55151"), "[::1]:7272"));
    }

    #[test]
    fn other_pages_are_not() {
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://evil.example:55151",
            "http://127.0.0.1",
            "http://127.0.0.1:8080",
            "https://127.0.0.1:55151",
            "http://127.0.0.1.evil.example:55151",
            "http://localhost:55151.evil.example",
            "http://[::1]:55151",
            "http://box.lan:7272",
            "https://chat.example.evil.example",
        ] {
            assert!(!welcomes(Some(origin), "box.lan:7272"), "{origin}");
        }
    }

    #[test]
    fn two_origins_are_one_too_many() {
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, HeaderValue::from_static("http://localhost:55151"));
        headers.append(ORIGIN, HeaderValue::from_static("http://evil.example"));
        assert!(!Origins::new(55151, &[]).welcomes(&headers));
    }

    #[test]
    fn port_80_goes_without_saying() {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static("http://localhost"));
        assert!(Origins::new(80, &[]).welcomes(&headers));
    }
}
