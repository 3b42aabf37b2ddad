//! The WebSocket port: which requests become a WebSocket (RFC 6455 §4.2.1), and what all others are answered.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, State, WebSocketUpgrade};
use axum::http::header::{CONNECTION, HOST, ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::connection::{ClientLimits, Connection};
use super::listener::Peer;
use super::log::Log;
use super::origin::OriginPolicy;
use super::room::{JoinError, Room};
use super::send_queue::{QueueLimits, SendQueue};

/// What every upgrade needs.
#[derive(Debug)]
pub(super) struct UpgradeState {
    /// The chat room.
    pub(super) room: Arc<Room>,
    /// Which hosts and pages are accepted.
    pub(super) origins: Arc<OriginPolicy>,
    /// The limits of each client's queue.
    pub(super) queue: QueueLimits,
    /// The limits of each client.
    pub(super) limits: ClientLimits,
    /// Where to log.
    pub(super) log: Log,
}

/// Any path becomes a WebSocket, as in the documents' application.
pub(super) fn router(state: UpgradeState) -> Router {
    Router::new().fallback(upgrade).with_state(Arc::new(state))
}

async fn upgrade(
    State(state): State<Arc<UpgradeState>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    request: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let log_refusal = |why: &str, header: Option<&axum::http::HeaderValue>| {
        let event = state
            .log
            .event("upgrade-refused")
            .with("peer", peer.addr())
            .with("why", why);
        drop(match header {
            Some(value) => event.text(why, &String::from_utf8_lossy(value.as_bytes())),
            None => event,
        });
    };
    if let Some(answer) = refuse_request(&headers) {
        log_refusal("no-handshake", None);
        return answer;
    }
    if !state.origins.allows_host(&headers) {
        log_refusal("host", headers.get(HOST));
        return (StatusCode::FORBIDDEN, super::origin::HOST_REFUSED).into_response();
    }
    if !state.origins.allows_origin(&headers) {
        log_refusal("origin", headers.get(ORIGIN));
        let hint = "This page may not use this server; its --allow-origin would allow it.\n";
        return (StatusCode::FORBIDDEN, hint).into_response();
    }
    let request = match request {
        Ok(request) => request,
        Err(rejection) => {
            log_refusal("no-handshake", None);
            return rejection.into_response();
        }
    };
    let queue = Arc::new(SendQueue::new(state.queue));
    let member = match state.room.join(Arc::clone(&queue)) {
        Ok(member) => member,
        Err(error) => {
            let (why, hint) = match error {
                JoinError::Full => ("full", "The server is full; try again later.\n"),
                JoinError::Stopping => ("stopping", "The server stops.\n"),
            };
            log_refusal(why, None);
            return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], hint).into_response();
        }
    };
    peer.mark_upgraded();
    let (limits, log) = (state.limits, state.log.clone());
    let max_message = max_message_bytes(limits.lengths.content);
    request
        // A client's buffers are most of what it costs: small ones, since chat messages are small.
        .read_buffer_size(4 << 10)
        .write_buffer_size(8 << 10)
        .max_message_size(max_message)
        .max_frame_size(max_message)
        .on_upgrade(move |socket| Connection::new(socket, peer, member, queue, limits, log).serve())
}

/// Bytes of the longest message with `content` bytes of content: every byte as `\u00XX`, and the rest of the object.
fn max_message_bytes(content: usize) -> usize {
    content.saturating_mul(6).saturating_add(1024)
}

/// The answer to a request that is no handshake, in what axum does not check.
fn refuse_request(headers: &HeaderMap) -> Option<Response> {
    let version = headers.get(SEC_WEBSOCKET_VERSION);
    if headers.get(UPGRADE).is_none() || version.is_some_and(|version| version != "13") {
        // RFC 9110 §15.5.22, RFC 6455 §4.4.
        let wanted = [
            (UPGRADE, "websocket"),
            (CONNECTION, "Upgrade"),
            (SEC_WEBSOCKET_VERSION, "13"),
        ];
        let hint = "This port speaks WebSocket, version 13. The page is on the other port.\n";
        return Some((StatusCode::UPGRADE_REQUIRED, wanted, hint).into_response());
    }
    // RFC 6455 §4.2.1, points 2 and 5.
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .and_then(|key| BASE64_STANDARD.decode(key).ok());
    if headers.get(HOST).is_none() || key.is_none_or(|key| key.len() != 16) {
        let hint = "No WebSocket handshake without Host and a Sec-WebSocket-Key of 16 bytes.\n";
        return Some((StatusCode::BAD_REQUEST, hint).into_response());
    }
    None
}
