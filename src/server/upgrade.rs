//! The WebSocket port: who may become a WebSocket (RFC 6455 §4.2.1), and what all others are told.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, State, WebSocketUpgrade};
use axum::http::header::{CONNECTION, HOST, ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::connection::{Connection, Manners};
use super::door::Peer;
use super::log::Log;
use super::origin::Origins;
use super::outbox::{Bounds, Outbox};
use super::room::{NoEntry, Room};

/// What every upgrade needs.
#[derive(Debug)]
pub(super) struct Entrance {
    /// Where the clients meet.
    pub(super) room: Arc<Room>,
    /// Which pages may come.
    pub(super) origins: Origins,
    /// What may wait for a client.
    pub(super) bounds: Bounds,
    /// How clients are treated.
    pub(super) manners: Manners,
    /// Where to log.
    pub(super) log: Log,
}

/// Any path becomes a WebSocket, as in the documents' application.
pub(super) fn router(entrance: Entrance) -> Router {
    Router::new().fallback(enter).with_state(Arc::new(entrance))
}

async fn enter(
    State(entrance): State<Arc<Entrance>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let refuse = |why: &str, origin: Option<&str>| {
        let event = entrance.log.event("no-entry").with("peer", peer.addr).with("why", why);
        drop(match origin {
            Some(origin) => event.text("origin", origin),
            None => event,
        });
    };
    if let Some(objection) = objection(&headers) {
        refuse("no-handshake", None);
        return objection;
    }
    if !entrance.origins.welcomes(&headers) {
        let origin = headers
            .get(ORIGIN)
            .map(|origin| String::from_utf8_lossy(origin.as_bytes()).into_owned());
        refuse("origin", origin.as_deref());
        let hint = "This page may not speak to this server; its --allow-origin would allow it.\n";
        return (StatusCode::FORBIDDEN, hint).into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            refuse("no-handshake", None);
            return rejection.into_response();
        }
    };
    let outbox = Arc::new(Outbox::new(entrance.bounds));
    let seat = match entrance.room.enter(Arc::clone(&outbox)) {
        Ok(seat) => seat,
        Err(no) => {
            let (why, hint) = match no {
                NoEntry::Full => ("full", "The server is full; try again later.\n"),
                NoEntry::Stopping => ("stopping", "The server stops.\n"),
            };
            refuse(why, None);
            return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], hint).into_response();
        }
    };
    peer.stays();
    let Entrance { manners, log, .. } = &*entrance;
    let (manners, log) = (*manners, log.clone());
    let largest = largest_message(manners.lengths.content);
    upgrade
        // A client's buffers are the greater part of what it costs: small ones, since chat messages are small.
        .read_buffer_size(4 << 10)
        .write_buffer_size(8 << 10)
        .max_message_size(largest)
        .max_frame_size(largest)
        .on_upgrade(move |socket| Connection::new(socket, seat, outbox, manners, log).serve(peer.addr))
}

/// Bytes of the longest message with `content` bytes of content: every byte as `\u00XX`, and the rest of the object.
pub(super) fn largest_message(content: usize) -> usize {
    content.saturating_mul(6).saturating_add(1024)
}

/// The answer to a request that is no handshake, as far as axum does not look at it.
fn objection(headers: &HeaderMap) -> Option<Response> {
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
