//! Captures begun late of protocols that are not WebSocket: none of them is taken for it.

#[path = "support/random.rs"]
#[allow(dead_code, unreachable_pub)]
mod random;

use random::Random;
use wschat_sniff::base::{Limits, PacketRef, Timestamp};
use wschat_sniff::layer::Chunk;
use wschat_sniff::layer::ws::Shared;
use wschat_sniff::layer::ws::resync::{Collected, Expect, Purpose, infer};

/// What one side sends at once.
type Unit = (usize, Vec<u8>);

const CLIENT: usize = 0;
const SERVER: usize = 1;

/// A protocol: its name, and what is said in the exchange with a number.
type Protocol = (&'static str, fn(&mut Random, u32) -> Vec<Unit>);

fn bytes(random: &mut Random, count: usize) -> Vec<u8> {
    (0..count).map(|_| random.byte()).collect()
}

fn words(random: &mut Random, count: usize) -> String {
    const WORDS: [&str; 10] = [
        "hello",
        "world",
        "status",
        "ok",
        "name",
        "values",
        "日本",
        "schön",
        "id",
        "temperature",
    ];
    (0..count).map(|_| *random.pick(&WORDS)).collect::<Vec<_>>().join(" ")
}

fn json(random: &mut Random) -> String {
    let count = random.below(8);
    format!(
        "{{\"id\":{},\"text\":\"{}\"}}",
        random.below(70_000),
        words(random, count)
    )
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A length in ASN.1's form (X.690 §8.1.3), and what is so long.
fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..128 => vec![tag, length as u8],
        128..256 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    joined(&[&head, content])
}

/// Behind its length in so many bytes, big-endian.
fn prefixed(size: usize, content: &[u8]) -> Vec<u8> {
    joined(&[&(content.len() as u64).to_be_bytes()[8 - size..], content])
}

fn modbus(random: &mut Random, n: u32) -> Vec<Unit> {
    let transaction = (0xc200 + n as u16 % 0x800).to_be_bytes();
    let read = [
        0xff,
        [1, 3, 5][random.below(3)],
        0,
        random.byte(),
        0,
        1 + random.below(9) as u8,
    ];
    let count = 2 + random.below(20);
    let answer = bytes(random, count);
    vec![
        (CLIENT, joined(&[&transaction, &[0, 0], &prefixed(2, &read)])),
        (SERVER, joined(&[&transaction, &[0, 0], &prefixed(2, &answer)])),
    ]
}

/// Transaction numbers that begin with the first byte of a frame, and go on through all masks and lengths.
fn modbus_of_a_long_run(random: &mut Random, n: u32) -> Vec<Unit> {
    let transaction = (0x8180 + n as u16 % 0x100).to_be_bytes();
    let read = [1, 3, 0, random.byte(), 0, 2];
    let answer = [1, 3, 4, random.byte(), random.byte(), random.byte(), random.byte()];
    vec![
        (CLIENT, joined(&[&transaction, &[0, 0], &prefixed(2, &read)])),
        (SERVER, joined(&[&transaction, &[0, 0], &prefixed(2, &answer)])),
    ]
}

fn bittorrent(random: &mut Random, _: u32) -> Vec<Unit> {
    let side = random.below(2);
    let mut out = Vec::new();
    for _ in 0..1 + random.below(30) {
        let piece = (random.below(1024) as u32).to_be_bytes();
        out.extend(match random.below(8) {
            0 => joined(&[&[0, 0, 0, 13, 6], &piece, &[0, 0, 0x40, 0, 0, 0, 0x40, 0]]),
            1 => vec![0, 0, 0, 1, random.below(4) as u8],
            2 => vec![0, 0, 0, 0],
            _ => joined(&[&[0, 0, 0, 5, 4], &piece]),
        });
    }
    vec![(side, out)]
}

fn omapi(random: &mut Random, n: u32) -> Vec<Unit> {
    let message = |op: u8, id: u32, values: &[u8]| {
        joined(&[
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, op, 0, 0, 0, 0],
            &id.to_be_bytes(),
            &[0, 0, 0, 0],
            values,
        ])
    };
    let mac = bytes(random, 6);
    let value = joined(&[&prefixed(2, b"hardware-address"), &prefixed(4, &mac), &[0, 0]]);
    vec![
        (CLIENT, message(1, n, &value)),
        (
            SERVER,
            message(
                3,
                n,
                &joined(&[&value, &prefixed(2, b"state"), &[0, 0, 0, 4, 0, 0, 0, 2, 0, 0]]),
            ),
        ),
    ]
}

