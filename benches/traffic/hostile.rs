//! What strangers do to whoever listens. Among all of it a few well-behaved sessions chat, so that it can be seen that they
//! lose nothing: [`Capture::messages`] counts the messages of those alone.

use super::*;

/// The kinds, and what the number counts.
pub(crate) const KINDS: &str = "flood (thousand SYNs), garbage (thousand connections), holes (MB), crumbs (thousand), bomb (messages), \
                         fragmented-bomb (messages), bombs (connections), endless-bombs (connections), late-bombs, lost-bombs (messages), states, zeros (thousand), everything (thousand), histories, histories-again (thousand connections), heads (MB), lines (MB), fragments (MB), \
                         empty-fragments (thousand), datagrams, datagrams-6 (thousand), unfinished (MB), torn (thousand), \
                         records, cut-records, hellos (MB), requests, refusals, field-blocks, early-data (MB), \
                         pings (thousand), logins (thousand), rooms (thousand), crowd (thousand users), lost-0 to lost-4 (MB), unknown-0 to unknown-4 (MB)";

/// Sessions that do no harm.
const WITNESSES: usize = 100;

/// Bytes at each of which a frame may begin.
const LOOKALIKES: [&[u8]; 5] = [
    &[0x81, 0x7e],
    &[0x82, 0x7e, 0x40, 0x00],
    &[0xc1, 0x7e, 0x7f],
    &[0x81, 0xfe, 0x01, 0x00, 0, 0, 0, 0],
    b"\x81\x20",
];

