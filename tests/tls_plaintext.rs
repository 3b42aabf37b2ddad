//! Captures of `wss` with key logs, TCP's streams through the TLS layer: the plaintext is whole; and with a packet missing, or begun
//! at any packet, every record is still read whose packets are there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wschat_sniff::base::{Captured, GapCause, Limits, PacketRef, Side, Timestamp};
use wschat_sniff::capture::offline::Offline;
use wschat_sniff::layer::Chunk;
use wschat_sniff::layer::tls::{Agreed, Fact, KeyLogReader, KeySource, Output, PlainGap, Secrets, Shared, Tls, Totals};
use wschat_sniff::tcp::{Connection, SegmentFacts, StreamEvent, StreamHandler, Table, TcpEnd};
use wschat_sniff::wire::{Decoder, LinkType, Packet};

/// A record's plaintext, and the packets that carried it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    packets: (u64, u64),
    offset: u64,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
struct Heard {
    ports: [u16; 2],
    records: [Vec<Record>; 2],
    gaps: [Vec<PlainGap>; 2],
    agreed: String,
    totals: Option<Totals>,
    hellos: Vec<u64>,
    tls13: bool,
    ended: [bool; 2],
}

impl Output for Heard {
    fn data(&mut self, side: Side, chunk: Chunk<'_>) {
        assert!(!self.ended[side.index()] && !self.agreed.is_empty());
        assert!(chunk.span.first.packet > 0 && chunk.span.last.packet <= chunk.at.packet);
        self.records[side.index()].push(Record {
            packets: chunk.span.packets(),
            offset: chunk.offset,
            bytes: chunk.bytes.to_vec(),
        });
    }

    fn gap(&mut self, side: Side, gap: PlainGap, _: PacketRef) {
        assert!(gap.length != Some(0));
        self.gaps[side.index()].push(gap);
    }

    fn end(&mut self, side: Side, _: bool, _: PacketRef) {
        self.ended[side.index()] = true;
    }

    fn fact(&mut self, _: Side, at: PacketRef, fact: Fact<'_>) {
        match fact {
            Fact::ClientHello(_) | Fact::ServerHello(_) => self.hellos.push(at.packet),
            Fact::Agreed(agreed) => {
                assert!(self.agreed.is_empty(), "told once");
                self.agreed = told(agreed);
                self.tls13 = agreed.version == Some(0x0304);
            }
            Fact::End(totals) => self.totals = Some(*totals),
            _ => {}
        }
    }
}

fn told(agreed: &Agreed<'_>) -> String {
    let suite = agreed.suite.and_then(|suite| suite.name()).unwrap_or("?");
    let keys = agreed.keys.map_or("no keys", KeySource::name);
    format!("{:x} {suite} {keys}", agreed.version.unwrap_or(0))
}

#[derive(Default)]
struct State {
    begun: [bool; 2],
    tls: Option<Option<Box<Tls>>>,
    heard: Heard,
}

struct Feed<'s> {
    shared: &'s mut Shared,
    heard: Vec<Heard>,
}

impl StreamHandler for Feed<'_> {
    type State = State;

    fn segment(&mut self, state: &mut State, _: &Connection, facts: &SegmentFacts, _: PacketRef) {
        state.begun[facts.side.index()] |= facts.handshake.is_some();
    }

    fn stream(&mut self, state: &mut State, _: &Connection, side: Side, event: StreamEvent<'_>, at: PacketRef) {
        let begun = state.begun;
        if let StreamEvent::Data { bytes, .. } = event {
            let may_be = Tls::begins(bytes) || !begun[side.index()];
            state
                .tls
                .get_or_insert_with(|| may_be.then(|| Box::new(Tls::new(begun, self.shared))));
        } else if let StreamEvent::Gap(_) = event {
            state
                .tls
                .get_or_insert_with(|| Some(Box::new(Tls::new(begun, self.shared))));
        }
        let Some(Some(tls)) = &mut state.tls else { return };
        match event {
            StreamEvent::Data { offset, bytes, from } => {
                tls.data(side, Chunk::tcp(offset, bytes, from, at), self.shared, &mut state.heard);
            }
            StreamEvent::Gap(gap) => tls.gap(side, gap, self.shared, &mut state.heard),
            StreamEvent::Fin => tls.end(side, false, at, self.shared, &mut state.heard),
            StreamEvent::Reset => tls.end(side, true, at, self.shared, &mut state.heard),
        }
        assert!(tls.cost() < 2 * (300 << 10));
    }

    fn end(&mut self, state: &mut State, connection: &Connection, _: TcpEnd, at: PacketRef) {
        if let Some(Some(tls)) = &mut state.tls {
            tls.finish(at, self.shared, &mut state.heard);
            state.heard.ports = connection.endpoints.map(|endpoint| endpoint.port);
            self.heard.push(std::mem::take(&mut state.heard));
        }
    }
}

