//! Which fields an event has: all, or those of `--json-fields`; and `--tag`, with what identifies a session over many machines.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{put, put_bool, put_string};
use crate::export::put::{hex_pairs, number};
use crate::record::Source;

/// Makes of each row a variant, and its bit and its name.
macro_rules! fields {
    ($($variant:ident $name:literal)*) => {
        /// A field that an event may have, `event` itself not among them: it is always there.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::export) enum Field { $($variant,)* }

        impl Field {
            const NAMES: &[&str] = &[$($name),*];
            /// As they stand in a line, behind another field.
            const KEYS: &[&str] = &[$(concat!(",\"", $name, "\":")),*];
        }
    };
}

fields! {
    Time "time" Ts "ts" Packet "packet" Connection "connection" Session "session" Stream "stream" Scheme "scheme" Client "client"
    Server "server" Proxied "proxied" SessionUid "session_uid" CommunityId "community_id"
    Http "http" Request "request" Response "response" Accept "accept" Subprotocol "subprotocol" Extensions "extensions"
    Deflate "deflate"
    Direction "direction" Opcode "opcode" Length "length" WireLength "wire_length" Frames "frames" Masked "masked"
    MaskingKey "masking_key" Compressed "compressed" Packets "packets" Text "text" Base64 "base64" Json "json" Known "known"
    Missing "missing" Close "close" Complete "complete" Inferred "inferred" Meaning "meaning" Documents "documents"
    Fin "fin" Rsv "rsv" Offset "offset"
    Id "id" Rfc "rfc" Detail "detail" Cause "cause"
    Version "version" Cipher "cipher" ServerName "server_name" Alpn "alpn" Resumed "resumed" Keys "keys"
    ClientRandom "client_random" Late "late" Decrypted "decrypted" Undecrypted "undecrypted" Reason "reason" Alert "alert"
    AlertBy "alert_by"
    How "how" By "by" CloseCodes "close_codes" ClosingHandshake "closing_handshake" Messages "messages" Bytes "bytes"
    Verdict "verdict" Abnormal "abnormal" Explanation "explanation"
    Sessions "sessions" Users "users" Names "names" MessageBytes "message_bytes" Violations "violations" Verdicts "verdicts"
    Gaps "gaps" Deliveries "deliveries" Undelivered "undelivered" UndeliveredMessages "undelivered_messages"
    Latencies "latencies" ForgottenRequests "forgotten_requests" Dropped "dropped"
    IncompleteDatagrams "incomplete_datagrams" EvictedHistories "evicted_histories"
    LimitedInflations "limited_inflations" UnlistedViolations "unlisted_violations"
}

/// A set of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields(u128);

impl Default for Fields {
    /// All.
    fn default() -> Self {
        Self(u128::MAX)
    }
}

impl Fields {
    /// Reads a list such as `time,session,text`. A name of `tags` may stand in it, too.
    ///
    /// # Errors
    ///
    /// The first name that no field has.
    pub fn parse<'l>(list: &'l str, tags: &Tags) -> Result<Self, &'l str> {
        let mut set = 0;
        for name in list.split(',').map(str::trim) {
            match Field::NAMES.iter().position(|known| *known == name) {
                Some(at) => set |= 1 << at,
                None if name == "event" || tags.0.iter().any(|(tag, _)| tag == name) => {}
                None => return Err(name),
            }
        }
        Ok(Self(set))
    }

    #[inline]
    pub(in crate::export) const fn has(self, field: Field) -> bool {
        self.0 >> field as u32 & 1 == 1
    }

    /// One that only a tag brings.
    pub fn need_tags(self) -> bool {
        self != Self::default() && (self.has(Field::SessionUid) || self.has(Field::CommunityId))
    }
}

