//! The page: plain HTML, style and script, built into the program; nothing in it comes from anywhere else.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::origin::split_port;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Serves the page, which will look for the chat on `ws_port` of the host from which it came.
pub(super) fn router(ws_port: u16, longest_name: usize) -> Router {
    let index = include_str!("page/index.html")
        .replace("{{ws_port}}", &ws_port.to_string())
        .replace("{{longest_name}}", &longest_name.to_string());
    let state = Arc::new(Page { index, ws_port });
    Router::new()
        .route("/", get(index_page))
        .route("/page.css", get(|| asset(CSS, include_str!("page/page.css"))))
        .route("/page.js", get(|| asset(SCRIPT, include_str!("page/page.js"))))
        .route("/words.js", get(|| asset(SCRIPT, include_str!("page/words.js"))))
        .route("/icon.svg", get(|| asset(SVG, include_str!("page/icon.svg"))))
        .fallback(|| async { (StatusCode::NOT_FOUND, "Nothing is here. The page is at /\n") })
        .with_state(state)
}

#[derive(Debug)]
struct Page {
    index: String,
    ws_port: u16,
}

async fn index_page(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let policy = policy(host, page.ws_port);
    let head = [
        (CONTENT_TYPE, HeaderValue::from_static(HTML)),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    (head, common(), page.index.clone()).into_response()
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], common(), text).into_response()
}

fn common() -> [(HeaderName, &'static str); 4] {
    [
        // A newer program has a newer page.
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
    ]
}

/// The Content-Security-Policy (W3C CSP Level 3): our own files, and a WebSocket to our own host.
fn policy(host: Option<&str>, ws_port: u16) -> HeaderValue {
    let name = host.map(|host| split_port(host).0).filter(|name| {
        // The grammar of a host-source has no IPv6 addresses; the scheme alone must do for them.
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    });
    let connect = match name {
        Some(name) => format!("ws://{name}:{ws_port} wss://{name}:{ws_port}"),
        None => "ws: wss:".to_owned(),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {connect}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_host_or_the_scheme_and_nothing_else() {
        let connect = |host| {
            let policy = policy(host, 7272).to_str().unwrap().to_owned();
            policy
                .split("; ")
                .find(|part| part.starts_with("connect-src"))
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            connect(Some("127.0.0.1:55151")),
            "connect-src ws://127.0.0.1:7272 wss://127.0.0.1:7272"
        );
        for host in [None, Some("[::1]:55151"), Some("a;script-src *"), Some("")] {
            assert_eq!(connect(host), "connect-src ws: wss:", "{host:?}");
        }
    }

    #[test]
    fn the_page_asks_nobody_else() {
        for text in [
            include_str!("page/index.html"),
            include_str!("page/page.css"),
            include_str!("page/page.js"),
            include_str!("page/words.js"),
            include_str!("page/icon.svg"),
        ] {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("@import"));
            assert!(!text.contains("innerHTML") && !text.contains("insertAdjacentHTML") && !text.contains("eval("));
        }
    }
}