struct Capture {
    path: PathBuf,
    packets: Vec<(i64, i32, usize, Vec<u8>)>,
    log: Vec<u8>,
}

impl Capture {
    fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name);
        let file = std::fs::File::open(&path).unwrap();
        let mut offline = Offline::read(&path, Box::new(file), None, true, 1 << 28).unwrap();
        let mut packets = Vec::new();
        while let Some(raw) = offline.next_packet().unwrap() {
            packets.push((raw.time.nanos(), raw.link.0, raw.data.wire_len, raw.data.bytes.to_vec()));
        }
        let log = std::fs::read(path.with_extension("keylog")).unwrap();
        Self { path, packets, log }
    }

    /// What is heard of the packets (by number, from 1) that `is_there` says are there. With `late` the key log comes with that packet.
    fn hear(&self, late: Option<u64>, is_there: impl Fn(u64) -> bool) -> Vec<Heard> {
        let limits = Limits::default();
        let (mut decoder, mut table) = (Decoder::new(&limits), Table::new(&limits));
        let mut shared = Shared::new(Secrets::new(late.is_some()), limits.tls_trials);
        let mut log = KeyLogReader::new(KeySource::KeyLog);
        if late.is_none() {
            log.push(&self.log, &mut shared.secrets);
        }
        let mut feed = Feed {
            shared: &mut shared,
            heard: Vec::new(),
        };
        let mut last = PacketRef {
            packet: 0,
            time: Timestamp::default(),
        };
        for (number, (time, link, wire_len, bytes)) in (1..).zip(&self.packets) {
            if !is_there(number) {
                continue;
            }
            let packet = Packet {
                number,
                time: Timestamp::from_nanos(*time),
                link: LinkType(*link),
                data: Captured {
                    bytes,
                    wire_len: *wire_len,
                },
            };
            if late == Some(number) {
                log.push(&self.log, &mut feed.shared.secrets);
            }
            last = PacketRef {
                packet: number,
                time: packet.time,
            };
            if let Some(segment) = decoder.decode(&packet) {
                table.segment(&segment, last, &mut feed);
            }
        }
        table.finish(last, &mut feed);
        feed.heard
    }

    /// The same with packet `from` before packet `to`, as two taps may deliver them.
    fn earlier(mut self, from: usize, to: usize) -> Self {
        let packet = self.packets.remove(from - 1);
        self.packets.insert(to - 1, packet);
        self
    }

    /// For each client port in the transcript: how many messages and control frames each side has sent.
    fn written(&self) -> BTreeMap<u16, [usize; 2]> {
        let mut written = BTreeMap::<u16, [usize; 2]>::new();
        for line in std::fs::read_to_string(self.path.with_extension("ndjson"))
            .unwrap()
            .lines()
        {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(port) = line["client_port"].as_u64()
                && line["opcode"].is_string()
            {
                let of = written.entry(port as u16).or_default();
                of[usize::from(line["dir"] == "s2c")] += line["frag_lens"].as_array().map_or(1, Vec::len);
            }
        }
        written
    }
}

