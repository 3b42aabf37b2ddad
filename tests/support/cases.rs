//! Captures for what real ones rarely hold: each a name and a savefile, made by the packet builder.

use super::builder::*;
use super::savefile::{Record, Savefile};

/// Link types, as savefiles number them.
pub const NULL: u32 = 0;
pub const ETHERNET: u32 = 1;
pub const PPP: u32 = 9;
pub const PPP_HDLC: u32 = 50;
pub const PPP_ETHER: u32 = 51;
pub const RAW: u32 = 101;
pub const C_HDLC: u32 = 104;
pub const FRAME_RELAY: u32 = 107;
pub const LOOP: u32 = 108;
pub const COOKED1: u32 = 113;
pub const IPV4_ONLY: u32 = 228;
pub const IPV6_ONLY: u32 = 229;
pub const IEEE802_11: u32 = 105;
pub const RADIOTAP: u32 = 127;
pub const PPP_PPPD: u32 = 166;
pub const PPI: u32 = 192;
pub const NFLOG: u32 = 239;
pub const PKTAP: u32 = 258;
pub const COOKED2: u32 = 276;

/// All of them.
pub fn all() -> Vec<(&'static str, Savefile)> {
    let mut all = vec![
        ("tcp options", raw(tcp_options())),
        ("tcp flags and numbers", raw(numbers())),
        ("tcp damage", raw(tcp_damage())),
        ("ipv4 header", raw(ip4_headers())),
        ("ipv6 headers", raw(ip6_headers())),
        ("http", raw(http())),
        ("tunnels", file(ETHERNET, tunnels())),
        ("ethernet", file(ETHERNET, ethernets())),
        ("cooked 1", file(COOKED1, cooked(cooked1))),
        (
            "cooked 2",
            file(
                COOKED2,
                cooked(|way, hardware, kind, p| cooked2(u32::from(way), way as u8, hardware, kind, p)),
            ),
        ),
        ("loopback", file(NULL, loopback())),
        ("loopback, big-endian", file(LOOP, loopback())),
    ];
    all.push(("ipv4 only", file(IPV4_ONLY, tcp_options())));
    all.push(("ipv6 only", file(IPV6_ONLY, ip6_headers())));
    all.push(("pppd", file(PPP_PPPD, pppd())));
    all.push(("802.11", file(IEEE802_11, wireless())));
    all.push(("radiotap", file(RADIOTAP, radiotaps())));
    all.push(("ppi", file(PPI, ppi())));
    all.push(("nflog", file(NFLOG, nflog())));
    all.push(("pktap", file(PKTAP, pktap())));
    all.push(("times", times()));
    all.push(("cut short", cut_short()));
    all.push(("tunnels cut short", tunnels_cut_short()));
    all
}

/// A savefile of packets a second and a bit apart.
pub fn file(link: u32, packets: Vec<Vec<u8>>) -> Savefile {
    let mut file = Savefile::new(link);
    for (n, bytes) in packets.into_iter().enumerate() {
        let n = n as u32;
        file.records
            .push(Record::whole(1_700_000_000 + n, n * 1009 % 1_000_000, bytes));
    }
    file
}

fn raw(packets: Vec<Vec<u8>>) -> Savefile {
    file(RAW, packets)
}

/// One option with its length.
fn option(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, data.len() as u8 + 2];
    out.extend(data);
    out
}

