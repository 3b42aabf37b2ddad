//! Names instead of numbers (`--resolve`): who knows them is not here, for asking is I/O.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// Knows the names of hosts and ports. What it returns is printed as it is, so it must be harmless.
pub trait Resolve: Send {
    /// The name of a host.
    fn host(&mut self, address: IpAddr) -> Option<Arc<str>>;

    /// The name of a port, of UDP or of TCP.
    fn port(&mut self, port: u16, udp: bool) -> Option<Arc<str>>;
}

/// Somebody who knows names, shared by all who print.
#[derive(Clone)]
pub struct Names(Arc<Mutex<dyn Resolve>>);

impl Names {
    /// Names that `resolver` knows.
    pub fn new(resolver: impl Resolve + 'static) -> Self {
        Self(Arc::new(Mutex::new(resolver)))
    }

    /// The name of a host, if it has one.
    pub(super) fn host(&self, address: IpAddr) -> Option<Arc<str>> {
        self.0.lock().ok()?.host(address)
    }

    /// The name of a port, if it has one.
    pub(super) fn port(&self, port: u16, udp: bool) -> Option<Arc<str>> {
        self.0.lock().ok()?.port(port, udp)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}