/// Walks over frames (RFC 6455 §5.2) behind the HTTP head. How many there are, when they end where the bytes do.
fn frames(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let mut rest = bytes.get(head..)?;
    let mut count = 0;
    while let [first, second, behind @ ..] = rest {
        if first & 0x30 != 0 {
            return None;
        }
        let (length, behind) = match second & 0x7f {
            126 => (
                usize::from(u16::from_be_bytes(*behind.first_chunk()?)),
                behind.get(2..)?,
            ),
            127 => (u64::from_be_bytes(*behind.first_chunk()?) as usize, behind.get(8..)?),
            length => (usize::from(length), behind),
        };
        rest = behind.get(length + if second & 0x80 == 0 { 0 } else { 4 }..)?;
        count += 1;
    }
    Some(count)
}

fn all_is_read(name: &str, late: Option<u64>, suites: &[&str]) {
    all_is_read_of(&Capture::open(name), name, late, suites);
}

/// Each connection's plaintext is whole, and so many frames as the ends wrote down at least.
fn all_is_read_of(capture: &Capture, name: &str, late: Option<u64>, suites: &[&str]) {
    let heard = capture.hear(late, |_| true);
    let written = capture.written();
    assert!(!written.is_empty());
    let mut told = Vec::new();
    for (port, counts) in written {
        let heard = heard.iter().find(|heard| heard.ports[0] == port).unwrap();
        for (records, count) in heard.records.iter().zip(counts) {
            let bytes: Vec<_> = records.iter().flat_map(|record| record.bytes.iter().copied()).collect();
            let frames = frames(&bytes).unwrap_or_else(|| panic!("{name} {port} {}", heard.agreed));
            assert!(frames >= count, "{name} {port} {}: {frames} of {count}", heard.agreed);
        }
        assert!(heard.gaps.iter().all(Vec::is_empty));
        assert_eq!(
            (heard.totals.unwrap().undecrypted, heard.totals.unwrap().unread),
            ([0, 0], None)
        );
        told.push(heard.agreed.clone());
    }
    for suite in suites {
        assert!(told.iter().any(|told| told == suite), "{suite}: {told:?}");
    }
}

#[test]
fn tls13_and_tls12_with_aead_suites() {
    let gnutls = [
        "304 TLS_AES_128_GCM_SHA256 keylog",
        "304 TLS_CHACHA20_POLY1305_SHA256 keylog",
        "303 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 keylog",
    ];
    for late in [None, Some(30)] {
        all_is_read("gnutls.pcap", late, &gnutls);
        all_is_read("chromium-tls12.pcap", late.map(|_| 250), &gnutls[2..]);
        all_is_read("coalesced.pcap", late, &gnutls[2..]);
    }
}

#[test]
fn rfc8446_4_6_3_keys_are_updated_in_both_directions() {
    all_is_read("openssl-key-update.pcap", None, &["304 TLS_AES_256_GCM_SHA384 keylog"]);
    all_is_read(
        "openssl-key-update.pcap",
        Some(100),
        &["304 TLS_AES_256_GCM_SHA384 keylog"],
    );
}

#[test]
fn rfc8446_4_2_11_sessions_are_resumed() {
    all_is_read("tls13-resumed.pcap", None, &["304 TLS_AES_256_GCM_SHA384 keylog"]);
}

#[test]
fn rfc7366_cbc_with_the_mac_inside_and_outside() {
    let suites = [
        "303 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA keylog",
        "303 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 keylog",
        "303 TLS_RSA_WITH_AES_256_CBC_SHA256 keylog",
    ];
    all_is_read("tls12-cbc.pcap", None, &suites);
}

#[test]
fn rfc5246_7_3_the_hello_of_the_server_may_be_captured_before_that_of_the_client() {
    let suites = ["303 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA keylog"];
    let capture = Capture::open("tls12-cbc.pcap").earlier(6, 4);
    for late in [None, Some(30)] {
        all_is_read_of(&capture, "tls12-cbc.pcap", late, &suites);
    }
}

#[test]
fn a_handshake_that_an_alert_ended() {
    let heard = Capture::open("chromium-tls12.pcap").hear(None, |_| true);
    let totals = heard[0].totals.unwrap();
    let (_, alert) = totals.alert.unwrap();
    assert_eq!(
        (alert.name(), alert.fatal, totals.decrypted),
        ("certificate_unknown", true, [0, 0])
    );
}