fn tcp_options() -> Vec<Vec<u8>> {
    let mut options: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![1, 1, 0, 7, 7],
        option(2, &[5, 0xb4]),
        option(2, &[5]),
        option(2, &[5, 0xb4, 1]),
        option(3, &[7]),
        option(3, &[]),
        option(4, &[]),
        option(4, &[1]),
        option(5, &[0; 8]),
        option(5, &[0xff; 32]),
        option(5, &[1; 7]),
        option(5, &[]),
        option(6, &[1, 2, 3, 4]),
        option(7, &[1, 2, 3, 4]),
        option(8, &[1, 2, 3, 4, 5, 6, 7, 8]),
        option(8, &[1, 2, 3]),
        option(8, &[1; 10]),
        option(9, &[]),
        option(10, &[1]),
        option(11, &[1, 2, 3, 4]),
        option(12, &[1, 2, 3, 4]),
        option(13, &[1, 2, 3, 4]),
        option(14, &[1]),
        option(19, &[0xab; 16]),
        option(19, &[0xab; 15]),
        option(20, &[0x80, 7]),
        option(28, &[0x80, 0x01]),
        option(28, &[0x00, 0x78]),
        option(29, &[1, 2]),
        option(29, &[1]),
        option(29, &[]),
        option(29, &[1, 2, 3, 4, 5, 6]),
        option(34, &[]),
        option(34, &[1, 2, 3, 4]),
        option(34, &[1, 2, 3, 4, 5]),
        option(34, &[1; 18]),
        option(253, &[0xf9, 0x89]),
        option(254, &[0xf9, 0x89]),
        option(254, &[0xf9, 0x89, 1, 2, 3, 4]),
        option(254, &[0x12, 0x34, 1, 2]),
        option(254, &[0x12]),
        option(255, &[0xde, 0xad]),
        option(69, &[]),
        vec![2, 0],
        vec![2, 1],
        vec![2, 40],
        vec![1, 1, 8, 60],
        vec![2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0],
        vec![1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 5, 10, 1, 2, 3, 4, 1, 2, 3, 9],
        vec![2, 4, 5, 0xb4, 8, 9, 1, 2, 3, 4, 5],
        vec![0; 40],
        vec![1; 40],
    ];
    // Multipath TCP: every subtype in every length.
    for subtype in 0..=9u8 {
        for length in [3u8, 4, 8, 10, 12, 16, 18, 20, 22, 24, 26, 28, 30] {
            for low in [0u8, 1, 4] {
                let mut bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
                bytes[0] = 30;
                bytes[1] = length;
                bytes[2] = subtype << 4 | low;
                if length > 3 {
                    bytes[3] = [0x81, 0x05, 0x1f, 0x07][usize::from(length / 4 % 4)];
                }
                options.push(bytes);
            }
        }
    }
    let mut packets = Vec::new();
    for (n, options) in options.into_iter().enumerate() {
        let flags = [ACK, SYN, SYN | ACK, PSH | ACK][n % 4];
        let segment = Tcp {
            options,
            flags,
            seq: 1000 + n as u32,
            payload: vec![b'x'; n % 3],
            ..Tcp::default()
        };
        packets.push(segment.over4(&Ip4::default()));
        packets.push(segment.over6(&Ip6::default()));
        let other = Tcp {
            flags: [SYN, ACK, PSH | ACK, SYN | ACK][n % 4],
            ..segment
        };
        packets.push(other.over4(&Ip4::default().back()));
    }
    packets
}

fn numbers() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for flags in 0..=255u8 {
        packets.push(
            Tcp {
                flags,
                urgent: u16::from(flags) * 3,
                seq: u32::from(flags) * 7,
                window: 65_535 - u16::from(flags),
                ..Tcp::default()
            }
            .over4(&Ip4::default()),
        );
    }
    // A conversation: opened, wrapped around, opened again on the same ports, with equal ports, and begun in the middle.
    let ip = Ip4::default();
    let back = ip.back();
    let mut say = |ip: &Ip4, sport: u16, dport: u16, flags: u8, seq: u32, ack: u32, n: usize| {
        let sack = join(&[
            &[1, 1, 5, 10],
            &ack.wrapping_add(100).to_be_bytes(),
            &ack.wrapping_add(200).to_be_bytes(),
        ]);
        packets.push(
            Tcp {
                sport,
                dport,
                flags,
                seq,
                ack,
                payload: vec![b'a'; n],
                options: if n == 3 { sack } else { vec![] },
                ..Tcp::default()
            }
            .over4(ip),
        );
    };
    for (a, b) in [(40_000, 7000), (7001, 40_001), (7002, 7002)] {
        let first = 0xffff_fff0u32;
        say(&ip, a, b, SYN, first, 0, 0);
        say(&back, b, a, SYN | ACK, 5000, first + 1, 0);
        say(&ip, a, b, ACK, first + 1, 5001, 0);
        say(&ip, a, b, PSH | ACK, first + 1, 5001, 30);
        say(&back, b, a, ACK, 5001, 15, 3);
        say(&ip, a, b, ACK, 15, 5004, 3);
        say(&back, b, a, RST, 5004, 0, 0);
        say(&back, b, a, RST | ACK, 5004, 15, 5);
        say(&ip, a, b, SYN, 77, 0, 0);
        say(&back, b, a, SYN | ACK, 88, 78, 0);
        say(&ip, a, b, FIN | ACK, 78, 89, 0);
        say(&back, b, a, ACK, 89, 79, 3);
        say(&back, b, a + 7, ACK, 89, 79, 3);
        say(&ip, a + 7, b, ACK, 79, 92, 3);
    }
    let six = Ip6::default();
    for (ip, sport, dport) in [
        (six.clone(), 9, 9),
        (six.back(), 9, 9),
        (six.clone(), 9, 10),
        (six.back(), 10, 9),
    ] {
        for seq in [10, 20] {
            packets.push(
                Tcp {
                    sport,
                    dport,
                    seq,
                    ack: seq + 5,
                    ..Tcp::default()
                }
                .over6(&ip),
            );
        }
    }
    // A reset that says why, in characters that need care.
    for payload in [
        &b"go away\x01\x7f\xff\r\n"[..],
        b"a reason that is longer than thirty bytes",
        b"",
    ] {
        packets.push(
            Tcp {
                flags: RST | ACK,
                payload: payload.to_vec(),
                ..Tcp::default()
            }
            .over4(&ip),
        );
        packets.push(
            Tcp {
                flags: RST,
                payload: payload.to_vec(),
                ..Tcp::default()
            }
            .over6(&six),
        );
    }
    packets
}

