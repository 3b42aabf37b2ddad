//! WebSocket frames and messages (RFC 6455 §5, RFC 7692).
