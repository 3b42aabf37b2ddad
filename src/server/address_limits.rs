//! What one peer address may take: connections at a time, and logins a minute.
//!
//! Without this, one host could take every place that the server has, or fill everybody's user list.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::rate_limit::RateLimit;

/// Addresses without a connection whose logins are still remembered; beyond it all of these are forgotten.
const MAX_IDLE_ADDRESSES: usize = 65_536;

/// The counts of all peer addresses.
#[derive(Debug)]
pub(super) struct AddressLimits {
    max: u32,
    entries: Mutex<HashMap<IpAddr, Entry>>,
}

#[derive(Debug)]
struct Entry {
    connections: u32,
    logins: RateLimit,
}

/// One connection's share of its address; given back when it is dropped.
#[derive(Debug)]
pub(super) struct AddressSlot {
    limits: Arc<AddressLimits>,
    address: IpAddr,
}

impl AddressLimits {
    /// At most `max` connections at a time and `max` logins a minute for each address.
    pub(super) fn new(max: u32) -> Self {
        Self {
            max,
            entries: Mutex::default(),
        }
    }

    /// Counts a connection from `peer`; `None` when that address has as many as it may.
    pub(super) fn connect(self: &Arc<Self>, peer: IpAddr, now: Instant) -> Option<AddressSlot> {
        let address = network_of(peer);
        let mut entries = self.lock();
        if entries.len() > MAX_IDLE_ADDRESSES && !entries.contains_key(&address) {
            entries.retain(|_, entry| entry.connections > 0);
        }
        let entry = entries.entry(address).or_insert_with(|| Entry {
            connections: 0,
            logins: RateLimit::new(f64::from(self.max) / 60.0, self.max, now),
        });
        if entry.connections >= self.max {
            return None;
        }
        entry.connections += 1;
        Some(AddressSlot {
            limits: Arc::clone(self),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AddressSlot {
    /// May this address log in once more? If so, it is counted.
    pub(super) fn allow_login(&self, now: Instant) -> bool {
        let mut entries = self.limits.lock();
        entries
            .get_mut(&self.address)
            .is_none_or(|entry| entry.logins.allow(1, now))
    }
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        let mut entries = self.limits.lock();
        if let Some(entry) = entries.get_mut(&self.address) {
            entry.connections = entry.connections.saturating_sub(1);
            if entry.connections == 0 && entry.logins.is_full(Instant::now()) {
                entries.remove(&self.address);
            }
        }
    }
}

/// The address as it is counted: an IPv6 host usually has a whole /64 to choose from (RFC 4291 §2.5.4), so that counts as one.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn connections_of_one_address_are_limited_and_given_back() {
        let limits = Arc::new(AddressLimits::new(2));
        let now = Instant::now();
        let a = limits.connect(ip("192.0.2.1"), now);
        let b = limits.connect(ip("::ffff:192.0.2.1"), now);
        assert!(a.is_some() && b.is_some());
        assert!(limits.connect(ip("192.0.2.1"), now).is_none());
        assert!(limits.connect(ip("192.0.2.2"), now).is_some());
        drop(a);
        assert!(limits.connect(ip("192.0.2.1"), now).is_some());
        drop(b);
        assert!(
            limits.lock().is_empty(),
            "nothing is kept of an address that never logged in"
        );
    }

    #[test]
    fn an_ipv6_network_of_64_bits_counts_as_one_address() {
        let limits = Arc::new(AddressLimits::new(1));
        let now = Instant::now();
        let _a = limits.connect(ip("2001:db8::1"), now).unwrap();
        assert!(limits.connect(ip("2001:db8::ffff:2"), now).is_none());
        assert!(limits.connect(ip("2001:db8:0:1::1"), now).is_some());
    }

    #[test]
    fn logins_a_minute_are_limited_across_connections() {
        let limits = Arc::new(AddressLimits::new(2));
        let start = Instant::now();
        let login = |now| limits.connect(ip("192.0.2.1"), now).unwrap().allow_login(now);
        assert_eq!([0; 3].map(|_| login(start)), [true, true, false]);
        let later = start + Duration::from_secs(31);
        assert_eq!([0; 2].map(|_| login(later)), [true, false]);
    }

    #[test]
    fn addresses_that_are_gone_are_bounded() {
        let limits = Arc::new(AddressLimits::new(1));
        let now = Instant::now();
        for number in 0..=MAX_IDLE_ADDRESSES as u32 + 10 {
            let slot = limits.connect(IpAddr::V4(number.into()), now).unwrap();
            assert!(slot.allow_login(now));
        }
        assert!(limits.lock().len() < 100);
    }
}
