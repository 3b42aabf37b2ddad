//! Packets and events become notes: who does what to whom, why, in no language yet.
//!
//! A [`Narrator`] hears what a [`crate::record::Sink`] hears. After each packet, [`Narrator::story`] holds what there is to say of
//! it: a [`Title`] and [`Note`]s, plain data. It knows what waits for its ACK (by offsets of the streams), who is who, and who has
//! got what was said. All that it keeps is bounded, and a packet allocates nothing once the buffers have grown.

mod agent;
mod chat;
mod http2;
mod message;
mod missed;
mod note;
mod queues;
mod saying;
mod same_words;
mod says;
mod segment;
mod short;
mod story;
mod talk;
pub mod texts;
mod title;
mod tls;
mod users;
mod who;

pub use note::{Fit, Note, Told};
pub use story::{Detail, Span, Story, Tone};
pub use title::Title;
pub use who::{Agent, Labelled, Party, Person, Role, To, What, sender_role};

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;

use foldhash::fast::FixedState;

use crate::base::{Direction, Endpoint, Rule, Timestamp};
use crate::record::{How, Record, RecordKind, SegmentView, SessionEnd, Source};
use crate::tcp::SegmentFacts;
use crate::wire::Packet;
use says::Says;
use talk::{Talk, Waiting};
use users::Users;

/// Connections that are over and still spoken of, because their last packets are still coming.
const OVER: usize = 64;
/// TCP connections without a WebSocket of which a FIN is remembered.
const FINS: usize = 4096;

/// Makes stories of packets and events.
#[derive(Default)]
pub struct Narrator {
    story: Story,
    /// What comes at the end of the current story.
    tail: Vec<Note>,
    /// Behind that, what the packet lets be told of other connections.
    elsewhere: Vec<Note>,
    /// And behind that.
    ended: Vec<Note>,
    now: Now,
    world: World,
    /// Which directions have sent FIN and had it acknowledged, by connection.
    fins: HashMap<u64, [bool; 4], FixedState>,
    fins_in_order: VecDeque<u64>,
    over: VecDeque<u64>,
    /// Deliveries that have not come, and the first of the words that did not.
    missed: u64,
    missed_words: Vec<(Vec<u8>, u64)>,
    /// Who has logged in, and the first names.
    logins: HashSet<users::UserRef, FixedState>,
    login_names: Vec<Vec<u8>>,
    /// The end of the capture has been told.
    at_end: bool,
    /// What a delivery says, to be compared.
    compared: Vec<u8>,
    hosts: Hosts,
}

/// Between whom packets have gone so far.
#[derive(Default)]
enum Hosts {
    #[default]
    None,
    /// Between these two only: their ports tell who is who.
    Two([IpAddr; 2]),
    /// Between more, or addresses are wanted.
    Many,
}

/// Why what is told of a message may be read otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It is no JSON from that byte (from 1) on.
    NotJson(u64),
    /// A name occurs more than once.
    Repeated,
}

/// What is known across connections.
#[derive(Default)]
struct World {
    /// In boxes, so that a table that grows does not copy them, nor has room for more of them than there are.
    talks: HashMap<u64, Box<Talk>, FixedState>,
    waiting: Waiting,
    users: Users,
    says: Says,
    /// Who is logged in, by room: connections in the order in which they came.
    rooms: HashMap<u64, Vec<u64>, FixedState>,
}

/// The current packet.
#[derive(Default)]
struct Now {
    packet: u64,
    time: Timestamp,
    tcp: Option<Tcp>,
    /// Something of the packet is told already that explains its data.
    told: bool,
    /// The earlier packet of which something was told last.
    earlier: u64,
    /// The last record is of another connection than the packet.
    elsewhere: bool,
    /// The other connection that was named last.
    named: Option<u64>,
    /// With this packet it is known that the connection carries WebSocket.
    recognised: bool,
    /// The last message was read as JSON.
    json: bool,
    /// Parts of messages were told that are not complete yet.
    parts: bool,
    /// A gap was told.
    gap: bool,
    /// It was told that a message is masked.
    masked: bool,
}

/// The current packet as TCP sees it.
#[derive(Debug, Clone)]
struct Tcp {
    connection: u64,
    client: Endpoint,
    server: Endpoint,
    /// Which way it goes.
    direction: Direction,
    facts: SegmentFacts,
    length: u64,
    /// It carries SYN, and no ACK.
    syn: bool,
    /// It carries RST.
    rst: bool,
}

impl Narrator {
    /// One that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says addresses even while ports tell everybody apart.
    #[must_use]
    pub fn with_addresses(mut self) -> Self {
        self.hosts = Hosts::Many;
        self
    }

    /// What there is to say of the current packet (or of the end of the capture). Complete after [`Narrator::packet_end`].
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// How many notes wait to be told.
    pub fn waiting(&self) -> usize {
        self.story.notes.len() + self.ended.len()
    }