/// Writes traffic of that kind; `None` when there is no such kind.
pub(crate) fn hostile<W: Write>(capture: &mut Capture<W>, kind: &str, count: u64) -> Option<io::Result<()>> {
    let pattern = |prefix: &str| {
        LOOKALIKES
            .get(kind.strip_prefix(prefix)?.parse::<usize>().ok()?)
            .copied()
    };
    let (megabytes, thousands) = (count << 20, count * 1000);
    Some(match kind {
        "flood" => among(capture, |capture, n| flood(capture, n < thousands)),
        // Connections that say something, and nothing of ours.
        "garbage" => among(capture, |capture, n| {
            let mut connection = Connection::begin(capture, n as usize)?;
            let garbage = capture.random.next().to_le_bytes().repeat(25);
            connection.send(capture, From::Client, &garbage)?;
            Ok(n + 1 < thousands)
        }),
        "holes" => until(capture, 500, megabytes, |capture, connection, _| {
            // The next segment, and the one behind it that nobody sees.
            connection.send(capture, From::Client, &[0x55; MSS])?;
            connection.client_seq = connection.client_seq.wrapping_add(MSS as u32);
            Ok(())
        }),
        // The same on as many connections as there may be, a byte each.
        "crumbs" => crumbs(capture, thousands),
        "bomb" => bomb(capture, count, 1, 100 << 20, 60_000),
        "fragmented-bomb" => bomb(capture, count, 1, 100 << 20, 1000),
        "bombs" => bomb(capture, count, count as usize, 100 << 20, 60_000),
        "endless-bombs" => endless_bombs(capture, count as usize),
        "late-bombs" => riddled_bombs(capture, count, false),
        "lost-bombs" => riddled_bombs(capture, count, true),
        "states" => {
            let players: Vec<_> = (0..600)
                .map(|id| {
                    format!(
                        r#"{{"id":{id},"x":{},"y":{},"name":"player {id}"}}"#,
                        id * 7 % 640,
                        id * 13 % 480
                    )
                })
                .collect();
            let state = format!(r#"{{"type":"state","players":[{}]}}"#, players.join(","));
            repeated(capture, thousands, 0xc1, state.as_bytes())
        }
        "zeros" => repeated(capture, thousands, 0xc2, &[0; 30_000]),
        "everything" => everything(capture, thousands),
        "histories" => histories(capture, thousands, 1),
        "histories-again" => histories(capture, thousands, 2),
        "heads" => heads(capture, megabytes, &[&b"X-More: "[..], &[b'a'; 1400], b"\r\n"].concat()),
        "lines" => heads(capture, megabytes, &b"X: y\r\n".repeat(200)),
        "fragments" => until(capture, 50, megabytes, |capture, connection, begun| {
            let wire = frame(if begun { 0x00 } else { 0x02 }, &[0x61; 1000]);
            connection.send(capture, From::Client, &wire)
        }),
        "empty-fragments" => each(capture, 50, thousands, |capture, connection, begun| {
            let wire = frame(if begun { 0x00 } else { 0x02 }, &[]);
            connection.send(capture, From::Client, &wire.repeat(100))
        }),
        "datagrams" => among(capture, |capture, n| datagram(capture, n < thousands)),
        "datagrams-6" => among(capture, |capture, n| datagram_6(capture, n < thousands)),
        "unfinished" => until(capture, 1000, megabytes, |capture, connection, begun| {
            if !begun {
                let header = [0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4];
                connection.send(capture, From::Client, &header)?;
            }
            connection.send(capture, From::Client, &[0x61; MSS])
        }),
        // A message of which every second byte is acknowledged and not seen.
        "torn" => each(capture, 4, thousands, |capture, connection, begun| {
            if !begun {
                let header = [0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4];
                connection.send(capture, From::Client, &header)?;
            }
            connection.client_seq = connection.client_seq.wrapping_add(1);
            connection.send(capture, From::Client, b"a")?;
            connection.server_ack(capture)
        }),
        // Two bytes that break five rules.
        "violations" => each(capture, 20, thousands, |capture, connection, _| {
            connection.send(capture, From::Client, &[0xf5, 0].repeat(700))
        }),
        "pings" => each(capture, 100, thousands, |capture, connection, _| {
            let wire = frame(0x89, &capture.random.next().to_le_bytes());
            connection.send(capture, From::Client, &wire)
        }),
        "logins" => each(capture, 100, thousands, |capture, connection, _| {
            let uid = capture.random.next() >> 16;
            let login = format!(r#"{{"type":"login","uid":{uid},"name":"somebody {uid}","time":"now"}}"#);
            let mut wire = vec![0x81, login.len() as u8];
            wire.extend_from_slice(login.as_bytes());
            connection.send(capture, From::Server, &wire)?;
            connection.client_ack(capture)
        }),
        // Each login is into another room, and gets its answer.
        "rooms" => each(capture, 100, thousands, |capture, connection, _| {
            let room = capture.random.next() >> 16;
            let login = format!(r#"{{"type":"login","client_name":"u{room}","room_id":"{room}"}}"#);
            connection.client_message(capture, login.as_bytes(), 0x1)?;
            let answer = format!(
                r#"{{"type":"login","client_id":"{room}","client_name":"u{room}","time":"now","client_list":{{"{room}":"u{room}"}}}}"#
            );
            connection.server_message(capture, answer.as_bytes(), 0x1)?;
            capture.messages -= 2;
            connection.client_ack(capture)
        }),
        // TLS whose keys may come, and never do.
        "records" => strangers(capture, 50, megabytes, |capture, connection, begun| {
            if !begun {
                connection.send(capture, From::Client, &client_hello(0))?;
                connection.send(capture, From::Server, &server_hello())?;
            }
            connection.send(capture, From::Client, &record(23, &[0x61; 1400]))
        }),
        // Of each record the first bytes, one a segment.
        "cut-records" => strangers(capture, 500, megabytes, |capture, connection, begun| {
            if !begun {
                connection.send(capture, From::Client, &client_hello(0))?;
                connection.send(capture, From::Client, &[23, 3, 3, 0x40, 0])?;
            }
            connection.send(capture, From::Client, b"a")
        }),
        // As large as they may be, and nothing behind them.
        "hellos" => strangers(capture, 5000, megabytes, |capture, connection, begun| {
            let hello = client_hello(if begun { 0 } else { 16_000 });
            hello
                .chunks(MSS)
                .try_for_each(|part| connection.send(capture, From::Client, part))
        }),
        // HTTP/2: requests for WebSockets that nobody answers.
        "requests" => http2(capture, megabytes, |stream, _| {
            let request = request_block();
            (http2_frame(1, 4, stream, &request), Vec::new())
        }),
        // Such that are refused, with bodies that do not end.
        "refusals" => http2(capture, megabytes, |stream, _| {
            let request = request_block();
            let refusal = [
                http2_frame(1, 4, stream, &[0x8d]),
                http2_frame(0, 0, stream, &[0x61; 900]),
            ]
            .concat();
            (http2_frame(1, 4, stream, &request), refusal)
        }),
        // A field block that does not end, of fields that are kept, and stay in the table.
        "field-blocks" => http2(capture, megabytes, |stream, turn| {
            let mut fields = Vec::new();
            for n in 0..10 {
                literal(&mut fields, &format!("x-{turn}-{n}"), &"a".repeat(100));
            }
            let kind = if turn == 0 { 1 } else { 9 };
            (
                http2_frame(kind, 0, if turn == 0 { stream } else { 1 }, &fields),
                Vec::new(),
            )
        }),
        // Data for a WebSocket that the server has not agreed to.
        "early-data" => http2(capture, megabytes, |stream, _| {
            let mut wire = http2_frame(1, 4, stream, &request_block());
            wire.extend(http2_frame(0, 0, stream, &[0x61; 1000]));
            (wire, Vec::new())
        }),
        "crowd" => crowd(capture, thousands as usize),
        _ => {
            if let Some(pattern) = pattern("lost-") {
                lost(capture, megabytes, pattern)
            } else {
                unknown(capture, megabytes, pattern("unknown-")?)
            }
        }
    })
}

/// A short masked frame; the key is zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut wire = match payload.len() {
        n @ 0..126 => vec![first, 0x80 | n as u8],
        n => vec![first, 0xfe, (n >> 8) as u8, n as u8],
    };
    wire.extend_from_slice(&[0; 4]);
    wire.extend_from_slice(payload);
    wire
}

/// Does `step` again and again until it says that this was all; now and then a witness speaks and is answered.
fn among<W: Write>(
    capture: &mut Capture<W>,
    mut step: impl FnMut(&mut Capture<W>, u64) -> io::Result<bool>,
) -> io::Result<()> {
    // Out of the way of the addresses of the others.
    let mut witnesses: Vec<_> = (0..WITNESSES)
        .map(|n| Connection::open(capture, 40_000_000 + n, n % 2 == 1))
        .collect::<io::Result<_>>()?;
    let mut n = 0;
    while step(capture, n)? {
        if n % 500 == 0 {
            let speaker = (n / 500) as usize % WITNESSES;
            let text = say(&mut capture.random, speaker, 100, true);
            witnesses[speaker].client_message(capture, &text, 0x1)?;
            witnesses[speaker].server_message(capture, &text, 0x1)?;
            witnesses[speaker].client_ack(capture)?;
        }
        n += 1;
    }
    // They have the last word as well.
    for (speaker, witness) in witnesses.iter_mut().enumerate() {
        let text = say(&mut capture.random, speaker, 5000, true);
        witness.client_message(capture, &text, 0x1)?;
        witness.server_message(capture, &text, 0x1)?;
        witness.client_ack(capture)?;
    }
    Ok(())
}

/// Takes turns over `connections` until the capture has so many bytes; `step` is told whether that one had its turn before.
fn until<W: Write>(
    capture: &mut Capture<W>,
    connections: usize,
    bytes: u64,
    step: impl FnMut(&mut Capture<W>, &mut Connection, bool) -> io::Result<()>,
) -> io::Result<()> {
    turns(capture, connections, |capture, _| capture.bytes < bytes, step)
}

/// The same, so many times.
fn each<W: Write>(
    capture: &mut Capture<W>,
    connections: usize,
    times: u64,
    step: impl FnMut(&mut Capture<W>, &mut Connection, bool) -> io::Result<()>,
) -> io::Result<()> {
    turns(capture, connections, |_, n| n < times, step)
}

fn turns<W: Write>(
    capture: &mut Capture<W>,
    connections: usize,
    more: impl Fn(&Capture<W>, u64) -> bool,
    step: impl FnMut(&mut Capture<W>, &mut Connection, bool) -> io::Result<()>,
) -> io::Result<()> {
    let open = open(capture, connections, false)?;
    turns_of(capture, open, more, step)
}

fn turns_of<W: Write>(
    capture: &mut Capture<W>,
    mut open: Vec<Connection>,
    more: impl Fn(&Capture<W>, u64) -> bool,
    mut step: impl FnMut(&mut Capture<W>, &mut Connection, bool) -> io::Result<()>,
) -> io::Result<()> {
    let connections = open.len();
    among(capture, |capture, n| {
        let connection = &mut open[n as usize % connections];
        step(capture, connection, n >= connections as u64)?;
        Ok(more(capture, n))
    })
}

/// The same until the capture has so many bytes, on connections that have no handshake of WebSocket.
fn strangers<W: Write>(
    capture: &mut Capture<W>,
    connections: usize,
    bytes: u64,
    step: impl FnMut(&mut Capture<W>, &mut Connection, bool) -> io::Result<()>,
) -> io::Result<()> {
    let open: Vec<_> = (0..connections)
        .map(|n| Connection::begin(capture, n))
        .collect::<io::Result<_>>()?;
    turns_of(capture, open, |capture, _| capture.bytes < bytes, step)
}

/// HTTP/2 without TLS, with servers that allow WebSocket: `step` is given a stream of its own and the number of the turn, and gives what
/// the client sends and then the server.
fn http2<W: Write>(
    capture: &mut Capture<W>,
    bytes: u64,
    mut step: impl FnMut(u32, u32) -> (Vec<u8>, Vec<u8>),
) -> io::Result<()> {
    const CONNECTIONS: u32 = 50;
    let mut turn = 0;
    strangers(capture, CONNECTIONS as usize, bytes, |capture, connection, begun| {
        if !begun {
            connection.send(capture, From::Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
            connection.send(capture, From::Client, &http2_frame(4, 0, 0, &[]))?;
            connection.send(capture, From::Server, &http2_frame(4, 0, 0, &[0, 8, 0, 0, 0, 1]))?;
        }
        let (client, server) = step(turn / CONNECTIONS * 2 + 1, turn / CONNECTIONS);
        turn += 1;
        for part in client.chunks(MSS) {
            connection.send(capture, From::Client, part)?;
        }
        if !server.is_empty() {
            connection.send(capture, From::Server, &server)?;
        }
        Ok(())
    })
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn http2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field that is added to the table (RFC 7541 §6.2.1).
fn literal(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0x40);
    for text in [name, value] {
        block.push(text.len() as u8);
        block.extend(text.as_bytes());
    }
}

/// The field block of an extended CONNECT (RFC 8441 §5.1).
fn request_block() -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "example.com"),
        ("sec-websocket-version", "13"),
    ] {
        literal(&mut block, name, value);
    }
    for n in 0..5 {
        literal(&mut block, &format!("x-{n}"), &"a".repeat(120));
    }
    block
}

