//! What a packet does as a TCP segment (RFC 9293): opening, acknowledging, closing, and all that goes wrong on the way.

use super::talk::{Item, Kind};
use super::{FINS, Labelled, Narrator, Note, Party, Tcp, Title, What, message, party};
use crate::base::Direction;
use crate::record::Opcode;
use crate::tcp::{DataFact, HandshakeStep};

impl Narrator {
    /// Tells at the packet's begin what goes before everything else.
    pub(super) fn segment(&mut self) {
        let Some(tcp) = self.now.tcp.take() else { return };
        if tcp.facts.midstream && tcp.facts.first {
            self.story.notes.push(Note::Late);
        }
        if tcp.facts.handshake.is_some() {
            self.opening(&tcp);
        }
        // A bare ACK behind the end of the connection is nothing to wonder at.
        let bare = tcp.length == 0 && tcp.facts.data == DataFact::OutOfWindow;
        if !bare && !matches!(tcp.facts.data, DataFact::None | DataFact::InOrder) {
            self.irregular(&tcp);
        }
        self.acknowledge(&tcp);
        self.now.tcp = Some(tcp);
    }

    /// Tells at the packet's end what nothing else has told, and what comes last.
    pub(super) fn finish_segment(&mut self) {
        let Some(tcp) = self.now.tcp.take() else { return };
        let facts = &tcp.facts;
        let is_news = matches!(
            facts.data,
            DataFact::InOrder | DataFact::FillsGap { .. } | DataFact::OutOfOrder { acknowledged: true, .. }
        );
        if tcp.length > 0 && !self.now.told && is_news {
            let (from, to) = self.both(&tcp);
            self.story.entitle(30, Title::Data);
            self.story.notes.push(Note::Data {
                from,
                to,
                length: tcp.length,
            });
        }
        if facts.window.closed || facts.window.reopened {
            let by = self.both(&tcp).0;
            let bytes = facts.window.bytes;
            let (title, note) = match facts.window.closed {
                true => (Title::WindowClosed, Note::WindowClosed { by }),
                false => (Title::WindowOpened, Note::WindowOpened { by, bytes }),
            };
            self.story.entitle(45, title);
            self.tail.push(note);
        }
        if facts.fin || facts.ack.fin || facts.reset {
            self.closing(&tcp);
        }
        if tcp.rst && !facts.reset && !facts.late && facts.data != DataFact::Duplicate {
            let (from, to) = self.both(&tcp);
            self.story.entitle(60, Title::ResetStray);
            self.tail.push(Note::ResetStray { from, to });
        }
        if tcp.syn && facts.handshake.is_none() && self.story.notes.is_empty() {
            // Whether it begins another connection is not known yet.
            let (client, server) = self.both(&tcp);
            self.story.entitle(70, Title::TcpHandshake(1));
            self.story.notes.push(Note::Syn { client, server });
        }
        if self.story.notes.is_empty() && self.tail.is_empty() {
            let by = self.both(&tcp).0;
            let bytes = facts.window.bytes;
            let sacked = &facts.ack.sacked;
            let (title, note) = match (facts.ack.duplicate, facts.window) {
                _ if facts.ack.overtaken => (Title::AckOvertaken, Note::AckOvertaken { by }),
                // tcpdump's relative numbers begin with 1; the edge behind the block has not arrived (RFC 2018 §3).
                _ if !sacked.is_empty() => {
                    let (begin, end) = (sacked.start + 1, sacked.end);
                    (Title::AckSack { begin, end }, Note::AckSack { by, begin, end })
                }
                (true, window) if window.scaled && bytes == 0 => (Title::AckRepeated, Note::AckClosed { by }),
                (true, _) => (Title::AckRepeated, Note::AckDuplicate { by }),
                (false, window) if window.update_only && window.scaled => {
                    (Title::Window(bytes), Note::WindowUpdate { by, bytes })
                }
                (false, _) => (Title::Ack, Note::AckOnly { by }),
            };
            self.story.entitle(10, title);
            self.tail.push(note);
        }
    }