fn ldap(random: &mut Random, n: u32) -> Vec<Unit> {
    let id = ber(2, &n.to_be_bytes()[2..]);
    let search = ber(
        0x63,
        &joined(&[
            &ber(4, b"dc=example,dc=com"),
            &[0x0a, 1, 2, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0],
            &ber(0x87, b"objectClass"),
        ]),
    );
    let count = 1 + random.below(40);
    let entry = ber(
        0x64,
        &joined(&[
            &ber(4, b"cn=someone,dc=example"),
            &ber(0x30, &ber(0x30, &ber(4, words(random, count).as_bytes()))),
        ]),
    );
    vec![
        (CLIENT, ber(0x30, &joined(&[&id, &search]))),
        (
            SERVER,
            joined(&[
                &ber(0x30, &joined(&[&id, &entry])),
                &ber(0x30, &joined(&[&id, &[0x65, 7, 0x0a, 1, 0, 4, 0, 4, 0]])),
            ]),
        ),
    ]
}

fn snmp(random: &mut Random, n: u32) -> Vec<Unit> {
    let pdu = |tag: u8, value: &[u8]| {
        ber(
            0x30,
            &joined(&[
                &[2, 1, 1],
                &ber(4, b"public"),
                &ber(
                    tag,
                    &joined(&[
                        &ber(2, &n.to_be_bytes()),
                        &[2, 1, 0, 2, 1, 0],
                        &ber(0x30, &ber(0x30, &joined(&[&[6, 8, 0x2b, 6, 1, 2, 1, 1, 3, 0], value]))),
                    ]),
                ),
            ]),
        )
    };
    let ticks = bytes(random, 4);
    vec![(CLIENT, pdu(0xa0, &[5, 0])), (SERVER, pdu(0xa2, &ber(0x43, &ticks)))]
}

fn mqtt(random: &mut Random, n: u32) -> Vec<Unit> {
    let topic = format!("home/room{}/temperature", random.below(100));
    let id = (n as u16).to_be_bytes();
    match random.below(4) {
        0 => {
            let body = joined(&[&id, &prefixed(2, topic.as_bytes()), &[0]]);
            vec![
                (CLIENT, joined(&[&[0x82, body.len() as u8], &body])),
                (SERVER, joined(&[&[0x90, 3], &id, &[0]])),
            ]
        }
        1 => vec![(CLIENT, vec![0xc0, 0]), (SERVER, vec![0xd0, 0])],
        _ => {
            let body = joined(&[&prefixed(2, topic.as_bytes()), json(random).as_bytes()]);
            let length = [0x80 | (body.len() % 128) as u8, (body.len() / 128) as u8];
            let length = if body.len() < 128 {
                &[body.len() as u8][..]
            } else {
                &length[..]
            };
            vec![(random.below(2), joined(&[&[0x30], length, &body]))]
        }
    }
}

/// A client that does nothing but subscribe.
fn mqtt_subscribes(random: &mut Random, n: u32) -> Vec<Unit> {
    let topic = format!("fleet/{:04}/position", random.below(9999));
    let id = (n as u16).to_be_bytes();
    let body = joined(&[&id, &prefixed(2, topic.as_bytes()), &[1]]);
    vec![
        (CLIENT, joined(&[&[0x82, body.len() as u8], &body])),
        (SERVER, joined(&[&[0x90, 3], &id, &[1]])),
    ]
}

fn ssh(random: &mut Random, _: u32) -> Vec<Unit> {
    (0..2)
        .map(|side| {
            let count = 16 + 8 * random.below(30);
            let packet = bytes(random, count + 16);
            (side, joined(&[&(count as u32).to_be_bytes(), &packet]))
        })
        .collect()
}