/// A record of TLS (RFC 8446 §5.1).
fn record(content: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    [&[content, 3, 3][..], &length, body].concat()
}

/// A ClientHello with a ticket of that length (RFC 8446 §4.1.2, RFC 5077 §3.2).
fn client_hello(ticket: usize) -> Vec<u8> {
    let length = |bytes: usize| (bytes as u16).to_be_bytes();
    let mut body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 0x01, 1, 0]].concat();
    body.extend(length(ticket + 4));
    body.extend([0, 35]);
    body.extend(length(ticket));
    body.resize(body.len() + ticket, 0x55);
    handshake(1, &body)
}

/// A ServerHello of TLS 1.3 (RFC 8446 §4.1.3).
fn server_hello() -> Vec<u8> {
    let body = [&[3, 3][..], &[9; 32], &[0, 0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat();
    handshake(2, &body)
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    record(22, &[&[kind], &length[1..], body].concat())
}

/// A SYN from anywhere.
fn flood(capture: &mut Capture<impl Write>, more: bool) -> io::Result<bool> {
    let dice = capture.random.next();
    // 64.0.0.0/2, where nobody else is.
    let source = [
        0x40 | (dice as u8 & 0x3f),
        (dice >> 8) as u8,
        (dice >> 16) as u8,
        (dice >> 24) as u8,
    ];
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(source, SERVER.octets(), 64)
        .tcp((dice >> 32) as u16, PORT, (dice >> 16) as u32, 512)
        .syn();
    capture.frame(|bytes| builder.write(bytes, &[]).map_err(io::Error::other))?;
    Ok(more)
}

/// A first fragment of a datagram that never becomes whole.
fn datagram(capture: &mut Capture<impl Write>, more: bool) -> io::Result<bool> {
    let dice = capture.random.next();
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(
            [0x40, (dice >> 8) as u8, (dice >> 16) as u8, (dice >> 24) as u8],
            SERVER.octets(),
            64,
        )
        .tcp((dice >> 32) as u16, PORT, (dice >> 16) as u32, 512)
        .psh();
    capture.frame(|bytes| {
        builder.write(bytes, &[0x61; 1000]).map_err(io::Error::other)?;
        // The identification, and "more fragments"; the header's checksum is nobody's business here.
        bytes[18..20].copy_from_slice(&(dice as u16).to_be_bytes());
        bytes[20] = 0x20;
        Ok(())
    })?;
    Ok(more)
}

/// Each connection, of as many as there may be, sends every second byte, and nobody has seen the others.
fn crumbs(capture: &mut Capture<impl Write>, times: u64) -> io::Result<()> {
    let mut open: Vec<_> = (0..100_000)
        .map(|n| Connection::begin(capture, n))
        .collect::<io::Result<_>>()?;
    among(capture, |capture, n| {
        let connection = &mut open[n as usize % 100_000];
        connection.client_seq = connection.client_seq.wrapping_add(1);
        connection.send(capture, From::Client, b"a")?;
        Ok(n < times)
    })
}

/// A first fragment over IPv6 (RFC 8200 §4.5).
fn datagram_6(capture: &mut Capture<impl Write>, more: bool) -> io::Result<bool> {
    let dice = capture.random.next();
    let mut source = [0; 16];
    source[0] = 0x20;
    source[8..].copy_from_slice(&dice.to_be_bytes());
    let mut fragment = vec![6, 0, 0, 1];
    fragment.extend_from_slice(&(dice as u32).to_be_bytes());
    fragment.extend_from_slice(&[0x61; 1000]);
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]).ipv6(
        source,
        SERVER.to_ipv6_mapped().octets(),
        64,
    );
    capture.frame(|bytes| {
        builder
            .write(bytes, etherparse::IpNumber::IPV6_FRAGMENTATION_HEADER, &fragment)
            .map_err(io::Error::other)
    })?;
    Ok(more)
}