    /// Sender and receiver of the segment.
    fn both(&mut self, tcp: &Tcp) -> (Party, Party) {
        match self.world.talks.get(&tcp.connection) {
            Some(talk) => (
                party(&mut self.story, &self.world.users, talk, tcp.direction),
                party(&mut self.story, &self.world.users, talk, tcp.direction.other()),
            ),
            None => (tcp.party(tcp.direction), tcp.party(tcp.direction.other())),
        }
    }

    fn opening(&mut self, tcp: &Tcp) {
        let (from, to) = self.both(tcp);
        let (client, server) = match tcp.direction {
            Direction::ClientToServer => (from, to),
            Direction::ServerToClient => (to, from),
        };
        let Some(step) = tcp.facts.handshake else { return };
        let (number, note) = match step {
            HandshakeStep::Syn => (1, Note::Syn { client, server }),
            HandshakeStep::SynAck => (2, Note::SynAck { client, server }),
            HandshakeStep::Ack => (3, Note::HandshakeAck { client, server }),
        };
        self.story.entitle(70, Title::TcpHandshake(number));
        self.story.notes.push(note);
        if tcp.facts.syn_again {
            let agrees = step == HandshakeStep::SynAck;
            self.story.notes.push(Note::SynAgain { agrees });
        }
    }

    fn irregular(&mut self, tcp: &Tcp) {
        let (from, to) = self.both(tcp);
        let (title, note) = match tcp.facts.data {
            DataFact::None | DataFact::InOrder => return,
            // What the receiver has is missing in the capture only, and nothing is waited for.
            DataFact::OutOfOrder { acknowledged: true, .. } => return,
            DataFact::OutOfOrder { missing, .. } => (Title::OutOfOrder, Note::OutOfOrder { from, missing }),
            DataFact::FillsGap { released } => {
                self.story.notes.push(Note::Fills { released });
                return;
            }
            DataFact::Retransmission { different } => (
                Title::Retransmission,
                Note::Retransmission {
                    from,
                    new: 0,
                    different,
                },
            ),
            DataFact::PartlyRetransmitted { new } => (
                Title::Retransmission,
                Note::Retransmission {
                    from,
                    new,
                    different: false,
                },
            ),
            DataFact::Duplicate => (Title::Duplicate, Note::Duplicate),
            DataFact::KeepAlive => (Title::KeepAlive, Note::KeepAlive { from, to }),
            DataFact::WindowProbe => (Title::WindowProbe, Note::WindowProbe { from, to }),
            DataFact::OutOfWindow | DataFact::Doubtful => (Title::Tcp, Note::OutOfWindow),
        };
        // A packet that also brings new bytes is about these.
        let weight = if matches!(note, Note::Retransmission { new: 1.., .. }) {
            65
        } else {
            95
        };
        self.story.entitle(weight, title);
        self.story.notes.push(note);
    }