fn tls_inside(random: &mut Random, _: u32) -> Vec<Unit> {
    (0..2)
        .map(|side| {
            let count = 30 + random.below(1500);
            (side, joined(&[&[0x17, 3, 3], &prefixed(2, &bytes(random, count))]))
        })
        .collect()
}

/// Encrypted without any head.
fn random_bytes(random: &mut Random, _: u32) -> Vec<Unit> {
    (0..2)
        .map(|side| {
            let count = 1 + random.below(1400);
            (side, bytes(random, count))
        })
        .collect()
}

fn redis(random: &mut Random, _: u32) -> Vec<Unit> {
    let value = json(random);
    vec![
        (
            CLIENT,
            format!(
                "*3\r\n$3\r\nSET\r\n$6\r\nkey:{:02}\r\n${}\r\n{value}\r\n",
                random.below(100),
                value.len()
            )
            .into_bytes(),
        ),
        (SERVER, b"+OK\r\n".to_vec()),
    ]
}

fn memcached_binary(random: &mut Random, n: u32) -> Vec<Unit> {
    // Magic 0x80 for requests, 0x81 for responses.
    let key = format!("session:{}", random.below(1000));
    let value = json(random);
    let head = |magic: u8, op: u8, key: usize, extras: u8, body: usize| {
        joined(&[
            &[magic, op],
            &(key as u16).to_be_bytes(),
            &[extras, 0, 0, 0],
            &(body as u32).to_be_bytes(),
            &n.to_be_bytes(),
            &[0; 8],
        ])
    };
    vec![
        (
            CLIENT,
            joined(&[&head(0x80, 0, key.len(), 0, key.len()), key.as_bytes()]),
        ),
        (
            SERVER,
            joined(&[&head(0x81, 0, 0, 4, 4 + value.len()), &[0; 4], value.as_bytes()]),
        ),
    ]
}

fn mysql(random: &mut Random, _: u32) -> Vec<Unit> {
    let count = 1 + random.below(12);
    let query = format!("SELECT * FROM t WHERE name = '{}'", words(random, count));
    let packet = |number: u8, body: &[u8]| joined(&[&[body.len() as u8, (body.len() >> 8) as u8, 0, number], body]);
    let rows: Vec<u8> = (0..random.below(20))
        .flat_map(|n| {
            let text = words(random, 3);
            packet(n as u8 + 2, &prefixed(1, text.as_bytes()))
        })
        .collect();
    vec![
        (CLIENT, packet(0, &joined(&[&[3], query.as_bytes()]))),
        (
            SERVER,
            joined(&[&packet(1, &[2]), &rows, &packet(99, &[0xfe, 0, 0, 2, 0])]),
        ),
    ]
}

fn postgresql(random: &mut Random, _: u32) -> Vec<Unit> {
    let message = |kind: u8, body: &[u8]| joined(&[&[kind], &(body.len() as u32 + 4).to_be_bytes(), body]);
    let rows: Vec<u8> = (0..random.below(20))
        .flat_map(|_| {
            let text = json(random);
            message(b'D', &joined(&[&[0, 1], &prefixed(4, text.as_bytes())]))
        })
        .collect();
    vec![
        (CLIENT, message(b'Q', b"SELECT body FROM documents\0")),
        (
            SERVER,
            joined(&[&rows, &message(b'C', b"SELECT 1\0"), &message(b'Z', b"I")]),
        ),
    ]
}

fn mongodb(random: &mut Random, n: u32) -> Vec<Unit> {
    let mut message = |to: u32| {
        let text = json(random);
        let document = joined(&[
            &[2],
            b"body\0",
            &(text.len() as u32 + 1).to_le_bytes(),
            text.as_bytes(),
            &[0, 0],
        ]);
        let body = joined(&[
            &n.to_le_bytes(),
            &to.to_le_bytes(),
            &2013u32.to_le_bytes(),
            &[0; 5],
            &(document.len() as u32 + 4).to_le_bytes(),
            &document,
        ]);
        joined(&[&(body.len() as u32 + 4).to_le_bytes(), &body])
    };
    vec![(CLIENT, message(0)), (SERVER, message(n))]
}

