//! What proxies put before the first byte of the real stream: PROXY protocol headers, version 1 and 2 (haproxy.org, proxy-protocol.txt),
//! and SOCKS 4 and 5 (RFC 1928).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::{Become, Chunk, Cx, Layer, Next, Slot, detect};
use crate::base::{Endpoint, Gap, Side};
use crate::record::{Proxied, TransportEnd};
use crate::session::{Carrier, Roles};

/// The longest header of PROXY version 1 (its section 2.1), and the most that is read of one of version 2 or of SOCKS.
const MAX_HEADER: usize = 536;

/// The first bytes of PROXY version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Strips what a proxy says, and carries what follows.
#[derive(Debug)]
pub(crate) struct Proxy {
    kind: Kind,
    /// What has come of the preamble, by side; `None` behind it.
    preambles: [Option<Vec<u8>>; 2],
    /// Which side sent the first bytes.
    client: Side,
    carrier: Carrier,
    child: Option<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A header from the client alone.
    Header,
    Socks4,
    Socks5,
}

/// What the bytes so far are.
enum Read {
    /// More must come.
    Partial,
    /// The preamble is so many bytes long.
    Whole(usize),
    /// It is none.
    Not,
}

impl Proxy {
    /// Whether a stream that begins with `bytes` may begin with a preamble.
    pub(crate) fn may_begin(bytes: &[u8]) -> bool {
        let begins =
            |with: &[u8], least| bytes.len() >= least && bytes.starts_with(&with[..with.len().min(bytes.len())]);
        // HTTP may begin with blank lines, and a method with a P.
        begins(SIGNATURE, 5) || begins(b"PROXY ", 6) || kind(bytes).is_some_and(|kind| kind != Kind::Header)
    }

    /// For a connection whose `client` begins with such bytes, and whose beginning was seen.
    pub(crate) fn new(client: Side, bytes: &[u8], carrier: &Carrier) -> Self {
        let kind = kind(bytes).unwrap_or(Kind::Header);
        let mut preambles = [const { Some(Vec::new()) }; 2];
        if kind == Kind::Header {
            preambles[client.other().index()] = None;
        }
        Self {
            kind,
            preambles,
            client,
            carrier: carrier.clone(),
            child: None,
        }
    }

    /// Looks at the preamble of `side` so far.
    fn read(&mut self, side: Side, bytes: &[u8]) -> Read {
        match (self.kind, side == self.client) {
            (Kind::Header, _) => self.header(bytes),
            (Kind::Socks4, true) => self.socks4_request(bytes),
            (Kind::Socks4, false) => match bytes {
                [0, 0x5a, ..] if bytes.len() >= 8 => Read::Whole(8),
                [0, 0x5a, ..] | [0] => Read::Partial,
                _ => Read::Not,
            },
            (Kind::Socks5, true) => self.socks5_request(bytes),
            (Kind::Socks5, false) => socks5_reply(bytes),
        }
    }

