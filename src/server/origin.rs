//! Which hosts and which web pages are accepted.
//!
//! A browser lets any page open a WebSocket to anywhere and sends along the page's origin (RFC 6454, RFC 6455 §10.2); a server
//! on the loopback interface is otherwise open to every page that its user visits. With DNS rebinding such a page can even give
//! our address a name of its own, so that it counts as one origin with us: therefore a `Host` that is a name must be a known one.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderName, ORIGIN};

/// What a request with a refused `Host` is answered.
pub(super) const HOST_REFUSED: &str =
    "Only an address, localhost, and the hosts that --allow-origin names are served under.\n";

/// The accepted hosts and origins.
#[derive(Debug, Clone)]
pub(super) struct OriginPolicy {
    page: SocketAddr,
    /// How the own page's origin begins, and the port that may be left out.
    scheme: (&'static str, &'static str),
    allowed: Vec<String>,
}

impl OriginPolicy {
    /// The own page, served on `page`, with `tls` as https, and the origins that the user named.
    pub(super) fn new(page: SocketAddr, tls: bool, allowed: &[String]) -> Self {
        Self {
            page,
            scheme: if tls { ("https://", "443") } else { ("http://", "80") },
            allowed: allowed
                .iter()
                .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
                .collect(),
        }
    }

    /// Is the request made to an address, to `localhost`, or to the host of an allowed origin?
    pub(super) fn allows_host(&self, headers: &HeaderMap) -> bool {
        let Some(authority) = single(headers, HOST) else {
            return false;
        };
        let (host, _) = split_port(&authority);
        is_address(host) || host == "localhost" || self.hosts().any(|allowed| allowed == host)
    }

    /// The hosts of the origins that the user named.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        let authorities = self.allowed.iter().filter_map(|origin| origin.split_once("://"));
        authorities.map(|(_, authority)| split_port(authority).0)
    }

    /// May a page of this origin become a WebSocket? Programs that are no browsers send no origin, and are accepted.
    pub(super) fn allows_origin(&self, headers: &HeaderMap) -> bool {
        if !headers.contains_key(ORIGIN) {
            return true;
        }
        single(headers, ORIGIN)
            .is_some_and(|origin| self.allowed.contains(&origin) || self.is_own_page(&origin, headers))
    }

    /// Is it the page that we serve, opened as `127.0.0.1`, `localhost`, its address, or the host of this request?
    fn is_own_page(&self, origin: &str, headers: &HeaderMap) -> bool {
        let Some(authority) = origin.strip_prefix(self.scheme.0) else {
            return false;
        };
        let (host, port) = split_port(authority);
        let requested = single(headers, HOST);
        port.unwrap_or(self.scheme.1) == self.page.port().to_string()
            && (host == "127.0.0.1"
                || host == "localhost"
                || address(host) == Some(self.page.ip())
                || requested.is_some_and(|requested| split_port(&requested).0 == host))
    }
}

/// The value of a header that occurs once, in lower case.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.to_str().ok()?.to_ascii_lowercase()),
        _ => None,
    }
}

/// Host and port of `host:port`, `host`, `[::1]:port` or `[::1]`.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_address(host: &str) -> bool {
    address(host).is_some()
}

/// An IPv4 address, or an IPv6 address in brackets (RFC 3986 §3.2.2).
fn address(host: &str) -> Option<std::net::IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(Into::into),
        None => host.parse::<Ipv4Addr>().ok().map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn policy(port: u16) -> OriginPolicy {
        let allowed = ["https://chat.example/".into(), "http://Box.lan:55151".into()];
        OriginPolicy::new(SocketAddr::from(([127, 0, 0, 5], port)), false, &allowed)
    }

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        headers
    }

    fn allows(origin: Option<&str>, host: &str) -> bool {
        policy(55151).allows_origin(&headers(host, origin))
    }

    #[test]
    fn the_own_page_programs_and_named_origins_are_accepted() {
        for origin in [
            None,
            Some("http://127.0.0.1:55151"),
            Some("http://127.0.0.5:55151"),
            Some("http://localhost:55151"),
            Some("http://LocalHost:55151"),
            Some("http://192.0.2.7:55151"),
            Some("http://box.lan:55151"),
            Some("https://chat.example"),
        ] {
            assert!(allows(origin, "192.0.2.7:7272"), "{origin:?}");
        }
        assert!(allows(Some("http://[::1]:55151"), "[::1]:7272"));
    }

    #[test]
    fn other_pages_are_refused() {
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
            "http://192.0.2.7:7272",
            "https://chat.example.evil.example",
        ] {
            assert!(!allows(Some(origin), "192.0.2.7:7272"), "{origin}");
        }
    }

    #[test]
    fn two_origins_are_refused() {
        let mut headers = headers("localhost:7272", Some("http://localhost:55151"));
        headers.append(ORIGIN, HeaderValue::from_static("http://evil.example"));
        assert!(!policy(55151).allows_origin(&headers));
    }

    #[test]
    fn port_80_may_be_left_out() {
        assert!(policy(80).allows_origin(&headers("localhost", Some("http://localhost"))));
    }

    #[test]
    fn with_tls_the_own_page_is_https() {
        for (port, origin, allowed) in [
            (55151, "https://localhost:55151", true),
            (55151, "https://192.0.2.7:55151", true),
            (443, "https://localhost", true),
            (55151, "http://localhost:55151", false),
            (80, "http://localhost", false),
        ] {
            let policy = OriginPolicy::new(SocketAddr::from(([127, 0, 0, 1], port)), true, &[]);
            let headers = headers("192.0.2.7:7272", Some(origin));
            assert_eq!(policy.allows_origin(&headers), allowed, "{origin} {port}");
        }
    }

    #[test]
    fn hosts_that_are_names_must_be_known() {
        for host in [
            "127.0.0.1:7272",
            "192.0.2.7",
            "[::1]:7272",
            "localhost:7272",
            "LOCALHOST",
            "box.lan:7272",
            "chat.example",
        ] {
            assert!(policy(55151).allows_host(&headers(host, None)), "{host}");
        }
        for host in [
            "evil.example:7272",
            "rebound.evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:7272",
            "::1",
            "[evil]",
            "",
            "x",
        ] {
            assert!(!policy(55151).allows_host(&headers(host, None)), "{host}");
        }
        let mut two = headers("127.0.0.1:7272", None);
        two.append(HOST, HeaderValue::from_static("evil.example"));
        assert!(!policy(55151).allows_host(&two));
    }
}