fn cassandra(random: &mut Random, n: u32) -> Vec<Unit> {
    // Version 0x04 in requests, 0x84 in responses; 0x81 and 0x82 in the first two versions.
    let stream = (n % 128) as u8;
    let text = json(random);
    let body = joined(&[&prefixed(4, text.as_bytes()), &[0, 1, 0]]);
    let answer = bytes(random, 40);
    vec![
        (CLIENT, joined(&[&[2, 0, stream, 7], &prefixed(4, &body)])),
        (SERVER, joined(&[&[0x82, 0, stream, 8], &prefixed(4, &answer)])),
    ]
}

fn kafka(random: &mut Random, n: u32) -> Vec<Unit> {
    let count = 1 + random.below(200);
    let records = bytes(random, count);
    vec![
        (
            CLIENT,
            prefixed(
                4,
                &joined(&[&[0, 0, 0, 8], &n.to_be_bytes(), &prefixed(2, b"producer-1"), &records]),
            ),
        ),
        (
            SERVER,
            prefixed(
                4,
                &joined(&[&n.to_be_bytes(), &[0, 0, 0, 1], &prefixed(2, b"events"), &[0; 14]]),
            ),
        ),
    ]
}

fn amqp(random: &mut Random, _: u32) -> Vec<Unit> {
    let frame = |kind: u8, body: &[u8]| joined(&[&[kind, 0, 1], &prefixed(4, body), &[0xce]]);
    let text = json(random);
    vec![
        (
            CLIENT,
            joined(&[
                &frame(1, b"\0\x3c\0\x28\0\0\0\x06orders\0"),
                &frame(2, &[0, 60, 0, 0, 0, 0, 0, 0, 0, 50, 0, 0]),
                &frame(3, text.as_bytes()),
            ]),
        ),
        (SERVER, frame(8, &[])),
    ]
}

fn stomp(random: &mut Random, _: u32) -> Vec<Unit> {
    let text = json(random);
    vec![
        (
            CLIENT,
            format!(
                "SEND\ndestination:/queue/a\ncontent-length:{}\n\n{text}\0\n",
                text.len()
            )
            .into_bytes(),
        ),
        (SERVER, b"\n".to_vec()),
    ]
}

fn http1(random: &mut Random, n: u32) -> Vec<Unit> {
    let (body, count) = (json(random), random.below(2000));
    let image = bytes(random, count);
    vec![
        (
            CLIENT,
            format!("GET /a{n} HTTP/1.1\r\nHost: example.com\r\nCookie: {body}\r\n\r\n").into_bytes(),
        ),
        (
            SERVER,
            joined(&[
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", image.len()).as_bytes(),
                &image,
            ]),
        ),
    ]
}

fn http2(random: &mut Random, n: u32) -> Vec<Unit> {
    let frame = |kind: u8, flags: u8, stream: u32, body: &[u8]| {
        joined(&[&prefixed(3, body)[..3], &[kind, flags], &stream.to_be_bytes(), body])
    };
    let (count, more) = (10 + random.below(60), 1 + random.below(900));
    let (head, data) = (bytes(random, count), bytes(random, more));
    vec![
        (CLIENT, frame(1, 5, 2 * n + 1, &head)),
        (
            SERVER,
            joined(&[&frame(1, 4, 2 * n + 1, &head[..9]), &frame(0, 1, 2 * n + 1, &data)]),
        ),
    ]
}

fn grpc_bare(random: &mut Random, n: u32) -> Vec<Unit> {
    let text = json(random);
    let message = joined(&[
        &[0x0a, 4, 0x08, (n | 0x80) as u8, 1, 0x10, 0x82, 1, text.len() as u8],
        text.as_bytes(),
    ]);
    vec![
        (CLIENT, joined(&[&[0], &prefixed(4, &message)])),
        (SERVER, joined(&[&[0], &prefixed(4, &message)])),
    ]
}