    fn header(&mut self, bytes: &[u8]) -> Read {
        if bytes.starts_with(b"PROXY ") {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n") else {
                return if bytes.len() < 107 { Read::Partial } else { Read::Not };
            };
            let line = std::str::from_utf8(&bytes[..end]).unwrap_or_default();
            let mut words = line.split(' ').skip(1);
            let (family, source, destination) = (words.next(), words.next(), words.next());
            if let (Some("TCP4" | "TCP6"), Some(source), Some(destination), Some(from), Some(to)) =
                (family, source, destination, words.next(), words.next())
                && let (Ok(source), Ok(destination)) = (source.parse(), destination.parse())
                && let (Ok(from), Ok(to)) = (from.parse(), to.parse())
            {
                let ends = (Endpoint::new(source, from), Endpoint::new(destination, to));
                self.said("proxy-v1", ends.0.to_string(), ends.1.to_string());
            }
            return Read::Whole(end + 2);
        }
        if !bytes.starts_with(&SIGNATURE[..bytes.len().min(12)]) {
            return Read::Not;
        }
        let Some(&[command, family, high, low]) = bytes.get(12..16) else {
            return Read::Partial;
        };
        if command >> 4 != 2 {
            return Read::Not;
        }
        let size = 16 + usize::from(u16::from_be_bytes([high, low]));
        let Some(rest) = bytes.get(16..size) else {
            return if size <= MAX_HEADER { Read::Partial } else { Read::Not };
        };
        // A LOCAL command speaks for the proxy itself.
        if command & 0xf == 1
            && let Some((source, destination)) = addresses(family >> 4, rest)
        {
            self.said("proxy-v2", source.to_string(), destination.to_string());
        }
        Read::Whole(size)
    }

    /// SOCKS 4 and 4a: version, command, port, address, user, and a name when the address is 0.0.0.x.
    fn socks4_request(&mut self, bytes: &[u8]) -> Read {
        let Some(&[_, _, high, low, a, b, c, d]) = bytes.first_chunk::<8>() else {
            return Read::Partial;
        };
        let nul = |from: usize| memchr::memchr(0, bytes.get(from..)?).map(|at| from + at);
        let Some(user_end) = nul(8) else { return Read::Partial };
        let port = u16::from_be_bytes([high, low]);
        if (a, b, c) != (0, 0, 0) {
            self.said("socks4", String::new(), format!("{}:{port}", Ipv4Addr::new(a, b, c, d)));
            return Read::Whole(user_end + 1);
        }
        let Some(name_end) = nul(user_end + 1) else {
            return Read::Partial;
        };
        let name = String::from_utf8_lossy(&bytes[user_end + 1..name_end]).into_owned();
        self.said("socks4", String::new(), format!("{name}:{port}"));
        Read::Whole(name_end + 1)
    }

    /// The methods offered, perhaps a user and password (RFC 1929), and what is asked for (RFC 1928 §3, §4).
    fn socks5_request(&mut self, bytes: &[u8]) -> Read {
        let Some(&[5, methods]) = bytes.first_chunk::<2>() else {
            return if bytes.len() < 2 { Read::Partial } else { Read::Not };
        };
        let mut at = 2 + usize::from(methods);
        if bytes.get(at) == Some(&1) {
            let Some(&user) = bytes.get(at + 1) else {
                return Read::Partial;
            };
            let Some(&password) = bytes.get(at + 2 + usize::from(user)) else {
                return Read::Partial;
            };
            at += 3 + usize::from(user) + usize::from(password);
        }
        let Some(request) = bytes.get(at..).filter(|request| request.len() >= 5) else {
            return Read::Partial;
        };
        if !matches!(request, [5, 1, 0, ..]) {
            return Read::Not;
        }
        let Some((server, size)) = socks5_address(&request[3..]) else {
            return Read::Partial;
        };
        self.said("socks5", String::new(), server);
        Read::Whole(at + 3 + size)
    }

    fn said(&mut self, by: &'static str, client: String, server: String) {
        self.carrier.proxied = Some(Arc::new(Proxied { client, server, by }));
    }

    /// Bytes behind the preamble.
    fn inner(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) -> Next {
        if chunk.bytes.is_empty() {
            return Next::Stay;
        }
        let mut cx = cx.above(cx.at, cx.begins, &self.carrier);
        let child = match &mut self.child {
            Some(child) => child,
            none => none.insert(Slot::of(detect::first(side, chunk, &cx))),
        };
        child.data(side, chunk, &mut cx);
        match child.layer() {
            Some(_) => Next::Stay,
            None => Next::Ignore,
        }
    }

    /// Calls the layer that is carried.
    fn with_child(&mut self, cx: &mut Cx<'_>, call: impl FnOnce(&mut Slot, &mut Cx<'_>)) {
        if let Some(child) = &mut self.child {
            call(child, &mut cx.above(cx.at, cx.begins, &self.carrier));
        }
    }
}

/// What a stream that begins with `bytes` may carry before the real one.
fn kind(bytes: &[u8]) -> Option<Kind> {
    match bytes {
        [5, methods @ 1..=8, rest @ ..] if rest.len() == usize::from(*methods) => Some(Kind::Socks5),
        [4, 1, _, _, _, _, _, _, .., 0] => Some(Kind::Socks4),
        [b'P' | b'\r', ..] => Some(Kind::Header),
        _ => None,
    }
}