/// With the packets there that `is_there` says are, every record is read whose packets are all there, in connections of which
/// `is_readable` says that they can be; nothing else is, and known lengths of gaps are right.
fn nothing_else_is_lost(
    whole: &[Heard],
    part: &[Heard],
    what: &str,
    is_there: impl Fn(u64) -> bool,
    is_readable: impl Fn(&Heard) -> bool,
    known_beginning: bool,
) {
    for whole in whole {
        let part = part
            .iter()
            .find(|part| part.ports == whole.ports || part.ports == [whole.ports[1], whole.ports[0]]);
        let Some(part) = part else { continue };
        let turned = usize::from(part.ports != whole.ports);
        for side in 0..2 {
            let (all, read) = (&whole.records[side], &part.records[side ^ turned]);
            let is_same = |a: &Record, b: &Record| a.packets == b.packets && a.bytes == b.bytes;
            // Where a packet is missing, a retransmission may have brought it.
            let sent = |record: &Record| {
                let same = all.iter().find(|one| is_same(one, record));
                same.or_else(|| all.iter().find(|one| one.bytes == record.bytes))
            };
            for record in read {
                assert!(sent(record).is_some(), "{what}: not what was sent");
            }
            if !is_readable(whole) {
                continue;
            }
            let must: Vec<_> = all
                .iter()
                .filter(|record| (record.packets.0..=record.packets.1).all(&is_there))
                .collect();
            let missing = must
                .iter()
                .filter(|one| !read.iter().any(|record| is_same(one, record)))
                .count();
            assert_eq!(
                missing,
                0,
                "{what}, side {side}, {}: of {} records; read {}",
                part.agreed,
                must.len(),
                read.len()
            );
            if known_beginning && part.gaps[side ^ turned].iter().all(|gap| gap.length.is_some()) {
                // What is lost before the first plaintext, and was most likely no application data, leaves its length in the offsets.
                let first = read.first().map(|record| {
                    let one = sent(record).unwrap();
                    record.offset.wrapping_sub(one.offset)
                });
                for record in read {
                    let one = sent(record).unwrap();
                    // Equal records that one packet carried are told apart by nothing else.
                    let same = all.iter().any(|other| {
                        other.bytes == record.bytes && Some(record.offset.wrapping_sub(other.offset)) == first
                    });
                    assert!(
                        same,
                        "{what}, side {side}: at {} instead of {}",
                        record.offset, one.offset
                    );
                }
            }
        }
    }
}

/// Each `step`-th packet missing in turn, then begun at each `step`-th packet.
fn losses_and_late_beginnings(name: &str, step: usize) {
    let capture = Capture::open(name);
    let whole = capture.hear(None, |_| true);
    let count = capture.packets.len() as u64;
    for lost in (1..=count).step_by(step) {
        let there = |packet: u64| packet != lost;
        let part = capture.hear(None, there);
        let readable = |heard: &Heard| heard.tls13 || heard.hellos.iter().all(|&packet| there(packet));
        nothing_else_is_lost(&whole, &part, &format!("{name} without {lost}"), there, readable, true);
    }
    for first in (1..=count).step_by(step) {
        let there = |packet: u64| packet >= first;
        let part = capture.hear(None, there);
        let readable = |heard: &Heard| heard.tls13 || heard.hellos.iter().all(|&packet| there(packet));
        nothing_else_is_lost(
            &whole,
            &part,
            &format!("{name} from {first} on"),
            there,
            readable,
            false,
        );
    }
}

/// One test a capture, so that they run side by side.
mod a_loss_and_a_late_beginning_cost_only_what_they_touch {
    use super::losses_and_late_beginnings;

    #[test]
    fn key_updates() {
        losses_and_late_beginnings("openssl-key-update.pcap", 5);
    }

    #[test]
    fn a_resumed_session() {
        losses_and_late_beginnings("tls13-resumed.pcap", 41);
    }

    #[test]
    fn gnutls() {
        losses_and_late_beginnings("gnutls.pcap", 47);
    }

    #[test]
    fn coalesced_handshakes() {
        losses_and_late_beginnings("coalesced.pcap", 139);
    }
}