    /// A packet has come.
    pub fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) {
        self.story.clear();
        self.now = Now {
            packet: packet.number,
            time: packet.time,
            ..Now::default()
        };
        if let Some(view) = segment {
            self.hosts.meet(view.connection.endpoints.map(|endpoint| endpoint.addr));
            self.story.ports_alone = !matches!(self.hosts, Hosts::Many);
            let tcp = tcp(&view);
            self.story.sender = Some(tcp.direction);
            self.now.tcp = Some(tcp);
            self.segment();
        }
    }

    /// The current packet brought this about.
    pub fn record(&mut self, record: &Record<'_>) {
        if let RecordKind::Http2 {
            direction,
            stream,
            frame,
        } = record.kind
        {
            return self.http2(record, direction, stream, frame);
        }
        match record.kind {
            RecordKind::TlsPacket { direction, packet } => return self.tls(record, direction, packet),
            RecordKind::Tls(_) | RecordKind::TlsEnd(_) | RecordKind::Unanswered(_) => return,
            _ => {}
        }
        self.meet(record);
        let now = (self.now.packet, self.now.time);
        let title = (self.story.title, self.story.weight, self.story.received);
        // A request without an answer was known all the time.
        let no_news =
            matches!(record.kind, RecordKind::Violation { violation, .. } if violation.rule == Rule::NoAnswer);
        let earlier = record.at.packet < now.0 && record.at.packet > 0 && !no_news;
        // What had waited in a connection is told when its time is over, which any packet may show.
        let number = record.source.connection.0;
        self.now.elsewhere = self.now.tcp.as_ref().is_some_and(|tcp| tcp.connection != number);
        let told = self.now.told;
        self.set_aside();
        self.name_connection(record);
        if earlier {
            // Only now is it understood: it is told of the packet that brought it, and this one is not about it.
            let talk = self.world.talks.get(&record.source.connection.0);
            self.now.recognised |= talk.is_some_and(|talk| !talk.websocket);
            if self.now.earlier != record.at.packet {
                self.now.earlier = record.at.packet;
                self.story.notes.push(Note::Earlier {
                    packet: record.at.packet,
                    recognised: self.now.recognised,
                });
            }
            (self.now.packet, self.now.time) = (record.at.packet, record.at.time);
        }
        let text = self.story.text.len();
        let before = self.quoted_elsewhere();
        self.tell(record);
        let is_quoted = self.quoted_elsewhere() != before;
        self.story
            .keep_to_bounds(if is_quoted { self.story.text.len() } else { text });
        self.set_aside();
        (self.now.packet, self.now.time) = now;
        if earlier || self.now.elsewhere {
            (self.story.title, self.story.weight, self.story.received) = title;
        }
        if self.now.elsewhere {
            self.now.told = told;
        }
    }

    /// What is told of another connection stands apart from what the packet does in its own: called before and after.
    fn set_aside(&mut self) {
        if self.now.elsewhere {
            std::mem::swap(&mut self.story.notes, &mut self.elsewhere);
        }
    }

    /// Names the connection of `record` when it is another one than before. Ends name their session.
    fn name_connection(&mut self, record: &Record<'_>) {
        let number = record.source.connection.0;
        let is_end = matches!(record.kind, RecordKind::SessionEnd(_));
        if self.now.elsewhere && !is_end && self.now.named.replace(number) != Some(number) {
            let [client, server] = Direction::BOTH.map(|direction| self.party(number, direction));
            self.story.notes.push(Note::OfConnection { client, server });
        }
    }

    /// Changes when the title, or a note that is told in the end, may quote what was kept.
    fn quoted_elsewhere(&self) -> (u8, usize, usize) {
        (self.story.weight, self.tail.len(), self.ended.len())
    }

    /// The connection of `record` is one to speak of, unless all that is known of it is that it lacks something.
    fn meet(&mut self, record: &Record<'_>) {
        let source = record.source;
        let new = || Box::new(Talk::new(source.client, source.server));
        let talk = match record.kind {
            RecordKind::Gap { .. } | RecordKind::Violation { .. } if source.session.is_none() => {
                self.world.talks.get_mut(&source.connection.0)
            }
            _ => Some(self.world.talks.entry(source.connection.0).or_insert_with(new)),
        };
        if let Some(talk) = talk {
            talk.client = source.client;
            talk.server = source.server;
            talk.carries(source.number());
            talk.gap |= matches!(record.kind, RecordKind::Gap { .. });
        }
    }

    fn tell(&mut self, record: &Record<'_>) {
        let session = record.source;
        match record.kind {
            RecordKind::UpgradeRequest(request) => self.upgrade_request(session.connection.0, request),
            RecordKind::Handshake(handshake) => self.handshake(session, handshake),
            // Messages and fragments speak for their frames.
            RecordKind::Frame(_) | RecordKind::Http2 { .. } | RecordKind::Unanswered(_) => {}
            RecordKind::Message(message) => self.message(session, message),
            RecordKind::Progress(progress) => self.progress(session, progress),
            RecordKind::Violation { direction, violation } => {
                let by = self.party(session.connection.0, direction);
                let about = self.story.keep(violation.about.as_bytes());
                self.story.notes.push(Note::Violation {
                    by,
                    rule: violation.rule,
                    about,
                });
            }
            RecordKind::Gap { direction, gap } => {
                let from = self.party(session.connection.0, direction);
                self.story.entitle(60, Title::Gap);
                self.now.gap = true;
                self.story.notes.push(Note::Gap {
                    from,
                    length: gap.length,
                    cause: gap.cause,
                });
            }
            RecordKind::SessionEnd(end) => self.session_end(session, end),
            RecordKind::Tls(_) | RecordKind::TlsPacket { .. } | RecordKind::TlsEnd(_) => {}
        }
    }

    /// Whoever laid the last message out found that it is not the JSON as which it was told.
    pub fn doubt(&mut self, doubt: Doubt) {
        if self.now.json {
            self.set_aside();
            self.story.notes.push(match doubt {
                Doubt::NotJson(at) => Note::NotJson { at },
                Doubt::Repeated => Note::Repeated,
            });
            self.set_aside();
        }
    }

    /// The current packet has brought all it brings: [`Narrator::story`] is complete.
    pub fn packet_end(&mut self) {
        self.finish_segment();
        for notes in [&mut self.tail, &mut self.elsewhere, &mut self.ended] {
            self.story.notes.append(notes);
        }
        self.now.tcp = None;
        self.world.keep_to_bounds();
    }

    /// Nothing is current any more: what events bring from here on is told without a packet.
    pub fn clear(&mut self) {
        self.story.clear();
        self.now = Now::default();
    }

    fn session_end(&mut self, session: &Source, end: &SessionEnd) {
        let number = session.connection.0;
        if end.how == How::CaptureEnd && !std::mem::replace(&mut self.at_end, true) {
            self.missed_at_end();
        }
        let client = self.party(number, Direction::ClientToServer);
        self.story.ends.push(end.clone());
        let index = self.story.ends.len() as u32 - 1;
        self.story.entitle(20, Title::How);
        self.ended.push(Note::Ended {
            session: session.number(),
            client,
            end: index,
        });
        if end.how != How::CaptureEnd {
            self.leave_room(number);
        }
        if let Some(talk) = self.world.talks.get_mut(&number) {
            talk.is_over(session.number());
            if !talk.is_open() {
                self.over.push_back(number);
            }
        }
        if self.over.len() > OVER
            && let Some(old) = self.over.pop_front()
            && self.world.talks.get(&old).is_some_and(|talk| !talk.is_open())
        {
            self.leave_room(old);
            if let Some(mut talk) = self.world.talks.remove(&old) {
                talk.forget(&mut self.world.waiting);
            }
        }
    }

    /// Who sends in `direction` of that connection.
    fn party(&mut self, number: u64, direction: Direction) -> Party {
        match self.world.talks.get(&number) {
            Some(talk) => party(&mut self.story, &self.world.users, talk, direction),
            None => match &self.now.tcp {
                Some(tcp) => tcp.party(direction),
                None => unknown_party(direction),
            },
        }
    }
}