/// The two addresses of PROXY version 2 (its section 2.2).
fn addresses(family: u8, bytes: &[u8]) -> Option<(Endpoint, Endpoint)> {
    let port = |at: usize| Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    match family {
        1 => {
            let addr = |at: usize| Some(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?).into());
            Some((Endpoint::new(addr(0)?, port(8)?), Endpoint::new(addr(4)?, port(10)?)))
        }
        2 => {
            let addr = |at: usize| Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?).into());
            Some((Endpoint::new(addr(0)?, port(32)?), Endpoint::new(addr(16)?, port(34)?)))
        }
        _ => None,
    }
}

/// The server's choice of a method, perhaps the result of authentication, and its reply (RFC 1928 §6).
fn socks5_reply(bytes: &[u8]) -> Read {
    let mut at = match bytes {
        [5, 0, ..] => 2,
        [5, 2, 1, 0, ..] => 4,
        [5, 2] | [5, 2, 1] | [5] | [] => return Read::Partial,
        _ => return Read::Not,
    };
    let Some(reply) = bytes.get(at..).filter(|reply| reply.len() >= 5) else {
        return Read::Partial;
    };
    if !matches!(reply, [5, 0, 0, ..]) {
        return Read::Not;
    }
    let Some((_, size)) = socks5_address(&reply[3..]) else {
        return Read::Partial;
    };
    at += 3 + size;
    Read::Whole(at)
}

/// An address type, an address and a port (RFC 1928 §5), and how long they are.
fn socks5_address(bytes: &[u8]) -> Option<(String, usize)> {
    let port = |at: usize| Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    match bytes {
        [1, rest @ ..] => {
            let addr = Ipv4Addr::from(*rest.first_chunk::<4>()?);
            Some((Endpoint::new(addr.into(), port(5)?).to_string(), 7))
        }
        [4, rest @ ..] => {
            let addr = Ipv6Addr::from(*rest.first_chunk::<16>()?);
            Some((Endpoint::new(addr.into(), port(17)?).to_string(), 19))
        }
        [3, length, rest @ ..] => {
            let length = usize::from(*length);
            let name = String::from_utf8_lossy(rest.get(..length)?).into_owned();
            Some((format!("{name}:{}", port(2 + length)?), 4 + length))
        }
        _ => None,
    }
}

impl Layer for Proxy {
    fn data(&mut self, side: Side, chunk: Chunk<'_>, cx: &mut Cx<'_>) -> Next {
        let Some(mut preamble) = self.preambles[side.index()].take() else {
            return self.inner(side, chunk, cx);
        };
        let before = preamble.len();
        let room = MAX_HEADER.saturating_sub(before);
        preamble.extend_from_slice(&chunk.bytes[..chunk.bytes.len().min(room)]);
        match self.read(side, &preamble) {
            Read::Partial if preamble.len() < MAX_HEADER => {
                self.preambles[side.index()] = Some(preamble);
                Next::Stay
            }
            // What came before cannot be read again, but only garbage begins so.
            Read::Partial | Read::Not if before > 0 || self.child.is_some() => Next::Ignore,
            Read::Partial | Read::Not => match detect::without_proxy(side, chunk, cx) {
                Some(layer) => Next::Become(Become {
                    layer,
                    held: Default::default(),
                    used: 0,
                }),
                None => Next::Ignore,
            },
            Read::Whole(size) => self.inner(side, chunk.skip(size.saturating_sub(before).min(chunk.bytes.len())), cx),
        }
    }

    fn gap(&mut self, side: Side, gap: Gap, cx: &mut Cx<'_>) -> Next {
        self.preambles[side.index()] = None;
        self.with_child(cx, |child, cx| child.gap(side, gap, cx));
        Next::Stay
    }

    fn fin(&mut self, side: Side, cx: &mut Cx<'_>) {
        self.with_child(cx, |child, cx| child.fin(side, cx));
    }

