//! `--resolve`: names of hosts from the system's resolver, names of ports from /etc/services (services(5)).
//!
//! Each is asked for once. An answer comes from a stranger: only what looks like a name is taken for one.

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::sync::Arc;

use crate::export::tcpdump::Resolve;

/// So many hosts are remembered; then it begins anew.
const HOSTS: usize = 50_000;

/// The system's names.
pub(super) struct SystemNames {
    hosts: HashMap<IpAddr, Option<Arc<str>>>,
    /// Of ports, with `true` for UDP.
    ports: HashMap<(u16, bool), Arc<str>>,
    /// `-N`: without the domain.
    short: bool,
}

impl SystemNames {
    pub(super) fn new(short: bool) -> Self {
        let services = fs::read_to_string("/etc/services").unwrap_or_default();
        Self {
            hosts: HashMap::new(),
            ports: ports(&services),
            short,
        }
    }
}

impl Resolve for SystemNames {
    fn host(&mut self, address: IpAddr) -> Option<Arc<str>> {
        if self.hosts.len() >= HOSTS {
            self.hosts.clear();
        }
        let short = self.short;
        self.hosts
            .entry(address)
            .or_insert_with(|| name(&dns_lookup::lookup_addr(&address).ok()?, short))
            .clone()
    }

    fn port(&mut self, port: u16, udp: bool) -> Option<Arc<str>> {
        self.ports.get(&(port, udp)).cloned()
    }
}

/// A name, unless it is an address again or holds what no name holds.
fn name(answer: &str, short: bool) -> Option<Arc<str>> {
    let good = !answer.is_empty()
        && answer.len() <= 255
        && answer
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        && answer.parse::<IpAddr>().is_err();
    let answer = match answer.split_once('.') {
        Some((host, _)) if short => host,
        _ => answer,
    };
    good.then(|| answer.into())
}

/// Reads services(5): name, port and protocol, aliases, a comment. The first line about a port counts.
fn ports(services: &str) -> HashMap<(u16, bool), Arc<str>> {
    let mut ports = HashMap::new();
    for line in services.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let (Some(service), Some(place)) = (words.next(), words.next()) else {
            continue;
        };
        let Some((port, protocol)) = place.split_once('/') else {
            continue;
        };
        let (Ok(port), Some(service)) = (port.parse(), name(service, false)) else {
            continue;
        };
        if matches!(protocol, "tcp" | "udp") {
            ports.entry((port, protocol == "udp")).or_insert(service);
        }
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_read_as_the_manual_says() {
        let ports = ports("# all\nhttp\t80/tcp www # web\ndomain 53/udp\nwww2 80/tcp\nbad\nx y/tcp\nsctp 9/sctp\n");
        assert_eq!(ports[&(80, false)].as_ref(), "http");
        assert_eq!(ports[&(53, true)].as_ref(), "domain");
        assert_eq!(ports.len(), 2);
    }

    #[test]
    fn an_answer_that_is_no_name_is_not_shown() {
        assert_eq!(name("host.example.org", true).unwrap().as_ref(), "host");
        assert_eq!(name("host.example.org", false).unwrap().as_ref(), "host.example.org");
        for answer in ["", "::1", "127.0.0.1", "a\x1b[31mb", "a b", "\u{202e}x"] {
            assert_eq!(name(answer, false), None, "{answer:?}");
        }
    }
}
