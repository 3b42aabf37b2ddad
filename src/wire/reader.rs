//! One packet being read, header by header, and who listens.
//!
//! Each header has one function that reads it, hands what follows it to the next one, and says in tcpdump's words what it holds.
//! Who looks for a TCP segment only ([`super::Decoder`]) is a [`Listener`] that drops the words; the `tcpdump` view is one that
//! writes them. So what is printed is what is followed.

use std::net::IpAddr;

use crate::wire::ip::Ip;
use crate::wire::tcp::Tcp;

/// The capture ended inside what a header's reader wanted. Nothing more of the packet can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truncated;

/// What a header's reader returns.
pub(crate) type Read<T = ()> = Result<T, Truncated>;

/// How deep headers may be nested; what is deeper is left out, so that a packet made of tunnel headers cannot exhaust the stack.
const MAX_DEPTH: u32 = 256;

/// Told what the headers of a packet hold. What is not overridden is dropped.
pub(crate) trait Listener: Sized {
    /// tcpdump's words are written, and what tcpdump does not open stays closed.
    const PRINTS: bool = false;

    /// `-v`, counted.
    fn verbose(&self) -> u8 {
        0
    }
    /// `-q`, counted.
    fn quiet(&self) -> u8 {
        0
    }
    /// `-e`.
    fn link_header(&self) -> bool {
        false
    }
    /// Checksums are verified (no `-K`).
    fn verifies(&self) -> bool {
        false
    }
    /// Bytes that nobody can read are dumped in place.
    fn dumps_unknown(&self) -> bool {
        false
    }

    /// Plain words.
    #[inline]
    fn text(&mut self, _text: &str) {}
    /// A number in decimal.
    #[inline]
    fn dec(&mut self, _n: u64) {}
    /// A number in hexadecimal, of at least `width` digits.
    #[inline]
    fn hex(&mut self, _n: u64, _width: u32) {}
    /// Bytes in hexadecimal with a colon between them.
    #[inline]
    fn mac(&mut self, _address: &[u8]) {}
    /// A host.
    #[inline]
    fn host(&mut self, _address: IpAddr) {}
    /// A port of UDP or of TCP.
    #[inline]
    fn port(&mut self, _port: u16, _udp: bool) {}
    /// Bytes below the line.
    #[inline]
    fn dump(&mut self, _bytes: &[u8]) {}

    /// The interface that a link layer names.
    #[inline]
    fn interface(&mut self, _index: u32) {}
    /// A VLAN tag, by its identifier.
    #[inline]
    fn vlan(&mut self, _id: u16) {}
    /// What follows is inside a tunnel.
    #[inline]
    fn tunnel(&mut self, _name: &'static str) {}
    /// A datagram that came in fragments; `false` when nothing more shall be read of it.
    #[inline]
    fn fragment(&mut self, _ip: &Ip) -> bool {
        true
    }
    /// A TCP header, as far as it is there.
    fn tcp(_reader: &mut Reader<'_, Self>, _ip: &Ip, _tcp: &Tcp) -> Read {
        Ok(())
    }
}

/// A tunnel that tcpdump does not open, to be read from where it begins.
type Closed<'p, L> = fn(&mut Reader<'p, L>, usize, u32) -> Read;

/// One packet being read.
///
/// Positions are offsets from the packet's first byte and may lie behind its end; reading there is [`Truncated`]. Lengths come
/// from headers, so they may be anything, and are 32-bit numbers that wrap around as tcpdump's do.
pub(crate) struct Reader<'p, L> {
    /// Who listens.
    pub(crate) to: L,
    /// What was captured.
    captured: &'p [u8],
    /// What may be read: less, when a header has said where its payload ends.
    bytes: &'p [u8],
    /// Where reading ended before the last header that set an end, and before the one before it.
    ends: [Option<usize>; 2],
    /// Whose header is being read: what a truncation is blamed on.
    pub(crate) protocol: &'static str,
    /// Bytes of link layer at the beginning, left out of a dump that does not ask for them.
    pub(crate) link_length: usize,
    /// The first tunnel that was left closed, with its position and length; more of them inside are opened.
    closed: Option<(Closed<'p, L>, usize, u32)>,
    depth: u32,
}

