//! Traffic made up for measuring: the same calls give the same bytes.

pub(crate) mod hostile;
pub(crate) mod tls;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::Ipv4Addr;

use base64::Engine as _;
use etherparse::{PacketBuilder, TcpOptionElement};
use flate2::{Compress, Compression, FlushCompress};
use sha1::{Digest, Sha1};

use tls::{Settings, Tls};

const PORT: u16 = 7272;
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const MSS: usize = 1448;

/// Rooms of ten in which one speaks and ten hear it.
pub(crate) fn chat(capture: &mut Capture<impl Write>, bytes: u64, deflate: bool) -> io::Result<()> {
    let mut connections = open(capture, 1000, deflate)?;
    let mut out = Vec::new();
    while capture.bytes < bytes {
        let speaker = capture.random.below(1000) as usize;
        let length = 60 + capture.random.below(191) as usize;
        let say = say(&mut capture.random, speaker, length, false);
        connections[speaker].client_message(capture, &say, 0x1)?;
        let room = speaker / 10 * 10;
        out.clear();
        out.extend_from_slice(&self::say(&mut capture.random, speaker, length, true));
        for listener in &mut connections[room..room + 10] {
            listener.server_message(capture, &out, 0x1)?;
            listener.client_ack(capture)?;
        }
    }
    Ok(())
}

/// Large binary messages, both ways.
pub(crate) fn bulk(capture: &mut Capture<impl Write>, bytes: u64) -> io::Result<()> {
    let mut connections = open(capture, 50, false)?;
    let mut payload = vec![0; 1 << 20];
    while capture.bytes < bytes {
        let length = 30_000 + capture.random.below((1 << 20) - 30_000) as usize;
        for chunk in payload[..length].chunks_mut(8) {
            let word = capture.random.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        let connection = &mut connections[capture.random.below(50) as usize];
        if capture.random.below(2) == 0 {
            connection.client_message(capture, &payload[..length], 0x2)?;
            connection.server_ack(capture)?;
        } else {
            connection.server_message(capture, &payload[..length], 0x2)?;
            connection.client_ack(capture)?;
        }
    }
    Ok(())
}

/// What connections do before they are silent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    /// TCP's handshake.
    Tcp,
    /// And the upgrade.
    Upgraded,
    /// And a login with its answer.
    LoggedIn,
}

/// Connections that are silent after that.
pub(crate) fn idle(capture: &mut Capture<impl Write>, connections: u64, after: Idle) -> io::Result<()> {
    for n in 0..connections as usize {
        if after == Idle::Tcp {
            Connection::begin(capture, n)?;
            continue;
        }
        let mut connection = Connection::open(capture, n, false)?;
        if after == Idle::LoggedIn {
            let login = format!(r#"{{"type":"login","name":"somebody {n}"}}"#);
            connection.client_message(capture, login.as_bytes(), 0x1)?;
            connection.server_ack(capture)?;
            let answer = format!(r#"{{"type":"login","uid":{n},"name":"somebody {n}","time":"2014-08-12 17:51:02"}}"#);
            connection.server_message(capture, answer.as_bytes(), 0x1)?;
            connection.client_ack(capture)?;
        }
    }
    Ok(())
}

fn open(capture: &mut Capture<impl Write>, count: usize, deflate: bool) -> io::Result<Vec<Connection>> {
    (0..count).map(|n| Connection::open(capture, n, deflate)).collect()
}

/// A say in the documents' dialect, of about `length` bytes.
fn say(random: &mut Random, speaker: usize, length: usize, from_server: bool) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "hello", "all", "the", "server", "is", "slow", "today", "hi", "who", "has", "seen", "lunch", "猪猪", "soon",
        "meeting", "ok",
    ];
    let mut text = if from_server {
        format!(
            "{{\"type\":\"say\",\"from_uid\":{},\"to_uid\":\"all\",\"content\":\"",
            783_700_000 + speaker
        )
    } else {
        String::from("{\"type\":\"say\",\"to_uid\":\"all\",\"content\":\"")
    };
    while text.len() + 3 < length {
        text.push_str(WORDS[random.below(16) as usize]);
        text.push(' ');
    }
    text.push_str(if from_server {
        "\",\"time\":\"2014-08-12 17:51:02\"}"
    } else {
        "\"}"
    });
    text.into_bytes()
}

/// Both ends of one connection.
struct Connection {
    address: Ipv4Addr,
    port: u16,
    client_seq: u32,
    server_seq: u32,
    client_deflate: Option<Compress>,
    server_deflate: Option<Compress>,
    tls: Option<Tls>,
    wire: Vec<u8>,
    deflated: Vec<u8>,
}

#[derive(Clone, Copy)]
enum From {
    Client,
    Server,
}

impl Connection {
    /// A connection of which nothing has been sent.
    fn unseen(capture: &mut Capture<impl Write>, n: usize) -> Self {
        Self {
            address: Ipv4Addr::from(0x0a00_0001 + (n / 50_000) as u32),
            port: 10_000 + (n % 50_000) as u16,
            client_seq: capture.random.next() as u32,
            server_seq: capture.random.next() as u32,
            client_deflate: None,
            server_deflate: None,
            tls: None,
            wire: Vec::new(),
            deflated: Vec::new(),
        }
    }

