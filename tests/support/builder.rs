//! Packets made by hand, right in every field that is not set on purpose.

/// TCP's flags.
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;
pub const URG: u8 = 0x20;
pub const ECE: u8 = 0x40;
pub const CWR: u8 = 0x80;

/// Ethertypes.
pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;
pub const VLAN: u16 = 0x8100;
pub const QINQ: u16 = 0x88a8;

/// A TCP segment.
#[derive(Debug, Clone)]
pub struct Tcp {
    pub sport: u16,
    pub dport: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub window: u16,
    pub urgent: u16,
    /// Padded to words with zeros.
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
    /// The data offset, if it shall be wrong.
    pub words: Option<u8>,
    /// The checksum, if it shall be wrong.
    pub checksum: Option<u16>,
}

impl Default for Tcp {
    fn default() -> Self {
        Self {
            sport: 60653,
            dport: 7272,
            seq: 0x1122_3344,
            ack: 0x5566_7788,
            flags: ACK,
            window: 512,
            urgent: 0,
            options: Vec::new(),
            payload: Vec::new(),
            words: None,
            checksum: None,
        }
    }
}

impl Tcp {
    /// The segment; `pseudo` is the sum of the pseudo-header without the length.
    fn bytes(&self, pseudo: &[u8]) -> Vec<u8> {
        let mut options = self.options.clone();
        options.resize(options.len().div_ceil(4) * 4, 0);
        let words = self.words.unwrap_or(5 + (options.len() / 4) as u8);
        let mut out = Vec::new();
        out.extend(self.sport.to_be_bytes());
        out.extend(self.dport.to_be_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.ack.to_be_bytes());
        out.extend([words << 4, self.flags]);
        out.extend(self.window.to_be_bytes());
        out.extend([0, 0]);
        out.extend(self.urgent.to_be_bytes());
        out.extend(options);
        out.extend(&self.payload);
        let mut summed = pseudo.to_vec();
        summed.extend((out.len() as u32).to_be_bytes());
        summed.extend(&out);
        let sum = self.checksum.unwrap_or_else(|| checksum(&summed));
        out[16..18].copy_from_slice(&sum.to_be_bytes());
        out
    }

    /// Over IPv4.
    pub fn over4(&self, ip: &Ip4) -> Vec<u8> {
        let mut pseudo = Vec::new();
        pseudo.extend(ip.source);
        pseudo.extend(ip.destination);
        pseudo.extend([0, 6]);
        ip.carry(6, &self.bytes(&pseudo))
    }

    /// Over IPv6.
    pub fn over6(&self, ip: &Ip6) -> Vec<u8> {
        let mut pseudo = Vec::new();
        pseudo.extend(ip.source);
        pseudo.extend(ip.destination);
        pseudo.extend([0, 6]);
        ip.carry(6, &self.bytes(&pseudo))
    }
}

/// An IPv4 header.
#[derive(Debug, Clone)]
pub struct Ip4 {
    pub tos: u8,
    pub id: u16,
    /// Flags and offset.
    pub fragment: u16,
    pub ttl: u8,
    pub source: [u8; 4],
    pub destination: [u8; 4],
    /// Padded to words with zeros.
    pub options: Vec<u8>,
    /// The length, if it shall be wrong.
    pub total: Option<u16>,
    /// The header's length in words, if it shall be wrong.
    pub words: Option<u8>,
    /// The checksum, if it shall be wrong.
    pub checksum: Option<u16>,
}

impl Default for Ip4 {
    fn default() -> Self {
        Self {
            tos: 0,
            id: 0x6eb2,
            fragment: 0x4000,
            ttl: 64,
            source: [10, 0, 0, 1],
            destination: [192, 168, 100, 255],
            options: Vec::new(),
            total: None,
            words: None,
            checksum: None,
        }
    }
}