fn tcp_damage() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for words in 0..=15 {
        for payload in [0usize, 3, 40] {
            packets.push(
                Tcp {
                    words: Some(words),
                    payload: vec![1; payload],
                    ..Tcp::default()
                }
                .over4(&Ip4::default()),
            );
            packets.push(
                Tcp {
                    words: Some(words),
                    payload: vec![1; payload],
                    ..Tcp::default()
                }
                .over6(&Ip6::default()),
            );
        }
    }
    for checksum in [0, 1, 0xffff, 0x1234] {
        let segment = Tcp {
            checksum: Some(checksum),
            payload: b"odd".to_vec(),
            ..Tcp::default()
        };
        packets.push(segment.over4(&Ip4::default()));
        packets.push(segment.over6(&Ip6::default()));
    }
    packets
}

fn ip4_headers() -> Vec<Vec<u8>> {
    let segment = Tcp {
        payload: b"hello".to_vec(),
        flags: PSH | ACK,
        ..Tcp::default()
    };
    let plain = Ip4::default();
    let mut headers = Vec::new();
    for tos in [0, 1, 2, 3, 0x10, 0xff] {
        headers.push(Ip4 { tos, ..plain.clone() });
    }
    for ttl in [0, 1, 255] {
        headers.push(Ip4 { ttl, ..plain.clone() });
    }
    for fragment in [0, 0x2000, 0x4000, 0x8000, 0xe000, 1, 0x2001, 0x1fff, 0xffff] {
        headers.push(Ip4 {
            fragment,
            ..plain.clone()
        });
    }
    for total in [0, 1, 19, 20, 39, 40, 44, 46, 1000, 65_535] {
        headers.push(Ip4 {
            total: Some(total),
            ..plain.clone()
        });
    }
    for words in 0..=15 {
        headers.push(Ip4 {
            words: Some(words),
            ..plain.clone()
        });
    }
    for checksum in [0, 0xffff, 0x4321] {
        headers.push(Ip4 {
            checksum: Some(checksum),
            ..plain.clone()
        });
    }
    let route = [131, 11, 4, 10, 1, 1, 1, 10, 2, 2, 2];
    let options: [&[u8]; 28] = [
        &[0],
        &[1, 1, 1, 0],
        &[1, 1, 1, 1],
        &[7, 7, 4, 1, 2, 3, 4, 0],
        &[7, 7, 8, 1, 2, 3, 4],
        &[7, 7, 0, 1, 2, 3, 4],
        &[7, 7, 200, 1, 2, 3, 4],
        &[7, 2],
        &[7, 6, 4, 1, 2, 3],
        &route,
        &[137, 7, 4, 10, 1, 1, 1],
        &[137, 3, 4],
        &[131, 6, 4, 1, 2, 3],
        &[68, 12, 5, 0, 0, 0, 0, 1, 0, 0, 0, 2],
        &[68, 12, 13, 0x31, 1, 2, 3, 4, 0, 0, 0, 2],
        &[68, 12, 5, 3, 1, 2, 3, 4, 0, 0, 0, 2],
        &[68, 12, 5, 2, 1, 2, 3, 4, 0, 0, 0, 2],
        &[68, 12, 1, 0xf2, 1, 2, 3, 4, 0, 0, 0, 2],
        &[68, 3, 5],
        &[68, 7, 0, 0, 1, 2, 3],
        &[148, 4, 0, 0],
        &[148, 4, 0, 7],
        &[148, 3, 0],
        &[130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[82, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[99, 4, 1, 2],
        &[99, 0],
        &[99, 40],
    ];
    for options in options {
        headers.push(Ip4 {
            options: options.to_vec(),
            ..plain.clone()
        });
    }
    let mut packets: Vec<_> = headers.iter().map(|ip| segment.over4(ip)).collect();
    for protocol in [4, 41, 51, 61, 99, 253, 255] {
        packets.push(plain.carry(protocol, b"0123456789abcdefghijklmnopqrst"));
    }
    for version in [0u8, 1, 5, 6, 15] {
        let mut packet = segment.over4(&plain);
        packet[0] = version << 4 | 5;
        packets.push(packet);
    }
    packets.push(udp4(&plain, 5000, 5001, b"sixty"));
    packets
}

fn ip6_headers() -> Vec<Vec<u8>> {
    let segment = Tcp {
        payload: b"hello".to_vec(),
        flags: PSH | ACK,
        ..Tcp::default()
    };
    let plain = Ip6::default();
    let mut headers = vec![plain.clone()];
    for flow in [1, 0xf_ffff, 0x0ff0_0000, 0x0b81_2345] {
        headers.push(Ip6 { flow, ..plain.clone() });
    }
    for length in [0, 1, 20, 24, 26, 1000, 65_535] {
        headers.push(Ip6 {
            length: Some(length),
            ..plain.clone()
        });
    }
    for address in [
        "::",
        "::1",
        "::ffff:10.1.2.3",
        "::10.1.2.3",
        "::ffff:0:0",
        "1:0:0:2::",
        "ff02::1:ff00:1",
        "0:0:0:0:0:1:0:0",
    ] {
        headers.push(Ip6 {
            source: address.parse::<std::net::Ipv6Addr>().unwrap().octets(),
            ..plain.clone()
        });
    }
    let address: Vec<u8> = (0..16).collect();
    let pad = |n: usize| join(&[&[1, n as u8], &vec![0; n]]);
    let alert = [5, 2, 0, 0];
    let jumbo = [0xc2, 4, 0, 1, 0, 0];
    let extensions: Vec<Vec<(u8, Vec<u8>)>> = vec![
        vec![(0, join(&[&[0], &pad(4)]))],
        vec![(0, vec![0, 0, 0, 0, 0, 0, 0])],
        vec![(0, join(&[&[0], &alert, &[0, 0]]))],
        vec![(0, join(&[&[0], &jumbo]))],
        vec![(0, join(&[&[0, 5, 3, 0, 0, 0, 0]]))],
        vec![(0, join(&[&[0, 0x8b, 4, 1, 2, 3, 4]]))],
        vec![(0, join(&[&[0, 0x8b, 9, 1, 2, 3, 4]]))],
        vec![(0, join(&[&[9], &pad(4)]))],
        vec![(0, join(&[&[1], &pad(4), &pad(6)])), (60, join(&[&[0], &pad(4)]))],
        vec![(0, join(&[&[0], &pad(4)])), (0, join(&[&[0], &pad(4)]))],
        vec![(60, join(&[&[0], &pad(4)])), (0, join(&[&[0], &pad(4)]))],
        vec![(60, join(&[&[0], &pad(4)]))],
        vec![(60, join(&[&[2, 0xc9, 16], &address, &pad(1)]))],
        vec![(60, join(&[&[2, 0xc9, 19], &address, &[0, 1, 0]]))],
        vec![(60, join(&[&[2, 0xc9, 20], &address, &[7, 1, 0, 0]]))],
        vec![(60, join(&[&[2, 0xc9, 15], &address, &pad(1)]))],
        vec![(60, join(&[&[0], &jumbo]))],
        vec![(44, vec![0, 0, 0, 1, 2, 3, 4])],
        vec![(44, vec![0, 0, 1, 1, 2, 3, 4])],
        vec![(44, vec![0, 0, 9, 1, 2, 3, 4])],
        vec![(44, vec![9, 0xff, 0xff, 1, 2, 3, 4])],
        vec![(0, join(&[&[0], &pad(4)])), (44, vec![0, 0, 1, 1, 2, 3, 4])],
        vec![(43, join(&[&[2, 0, 1, 0, 0, 0, 0], &address]))],
        vec![(43, join(&[&[2, 0, 1, 1, 0, 0, 0], &address]))],
        vec![(43, join(&[&[2, 2, 1, 0, 0, 0, 0], &address]))],
        vec![(43, join(&[&[4, 4, 1, 1, 0, 0, 7], &address, &address]))],
        vec![(43, join(&[&[4, 4, 1, 1, 9, 1, 7], &address, &address]))],
        vec![(43, join(&[&[1, 0, 1, 0, 0, 0, 0], &[0; 8]]))],
        vec![(43, join(&[&[1, 4, 1, 0, 0, 0, 0], &[0; 8]]))],
        vec![(43, join(&[&[0, 9, 1, 0, 0, 0, 0]]))],
        vec![(43, join(&[&[200, 0, 1, 0, 0, 0, 0]]))],
        vec![(51, join(&[&[4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], &[7; 12]]))],
    ];
    for extensions in extensions {
        headers.push(Ip6 {
            extensions: extensions.clone(),
            ..plain.clone()
        });
        headers.push(Ip6 {
            extensions,
            length: Some(0),
            ..plain.clone()
        });
    }
    let mut packets: Vec<_> = headers.iter().map(|ip| segment.over6(ip)).collect();
    for protocol in [61, 99, 253, 255] {
        packets.push(plain.carry(protocol, b"0123456789abcdefghijklmnopqrst"));
    }
    packets
}

fn http() -> Vec<Vec<u8>> {
    let payloads: Vec<Vec<u8>> = vec![
        b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n".to_vec(),
        b"get / HTTP/1.1\nHost: a\n\nbody without a line break".to_vec(),
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello".to_vec(),
        b"HTTP/1.1  200".to_vec(),
        b"HTTP/1.1 2000 no\r\n".to_vec(),
        b"HTTP/1.1\t200 no\r\n".to_vec(),
        b"HTTP/1.1 20".to_vec(),
        b"GET".to_vec(),
        b"GET \xff\r\n".to_vec(),
        b"GET / \rHTTP".to_vec(),
        b"GET / HTTP/1.1\r".to_vec(),
        b" GET / HTTP/1.1\r\n".to_vec(),
        b"VERSION-CONTROL x\tand tabs\r\n\r\n".to_vec(),
        b"\x82\x7e\x01\x00binary".to_vec(),
        b"nothing 404 found\r\n".to_vec(),
        [b"GET ".to_vec(), vec![b'a'; 300]].concat(),
        vec![b'b'; 200],
        [vec![b'c'; 128], b" 200 \r\n".to_vec()].concat(),
        [vec![b'c'; 129], b" 200 \r\n".to_vec()].concat(),
        vec![],
    ];
    let mut packets = Vec::new();
    for (n, payload) in payloads.into_iter().enumerate() {
        for dport in [80, 8080, 3128, 7272] {
            let (sport, dport) = if n % 2 == 0 { (50_000, dport) } else { (dport, 50_000) };
            let segment = Tcp {
                sport,
                dport,
                flags: PSH | ACK,
                payload: payload.clone(),
                ..Tcp::default()
            };
            packets.push(segment.over4(&Ip4::default()));
            packets.push(
                Tcp {
                    flags: RST | ACK,
                    ..segment
                }
                .over6(&Ip6::default()),
            );
        }
    }
    packets
}

/// What else may be around the segment of a tunnel: options, a fragment, IPv6.
fn inner() -> Vec<(u16, Vec<u8>)> {
    let segment = Tcp {
        payload: b"inside".to_vec(),
        options: vec![1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2],
        flags: PSH | ACK,
        ..Tcp::default()
    };
    vec![
        (IPV4, segment.over4(&Ip4::default())),
        (IPV6, segment.over6(&Ip6::default())),
    ]
}

fn tunnels() -> Vec<Vec<u8>> {
    let outer4 = Ip4 {
        source: [1, 1, 1, 1],
        destination: [2, 2, 2, 2],
        ..Ip4::default()
    };
    let outer6 = Ip6 {
        flow: 0x12345,
        ..Ip6::default()
    };
    let mut payloads: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut packets = Vec::new();
    for (ethertype, packet) in inner() {
        let number = if ethertype == IPV4 { 4 } else { 41 };
        payloads.push((number, packet.clone()));
        let kind = ethertype.to_be_bytes();
        payloads.push((47, join(&[&[0, 0], &kind, &packet])));
        payloads.push((47, join(&[&[0x20, 0], &kind, &[0, 0, 1, 2], &packet])));
        payloads.push((
            47,
            join(&[&[0xb0, 0], &kind, &[9, 9, 0, 0], &[0, 0, 1, 2], &[0, 0, 0, 7], &packet]),
        ));
        payloads.push((
            47,
            join(&[
                &[0x40, 0],
                &kind,
                &[9, 9, 0, 0],
                &[8, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8],
                &[0; 4],
                &packet,
            ]),
        ));
        payloads.push((47, join(&[&[0, 2], &kind, &packet])));
        let frame = ethernet(ethertype, &packet);
        payloads.push((47, join(&[&[0, 0, 0x65, 0x58], &frame])));
        payloads.push((143, frame.clone()));
        // Enhanced GRE with PPP.
        let ppp = if ethertype == IPV4 { [0, 0x21] } else { [0, 0x57] };
        payloads.push((
            47,
            join(&[
                &[0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2],
                &[0xff, 3],
                &ppp,
                &packet,
            ]),
        ));
        payloads.push((47, join(&[&[0x20, 0x01, 0x88, 0x0b, 0, 0, 0, 1]])));
        payloads.push((
            51,
            join(&[&[number, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], &[7; 12], &packet]),
        ));
        // MPLS, one label and two.
        let label = |label: u32, last: bool| (label << 12 | 0x200 | u32::from(last) << 8 | 64).to_be_bytes();
        for top in [0, 2, 3, 16, 1000] {
            packets.push(ethernet(0x8847, &join(&[&label(top, true), &packet])));
            packets.push(ethernet(
                0x8848,
                &join(&[&label(17, false), &label(top, true), &packet]),
            ));
        }
        packets.push(ethernet(0x8847, &label(1, false)));
        packets.push(ethernet(0x8847, &label(1000, true)));
        payloads.push((47, join(&[&[0, 0, 0x88, 0x47], &label(1000, true), &packet])));
        // PPPoE.
        let length = (packet.len() as u16 + 2).to_be_bytes();
        packets.push(ethernet(0x8864, &join(&[&[0x11, 0, 0, 5], &length, &ppp, &packet])));
        packets.push(ethernet(
            0x8864,
            &join(&[&[0x11, 0, 0, 5], &length, &ppp[1..], &packet, &[0]]),
        ));
        packets.push(ethernet(0x8864, &join(&[&[0x22, 0, 0, 0, 0xff, 0xff], &ppp, &packet])));
        // VXLAN and Geneve.
        packets.push(ethernet(
            IPV4,
            &udp4(&outer4, 40_000, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 7, 0], &frame])),
        ));
        packets.push(ethernet(
            IPV4,
            &udp4(&outer4, 40_000, 6081, &join(&[&[0, 0, 0x65, 0x58, 0, 0, 7, 0], &frame])),
        ));
    }
    for (number, payload) in payloads {
        packets.push(ethernet(IPV6, &outer6.carry(number, &payload)));
        if number == 143 {
            // Over IPv4 tcpdump does not open it.
            continue;
        }
        packets.push(ethernet(IPV4, &outer4.carry(number, &payload)));
        let twice = outer4.carry(4, &outer4.carry(number, &payload));
        packets.push(ethernet(IPV4, &twice));
    }
    packets
}