fn dns(random: &mut Random, n: u32) -> Vec<Unit> {
    let id = (0x8180u16.wrapping_add(n as u16)).to_be_bytes();
    let question = b"\x03www\x07example\x03com\0\0\x01\0\x01";
    let address = bytes(random, 4);
    vec![
        (
            CLIENT,
            prefixed(2, &joined(&[&id, &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], question])),
        ),
        (
            SERVER,
            prefixed(
                2,
                &joined(&[
                    &id,
                    &[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0],
                    question,
                    &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4],
                    &address,
                ]),
            ),
        ),
    ]
}

fn diameter(random: &mut Random, n: u32) -> Vec<Unit> {
    let avp = |code: u32, text: &[u8]| {
        joined(&[
            &code.to_be_bytes(),
            &[0x40],
            &(text.len() as u32 + 8).to_be_bytes()[1..],
            text,
            &vec![0; (4 - text.len() % 4) % 4],
        ])
    };
    let message = |flags: u8, body: &[u8]| {
        joined(&[
            &[1],
            &(body.len() as u32 + 20).to_be_bytes()[1..],
            &[flags, 0, 1, 24, 0, 0, 0, 0],
            &n.to_be_bytes(),
            &n.to_be_bytes(),
            body,
        ])
    };
    let host = format!("host{}.example.com", random.below(9));
    vec![
        (CLIENT, message(0x80, &avp(264, host.as_bytes()))),
        (
            SERVER,
            message(0, &joined(&[&avp(268, &[0, 0, 7, 0xd1]), &avp(264, host.as_bytes())])),
        ),
    ]
}

fn sip(random: &mut Random, n: u32) -> Vec<Unit> {
    let name = words(random, 1);
    vec![
        (
            CLIENT,
            format!("OPTIONS sip:{name}@example.com SIP/2.0\r\nCSeq: {n} OPTIONS\r\n\r\n").into_bytes(),
        ),
        (
            SERVER,
            format!("SIP/2.0 200 OK\r\nCSeq: {n} OPTIONS\r\n\r\n").into_bytes(),
        ),
    ]
}

fn rtsp_interleaved(random: &mut Random, n: u32) -> Vec<Unit> {
    // RTP behind `$`, a channel and a length (RFC 2326 §10.12).
    let count = 100 + random.below(1100);
    let sound = bytes(random, count);
    let rtp = joined(&[
        &[0x80, 96 + (n % 2) as u8],
        &(n as u16).to_be_bytes(),
        &(n * 960).to_be_bytes(),
        &[1, 2, 3, 4],
        &sound,
    ]);
    let report = joined(&[&[0x80, 200, 0, 6, 1, 2, 3, 4], &bytes(random, 20)]);
    vec![
        (SERVER, joined(&[&[b'$', 0], &prefixed(2, &rtp)])),
        (CLIENT, joined(&[&[b'$', 1], &prefixed(2, &report)])),
    ]
}

/// RTP and RTCP over TCP (RFC 4571): the packets begin with 0x80 to 0x82.
fn rtp_framed(random: &mut Random, n: u32) -> Vec<Unit> {
    let count = 20 + random.below(160);
    let sound = bytes(random, count);
    let report = joined(&[&[0x81, 201, 0, 7, 1, 2, 3, 4], &bytes(random, 24)]);
    let rtp = joined(&[
        &[0x80, 0],
        &(n as u16).to_be_bytes(),
        &(n * 160).to_be_bytes(),
        &[1, 2, 3, 4],
        &sound,
    ]);
    vec![(SERVER, prefixed(2, &rtp)), (CLIENT, prefixed(2, &report))]
}

fn bgp(random: &mut Random, _: u32) -> Vec<Unit> {
    let message =
        |kind: u8, body: &[u8]| joined(&[&[0xff; 16], &(body.len() as u16 + 19).to_be_bytes(), &[kind], body]);
    let count = 20 + random.below(60);
    let routes = bytes(random, count);
    vec![
        (CLIENT, message(4, &[])),
        (SERVER, message(if random.once_in(3) { 4 } else { 2 }, &routes)),
    ]
}

