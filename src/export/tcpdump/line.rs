//! One packet on its way to text: what may be read of it, and where the text goes.

use std::net::IpAddr;
use std::sync::Arc;

use super::interfaces::Interfaces;
use super::number;
use super::options::Options;
use super::seq_table::SeqTable;

/// The capture ended inside what a printer wanted to read. Nothing more of the packet can be told; the line ends with
/// ` [|protocol]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truncated;

/// What a printer returns.
pub(super) type Printed<T = ()> = Result<T, Truncated>;

/// How deep headers may be nested; what is deeper is left out, so that a packet made of tunnel headers cannot exhaust the stack.
const DEPTH: u32 = 256;

/// One packet being printed.
///
/// Positions are offsets from the packet's first byte and may lie behind [`Line::end`]; reading there is [`Truncated`].
/// Lengths come from headers, hence from strangers, and are 32-bit numbers that wrap around as tcpdump's do.
pub(super) struct Line<'a> {
    pub(super) options: &'a Options,
    pub(super) out: &'a mut Vec<u8>,
    /// What was captured.
    bytes: &'a [u8],
    /// Where reading ends: at the end of what was captured, or earlier when a header says so.
    pub(super) end: usize,
    /// Whose header is being read: what a truncation is blamed on.
    pub(super) protocol: &'static str,
    /// Bytes of link layer at the beginning, left out of a dump that does not ask for them.
    pub(super) link_length: usize,
    pub(super) memory: &'a mut Memory,
    depth: u32,
}

/// What printing remembers from packet to packet.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) sequence: SeqTable,
    pub(super) interfaces: Interfaces,
    /// Where reading a packet ended before a header drew a nearer end, the packet's own end first.
    pub(super) ends: Vec<usize>,
}

impl<'a> Line<'a> {
    pub(super) fn new(options: &'a Options, bytes: &'a [u8], memory: &'a mut Memory, out: &'a mut Vec<u8>) -> Self {
        Self {
            options,
            out,
            bytes,
            end: bytes.len(),
            protocol: "",
            link_length: 0,
            memory,
            depth: 0,
        }
    }

    // What may be read.

    /// Whether `n` bytes at `at` were captured.
    #[inline]
    pub(super) fn has(&self, at: usize, n: usize) -> bool {
        at.checked_add(n).is_some_and(|end| end <= self.end)
    }

    /// As [`Line::has`], but not having them ends the line.
    #[inline]
    pub(super) fn need(&self, at: usize, n: usize) -> Printed {
        if self.has(at, n) { Ok(()) } else { Err(Truncated) }
    }

    /// Bytes from `at` to the end. Wraps around when `at` lies behind it.
    #[inline]
    pub(super) fn available(&self, at: usize) -> u32 {
        (self.end as u32).wrapping_sub(at as u32)
    }