fn ethernets() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (kind, packet) in inner() {
        packets.push(ethernet(kind, &packet));
        let padded = join(&[&packet, &[0; 20]]);
        packets.push(ethernet(kind, &padded));
        for outer in [VLAN, QINQ, 0x9100, 0x9200] {
            packets.push(ethernet(outer, &tag(7, kind, &packet)));
            packets.push(ethernet(outer, &tag(0xf007, VLAN, &tag(0x2fff, kind, &packet))));
        }
        packets.push(ethernet(VLAN, &tag(1, VLAN, &tag(2, VLAN, &tag(3, kind, &packet)))));
        for oui in [[0, 0, 0], [0, 0, 0xf8]] {
            let body = snap(oui, kind, &packet);
            packets.push(ethernet(body.len() as u16, &body));
            packets.push(ethernet(VLAN, &tag(9, body.len() as u16, &body)));
        }
        let bridged = snap([0, 0x80, 0xc2], 7, &join(&[&[0, 0], &ethernet(kind, &packet)]));
        packets.push(ethernet(bridged.len() as u16, &bridged));
        let body = join(&[&[6, 6, 3], &packet]);
        packets.push(ethernet(body.len() as u16, &body));
        packets.push(ethernet(20, &body));
        packets.push(ethernet(1500, &body));
        packets.push(ethernet(0x8870, &body));
        for unknown in [0x1234, 0x88b5, 0xffff] {
            packets.push(ethernet(unknown, &packet));
            packets.push(ethernet(VLAN, &tag(7, unknown, &packet)));
        }
        packets.push(ethernet(if kind == IPV4 { IPV6 } else { IPV4 }, &packet));
    }
    packets
}

