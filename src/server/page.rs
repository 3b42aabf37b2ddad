//! The page: plain HTML, style and script, built into the program; it loads nothing from anywhere else.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST, HeaderName, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha1::{Digest, Sha1};

use super::origin::{HOST_REFUSED, OriginPolicy, split_port};
use super::protocol::LengthLimits;
use super::watch::Watch;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Path, type and text of every file beside the page itself.
const FILES: &[(&str, &str, &str)] = &[
    ("/page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("/page.js", SCRIPT, include_str!("page/page.js")),
    ("/composer.js", SCRIPT, include_str!("page/composer.js")),
    ("/connection.js", SCRIPT, include_str!("page/connection.js")),
    ("/messages.js", SCRIPT, include_str!("page/messages.js")),
    ("/state.js", SCRIPT, include_str!("page/state.js")),
    ("/texts.js", SCRIPT, include_str!("page/texts.js")),
    ("/users.js", SCRIPT, include_str!("page/users.js")),
    ("/wire.js", SCRIPT, include_str!("page/wire.js")),
    ("/icon.svg", SVG, include_str!("page/icon.svg")),
    ("/icon-unread.svg", SVG, include_str!("page/icon-unread.svg")),
    ("/favicon.ico", SVG, include_str!("page/icon.svg")),
];

/// What the page has to know of the server.
#[derive(Debug)]
struct Page {
    index: String,
    /// The host of the chat, unless it is the one that the page comes from.
    ws_host: Option<String>,
    ws_port: u16,
    tls: bool,
}

/// Serves the page on `http`, for a chat on `ws` that `watch` captures.
pub(super) fn router(
    ws: SocketAddr,
    http: SocketAddr,
    watch: &Watch<'_>,
    lengths: LengthLimits,
    origins: Arc<OriginPolicy>,
) -> Router {
    let ws_host = ws_host(ws, http);
    let index = include_str!("page/index.html")
        .replace("{{ws_host}}", ws_host.as_deref().unwrap_or_default())
        .replace("{{ws_port}}", &ws.port().to_string())
        .replace("{{command}}", &escape(&watch.to_string()))
        .replace("{{readable}}", if watch.is_readable() { "hidden" } else { "" })
        .replace("{{max_name}}", &lengths.name.to_string())
        .replace("{{max_content}}", &lengths.content.to_string());
    let page = Arc::new(Page {
        index,
        ws_host,
        ws_port: ws.port(),
        tls: watch.tls,
    });
    let mut router = Router::new()
        .route("/", get(serve_index))
        .route("/index.html", get(serve_index));
    for &(path, kind, text) in FILES {
        let etag = etag(&[text]);
        router = router.route(
            path,
            get(move |headers: HeaderMap| async move { respond(&headers, etag, [(CONTENT_TYPE, kind)], text) }),
        );
    }
    router
        .fallback(|| async { (StatusCode::NOT_FOUND, "Nothing is here. The page is at /\n") })
        .layer(middleware::from_fn_with_state(origins, check_host))
        .with_state(page)
}

/// As text of the page.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The address of the chat when it differs from the one that the page is opened at.
fn ws_host(ws: SocketAddr, http: SocketAddr) -> Option<String> {
    let differs = !ws.ip().is_unspecified() && ws.ip() != http.ip();
    differs.then(|| match ws {
        SocketAddr::V4(ws) => ws.ip().to_string(),
        SocketAddr::V6(ws) => format!("[{}]", ws.ip()),
    })
}

/// Refuses a name that DNS rebinding may have given us, so that the page does not run as part of another origin.
async fn check_host(State(origins): State<Arc<OriginPolicy>>, request: Request, next: Next) -> Response {
    if origins.allows_host(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, HOST_REFUSED).into_response()
    }
}

async fn serve_index(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let policy = policy(
        page.ws_host.as_deref().or(host.map(|host| split_port(host).0)),
        page.ws_port,
        page.tls,
    );
    let etag = etag(&[&page.index, &policy]);
    let policy = HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    let head = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    respond(&headers, etag, head, page.index.clone())
}

/// The file, or 304 when the browser has it (RFC 9110 §13.1.2).
fn respond(
    request: &HeaderMap,
    etag: HeaderValue,
    head: impl axum::response::IntoResponseParts,
    body: impl IntoResponse,
) -> Response {
    let known = request.get(IF_NONE_MATCH).is_some_and(|known| known == etag);
    let common: [(HeaderName, HeaderValue); 5] = [
        (ETAG, etag),
        // A newer program has a newer page: the browser has to ask.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ];
    match known {
        true => (StatusCode::NOT_MODIFIED, head, common).into_response(),
        false => (head, common, body).into_response(),
    }
}

/// A strong validator (RFC 9110 §8.8.3).
fn etag(parts: &[&str]) -> HeaderValue {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    let text = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(hash.finalize()));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// The Content-Security-Policy (W3C CSP Level 3): our own files, and a WebSocket to the chat.
fn policy(ws_host: Option<&str>, ws_port: u16, tls: bool) -> String {
    let name = ws_host.filter(|name| {
        // The grammar of a host-source has no IPv6 addresses; the scheme alone must do for them.
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    });
    let connect = match (name, tls) {
        (Some(name), true) => format!("wss://{name}:{ws_port}"),
        (None, true) => "wss:".to_owned(),
        // Both: a proxy may add TLS.
        (Some(name), false) => format!("ws://{name}:{ws_port} wss://{name}:{ws_port}"),
        (None, false) => "ws: wss:".to_owned(),
    };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {connect}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_host_or_the_scheme_and_nothing_else() {
        let connect = |host, tls| {
            let policy = policy(host, 7272, tls);
            policy
                .split("; ")
                .find(|part| part.starts_with("connect-src"))
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            connect(Some("127.0.0.1"), false),
            "connect-src ws://127.0.0.1:7272 wss://127.0.0.1:7272"
        );
        for host in [None, Some("[::1]"), Some("a;script-src *"), Some("")] {
            assert_eq!(connect(host, false), "connect-src ws: wss:", "{host:?}");
            assert_eq!(connect(host, true), "connect-src wss:", "{host:?}");
        }
    }

    #[test]
    fn a_path_is_no_markup() {
        assert_eq!(escape("<a & b>"), "&lt;a &amp; b&gt;");
    }

    #[test]
    fn the_page_is_told_the_host_of_the_chat_only_where_it_is_another() {
        for (ws, http, host) in [
            ("127.0.0.1:1", "127.0.0.1:2", None),
            ("0.0.0.0:1", "127.0.0.1:2", None),
            ("[::]:1", "127.0.0.1:2", None),
            ("127.0.0.2:1", "127.0.0.1:2", Some("127.0.0.2")),
            ("127.0.0.2:1", "0.0.0.0:2", Some("127.0.0.2")),
            ("[::1]:1", "127.0.0.1:2", Some("[::1]")),
        ] {
            let found = ws_host(ws.parse().unwrap(), http.parse().unwrap());
            assert_eq!(found.as_deref(), host, "{ws} {http}");
        }
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere_and_makes_no_markup_from_text() {
        let index = ("/", "text/html", include_str!("page/index.html"));
        for (path, _, text) in FILES.iter().copied().chain([index]) {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for forbidden in [
                "src=\"http",
                "href=\"http",
                "url(",
                "@import",
                "fetch(",
                "XMLHttpRequest",
                "innerHTML",
                "insertAdjacentHTML",
                "eval(",
            ] {
                assert!(!text.contains(forbidden), "{path}: {forbidden}");
            }
        }
    }
}