/// So many zeros in a thousandth of that, so many times, taking turns over `connections`, in frames of `size` bytes.
pub(crate) fn bomb(
    capture: &mut Capture<impl Write>,
    times: u64,
    connections: usize,
    zeros: usize,
    size: usize,
) -> io::Result<()> {
    let mut deflate = Compress::new(Compression::best(), false);
    let small = deflated(&mut deflate, &vec![0; zeros])?;
    let mut bombers = open_compressed(capture, connections)?;
    let mut wire = Vec::new();
    let last = small.len().div_ceil(size) - 1;
    for (n, part) in small.chunks(size).enumerate() {
        let first = if n == 0 { 0x42 } else { 0 } | if n == last { 0x80 } else { 0 };
        wire.extend_from_slice(&frame(first, part));
    }
    among(capture, |capture, n| {
        let bomber = &mut bombers[n as usize % connections];
        bomber.send(capture, From::Client, &wire)?;
        bomber.server_ack(capture)?;
        Ok(n + 1 < times)
    })
}

/// A bomb on each connection, of which the last frame never comes.
fn endless_bombs(capture: &mut Capture<impl Write>, connections: usize) -> io::Result<()> {
    let small = deflated(&mut Compress::new(Compression::best(), false), &vec![0; 100 << 20])?;
    let mut open = open_compressed(capture, connections)?;
    let parts: Vec<_> = small.chunks(1400).collect();
    among(capture, |capture, n| {
        let (turn, n) = (n as usize / connections, n as usize % connections);
        let wire = frame(if turn == 0 { 0x42 } else { 0 }, parts[turn]);
        open[n].send(capture, From::Client, &wire)?;
        open[n].server_ack(capture)?;
        Ok(turn + 1 < parts.len() || n + 1 < connections)
    })
}