fn smb(random: &mut Random, n: u32) -> Vec<Unit> {
    let message = |body: &[u8]| {
        prefixed(
            4,
            &joined(&[
                b"\xfeSMB\x40\0\0\0\0\0\0\0\x08\0\x01\0\0\0\0\0\0\0\0\0",
                &u64::from(n).to_le_bytes(),
                &[0; 24],
                body,
            ]),
        )
    };
    let count = random.below(1200);
    let data = bytes(random, count);
    vec![
        (CLIENT, message(&[0x31, 0, 0x50, 0, 0, 0x10, 0, 0])),
        (SERVER, message(&data)),
    ]
}

fn rdp(random: &mut Random, _: u32) -> Vec<Unit> {
    // Fast path: flags, then a length in one or two bytes, the first with its top bit set.
    let (count, keys) = (20 + random.below(1300), 1 + random.below(6));
    let (picture, input) = (bytes(random, count), bytes(random, keys));
    let length = (count as u16 + 3) | 0x8000;
    vec![
        (SERVER, joined(&[&[0x80], &length.to_be_bytes(), &picture])),
        (
            CLIENT,
            joined(&[&[0x80 | (keys as u8) << 2, 0x80 | (input.len() as u8 + 2)], &input]),
        ),
    ]
}

fn vnc(random: &mut Random, _: u32) -> Vec<Unit> {
    let count = random.below(1400);
    let pixels = bytes(random, count);
    let place = bytes(random, 4);
    vec![
        (CLIENT, joined(&[&[5, 0], &place])),
        (CLIENT, vec![3, 1, 0, 0, 0, 0, 4, 0, 3, 0]),
        (
            SERVER,
            joined(&[&[0, 0, 0, 1], &place, &[0, 16, 0, 16, 0, 0, 0, 7], &pixels]),
        ),
    ]
}

fn x11(random: &mut Random, n: u32) -> Vec<Unit> {
    let request: Vec<u8> = (0..1 + random.below(10))
        .flat_map(|_| joined(&[&[2, 0, 4, 0], &[0x82, 0, 0x40, 1, 0, 1, 0, 0], &bytes(random, 4)]))
        .collect();
    let event: Vec<u8> = joined(&[&[0x82, random.byte()], &(n as u16).to_le_bytes(), &bytes(random, 28)]);
    vec![(CLIENT, request), (SERVER, event)]
}

fn telnet(random: &mut Random, _: u32) -> Vec<Unit> {
    let line = words(random, 4);
    vec![
        (CLIENT, vec![b'a' + random.below(26) as u8]),
        (SERVER, format!("\x1b[1m{line}\x1b[0m\r\n$ ").into_bytes()),
    ]
}

fn smtp(random: &mut Random, _: u32) -> Vec<Unit> {
    let count = 5 + random.below(60);
    vec![
        (CLIENT, format!("{}\r\n.\r\n", words(random, count)).into_bytes()),
        (SERVER, b"250 2.0.0 Ok: queued as 12345\r\n".to_vec()),
    ]
}

fn iec104(random: &mut Random, n: u32) -> Vec<Unit> {
    let (sent, received) = (((n << 1) as u16).to_le_bytes(), ((n << 1) as u16).to_le_bytes());
    let value = bytes(random, 5);
    let body = joined(&[&sent, &received, &[13, 1, 3, 0, 1, 0, random.byte(), 0, 0], &value]);
    vec![
        (SERVER, joined(&[&[0x68, body.len() as u8], &body])),
        (CLIENT, joined(&[&[0x68, 4, 1, 0], &received])),
    ]
}

fn dnp3(random: &mut Random, n: u32) -> Vec<Unit> {
    let data = bytes(random, 16);
    vec![
        (
            CLIENT,
            joined(&[
                &[
                    5,
                    0x64,
                    0x0b,
                    0xc4,
                    1,
                    0,
                    2,
                    0,
                    0x12,
                    0x34,
                    0xc0 | (n % 16) as u8,
                    0xc1,
                    1,
                    0x3c,
                    2,
                    6,
                ],
                &data[..2],
            ]),
        ),
        (
            SERVER,
            joined(&[&[5, 0x64, 0x1a, 0x44, 2, 0, 1, 0], &data, &[0x81, 0x82], &data[..6]]),
        ),
    ]
}