    fn reset(&mut self, side: Side, cx: &mut Cx<'_>) {
        self.with_child(cx, |child, cx| child.reset(side, cx));
    }

    fn end(&mut self, end: TransportEnd, cx: &mut Cx<'_>) -> Next {
        self.with_child(cx, |child, cx| {
            child.end(end, cx);
        });
        Next::Stay
    }

    fn keys_changed(&mut self, cx: &mut Cx<'_>) {
        self.with_child(cx, |child, cx| child.keys_changed(cx));
    }

    fn carrier(&self) -> Carrier {
        let child = self.child.as_ref().and_then(Slot::layer);
        Carrier {
            scheme: child.map_or_else(Carrier::default, |layer| layer.carrier()).scheme,
            ..self.carrier.clone()
        }
    }

    fn progress(&self, side: Side, cx: &mut Cx<'_>) {
        if let Some(layer) = self.child.as_ref().and_then(Slot::layer) {
            layer.progress(side, &mut cx.above(cx.at, cx.begins, &self.carrier));
        }
    }

    fn roles(&self) -> Option<Roles> {
        self.child.as_ref()?.layer()?.roles()
    }

    fn cost(&self) -> usize {
        let preambles: usize = self.preambles.iter().flatten().map(Vec::capacity).sum();
        preambles + self.child.as_ref().map_or(0, Slot::cost)
    }

    fn is_proven(&self) -> bool {
        self.child
            .as_ref()
            .and_then(Slot::layer)
            .is_some_and(|layer| layer.is_proven())
    }

    fn shed(&mut self, cx: &mut Cx<'_>) {
        self.with_child(cx, |child, cx| child.shed(cx));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PacketRef;
    use crate::layer::testing::{Around, at};
    use crate::record::Scheme;

    const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 443\r\n";

    fn chunk(bytes: &[u8]) -> Chunk<'_> {
        let at: PacketRef = at();
        Chunk::tcp(0, bytes, at, at)
    }

    #[test]
    fn what_stands_behind_a_header_inside_of_tls_is_wss() {
        let mut around = Around::new();
        around.begins.syn = [true; 2];
        around.carrier.scheme = Scheme::Wss;
        let mut proxy = Proxy::new(Side::A, LINE, &around.carrier);
        let bytes = [LINE, b"GET / HTTP/1.1\r\n"].concat();
        assert!(matches!(
            proxy.data(Side::A, chunk(&bytes), &mut around.cx()),
            Next::Stay
        ));
        assert_eq!(proxy.carrier.scheme, Scheme::Wss);
        assert!(proxy.carrier.proxied.is_some());
    }

    #[test]
    fn what_is_nothing_of_ours_is_not_looked_at_again() {
        let mut around = Around::new();
        around.begins.syn = [true; 2];
        let mut proxy = Proxy::new(Side::A, LINE, &around.carrier);
        let bytes = [LINE, b"SSH-2.0-x\r\n"].concat();
        assert!(matches!(
            proxy.data(Side::A, chunk(&bytes), &mut around.cx()),
            Next::Ignore
        ));
    }

    #[test]
    fn a_signature_of_version_2_may_come_in_two_parts_and_must_be_one() {
        let header = [
            &SIGNATURE[..],
            &[0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0xc3, 0x50, 1, 0xbb],
        ]
        .concat();
        for cut in 5..header.len() {
            let mut around = Around::new();
            let (first, rest) = header.split_at(cut);
            assert!(Proxy::may_begin(first));
            let mut proxy = Proxy::new(Side::A, first, &around.carrier);
            for part in [first, rest] {
                assert!(matches!(proxy.data(Side::A, chunk(part), &mut around.cx()), Next::Stay));
            }
            assert_eq!(proxy.carrier.proxied.as_ref().unwrap().client, "192.0.2.1:50000");
        }
        let mut other = header;
        other[8] = b'E';
        let mut around = Around::new();
        let mut proxy = Proxy::new(Side::A, &other, &around.carrier);
        assert!(!matches!(
            proxy.data(Side::A, chunk(&other), &mut around.cx()),
            Next::Stay
        ));
    }
}