/// The `--tag`s, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    /// Adds `name=value`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what would be right.
    pub fn add(&mut self, tag: &str) -> Result<(), String> {
        let plain =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        let Some((name, value)) = tag.split_once('=').filter(|(name, _)| plain(name)) else {
            return Err("expected NAME=VALUE, the name of letters, digits, _ - and ., such as sensor=web1".to_owned());
        };
        if name == "event" || Field::NAMES.contains(&name) {
            return Err(format!(
                "events have a field {name} of their own; expected another name"
            ));
        }
        match self.0.binary_search_by(|(known, _)| known.as_str().cmp(name)) {
            Ok(_) => Err(format!("{name} has a value already; expected another name")),
            Err(at) => {
                self.0.insert(at, (name.to_owned(), value.to_owned()));
                Ok(())
            }
        }
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends them as fields.
    pub(in crate::export) fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            put(out, ",");
            put_string(out, name);
            put(out, ":");
            put_string(out, value);
        }
    }
}

/// A line that is being written: only the fields that are wanted get into it.
pub(in crate::export) struct Line<'o> {
    pub(in crate::export) out: &'o mut Vec<u8>,
    fields: Fields,
}

impl<'o> Line<'o> {
    /// The beginning of an event.
    #[inline]
    pub(in crate::export) fn begin(out: &'o mut Vec<u8>, fields: Fields, event: &str) -> Self {
        put(out, "{\"event\":\"");
        put(out, event);
        put(out, "\"");
        Self { out, fields }
    }

    /// Whether a field is wanted.
    #[inline]
    pub(in crate::export) fn wants(&self, field: Field) -> bool {
        self.fields.has(field)
    }

    /// Begins a field, if it is wanted: its value is to follow then.
    #[inline]
    pub(in crate::export) fn key(&mut self, field: Field) -> bool {
        let wanted = self.fields.has(field);
        if wanted {
            put(self.out, Field::KEYS[field as usize]);
        }
        wanted
    }

    #[inline]
    pub(in crate::export) fn number(&mut self, field: Field, value: impl Into<Option<u64>>) {
        if self.key(field) {
            match value.into() {
                Some(value) => number(self.out, value),
                None => put(self.out, "null"),
            }
        }
    }

    #[inline]
    pub(in crate::export) fn bool(&mut self, field: Field, value: impl Into<Option<bool>>) {
        if self.key(field) {
            match value.into() {
                Some(value) => put_bool(self.out, value),
                None => put(self.out, "null"),
            }
        }
    }

    /// A word of ours, which needs no escape.
    #[inline]
    pub(in crate::export) fn word(&mut self, field: Field, word: &str) {
        if self.key(field) {
            put(self.out, "\"");
            put(self.out, word);
            put(self.out, "\"");
        }
    }

    pub(in crate::export) fn string<'t>(&mut self, field: Field, text: impl Into<Option<&'t str>>) {
        if self.key(field) {
            optional(self.out, text.into());
        }
    }
}

/// A string, or null.
pub(super) fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => put_string(out, text),
        None => put(out, "null"),
    }
}

/// What is remembered of the sessions that spoke last, so that their lines need not hash.
const REMEMBERED: usize = 1024;

/// What identifies sessions over many machines.
pub(super) struct Identities {
    tags: Tags,
    remembered: Vec<Option<Identity>>,
}

struct Identity {
    source: (u64, Option<u64>),
    session_uid: Option<[u8; 16]>,
    community_id: String,
}

impl Identities {
    /// `None` without tags.
    pub(super) fn new(tags: &Tags) -> Option<Self> {
        (!tags.is_empty()).then(|| Self {
            tags: tags.clone(),
            remembered: Vec::new(),
        })
    }

    /// The tags, `session_uid` and `community_id`.
    pub(super) fn write(&mut self, line: &mut Line<'_>, source: &Source) {
        self.tags.write(line.out);
        if !line.wants(Field::SessionUid) && !line.wants(Field::CommunityId) {
            return;
        }
        if self.remembered.is_empty() {
            self.remembered.resize_with(REMEMBERED, || None);
        }
        let key = (source.connection.0, source.session.map(|session| session.0));
        let place = &mut self.remembered[(key.1.unwrap_or(key.0) % REMEMBERED as u64) as usize];
        let identity = match place {
            Some(known) if known.source == key => known,
            place => place.insert(Identity {
                source: key,
                session_uid: source.session.map(|_| session_uid(&self.tags, source)),
                community_id: community_id(source),
            }),
        };
        if line.key(Field::SessionUid) {
            match &identity.session_uid {
                Some(uid) => {
                    put(line.out, "\"");
                    hex_pairs(line.out, uid);
                    put(line.out, "\"");
                }
                None => put(line.out, "null"),
            }
        }
        line.word(Field::CommunityId, &identity.community_id);
    }
}