    /// `n` bytes at `at`.
    #[inline]
    pub(super) fn slice(&self, at: usize, n: usize) -> Printed<&'a [u8]> {
        self.need(at, n)?;
        self.bytes.get(at..at + n).ok_or(Truncated)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&self, at: usize) -> Printed<[u8; N]> {
        self.need(at, N)?;
        let bytes = self.bytes.get(at..).and_then(|b| b.first_chunk::<N>());
        bytes.copied().ok_or(Truncated)
    }

    #[inline]
    pub(super) fn u8(&self, at: usize) -> Printed<u8> {
        Ok(self.array::<1>(at)?[0])
    }

    #[inline]
    pub(super) fn u16(&self, at: usize) -> Printed<u16> {
        Ok(u16::from_be_bytes(self.array(at)?))
    }

    #[inline]
    pub(super) fn u24(&self, at: usize) -> Printed<u32> {
        let [a, b, c] = self.array(at)?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    #[inline]
    pub(super) fn u32(&self, at: usize) -> Printed<u32> {
        Ok(u32::from_be_bytes(self.array(at)?))
    }

    #[inline]
    pub(super) fn u64(&self, at: usize) -> Printed<u64> {
        Ok(u64::from_be_bytes(self.array(at)?))
    }

    // Where reading ends.

    /// Lets reading end `length` bytes behind `at`, if that is earlier than now; undone by [`Line::pop_end`].
    pub(super) fn push_end(&mut self, at: usize, length: u32) {
        self.memory.ends.push(self.end);
        if length <= self.available(at) {
            self.end = at + length as usize;
        }
    }

    /// Moves the end that the last [`Line::push_end`] set, within the end that held two pushes ago (tcpdump's own bound).
    pub(super) fn change_end(&mut self, at: usize, length: u32) {
        let bound = match self.memory.ends.len() {
            0 | 1 => self.end,
            n => self.memory.ends[n - 2],
        };
        if length <= (bound as u32).wrapping_sub(at as u32) {
            self.end = at + length as usize;
        }
    }

    /// Undoes the last [`Line::push_end`].
    pub(super) fn pop_end(&mut self) {
        if let Some(end) = self.memory.ends.pop() {
            self.end = end;
        }
    }

    /// Forgets all ends but the packet's own.
    pub(super) fn restore_end(&mut self) {
        self.memory.ends.clear();
        self.end = self.bytes.len();
    }

    /// Prints something nested, unless it is nested too deep.
    pub(super) fn nested<T: Default>(&mut self, print: impl FnOnce(&mut Self) -> Printed<T>) -> Printed<T> {
        if self.depth >= DEPTH {
            return Ok(T::default());
        }
        self.depth += 1;
        let printed = print(self);
        self.depth -= 1;
        printed
    }

    // What is written.

    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// A number in decimal, after a text.
    #[inline]
    pub(super) fn dec(&mut self, before: &str, n: impl itoa::Integer) {
        self.text(before);
        number::push_dec(self.out, n);
    }

    /// A number in hexadecimal, after a text.
    pub(super) fn hex(&mut self, before: &str, n: impl Into<u64>) {
        self.text(before);
        number::push_hex(self.out, n.into());
    }

    /// A number in hexadecimal of at least `width` digits, after a text.
    pub(super) fn hex_padded(&mut self, before: &str, n: impl Into<u64>, width: u32) {
        self.text(before);
        number::push_hex_padded(self.out, n.into(), width);
    }

    /// The IPv4 address at `at`.
    pub(super) fn v4(&mut self, at: usize) -> Printed {
        let address: [u8; 4] = self.array(at)?;
        match self.host(address.into()) {
            Some(name) => self.text(&name),
            None => number::push_v4(self.out, address),
        }
        Ok(())
    }

    /// The IPv6 address at `at`.
    pub(super) fn v6(&mut self, at: usize) -> Printed {
        let address: [u8; 16] = self.array(at)?;
        match self.host(address.into()) {
            Some(name) => self.text(&name),
            None => number::push_v6(self.out, address),
        }
        Ok(())
    }

    /// The name of a host, when names are wanted and it has one.
    fn host(&self, address: IpAddr) -> Option<Arc<str>> {
        self.options.names.as_ref()?.host(address)
    }

    /// A port, behind `before`.
    pub(super) fn port(&mut self, before: &str, port: u16, udp: bool) {
        match self.options.names.as_ref().and_then(|names| names.port(port, udp)) {
            Some(name) => {
                self.text(before);
                self.text(&name);
            }
            None => self.dec(before, port),
        }
    }

    /// The hardware address of `n` bytes at `at`.
    pub(super) fn mac(&mut self, at: usize, n: usize) -> Printed {
        let address = self.slice(at, n)?;
        number::push_mac(self.out, address);
        Ok(())
    }

    /// Notes that the capture ends too early.
    pub(super) fn truncated(&mut self) {
        self.text(" [|");
        self.text(self.protocol);
        self.byte(b']');
    }

    /// Notes that what was just shown is not as its standard says.
    pub(super) fn invalid(&mut self) {
        self.text(" (invalid)");
    }

    /// The bytes from `at`, as far as captured, in hexadecimal and as text below the line, unless the user dumps packets anyway.
    pub(super) fn unknown_payload(&mut self, at: usize, length: u32) -> Printed {
        if self.options.no_unknown_payload() {
            return Ok(());
        }
        self.dump_payload(at, length)
    }

    /// The same, whatever the user asked for.
    pub(super) fn dump_payload(&mut self, at: usize, length: u32) -> Printed {
        let available = self.end.saturating_sub(at);
        let shown = available.min(length as usize);
        let bytes = self.bytes.get(at..at + shown).unwrap_or_default();
        super::dump::hex_ascii(bytes, self.out);
        if length as usize > available {
            Err(Truncated)
        } else {
            Ok(())
        }
    }

    /// The bytes from `at`, as far as captured, in hexadecimal below the line.
    pub(super) fn hex_payload(&mut self, at: usize, length: u32) {
        let shown = self.end.saturating_sub(at).min(length as usize);
        super::dump::hex(self.bytes.get(at..at + shown).unwrap_or_default(), self.out);
    }
}
