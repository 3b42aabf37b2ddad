//! Writes what the headers of a packet hold, in tcpdump's words.

use std::net::IpAddr;
use std::sync::Arc;

use super::interfaces::Interfaces;
use super::options::Options;
use super::seq_table::SeqTable;
use super::text::Text;
use super::{dump, number, tcp};
use crate::wire::ip::Ip;
use crate::wire::reader::{self, Listener, Read};
use crate::wire::tcp::Tcp;

/// A packet being printed.
pub(super) type Reader<'p, 'l> = reader::Reader<'p, Line<'l>>;

/// Where the words go.
pub(super) struct Line<'l> {
    pub(super) options: &'l Options,
    pub(super) text: Text<'l>,
    pub(super) memory: &'l mut Memory,
    /// A TCP header was among what was printed.
    pub(super) has_tcp: bool,
    /// The innermost tunnel so far.
    pub(super) tunnel: &'static str,
}

/// What printing remembers from packet to packet.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) sequence: SeqTable,
    pub(super) interfaces: Interfaces,
}

impl Line<'_> {
    /// The name of a host, when names are wanted and it has one.
    #[inline]
    fn host_name(&self, address: IpAddr) -> Option<Arc<str>> {
        self.options.names.as_ref()?.host(address)
    }
}

impl Listener for Line<'_> {
    const PRINTS: bool = true;

    #[inline]
    fn verbose(&self) -> u8 {
        self.options.verbose
    }

    #[inline]
    fn quiet(&self) -> u8 {
        self.options.quiet
    }

    #[inline]
    fn link_header(&self) -> bool {
        self.options.link_header
    }

    fn verifies(&self) -> bool {
        !self.options.unverified
    }

    fn dumps_unknown(&self) -> bool {
        let Options {
            quiet, hex, hex_ascii, ..
        } = self.options;
        (*quiet, *hex, *hex_ascii) == (0, 0, 0)
    }

    #[inline(always)]
    fn text(&mut self, text: &str) {
        self.text.put(text.as_bytes());
    }

    #[inline]
    fn dec(&mut self, n: u64) {
        self.text.dec(n);
    }

    fn hex(&mut self, n: u64, width: u32) {
        self.text.with(|out| number::push_hex_padded(out, n, width));
    }

    fn mac(&mut self, address: &[u8]) {
        self.text.with(|out| number::push_mac(out, address));
    }

    #[inline]
    fn host(&mut self, address: IpAddr) {
        if let Some(name) = self.host_name(address) {
            return self.text(&name);
        }
        match address {
            IpAddr::V4(address) => self.text.v4(address.octets()),
            IpAddr::V6(address) => self.text.with(|out| number::push_v6(out, address.octets())),
        }
    }

    #[inline]
    fn port(&mut self, port: u16, udp: bool) {
        match self.options.names.as_ref().and_then(|names| names.port(port, udp)) {
            Some(name) => self.text(&name),
            None => self.dec(port.into()),
        }
    }

    fn dump(&mut self, bytes: &[u8]) {
        self.text.with(|out| dump::hex_ascii(bytes, out));
    }

    /// The name of the interface, as the machine that prints has it.
    #[inline]
    fn interface(&mut self, index: u32) {
        let name = self.memory.interfaces.name(index).unwrap_or(b"?");
        self.text.put(name);
        self.text.put_first(b"      ", 6usize.saturating_sub(name.len()).max(1));
    }

    fn tunnel(&mut self, name: &'static str) {
        self.tunnel = name;
    }

    #[inline]
    fn tcp(reader: &mut reader::Reader<'_, Self>, ip: &Ip, tcp: &Tcp) -> Read {
        reader.to.has_tcp = true;
        tcp::print(reader, ip, tcp)
    }
}