    /// What the segment's ACK says: which messages of the other direction have arrived.
    fn acknowledge(&mut self, tcp: &Tcp) {
        let ack = &tcp.facts.ack;
        let sent = tcp.direction.other();
        let also = tcp.length > 0 || tcp.facts.fin;
        if ack.unseen {
            self.tail.push(Note::AckUnseen);
        }
        if ack.newly.is_empty() {
            return;
        }
        let bytes = ack.newly.end - ack.newly.start;
        let (by, to) = self.both(tcp);
        let Some(talk) = self.world.talks.get_mut(&tcp.connection) else {
            self.story.entitle(10, Title::Ack);
            self.tail.push(Note::AckedBytes { by, bytes, also });
            return;
        };
        talk.acked[sent.index()] = talk.acked[sent.index()].max(ack.newly.end);
        let mut last = None;
        let mut before = None;
        let mut count = 0;
        while let Some(talk) = self.world.talks.get_mut(&tcp.connection)
            && let Some(item) = talk.acknowledged(&mut self.world.waiting, sent, ack.newly.end)
        {
            count += 1;
            before = last.replace(item);
            self.delivered(tcp.connection, &item);
        }
        match last {
            Some(item) => {
                let before = before
                    .filter(|_| count == 2)
                    .map(|item| self.recall(tcp.connection, &item).0);
                let (what, title) = self.recall(tcp.connection, &item);
                self.story.entitle_ack(40, title);
                let note = Note::Acked {
                    by,
                    to,
                    what,
                    before,
                    more: count - 1,
                    also,
                };
                // What a broadcast's last ACK means is already there, and belongs behind the ACK.
                let place = self
                    .tail
                    .iter()
                    .position(|n| matches!(n, Note::SayDone { .. } | Note::PrivateDone { .. }))
                    .unwrap_or(self.tail.len());
                self.tail.insert(place, note);
            }
            None => {
                let under_way = self
                    .world
                    .talks
                    .get(&tcp.connection)
                    .is_some_and(|talk| talk.under_way[sent.index()]);
                if under_way {
                    let title = Title::Part {
                        received: 0,
                        total: None,
                        frames: 0,
                    };
                    self.story.entitle_ack(10, title);
                    self.tail.push(Note::AckedPart { by, to, bytes, also });
                } else {
                    self.story.entitle(10, Title::Ack);
                    self.tail.push(Note::AckedBytes { by, bytes, also });
                }
            }
        }
    }

    /// Words for something that was sent before, and the title for its ACK.
    fn recall(&mut self, number: u64, item: &Item) -> (What, Title) {
        let story = &mut self.story;
        let world = &mut self.world;
        match item.kind {
            Kind::UpgradeRequest => (What::UpgradeRequest, Title::UpgradeReceived),
            Kind::UpgradeResponse { refused: false } => (What::UpgradeResponse, Title::UpgradeDone),
            Kind::UpgradeResponse { refused: true } => (What::UpgradeResponse, Title::UpgradeRefused),
            Kind::Login => {
                let asked = world.talks.get(&number).map_or(&[][..], |talk| talk.asked_name());
                (What::Login(story.keep(asked)), Title::Login)
            }
            Kind::UserList { login } => (What::UserList, Title::UserList { login }),
            Kind::LoginResult => (What::LoginResult, Title::LoginDone),
            Kind::LoginNotice(user) => match world.users.person(story, user) {
                Some(person) => (What::LoginNotice(person), Title::Joined),
                None => (What::Message(Opcode::Continuation, 0), Title::Ack),
            },
            Kind::LogoutNotice(user) => match world.users.person(story, user) {
                Some(person) => (What::LogoutNotice(person), Title::Left),
                None => (What::Message(Opcode::Continuation, 0), Title::Ack),
            },
            Kind::Say(id) | Kind::Forward(id) => {
                let Some(say) = world.says.get(id) else {
                    return (What::Message(Opcode::Continuation, 0), Title::Ack);
                };
                let content = say.quote(story);
                let user = say.user.and_then(|user| world.users.person(story, user));
                let title = match (say.to, say.done) {
                    (Some(_), _) => Title::Private(user),
                    (None, true) => Title::SayDone(user),
                    (None, false) => Title::Say(user),
                };
                match item.kind {
                    Kind::Say(_) if say.to.is_none() => (What::Say(content), Title::Say(user)),
                    Kind::Say(_) => (What::Say(content), title),
                    _ => (What::Forward(content), title),
                }
            }
            Kind::AppPing => (What::AppPing, Title::AppPing),
            Kind::AppPong => (What::AppPong, Title::AppPong),
            Kind::Refusal => (What::Refusal, Title::Refusal),
            Kind::Labelled(protocol, action, label) => {
                let mut span = story.keep(label.bytes());
                span.cut = label.is_cut();
                let labelled = Labelled {
                    protocol,
                    action,
                    label: span,
                };
                (What::Labelled(labelled), Title::Labelled(labelled))
            }
            Kind::Close { answer } => (What::Message(Opcode::Close, 0), Title::Close { answer }),
            Kind::Message(opcode, length) => (What::Message(opcode, length), message::title(opcode)),
        }
    }