fn s7(random: &mut Random, n: u32) -> Vec<Unit> {
    let pdu = |body: &[u8]| joined(&[&[3, 0], &(body.len() as u16 + 7).to_be_bytes(), &[2, 0xf0, 0x80], body]);
    let id = (n as u16).to_be_bytes();
    let value = bytes(random, 8);
    vec![
        (
            CLIENT,
            pdu(&joined(&[
                &[0x32, 1, 0, 0],
                &id,
                &[0, 14, 0, 0, 4, 1, 0x12, 10, 16, 2, 0, 8, 0, 1, 0x84, 0, 0, 0],
            ])),
        ),
        (
            SERVER,
            pdu(&joined(&[
                &[0x32, 3, 0, 0],
                &id,
                &[0, 2, 0, 12, 0, 0, 4, 1, 255, 4, 0, 64],
                &value,
            ])),
        ),
    ]
}

fn opc_ua(random: &mut Random, n: u32) -> Vec<Unit> {
    let mut message = || {
        let count = 20 + random.below(80);
        let body = joined(&[
            &[1, 0, 0, 0, 1, 0, 0, 0],
            &n.to_le_bytes(),
            &n.to_le_bytes(),
            &bytes(random, count),
        ]);
        joined(&[b"MSGF", &(body.len() as u32 + 8).to_le_bytes(), &body])
    };
    vec![(CLIENT, message()), (SERVER, message())]
}

fn git(random: &mut Random, _: u32) -> Vec<Unit> {
    let hash: String = (0..40)
        .map(|_| char::from(b"0123456789abcdef"[random.below(16)]))
        .collect();
    let count = random.below(1000);
    let pack = bytes(random, count);
    vec![
        (CLIENT, format!("0032want {hash}\n").into_bytes()),
        (SERVER, joined(&[format!("{:04x}", count + 5).as_bytes(), &[1], &pack])),
    ]
}

fn rsync(random: &mut Random, _: u32) -> Vec<Unit> {
    let count = random.below(1400);
    let data = bytes(random, count);
    vec![
        (SERVER, joined(&[&(count as u32).to_le_bytes()[..3], &[7], &data])),
        (CLIENT, vec![4, 0, 0, 7, 0, 0, 0, 0]),
    ]
}

fn sound(random: &mut Random, _: u32) -> Vec<Unit> {
    vec![(
        SERVER,
        (0..400)
            .flat_map(|_| (random.below(400) as i16 - 200).to_be_bytes())
            .collect(),
    )]
}

/// Records of a home-made protocol: a type, a length in one byte, and text.
fn typed_records(random: &mut Random, n: u32) -> Vec<Unit> {
    let record = |kind: u8, text: &[u8]| joined(&[&[kind, text.len() as u8], text]);
    let (a, b) = (bytes(random, 12), bytes(random, 30));
    vec![
        (CLIENT, record(0x82, &joined(&[&n.to_be_bytes(), &a]))),
        (SERVER, record(0x82, &joined(&[&n.to_be_bytes(), &b]))),
    ]
}

/// A counter, then a constant.
fn counters(_: &mut Random, n: u32) -> Vec<Unit> {
    let record = |first: u8| joined(&[&[first, 0x80 | 12], &n.to_be_bytes(), &n.to_le_bytes(), &[0; 8]]);
    vec![(CLIENT, record(0x82)), (SERVER, record(0x82))]
}

/// Records of 64-bit numbers.
fn big_numbers(random: &mut Random, n: u32) -> Vec<Unit> {
    let record = |first: u8, low: u8| joined(&[&[first, 0x7f, 1, 0, 0, 0, 0, 0, 0, low], &n.to_be_bytes()]);
    vec![
        (CLIENT, record(0x82, random.byte())),
        (SERVER, record(0x81, random.byte())),
    ]
}