    /// TCP's handshake.
    fn begin(capture: &mut Capture<impl Write>, n: usize) -> io::Result<Self> {
        let mut this = Self::unseen(capture, n);
        this.segment(capture, From::Client, Flags::Syn, &[])?;
        this.client_seq = this.client_seq.wrapping_add(1);
        this.segment(capture, From::Server, Flags::SynAck, &[])?;
        this.server_seq = this.server_seq.wrapping_add(1);
        this.client_ack(capture)?;
        Ok(this)
    }

    fn open(capture: &mut Capture<impl Write>, n: usize, deflate: bool) -> io::Result<Self> {
        let compress = || deflate.then(|| Compress::new(Compression::fast(), false));
        let mut this = Self::begin(capture, n)?;
        if let Some(settings) = &capture.tls {
            let mut tls = Tls::new(settings)?;
            loop {
                let [client, server] = tls.handshake()?;
                if client.is_empty() && server.is_empty() {
                    break;
                }
                this.send_as_it_is(capture, From::Client, &client)?;
                this.send_as_it_is(capture, From::Server, &server)?;
            }
            this.tls = Some(tls);
        }
        this.client_deflate = compress();
        this.server_deflate = compress();
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&capture.random.next().to_le_bytes());
        let base64 = base64::engine::general_purpose::STANDARD;
        let key = base64.encode(nonce);
        let accept = base64.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
        let extension = if deflate {
            "Sec-WebSocket-Extensions: permessage-deflate\r\n"
        } else {
            ""
        };
        let request = format!(
            "GET / HTTP/1.1\r\nHost: 192.0.2.1:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{extension}\r\n"
        );
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{extension}\r\n"
        );
        this.send(capture, From::Client, request.as_bytes())?;
        this.send(capture, From::Server, response.as_bytes())?;
        this.client_ack(capture)?;
        Ok(this)
    }

    fn client_message(&mut self, capture: &mut Capture<impl Write>, message: &[u8], opcode: u8) -> io::Result<()> {
        let key = (capture.random.next() as u32).to_le_bytes();
        self.message(capture, From::Client, message, opcode, Some(key))
    }

    fn server_message(&mut self, capture: &mut Capture<impl Write>, message: &[u8], opcode: u8) -> io::Result<()> {
        self.message(capture, From::Server, message, opcode, None)
    }

    fn message(
        &mut self,
        capture: &mut Capture<impl Write>,
        from: From,
        message: &[u8],
        opcode: u8,
        key: Option<[u8; 4]>,
    ) -> io::Result<()> {
        let deflate = match from {
            From::Client => &mut self.client_deflate,
            From::Server => &mut self.server_deflate,
        };
        let mut first = 0x80 | opcode;
        let payload = match deflate {
            Some(deflate) => {
                first |= 0x40;
                self.deflated.clear();
                self.deflated.reserve(message.len() + 64);
                deflate
                    .compress_vec(message, &mut self.deflated, FlushCompress::Sync)
                    .map_err(io::Error::other)?;
                self.deflated.truncate(self.deflated.len() - 4);
                &self.deflated[..]
            }
            None => message,
        };
        let mut wire = std::mem::take(&mut self.wire);
        wire.clear();
        wire.push(first);
        let mask = if key.is_some() { 0x80 } else { 0 };
        match payload.len() {
            n @ 0..126 => wire.push(mask | n as u8),
            n @ 126..65_536 => {
                wire.push(mask | 126);
                wire.extend_from_slice(&(n as u16).to_be_bytes());
            }
            n => {
                wire.push(mask | 127);
                wire.extend_from_slice(&(n as u64).to_be_bytes());
            }
        }
        let start = wire.len() + if key.is_some() { 4 } else { 0 };
        wire.extend_from_slice(key.as_ref().map_or(&[][..], |k| &k[..]));
        wire.extend_from_slice(payload);
        if let Some(key) = key {
            for (i, byte) in wire[start..].iter_mut().enumerate() {
                *byte ^= key[i & 3];
            }
        }
        self.send(capture, from, &wire)?;
        self.wire = wire;
        capture.messages += 1;
        Ok(())
    }

    fn send(&mut self, capture: &mut Capture<impl Write>, from: From, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => {
                let records = tls.seal(matches!(from, From::Client), bytes)?;
                self.send_as_it_is(capture, from, &records)
            }
            None => self.send_as_it_is(capture, from, bytes),
        }
    }

    fn send_as_it_is(&mut self, capture: &mut Capture<impl Write>, from: From, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.chunks(MSS) {
            self.segment(capture, from, Flags::Push, part)?;
            let seq = match from {
                From::Client => &mut self.client_seq,
                From::Server => &mut self.server_seq,
            };
            *seq = seq.wrapping_add(part.len() as u32);
        }
        Ok(())
    }

    fn client_ack(&mut self, capture: &mut Capture<impl Write>) -> io::Result<()> {
        self.segment(capture, From::Client, Flags::Ack, &[])
    }

    fn server_ack(&mut self, capture: &mut Capture<impl Write>) -> io::Result<()> {
        self.segment(capture, From::Server, Flags::Ack, &[])
    }

    fn segment(&self, capture: &mut Capture<impl Write>, from: From, flags: Flags, payload: &[u8]) -> io::Result<()> {
        let (source, destination, source_port, destination_port, seq, ack) = match from {
            From::Client => (self.address, SERVER, self.port, PORT, self.client_seq, self.server_seq),
            From::Server => (SERVER, self.address, PORT, self.port, self.server_seq, self.client_seq),
        };
        // That of a SYN is never scaled (RFC 7323 §2.2).
        let window = match flags {
            Flags::Syn | Flags::SynAck => 65_535,
            Flags::Ack | Flags::Push | Flags::FinAck => 512,
        };
        let stamp = TcpOptionElement::Timestamp((capture.nanos / 1_000_000) as u32, 1);
        let plain = [TcpOptionElement::Noop, TcpOptionElement::Noop, stamp.clone()];
        let opening = [
            TcpOptionElement::MaximumSegmentSize(1460),
            TcpOptionElement::SelectiveAcknowledgementPermitted,
            stamp,
            TcpOptionElement::Noop,
            TcpOptionElement::WindowScale(7),
        ];
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4(source.octets(), destination.octets(), 64)
            .tcp(source_port, destination_port, seq, window);
        let builder = match flags {
            Flags::Syn => builder.syn(),
            Flags::SynAck => builder.syn().ack(ack),
            Flags::Ack => builder.ack(ack),
            Flags::Push => builder.psh().ack(ack),
            Flags::FinAck => builder.fin().ack(ack),
        };
        let builder = match flags {
            Flags::Syn | Flags::SynAck => builder.options(&opening),
            Flags::Ack | Flags::Push | Flags::FinAck => builder.options(&plain),
        }
        .map_err(io::Error::other)?;
        capture.frame(|bytes| builder.write(bytes, payload).map_err(io::Error::other))
    }
}