    /// `item` has arrived: keeps the books of deliveries.
    fn delivered(&mut self, number: u64, item: &Item) {
        let now = self.now.time;
        match item.kind {
            Kind::Login => {
                if let Some(talk) = self.world.talks.get_mut(&number) {
                    talk.login_acked = true;
                }
            }
            Kind::Forward(id) => {
                let Some(say) = self.world.says.get(id) else { return };
                let last = say.acknowledge(number);
                if !last {
                    return;
                }
                let after = now.since(say.at);
                let (of, private, browsers) = (say.expected, say.to.is_some(), !say.others);
                let content = say.quote(&mut self.story);
                self.world.says.set_waiting(id, false);
                self.tail.push(match private {
                    true => Note::PrivateDone { content, after },
                    false => Note::SayDone {
                        content,
                        of,
                        after,
                        browsers,
                    },
                });
            }
            _ => {}
        }
    }

    fn closing(&mut self, tcp: &Tcp) {
        let (from, to) = self.both(tcp);
        let facts = &tcp.facts;
        let (us, them) = (tcp.direction.index(), tcp.direction.other().index());
        let (talked, closed) = match self.world.talks.get(&tcp.connection) {
            Some(talk) => (talk.websocket && !talk.gap, talk.closed),
            None => (false, [false; 2]),
        };
        let mut fins = self.fins.get(&tcp.connection).copied().unwrap_or_default();
        if facts.ack.fin {
            fins[2 + them] = true;
            let last = fins[2] && fins[3];
            self.story.entitle(42, Title::FinAcked);
            self.tail.push(Note::FinAcked { by: from, last });
        }
        if facts.fin {
            fins[us] = true;
            self.story.entitle(50, Title::Fin);
            self.tail.push(Note::Fin {
                from,
                to,
                second: fins[them],
                bare: talked && closed == [false; 2],
            });
        }
        if facts.reset {
            let late = closed == [true; 2] || fins[0] && fins[1];
            let (title, note) = match facts.refused {
                true => (Title::Refused, Note::Refused { from, to }),
                false if facts.reset_doubtful && !late => (Title::ResetDoubtful, Note::ResetDoubtful { from, to }),
                false => (Title::Reset, Note::Reset { from, to, late }),
            };
            self.story.entitle(90, title);
            self.tail.push(note);
        }
        if self.fins.insert(tcp.connection, fins).is_none() {
            self.fins_in_order.push_back(tcp.connection);
            if self.fins_in_order.len() > FINS
                && let Some(old) = self.fins_in_order.pop_front()
            {
                self.fins.remove(&old);
            }
        }
        if facts.fin || facts.reset && !facts.reset_doubtful {
            self.gone(tcp);
        }
    }

    /// A client that closes has left the room.
    fn gone(&mut self, tcp: &Tcp) {
        if tcp.direction == Direction::ClientToServer || tcp.facts.reset {
            self.leave_room(tcp.connection);
            let user = self.world.talks.get(&tcp.connection).and_then(|talk| talk.user);
            if let Some(user) = user
                && self.world.users.session(user) == tcp.connection
            {
                // A server that begins anew gives the same identifiers to others.
                self.world.users.leaves(user);
                self.world.users.bind(user, 0);
            }
        }
    }

    /// Who sends in `direction` of the current connection: for the other files.
    pub(super) fn pair(&mut self, number: u64, direction: Direction) -> (Party, Party) {
        match self.world.talks.get(&number) {
            Some(talk) => (
                party(&mut self.story, &self.world.users, talk, direction),
                party(&mut self.story, &self.world.users, talk, direction.other()),
            ),
            None => (self.party(number, direction), self.party(number, direction.other())),
        }
    }
}