#[test]
fn rfc5246_begun_before_the_client_hello_all_is_read() {
    let capture = Capture::open("chromium-tls12.pcap");
    let whole = capture.hear(None, |_| true);
    // Of the second connection, 12 to 14 are TCP's handshake, and 15 is the ClientHello.
    for first in 12..=15 {
        let there = |packet: u64| packet >= first;
        let part = capture.hear(None, there);
        let readable = |heard: &Heard| heard.hellos.iter().all(|&packet| there(packet));
        assert!(whole.iter().any(readable));
        nothing_else_is_lost(&whole, &part, &format!("from {first} on"), there, readable, false);
    }
}

/// The same at every packet, and of captures elsewhere: `TLS_CAPTURES=NAME,…` with paths from the fixtures' folder.
#[test]
#[ignore = "long: make soak"]
fn soak_losses_and_late_beginnings_at_every_packet() {
    let names = std::env::var("TLS_CAPTURES").unwrap_or_else(|_| {
        "openssl-key-update.pcap,tls13-resumed.pcap,gnutls.pcap,chromium-tls12.pcap,coalesced.pcap".into()
    });
    names.split(',').for_each(|name| losses_and_late_beginnings(name, 1));
}

#[test]
fn what_was_begun_late_or_without_hellos() {
    let heard = Capture::open("begun-late.pcap").hear(None, |_| true);
    let told: Vec<_> = heard
        .iter()
        .map(|heard| (heard.agreed.as_str(), heard.totals.unwrap()))
        .collect();
    assert_eq!(
        told.iter().map(|(told, _)| *told).collect::<Vec<_>>(),
        [
            "304 TLS_AES_256_GCM_SHA384 keylog",
            "0 ? no keys",
            "304 TLS_AES_256_GCM_SHA384 keylog",
            "304 TLS_AES_256_GCM_SHA384 keylog",
        ]
    );
    let unread: Vec<_> = told
        .iter()
        .map(|(_, totals)| totals.unread.map(|unread| unread.name()))
        .collect();
    assert_eq!(unread, [None, Some("no-client-hello"), None, None]);
    assert!(told[2].1.undecrypted == [0, 0] && told[3].1.undecrypted == [0, 0]);
}

#[test]
fn without_keys_nothing_is_read_and_it_is_told_why() {
    let mut capture = Capture::open("gnutls.pcap");
    capture.log = b"# nothing\n".to_vec();
    for heard in capture.hear(None, |_| true) {
        assert!(heard.records.iter().all(Vec::is_empty) && heard.gaps.iter().all(Vec::is_empty));
        assert_eq!(
            heard.totals.unwrap().unread.map(|unread| unread.name()),
            Some("no-keys")
        );
    }
    let mut log = String::from_utf8(Capture::open("gnutls.pcap").log).unwrap();
    // The last digit of each secret.
    log = log
        .lines()
        .map(|line| {
            format!(
                "{}{}\n",
                &line[..line.len() - 1],
                if line.ends_with('0') { '1' } else { '0' }
            )
        })
        .collect();
    capture.log = log.into_bytes();
    for heard in capture.hear(None, |_| true) {
        assert!(heard.records.iter().all(Vec::is_empty));
        assert_eq!(
            heard.totals.unwrap().unread.map(|unread| unread.name()),
            Some("wrong-key")
        );
    }
}

#[test]
fn cut_packets_lose_their_records_and_no_more() {
    for snaplen in [120, 200, 300] {
        let mut capture = Capture::open("tls13-resumed.pcap");
        let whole = capture.hear(None, |_| true);
        let mut cut = Vec::new();
        for (number, packet) in (1..).zip(&mut capture.packets) {
            if packet.3.len() > snaplen {
                packet.3.truncate(snaplen);
                cut.push(number);
            }
        }
        let part = capture.hear(None, |_| true);
        let there = |packet: u64| !cut.contains(&packet);
        nothing_else_is_lost(&whole, &part, &format!("-s {snaplen}"), there, |_| true, true);
        let causes = part
            .iter()
            .flat_map(|heard| heard.gaps.iter().flatten())
            .map(|gap| gap.cause);
        assert!(
            causes.eq(part
                .iter()
                .flat_map(|heard| heard.gaps.iter().flatten())
                .map(|_| Some(GapCause::Snaplen)))
        );
    }
}