#[derive(Clone, Copy)]
enum Flags {
    Syn,
    SynAck,
    Ack,
    Push,
    FinAck,
}

/// A classic pcap file being written, and the dice.
pub(crate) struct Capture<W> {
    file: W,
    random: Random,
    nanos: u64,
    /// How many packets were written.
    pub(crate) packets: u64,
    /// How many messages were sent.
    pub(crate) messages: u64,
    /// How long the file is.
    pub(crate) bytes: u64,
    /// Whether packets are lost and reordered.
    pub(crate) loss: bool,
    /// What connections are encrypted with.
    pub(crate) tls: Option<Settings>,
    held: VecDeque<(u64, Vec<u8>)>,
    spare: Vec<u8>,
}

impl<W: Write> Capture<W> {
    /// A capture of Ethernet packets, written to `file`.
    pub(crate) fn new(mut file: W) -> io::Result<Self> {
        file.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
        file.write_all(&[2, 0, 4, 0])?;
        for word in [0_u32, 0, 262_144, 1] {
            file.write_all(&word.to_le_bytes())?;
        }
        Ok(Self {
            file,
            random: Random(0x7272),
            nanos: 1_407_837_000_000_000_000,
            packets: 0,
            messages: 0,
            bytes: 24,
            loss: false,
            tls: None,
            held: VecDeque::new(),
            spare: Vec::new(),
        })
    }

    fn frame(&mut self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let mut frame = std::mem::take(&mut self.spare);
        frame.clear();
        write(&mut frame)?;
        self.nanos += 1_000 + self.random.below(5_000);
        // The first 10,000 packets (the handshakes) are spared, so that the run measures the loss and not the guessing.
        if self.loss && self.packets > 10_000 {
            match self.random.below(100) {
                0 => {}
                1..=5 => {
                    let after = self.packets + 1 + self.random.below(20);
                    self.held.push_back((after, frame.clone()));
                }
                _ => self.record(&frame)?,
            }
            while self.held.front().is_some_and(|(after, _)| *after <= self.packets) {
                let (_, late) = self.held.pop_front().unwrap_or_default();
                self.record(&late)?;
            }
        } else {
            self.record(&frame)?;
        }
        self.spare = frame;
        Ok(())
    }

    fn record(&mut self, frame: &[u8]) -> io::Result<()> {
        let seconds = (self.nanos / 1_000_000_000) as u32;
        let micros = (self.nanos % 1_000_000_000 / 1000) as u32;
        for word in [seconds, micros, frame.len() as u32, frame.len() as u32] {
            self.file.write_all(&word.to_le_bytes())?;
        }
        self.file.write_all(frame)?;
        self.packets += 1;
        self.bytes += 16 + frame.len() as u64;
        Ok(())
    }

    /// Writes what is held back, and gives the file.
    pub(crate) fn finish(&mut self) -> io::Result<&mut W> {
        while let Some((_, late)) = self.held.pop_front() {
            self.record(&late)?;
        }
        self.file.flush()?;
        Ok(&mut self.file)
    }
}

/// SplitMix64: small, fast, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