/// Bombs of which three of four bytes come from a message that nobody saw: `lost`, or from before the capture began.
fn riddled_bombs(capture: &mut Capture<impl Write>, times: u64, lost: bool) -> io::Result<()> {
    among(capture, |capture, n| {
        let mut deflate = Compress::new(Compression::best(), false);
        let mut bomber = if lost {
            Connection::open(capture, n as usize, true)?
        } else {
            Connection::unseen(capture, n as usize)
        };
        for _ in 0..4 {
            let text = say(&mut capture.random, 0, 200, false);
            let wire = frame(0xc1, &deflated(&mut deflate, &text)?);
            bomber.send(capture, From::Client, &wire)?;
            bomber.server_ack(capture)?;
        }
        let unseen = deflated(&mut deflate, b"0123456789")?;
        if lost {
            bomber.client_seq = bomber.client_seq.wrapping_add(6 + unseen.len() as u32);
        }
        let bomb: Vec<u8> = b"345X".iter().copied().cycle().take(20 << 20).collect();
        let wire = frame(0xc1, &deflated(&mut deflate, &bomb)?);
        bomber.send(capture, From::Client, &wire)?;
        bomber.server_ack(capture)?;
        // Enough for the gap to be given up.
        for _ in 0..60 {
            let text = say(&mut capture.random, 0, 200, false);
            let wire = frame(0xc1, &deflated(&mut deflate, &text)?);
            bomber.send(capture, From::Client, &wire)?;
            bomber.server_ack(capture)?;
        }
        Ok(n + 1 < times)
    })
}

