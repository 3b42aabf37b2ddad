//! The upgrade from HTTP/1.1 to WebSocket (RFC 6455 §4).
