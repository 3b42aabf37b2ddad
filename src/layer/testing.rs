//! What tests call layers with.

use std::net::Ipv4Addr;

use super::{Begins, Cx, Emit, Stores};
use crate::base::{Endpoint, Limits, PacketRef};
use crate::record::{ConnectionId, Record};
use crate::session::Carrier;
use crate::tcp::Connection;

/// All that a [`Cx`] borrows.
pub(super) struct Around {
    pub(super) connection: Connection,
    pub(super) begins: Begins,
    pub(super) carrier: Carrier,
    pub(super) stores: Stores,
    pub(super) told: Told,
    limits: Limits,
}

/// What was told, as `Debug` shows it.
#[derive(Default)]
pub(super) struct Told(pub(super) Vec<String>);

impl Emit for Told {
    fn emit(&mut self, record: &Record<'_>) {
        self.0.push(format!("{:?}", record.kind));
    }

    fn forget(&mut self, _: ConnectionId) {}
}

/// Of each packet.
pub(super) fn at() -> PacketRef {
    PacketRef {
        packet: 1,
        time: Default::default(),
    }
}

impl Around {
    pub(super) fn new() -> Self {
        let limits = Limits::default();
        Self {
            connection: Connection {
                number: 1,
                endpoints: [40_000, 443].map(|port| Endpoint::new(Ipv4Addr::LOCALHOST.into(), port)),
                initiator: None,
                vanished: None,
                window_closed: None,
                ending: None,
            },
            begins: Begins::default(),
            carrier: Carrier::default(),
            stores: Stores::new(&limits, false),
            told: Told::default(),
            limits,
        }
    }

    pub(super) fn cx(&mut self) -> Cx<'_> {
        Cx {
            connection: &self.connection,
            at: at(),
            begins: self.begins,
            carrier: &self.carrier,
            limits: &self.limits,
            stores: &mut self.stores,
            out: &mut self.told,
        }
    }
}