/// SYNs, gaps, bombs, endless messages, endless heads, and datagrams that never come whole, all at once.
fn everything(capture: &mut Capture<impl Write>, times: u64) -> io::Result<()> {
    const EACH: usize = 500;
    let small = deflated(&mut Compress::new(Compression::best(), false), &vec![0; 100 << 20])?;
    let bomb: Vec<u8> = small
        .chunks(60_000)
        .enumerate()
        .fold(Vec::new(), |mut wire, (n, part)| {
            let last = (n + 1) * 60_000 >= small.len();
            wire.extend_from_slice(&frame(
                if n == 0 { 0x42 } else { 0 } | if last { 0x80 } else { 0 },
                part,
            ));
            wire
        });
    let mut bombers = open_compressed(capture, EACH)?;
    let mut others = (EACH..3 * EACH)
        .map(|n| Connection::open(capture, n, false))
        .collect::<io::Result<Vec<_>>>()?;
    let (leaky, endless) = others.split_at_mut(EACH);
    let mut heads: Vec<_> = (0..EACH)
        .map(|n| Connection::begin(capture, 100_000 + n))
        .collect::<io::Result<_>>()?;
    for connection in &mut heads {
        connection.send(
            capture,
            From::Client,
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        )?;
    }
    among(capture, |capture, n| {
        let who = (n / 8) as usize % EACH;
        match n % 8 {
            0 | 4 => flood(capture, true)?,
            1 => datagram(capture, true)?,
            2 => datagram_6(capture, true)?,
            3 => {
                leaky[who].send(capture, From::Client, &[0x55; MSS])?;
                leaky[who].client_seq = leaky[who].client_seq.wrapping_add(MSS as u32);
                true
            }
            5 => {
                let wire = frame(if n / 8 < EACH as u64 { 0x02 } else { 0 }, &[0x61; 1000]);
                endless[who].send(capture, From::Client, &wire)?;
                true
            }
            6 => {
                heads[who].send(capture, From::Client, &b"X: y\r\n".repeat(200))?;
                true
            }
            _ if n % 4000 == 7 => {
                bombers[who].send(capture, From::Client, &bomb)?;
                true
            }
            _ => flood(capture, true)?,
        };
        Ok(n < times)
    })
}

/// `plain` as the payload of a compressed message (RFC 7692 §7.2.1).
fn deflated(deflate: &mut Compress, plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut small = Vec::with_capacity(plain.len() / 4 + 1000);
    deflate
        .compress_vec(plain, &mut small, FlushCompress::Sync)
        .map_err(io::Error::other)?;
    small.truncate(small.len() - 4);
    Ok(small)
}

/// The same message again and again, of which only the first takes more than a few bytes.
fn repeated(capture: &mut Capture<impl Write>, times: u64, opcode: u8, message: &[u8]) -> io::Result<()> {
    let mut deflate = Compress::new(Compression::best(), false);
    let first = frame(opcode, &deflated(&mut deflate, message)?);
    let again = frame(opcode, &deflated(&mut deflate, message)?);
    let mut open = open_compressed(capture, 20)?;
    among(capture, |capture, n| {
        let connection = &mut open[n as usize % 20];
        connection.send(capture, From::Client, if n < 20 { &first } else { &again })?;
        connection.server_ack(capture)?;
        Ok(n + 1 < times)
    })
}

