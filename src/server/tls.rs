//! `--tls`: the chat as wss, and the page as https with the same certificate.
//!
//! The page could use wss from http as well, but then a browser that does not know the certificate would refuse the WebSocket
//! without a word and without a way on: it asks its user only about what the address bar shows. With https it asks when the page
//! is opened, and Chromium's and Safari's answer then holds for the host, so for the chat too; Firefox asks for each port, which
//! the page says where it cannot reach the chat.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, ServerConfig};

use super::certificate::Certificate;
use super::key_log::KeyLogFile;

/// How TLS connections are accepted: of version 1.2 and 1.3, for HTTP/1.1, the only one of which WebSocket is an upgrade.
pub(super) fn config(certificate: &Certificate, keys: Option<KeyLogFile>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der.clone()], certificate.key.clone_key())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if let Some(keys) = keys {
        config.key_log = Arc::new(keys);
    }
    Ok(Arc::new(config))
}