impl Hosts {
    /// A packet goes between these.
    fn meet(&mut self, [a, b]: [IpAddr; 2]) {
        match *self {
            Hosts::None => *self = Hosts::Two([a, b]),
            Hosts::Two(known) if known != [a, b] && known != [b, a] => *self = Hosts::Many,
            _ => {}
        }
    }
}

/// Who sends in `direction` of `talk`.
fn party(story: &mut Story, users: &Users, talk: &Talk, direction: Direction) -> Party {
    let here = talk.client.addr == talk.server.addr;
    match direction {
        Direction::ClientToServer => Party {
            role: talk.role,
            at: talk.client,
            here,
            person: talk.user.and_then(|user| users.person(story, user)),
        },
        Direction::ServerToClient => Party {
            role: Role::Server,
            at: talk.server,
            here,
            person: None,
        },
    }
}

fn unknown_party(direction: Direction) -> Party {
    Party {
        role: sender_role(direction),
        at: Endpoint::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 0),
        here: true,
        person: None,
    }
}

impl Tcp {
    /// Who sends in `direction`, as far as TCP tells.
    fn party(&self, direction: Direction) -> Party {
        Party {
            role: sender_role(direction),
            at: match direction {
                Direction::ClientToServer => self.client,
                Direction::ServerToClient => self.server,
            },
            here: self.client.addr == self.server.addr,
            person: None,
        }
    }
}

/// Who is client as far as is known: as [`crate::record::Source`] says, else as TCP does.
fn tcp(view: &SegmentView<'_>) -> Tcp {
    let connection = view.connection;
    let client_side = view
        .source
        .map_or_else(|| connection.likely_client(), |session| session.client_side);
    let direction = if view.facts.side == client_side {
        Direction::ClientToServer
    } else {
        Direction::ServerToClient
    };
    Tcp {
        connection: connection.number,
        client: connection.endpoints[client_side.index()],
        server: connection.endpoints[client_side.other().index()],
        direction,
        facts: view.facts.clone(),
        length: view.segment.payload.wire_len as u64,
        syn: view.segment.flags.syn() && !view.segment.flags.ack(),
        rst: view.segment.flags.rst(),
    }
}