fn cooked(header: impl Fn(u16, u16, u16, &[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (kind, packet) in inner() {
        for way in 0..=5 {
            packets.push(header(way, 1, kind, &packet));
        }
        for hardware in [512, 772, 768, 776, 778, 65_534] {
            packets.push(header(0, hardware, kind, &packet));
        }
        packets.push(header(4, 1, VLAN, &tag(7, kind, &packet)));
        packets.push(header(4, 1, VLAN, &tag(0xf007, VLAN, &tag(8, kind, &packet))));
        packets.push(header(4, 1, QINQ, &tag(7, kind, &packet)));
        packets.push(header(4, 1, VLAN, &tag(7, 100, &snap([0, 0, 0], kind, &packet))));
        packets.push(header(4, 1, 4, &snap([0, 0, 0], kind, &packet)));
        for unknown in [0, 3, 12, 0x88b5, 0xffff] {
            packets.push(header(1, 1, unknown, &packet));
        }
    }
    packets
}

fn loopback() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (kind, packet) in inner() {
        for family in [2u32, 24, 28, 30, 10, 0, 77] {
            packets.push(join(&[&family.to_le_bytes(), &packet]));
            packets.push(join(&[&family.to_be_bytes(), &packet]));
        }
        let right: u32 = if kind == IPV4 { 2 } else { 30 };
        packets.push(join(&[&right.to_le_bytes(), &packet, &[0; 9]]));
    }
    packets
}

fn pppd() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (kind, packet) in inner() {
        let protocol: &[u8] = if kind == IPV4 { &[0, 0x21] } else { &[0, 0x57] };
        for start in [&[0xff, 3][..], &[0, 3], &[1, 3], &[]] {
            packets.push(join(&[start, protocol, &packet]));
            packets.push(join(&[start, &protocol[1..], &packet]));
        }
    }
    packets
}