impl<'p, L: Listener> Reader<'p, L> {
    #[inline]
    pub(crate) fn new(captured: &'p [u8], to: L) -> Self {
        Self {
            to,
            captured,
            bytes: captured,
            ends: [None; 2],
            protocol: "",
            link_length: 0,
            closed: None,
            depth: 0,
        }
    }

    // What may be read.

    /// Where reading ends.
    #[inline]
    pub(crate) fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Whether `n` bytes at `at` were captured.
    #[inline]
    pub(crate) fn has(&self, at: usize, n: usize) -> bool {
        at.checked_add(n).is_some_and(|end| end <= self.bytes.len())
    }

    /// As [`Reader::has`], but not having them ends the packet.
    #[inline]
    pub(crate) fn need(&self, at: usize, n: usize) -> Read {
        if self.has(at, n) { Ok(()) } else { Err(Truncated) }
    }

    /// Bytes from `at` to the end. Wraps around when `at` lies behind it.
    #[inline]
    pub(crate) fn available(&self, at: usize) -> u32 {
        (self.bytes.len() as u32).wrapping_sub(at as u32)
    }

    /// What there is from `at` on, of `length` bytes at most.
    #[inline]
    pub(crate) fn rest(&self, at: usize, length: usize) -> &'p [u8] {
        let rest = self.bytes.get(at..).unwrap_or_default();
        rest.get(..length).unwrap_or(rest)
    }

    /// `n` bytes at `at`.
    #[inline]
    pub(crate) fn slice(&self, at: usize, n: usize) -> Read<&'p [u8]> {
        let end = at.checked_add(n).ok_or(Truncated)?;
        self.bytes.get(at..end).ok_or(Truncated)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&self, at: usize) -> Read<&'p [u8; N]> {
        self.bytes.get(at..).and_then(|b| b.first_chunk::<N>()).ok_or(Truncated)
    }

    #[inline]
    pub(crate) fn u8(&self, at: usize) -> Read<u8> {
        self.bytes.get(at).copied().ok_or(Truncated)
    }

    #[inline]
    pub(crate) fn u16(&self, at: usize) -> Read<u16> {
        Ok(u16::from_be_bytes(*self.array(at)?))
    }

    #[inline]
    pub(crate) fn u24(&self, at: usize) -> Read<u32> {
        let [a, b, c] = *self.array(at)?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    #[inline]
    pub(crate) fn u32(&self, at: usize) -> Read<u32> {
        Ok(u32::from_be_bytes(*self.array(at)?))
    }

    #[inline]
    pub(crate) fn u64(&self, at: usize) -> Read<u64> {
        Ok(u64::from_be_bytes(*self.array(at)?))
    }

    // Where reading ends.

    /// Lets reading end `length` bytes behind `at`, if that is earlier than now.
    #[inline]
    pub(crate) fn limit(&mut self, at: usize, length: u32) {
        self.ends = [Some(self.bytes.len()), self.ends[0]];
        if length <= self.available(at) {
            self.bytes = self.rest(0, at + length as usize);
        }
    }

    /// Moves the end that the last [`Reader::limit`] set, within the end that held two of them ago (tcpdump's own bound).
    pub(crate) fn change_limit(&mut self, at: usize, length: u32) {
        let bound = self.ends[1].unwrap_or(self.bytes.len());
        if length <= (bound as u32).wrapping_sub(at as u32) {
            self.bytes = self.captured.get(..at + length as usize).unwrap_or(self.captured);
        }
    }

    /// Reads something that ends at `end` or earlier, and goes on with the end of before.
    pub(crate) fn within<T>(&mut self, end: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        let bytes = self.bytes;
        self.bytes = self.rest(0, end);
        let value = read(self);
        self.bytes = bytes;
        value
    }

    /// Reads something nested, unless it is nested too deep.
    #[inline]
    pub(crate) fn nested<T: Default>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            return Ok(T::default());
        }
        self.depth += 1;
        read(self)
    }

    /// Reads a tunnel that tcpdump does not open: now, or for who prints later ([`Reader::open`]).
    pub(crate) fn not_opened(&mut self, tunnel: Closed<'p, L>, at: usize, length: u32) -> Read {
        if !L::PRINTS || self.closed.is_some() {
            return tunnel(self, at, length);
        }
        self.closed = Some((tunnel, at, length));
        Ok(())
    }

    /// Whether a tunnel was left closed.
    #[inline]
    pub(crate) fn has_closed_tunnel(&self) -> bool {
        self.closed.is_some()
    }

    /// Goes on with the tunnel that was left closed, if there was one.
    pub(crate) fn open(&mut self) -> Option<Read> {
        let (tunnel, at, length) = self.closed?;
        Some(tunnel(self, at, length))
    }

    // What is said.

    #[inline]
    pub(crate) fn verbose(&self) -> u8 {
        self.to.verbose()
    }

    #[inline]
    pub(crate) fn link_header(&self) -> bool {
        self.to.link_header()
    }

    #[inline]
    pub(crate) fn quiet(&self) -> u8 {
        self.to.quiet()
    }

    #[inline(always)]
    pub(crate) fn text(&mut self, text: &str) {
        self.to.text(text);
    }

    /// A number in decimal, after a text.
    #[inline(always)]
    pub(crate) fn dec(&mut self, before: &str, n: impl Into<u64>) {
        self.to.text(before);
        self.to.dec(n.into());
    }

    /// A number in hexadecimal, after a text.
    pub(crate) fn hex(&mut self, before: &str, n: impl Into<u64>) {
        self.hex_padded(before, n, 1);
    }

    /// A number in hexadecimal of at least `width` digits, after a text.
    pub(crate) fn hex_padded(&mut self, before: &str, n: impl Into<u64>, width: u32) {
        self.to.text(before);
        self.to.hex(n.into(), width);
    }

    /// Each byte in two hexadecimal digits.
    pub(crate) fn hex_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.to.hex(byte.into(), 2);
        }
    }

    /// The IPv4 address at `at`.
    pub(crate) fn v4(&mut self, at: usize) -> Read {
        let address = *self.array::<4>(at)?;
        self.to.host(address.into());
        Ok(())
    }

    /// The IPv6 address at `at`.
    pub(crate) fn v6(&mut self, at: usize) -> Read {
        let address = *self.array::<16>(at)?;
        self.to.host(address.into());
        Ok(())
    }

    /// The hardware address of `n` bytes at `at`.
    pub(crate) fn mac(&mut self, at: usize, n: usize) -> Read {
        let address = self.slice(at, n)?;
        self.to.mac(address);
        Ok(())
    }

    /// Notes that the capture ends too early.
    pub(crate) fn truncated(&mut self) {
        self.text(" [|");
        self.text(self.protocol);
        self.text("]");
    }

    /// Notes that what was just shown is not as its standard says.
    pub(crate) fn invalid(&mut self) {
        self.text(" (invalid)");
    }

    /// A protocol in which no TCP can be: its name and length.
    pub(crate) fn short(&mut self, name: &str, length: u32) {
        self.text(name);
        self.dec(", length ", length);
    }

    /// The bytes from `at`, as far as captured, below the line, unless the user dumps packets anyway.
    pub(crate) fn unknown_payload(&mut self, at: usize, length: u32) -> Read {
        if !self.to.dumps_unknown() {
            return Ok(());
        }
        self.dump_payload(at, length)
    }

    /// The same, whatever the user asked for.
    pub(crate) fn dump_payload(&mut self, at: usize, length: u32) -> Read {
        let shown = self.rest(at, length as usize);
        self.to.dump(shown);
        if shown.len() < length as usize {
            return Err(Truncated);
        }
        Ok(())
    }
}