impl Ip4 {
    /// The same in the other direction.
    pub fn back(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            ..self.clone()
        }
    }

    /// A datagram of a protocol.
    pub fn carry(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut options = self.options.clone();
        options.resize(options.len().div_ceil(4) * 4, 0);
        let words = self.words.unwrap_or(5 + (options.len() / 4) as u8);
        let total = self.total.unwrap_or((20 + options.len() + payload.len()) as u16);
        let mut out = vec![0x40 | words, self.tos];
        out.extend(total.to_be_bytes());
        out.extend(self.id.to_be_bytes());
        out.extend(self.fragment.to_be_bytes());
        out.extend([self.ttl, protocol, 0, 0]);
        out.extend(self.source);
        out.extend(self.destination);
        out.extend(options);
        let sum = self.checksum.unwrap_or_else(|| checksum(&out));
        out[10..12].copy_from_slice(&sum.to_be_bytes());
        out.extend(payload);
        out
    }
}

/// An IPv6 header with its extension headers.
#[derive(Debug, Clone)]
pub struct Ip6 {
    /// Class and flow label.
    pub flow: u32,
    pub hops: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
    /// Extension headers: their number, and their bytes without the first one, the number of the next.
    pub extensions: Vec<(u8, Vec<u8>)>,
    /// The payload's length, if it shall be wrong.
    pub length: Option<u16>,
}

impl Default for Ip6 {
    fn default() -> Self {
        Self {
            flow: 0,
            hops: 64,
            source: "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets(),
            destination: "fe80::1:0:0:2".parse::<std::net::Ipv6Addr>().unwrap().octets(),
            extensions: Vec::new(),
            length: None,
        }
    }
}

impl Ip6 {
    /// The same in the other direction.
    pub fn back(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            ..self.clone()
        }
    }

    /// A packet of a protocol.
    pub fn carry(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        for (n, (_, bytes)) in self.extensions.iter().enumerate() {
            body.push(self.extensions.get(n + 1).map_or(protocol, |e| e.0));
            body.extend(bytes);
        }
        body.extend(payload);
        let mut out = (0x6000_0000 | self.flow).to_be_bytes().to_vec();
        out.extend(self.length.unwrap_or(body.len() as u16).to_be_bytes());
        out.extend([self.extensions.first().map_or(protocol, |e| e.0), self.hops]);
        out.extend(self.source);
        out.extend(self.destination);
        out.extend(body);
        out
    }
}

/// A UDP datagram without checksum, over IPv4.
pub fn udp4(ip: &Ip4, sport: u16, dport: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(sport.to_be_bytes());
    out.extend(dport.to_be_bytes());
    out.extend((8 + payload.len() as u16).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    ip.carry(17, &out)
}

/// An Ethernet frame.
pub fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x02, 0x42, 0xac, 0x11, 0, 2, 0x02, 0x42, 0x0a, 0xff, 0x90, 1];
    out.extend(ethertype.to_be_bytes());
    out.extend(payload);
    out
}

/// A VLAN tag behind the tag's ethertype: what it controls, and what follows.
pub fn tag(control: u16, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = control.to_be_bytes().to_vec();
    out.extend(ethertype.to_be_bytes());
    out.extend(payload);
    out
}

/// An LLC and SNAP header.
pub fn snap(oui: [u8; 3], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0xaa, 0xaa, 3];
    out.extend(oui);
    out.extend(ethertype.to_be_bytes());
    out.extend(payload);
    out
}

/// Linux's cooked header, version 1. `way`: 0 in, 1 broadcast, 2 multicast, 3 for others, 4 out.
pub fn cooked1(way: u16, hardware: u16, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = way.to_be_bytes().to_vec();
    out.extend(hardware.to_be_bytes());
    out.extend([0, 6, 2, 0x42, 0xac, 0x11, 0, 3, 0, 0]);
    out.extend(ethertype.to_be_bytes());
    out.extend(payload);
    out
}

/// Linux's cooked header, version 2.
pub fn cooked2(interface: u32, way: u8, hardware: u16, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = ethertype.to_be_bytes().to_vec();
    out.extend([0, 0]);
    out.extend(interface.to_be_bytes());
    out.extend(hardware.to_be_bytes());
    out.extend([way, 6, 2, 0x42, 0xac, 0x11, 0, 3, 0, 0]);
    out.extend(payload);
    out
}

/// Bytes one after the other.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// The Internet checksum (RFC 1071).
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