/// Of the tags, the time of the session's first packet in microseconds, its ends and its stream.
fn session_uid(tags: &Tags, source: &Source) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in tags.0.iter().flat_map(|(name, value)| [name, value]) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.update(source.began.nanos().div_euclid(1_000).to_be_bytes());
    hash.update(format!("{} {} {:?}", source.client, source.server, source.stream));
    let hash = hash.finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

/// Community ID 1 with the seed 0: <https://github.com/corelight/community-id-spec>.
fn community_id(source: &Source) -> String {
    let octets = |addr: IpAddr| match addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    };
    let mut ends = [source.client, source.server].map(|end| (octets(end.addr), end.port));
    ends.sort();
    let [(low, low_port), (high, high_port)] = ends;
    let mut bytes = vec![0, 0];
    bytes.extend(low);
    bytes.extend(high);
    // TCP, and a byte of padding.
    bytes.extend([6, 0]);
    bytes.extend(low_port.to_be_bytes());
    bytes.extend(high_port.to_be_bytes());
    format!("1:{}", STANDARD.encode(<sha1::Sha1 as sha1::Digest>::digest(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Endpoint, Timestamp};
    use crate::export::samples;

    /// <https://github.com/corelight/community-id-spec/tree/master/baseline>: of TCP, both ways round, IPv4 and IPv6.
    #[test]
    fn community_ids_are_those_of_the_published_baseline() {
        for (source, destination, wanted) in [
            (
                "128.232.110.120:34855",
                "66.35.250.204:80",
                "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
            (
                "66.35.250.204:80",
                "128.232.110.120:34855",
                "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
            (
                "[2001:470:e5bf:dead:4957:2174:e82c:4887]:63943",
                "[2607:f8b0:400c:c03::1a]:25",
                "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
            ),
        ] {
            let end = |text: &str| {
                let socket: std::net::SocketAddr = text.parse().unwrap();
                Endpoint::new(socket.ip(), socket.port())
            };
            let mut session = samples::session();
            (session.client, session.server) = (end(source), end(destination));
            assert_eq!(community_id(&session), wanted, "{source}");
        }
    }

    #[test]
    fn a_session_uid_depends_on_all_that_tells_sessions_apart() {
        let tags = |text: &[&str]| {
            let mut tags = Tags::default();
            text.iter().for_each(|tag| tags.add(tag).unwrap());
            tags
        };
        let web1 = tags(&["sensor=web1"]);
        let session = samples::session();
        let uid = session_uid(&web1, &session);
        assert_eq!(uid, session_uid(&web1, &session));
        let mut others = [session.clone(), session.clone(), session.clone()];
        others[0].began = Timestamp::from_nanos(session.began.nanos() + 1_000);
        others[1].stream = Some(1);
        others[2].client.port += 1;
        for other in &others {
            assert_ne!(uid, session_uid(&web1, other), "{other:?}");
        }
        assert_ne!(uid, session_uid(&tags(&["sensor=web2"]), &session));
        assert_eq!(
            session_uid(&tags(&["a=1", "b=2"]), &session),
            session_uid(&tags(&["b=2", "a=1"]), &session)
        );
        // A capture read with nanoseconds is the same one.
        let mut nano = session.clone();
        nano.began = Timestamp::from_nanos(session.began.nanos() + 999);
        assert_eq!(uid, session_uid(&web1, &nano));
    }

    #[test]
    fn there_is_room_for_all_fields() {
        assert!(Field::NAMES.len() < 128);
        for (at, name) in Field::NAMES.iter().enumerate() {
            assert_eq!(Field::NAMES.iter().position(|other| other == name), Some(at), "{name}");
        }
    }
}