/// A data frame with an LLC header in it.
fn data_frame(control: u16, header: usize, kind: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..header as u8).collect();
    frame[..2].copy_from_slice(&control.to_le_bytes());
    join(&[&frame, &snap([0, 0, 0], kind, packet)])
}

fn wireless() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (kind, packet) in inner() {
        for (control, header) in [
            (0x0008, 24),
            (0x0108, 24),
            (0x0208, 24),
            (0x0308, 30),
            (0x0088, 26),
            (0x0388, 32),
        ] {
            for flags in [
                0, 0x0400, 0x0800, 0x1000, 0x2000, 0x8000, 0xbc00, 0x0010, 0x0020, 0x0030,
            ] {
                packets.push(data_frame(control | flags, header, kind, &packet));
            }
        }
    }
    packets
}

/// A radiotap header with these presence words and fields.
fn radiotap(words: &[u32], fields: &[u8]) -> Vec<u8> {
    let length = (4 + 4 * words.len() + fields.len()) as u16;
    let mut header = vec![0, 0];
    header.extend(length.to_le_bytes());
    words.iter().for_each(|word| header.extend(word.to_le_bytes()));
    header.extend(fields);
    header
}

fn radiotaps() -> Vec<Vec<u8>> {
    let fields: Vec<u8> = (0..80u8).map(|n| n.wrapping_mul(59) ^ 0x35).collect();
    let mut headers = vec![
        radiotap(&[0], &[]),
        radiotap(&[1], &[0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ];
    // Each field alone, in other bytes each time, and all that are known together.
    for bit in (0..29u32).filter(|bit| ![1, 19].contains(bit)) {
        for skip in 0..3 {
            headers.push(radiotap(&[1 << bit], &fields[skip..skip + 20]));
        }
    }
    for flags in [0, 1, 2, 4, 8, 0x10, 0x20, 0x30, 0x40, 0xff] {
        headers.push(radiotap(&[1 << 1], &[flags]));
        headers.push(radiotap(&[1 << 1 | 1 << 2], &[flags, 11]));
    }
    for index in 0..=32 {
        for flags in 0..=7 {
            headers.push(radiotap(&[1 << 19], &[0x37, flags | index << 3, index]));
        }
    }
    for known in 0..=63 {
        headers.push(radiotap(&[1 << 19], &[known, known.wrapping_mul(37), 7]));
    }
    for flags in (0..16)
        .map(|bit| 1u16 << bit)
        .chain([0x00a0, 0x0480, 0x00c0, 0x0140, 0x4140, 0x80c0, 0x0880])
    {
        headers.push(radiotap(&[1 << 3], &join(&[&[0x6c, 9], &flags.to_le_bytes()])));
        headers.push(radiotap(
            &[1 << 3 | 1 << 19],
            &join(&[&[0x6c, 9], &flags.to_le_bytes(), &[7, 5, 3]]),
        ));
        headers.push(radiotap(
            &[1 << 18],
            &join(&[&flags.to_le_bytes(), &[5, 0, 0x3c, 0x14, 36, 40]]),
        ));
    }
    headers.push(radiotap(&[0x0000_4fff], &fields[..40]));
    headers.push(radiotap(&[0x003c_4fff], &fields[..72]));
    // More presence words, in the same namespace, back to the first one, and in a vendor's.
    headers.push(radiotap(&[1 << 31 | 1 << 5, 1], &fields[..8]));
    headers.push(radiotap(&[1 << 31 | 1 << 29 | 1 << 5, 1 << 11], &fields[..8]));
    headers.push(radiotap(
        &[1 << 31 | 1 << 30 | 1 << 5, 1 << 31 | 1 << 29, 1 << 5],
        &[200, 0, 1, 2, 3, 4, 2, 0, 9, 9, 201],
    ));
    // Fields that do not fit, and lengths that do not.
    headers.push(radiotap(&[0xf], &fields[..10]));
    headers.push(vec![0, 0, 7, 0, 0, 0, 0, 0]);
    headers.push(vec![0, 0, 12, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x80]);
    let mut packets = Vec::new();
    for header in headers {
        for (kind, packet) in inner() {
            let frame = data_frame(0x0108, 24, kind, &packet);
            packets.push(join(&[&header, &frame]));
            let has_flags = header[4] & 2 != 0;
            if has_flags && header.len() > 10 {
                continue;
            }
            let is_padded = has_flags && header[8] & 0x20 != 0;
            let with_qos = data_frame(0x0188, if is_padded { 28 } else { 26 }, kind, &packet);
            packets.push(join(&[&header, &with_qos, &[1, 2, 3, 4]]));
        }
    }
    packets
}

fn ppi() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (kind, packet) in inner() {
        let frame = data_frame(0x0108, 24, kind, &packet);
        packets.push(join(&[&[0, 0, 8, 0, 105, 0, 0, 0], &frame]));
        packets.push(join(&[&[1, 0, 12, 0, 105, 0, 0, 0, 2, 0, 0, 0], &frame]));
        packets.push(join(&[&[0, 0, 8, 0, 1, 0, 0, 0], &ethernet(kind, &packet)]));
    }
    packets
}

fn nflog() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (kind, packet) in inner() {
        for family in [2u8, 10, 7] {
            if family != 7 && (family == 2) != (kind == IPV4) {
                continue;
            }
            let length = (packet.len() as u16 + 4).to_le_bytes();
            let attributes = [8, 0, 1, 0, 8, 0, 3, 0, 6, 0, 10, 0, b'a', 0, 0, 0];
            let padding = vec![0; packet.len().next_multiple_of(4) - packet.len()];
            packets.push(join(&[&[family, 0, 0, 5], &attributes, &length, &[9, 0], &packet]));
            packets.push(join(&[
                &[family, 0, 0, 5],
                &attributes,
                &length,
                &[9, 0],
                &packet,
                &padding,
            ]));
            packets.push(join(&[&[family, 0, 1, 2], &length, &[9, 0], &packet]));
        }
        packets.push(join(&[&[2, 1, 0, 5], &packet]));
        packets.push(join(&[&[2, 0, 0, 5, 3, 0, 1, 0], &packet]));
    }
    packets
}