/// Connections that have agreed on compression, and send what they like.
fn open_compressed(capture: &mut Capture<impl Write>, connections: usize) -> io::Result<Vec<Connection>> {
    let mut open = open(capture, connections, true)?;
    for connection in &mut open {
        (connection.client_deflate, connection.server_deflate) = (None, None);
    }
    Ok(open)
}

/// So many connections, each with a few bytes that inflate to a whole window (RFC 1951 §2), and the same again to refer back to that.
fn histories(capture: &mut Capture<impl Write>, connections: u64, times: u64) -> io::Result<()> {
    let mut deflate = Compress::new(Compression::best(), false);
    let (mut window, mut wires) = (vec![b' '; 32 << 10], Vec::new());
    window.extend_from_slice(b"the end");
    for _ in 0..times {
        wires.push(frame(0xc1, &deflated(&mut deflate, &window)?));
    }
    let mut open = open_compressed(capture, connections as usize)?;
    among(capture, |capture, n| {
        let connection = &mut open[(n % connections) as usize];
        connection.send(capture, From::Client, &wires[(n / connections) as usize])?;
        connection.server_ack(capture)?;
        Ok(n + 1 < connections * times)
    })
}

/// Many users in one room, of whom each says something that nobody gets; then all leave.
fn crowd(capture: &mut Capture<impl Write>, users: usize) -> io::Result<()> {
    let mut room = open(capture, users, false)?;
    for (uid, user) in room.iter_mut().enumerate() {
        let login = format!(r#"{{"type":"login","name":"user {uid}"}}"#);
        user.client_message(capture, login.as_bytes(), 0x1)?;
        let answer = format!(r#"{{"type":"login","uid":{uid},"name":"user {uid}","time":"now"}}"#);
        user.server_message(capture, answer.as_bytes(), 0x1)?;
        user.client_ack(capture)?;
        capture.messages -= 2;
    }
    among(capture, |capture, n| {
        let user = &mut room[n as usize % users];
        if n < users as u64 {
            user.client_message(capture, br#"{"type":"say","to_uid":"all","content":"?"}"#, 0x1)?;
            capture.messages -= 1;
        } else {
            user.segment(capture, From::Client, Flags::FinAck, &[])?;
        }
        Ok(n + 1 < 2 * users as u64)
    })
}

/// Connections with such a request.
const HEADS: usize = 5_000;

/// Requests of which the head never ends.
fn heads(capture: &mut Capture<impl Write>, bytes: u64, more: &[u8]) -> io::Result<()> {
    let mut open: Vec<_> = (0..HEADS)
        .map(|n| Connection::begin(capture, n))
        .collect::<io::Result<_>>()?;
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    for connection in &mut open {
        connection.send(capture, From::Client, request)?;
    }
    among(capture, |capture, n| {
        let connection = &mut open[n as usize % HEADS];
        connection.send(capture, From::Client, more)?;
        Ok(capture.bytes < bytes)
    })
}

/// Sessions that lose their place, and then send what looks like frames everywhere.
fn lost(capture: &mut Capture<impl Write>, bytes: u64, pattern: &[u8]) -> io::Result<()> {
    let segment: Vec<u8> = pattern.iter().copied().cycle().take(MSS / 8 * 8).collect();
    until(capture, 50, bytes, |capture, connection, begun| {
        if !begun {
            connection.server_seq = connection.server_seq.wrapping_add(100);
            connection.client_ack(capture)?;
        }
        connection.send(capture, From::Server, &segment)?;
        connection.client_ack(capture)
    })
}

/// The same in connections of which nobody saw the beginning, a megabyte each.
fn unknown(capture: &mut Capture<impl Write>, bytes: u64, pattern: &[u8]) -> io::Result<()> {
    let segment: Vec<u8> = pattern.iter().copied().cycle().take(MSS / 8 * 8).collect();
    let mut connection = Connection::unseen(capture, 0);
    among(capture, |capture, n| {
        if n % 700 == 699 {
            connection = Connection::unseen(capture, n as usize);
        }
        connection.send(capture, From::Server, &segment)?;
        connection.client_ack(capture)?;
        Ok(capture.bytes < bytes)
    })
}