const PROTOCOLS: [Protocol; 46] = [
    ("Modbus", modbus),
    ("Modbus, a long run", modbus_of_a_long_run),
    ("BitTorrent", bittorrent),
    ("OMAPI", omapi),
    ("LDAP", ldap),
    ("SNMP over TCP", snmp),
    ("MQTT", mqtt),
    ("MQTT, subscribing", mqtt_subscribes),
    ("SSH", ssh),
    ("TLS", tls_inside),
    ("random bytes", random_bytes),
    ("Redis", redis),
    ("memcached, binary", memcached_binary),
    ("MySQL", mysql),
    ("PostgreSQL", postgresql),
    ("MongoDB", mongodb),
    ("Cassandra", cassandra),
    ("Kafka", kafka),
    ("AMQP", amqp),
    ("STOMP", stomp),
    ("HTTP/1.1", http1),
    ("HTTP/2", http2),
    ("gRPC messages", grpc_bare),
    ("DNS over TCP", dns),
    ("Diameter", diameter),
    ("SIP", sip),
    ("RTSP, interleaved", rtsp_interleaved),
    ("RTP over TCP", rtp_framed),
    ("BGP", bgp),
    ("SMB2", smb),
    ("RDP", rdp),
    ("VNC", vnc),
    ("X11", x11),
    ("Telnet", telnet),
    ("SMTP", smtp),
    ("IEC 60870-5-104", iec104),
    ("DNP3", dnp3),
    ("S7", s7),
    ("OPC UA", opc_ua),
    ("git", git),
    ("rsync", rsync),
    ("16-bit sound", sound),
    ("records of type and length", typed_records),
    ("counters", counters),
    ("64-bit numbers", big_numbers),
    ("16-bit pixels", |random, _| {
        vec![(
            SERVER,
            (0..300)
                .flat_map(|_| [[0x81, 0x82, 0x00, 0x89][random.below(4)], random.below(4) as u8])
                .collect(),
        )]
    }),
];

/// Whether a connection of that protocol, of which the beginning is missing, is taken for WebSocket.
fn is_taken(protocol: fn(&mut Random, u32) -> Vec<Unit>, random: &mut Random) -> bool {
    let expect = Expect {
        purpose: Purpose::Infer,
        masked: None,
        deflate: None,
    };
    let mut sides = [Collected::new(expect), Collected::new(expect)];
    let mut shared = Shared::new(Limits::default(), false);
    let (first, exchanges) = (random.below(60_000) as u32, 1 + random.below(60) as u32);
    let segment = *random.pick(&[1460, 1460, 1460, 536, 100]);
    // Begun in the middle of a segment's bytes, or at a segment's start, as captures are.
    let mut skip = if random.once_in(3) { random.below(40) } else { 0 };
    let (mut offsets, mut packet) = ([0; 2], 0);
    for n in first..first + exchanges {
        for (side, unit) in protocol(random, n) {
            let unit = &unit[std::mem::take(&mut skip).min(unit.len())..];
            for piece in unit.chunks(segment) {
                packet += 1;
                let at = PacketRef {
                    packet,
                    time: Timestamp::from_nanos(0),
                };
                sides[side].push(Chunk::tcp(offsets[side], piece, at, at));
                offsets[side] += piece.len() as u64;
                if infer(&mut sides, false, &mut shared).is_some() {
                    return true;
                }
            }
        }
    }
    infer(&mut sides, true, &mut shared).is_some()
}

fn false_sessions(connections: u64) -> Vec<(&'static str, u64)> {
    let mut all = Vec::new();
    for (name, protocol) in PROTOCOLS {
        let taken = (0..connections)
            .filter(|&seed| is_taken(protocol, &mut Random::new(seed)))
            .count();
        if taken > 0 {
            all.push((name, taken as u64));
        }
    }
    all
}

#[test]
fn other_protocols_begun_late_are_not_websocket() {
    assert_eq!(false_sessions(30), []);
}

#[test]
#[ignore = "long: make soak"]
fn soak_other_protocols_begun_late_are_not_websocket_300_times() {
    assert_eq!(false_sessions(300), []);
}