fn pktap() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (kind, packet) in inner() {
        let family: [u8; 4] = if kind == IPV4 { [2, 0, 0, 0] } else { [30, 0, 0, 0] };
        for (link, frame) in [
            (1u8, ethernet(kind, &packet)),
            (0, join(&[&family, &packet])),
            (12, packet.clone()),
        ] {
            for (header, record) in [(108u8, 1u8), (120, 1)] {
                let mut bytes = vec![header, 0, 0, 0, record, 0, 0, 0, link, 0, 0, 0];
                bytes.extend(b"en0");
                bytes.resize(header.into(), 0);
                packets.push(join(&[&bytes, &frame]));
            }
        }
    }
    packets
}

fn times() -> Savefile {
    let mut file = raw(numbers());
    let times = [
        (0, 0),
        (0, 1),
        (0, 0),
        (5, 999_999),
        (5, 1_000_000),
        (5, 808_464_432),
        (6, 0xffff_ffff),
        (7, 0x8000_0000),
        (7, 1),
        (4, 999_998),
        (100_000, 5),
        (99_999, 6),
        (1_407_837_000, 523_910),
        (1_407_837_000, 523_909),
        (1_709_164_800, 0),
        (1_711_846_799, 999_999),
        (1_711_846_800, 0),
        (1_729_990_800, 0),
        (0x7fff_ffff, 999_999),
        (0x8000_0000, 0),
        (0xffff_ffff, 999_999),
        (12, 0),
    ];
    for (record, (seconds, fraction)) in file.records.iter_mut().zip(times) {
        (record.seconds, record.fraction) = (seconds, fraction);
    }
    file.records.truncate(times.len());
    file
}

/// What a snapshot can leave of the headers of a tunnel.
fn tunnels_cut_short() -> Savefile {
    let mut file = Savefile::new(1);
    for whole in tunnels() {
        for captured in 34..whole.len().min(80) {
            let mut record = Record::whole(1_700_000_000, captured as u32, whole[..captured].to_vec());
            record.wire_len = whole.len() as u32;
            file.records.push(record);
        }
    }
    file
}

/// Every length that a snapshot can leave of a packet.
fn cut_short() -> Savefile {
    let mut file = Savefile::new(COOKED2);
    for (kind, packet) in inner() {
        let whole = cooked2(1, 0, 772, kind, &packet);
        for captured in 0..whole.len() {
            let mut record = Record::whole(1_700_000_000 + captured as u32, 0, whole[..captured].to_vec());
            record.wire_len = whole.len() as u32;
            file.records.push(record);
        }
        for wire_len in [0, 5, 300_000] {
            let mut record = Record::whole(1_700_000_500, 0, whole.clone());
            record.wire_len = wire_len;
            file.records.push(record);
        }
    }
    file
}
