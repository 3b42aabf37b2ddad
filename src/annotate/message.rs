//! The opening handshake of WebSocket, its messages and control frames (RFC 6455).

use super::chat::UNKNOWN;
use super::talk::{Kind, Label};
use super::users::quote;
use super::who::{Labelled, Role};
use super::{Fit, Narrator, Note, Title, agent};
use crate::base::Direction;
use crate::dissect::{ChatMeaning, Text};
use crate::record::{Accept, Handshake, Interpretation, Message, Opcode, Progress, Request, Source};

/// Bytes of a target, an origin, a subprotocol, extensions or a close reason that are quoted.
const QUOTED: usize = 120;
/// Bytes of a name that are told.
const LABEL: usize = 60;
/// Bytes of an identifier that are told.
const ID: usize = 40;

/// The title of a message of which nothing more is known.
pub(super) fn title(opcode: Opcode) -> Title {
    match opcode {
        Opcode::Close => Title::Close { answer: false },
        other => Title::Message(other),
    }
}

/// All that header `name` says: a list may stand in several lines (RFC 9110 §5.3, RFC 6455 §9.1).
fn list(request: &Request, name: &str) -> Option<String> {
    let values: Vec<_> = request.header_values(name).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

impl Narrator {
    pub(super) fn upgrade_request(&mut self, number: u64, request: &Request) {
        let agent = request.header("User-Agent").and_then(agent::read);
        if let Some(talk) = self.world.talks.get_mut(&number) {
            talk.role = if agent.is_some() { Role::Browser } else { Role::Client };
            talk.sent(
                &mut self.world.waiting,
                number,
                Direction::ClientToServer,
                request.range.end,
                Kind::UpgradeRequest,
            );
        }
        let (client, server) = self.pair(number, Direction::ClientToServer);
        let target = self.quoted(&request.target);
        self.now.told = true;
        self.story.entitle(80, Title::UpgradeRequest);
        self.story.notes.push(Note::UpgradeRequest {
            client,
            server,
            agent,
            target,
        });
        for (header, note) in [
            ("Origin", Note::Origin as fn(_) -> Note),
            ("Sec-WebSocket-Protocol", Note::OffersSubprotocol),
            ("Sec-WebSocket-Extensions", Note::OffersExtensions),
        ] {
            if let Some(value) = list(request, header) {
                let value = self.quoted(&value);
                self.story.notes.push(note(value));
            }
        }
        self.forwarded(request);
    }

    /// Whom a proxy names as its client: behind it, all requests come from the same address.
    fn forwarded(&mut self, request: &Request) {
        for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded"] {
            if let Some(value) = list(request, header) {
                let value = self.quoted(&value);
                return self.story.notes.push(Note::Forwarded(value, header));
            }
        }
    }

    pub(super) fn handshake(&mut self, source: &Source, handshake: &Handshake) {
        let number = source.connection.0;
        // The response was not captured: there is no packet to tell it of.
        let Some(response) = &handshake.response else { return };
        let refused = !handshake.upgraded();
        if let Some(talk) = self.world.talks.get_mut(&number) {
            talk.websocket |= !refused;
            talk.sent(
                &mut self.world.waiting,
                number,
                Direction::ServerToClient,
                response.range.end,
                Kind::UpgradeResponse { refused },
            );
        }
        let (client, server) = self.pair(number, Direction::ClientToServer);
        self.now.told = true;
        if refused {
            self.story.entitle(81, Title::UpgradeRefused);
            let reason = self.quoted(&response.reason);
            self.story.notes.push(Note::UpgradeRefused {
                client,
                server,
                status: response.status,
                reason,
            });
            let body = response.body.as_deref().unwrap_or_default().trim_ascii();
            if let Ok(body) = std::str::from_utf8(body)
                && !body.is_empty()
            {
                let body = self.quoted(body);
                self.story.notes.push(Note::RefusalBody(body));
            }
            return;
        }
        // An answer that is there but has no key to fit, or was cut off, is not the server's fault.
        let answered = response.header("sec-websocket-accept").is_some();
        let request = &handshake.request;
        let accept = match handshake.accept {
            _ if source.stream.is_some() => Fit::NotNeeded {
                status: response.status,
            },
            Accept::Valid => Fit::Yes,
            Accept::Invalid => Fit::No,
            Accept::Missing if answered && !request.method.is_empty() && !request.cut => Fit::NoKey,
            Accept::Missing if answered || response.cut => Fit::Unseen,
            Accept::Missing => Fit::Missing,
        };
        self.story.entitle(81, Title::UpgradeResponse);
        self.story.notes.push(Note::UpgradeAccepted { client, server, accept });
        if let Some(subprotocol) = &handshake.subprotocol {
            let name = self.quoted(subprotocol);
            self.story.notes.push(Note::Subprotocol(name));
        }
        if let Some(deflate) = handshake.deflate {
            self.story.notes.push(Note::Deflate(deflate));
        }
        for extension in handshake.extensions.iter().filter(|extension| !extension.is_known()) {
            let name = self.quoted(&extension.name);
            self.story.notes.push(Note::UnknownExtension(name));
        }
    }

    fn quoted(&mut self, text: &str) -> super::Span {
        quote(&mut self.story, Text::Plain(text), QUOTED)
    }

    pub(super) fn progress(&mut self, session: &Source, progress: &Progress) {
        self.recognised(session);
        let told = (progress.first_packet, progress.frames, progress.received);
        if let Some(talk) = self.world.talks.get_mut(&session.connection.0) {
            let index = progress.direction.index();
            talk.under_way[index] = true;
            // A control frame between two fragments says nothing of them.
            if talk.told_progress[index].replace(told) == Some(told) {
                return;
            }
        }
        let (from, to) = self.pair(session.connection.0, progress.direction);
        self.now.told = true;
        self.now.parts = true;
        let title = Title::Part {
            received: progress.received,
            total: progress.total,
            frames: progress.frames,
        };
        self.story.entitle(55, title);
        let since = (progress.first_packet != self.now.packet).then_some(progress.first_packet);
        // Between two fragments there is no frame to speak of, but a message that has begun.
        let whole = progress
            .total
            .map_or(progress.frames > 0, |total| progress.received >= total);
        self.story.notes.push(if whole {
            Note::Fragment {
                from,
                to,
                opcode: progress.opcode,
                frames: progress.frames,
            }
        } else {
            Note::Part {
                from,
                to,
                frames: progress.frames,
                received: progress.received,
                total: progress.total,
                since,
            }
        });
    }

    /// A connection whose handshake was not seen is introduced once.
    fn recognised(&mut self, session: &Source) {
        let Some(talk) = self.world.talks.get_mut(&session.connection.0) else {
            return;
        };
        talk.websocket = true;
        if session.inferred && !std::mem::replace(&mut talk.told_inferred, true) {
            self.story.notes.push(Note::Inferred);
        }
    }

    pub(super) fn message(&mut self, session: &Source, message: &Message<'_>) {
        self.recognised(session);
        self.now.told = true;
        self.now.json = false;
        let direction = message.direction;
        if let Some(talk) = self.world.talks.get_mut(&session.connection.0)
            && !message.opcode.is_control()
        {
            talk.under_way[direction.index()] = false;
        }
        if self.unfinished(message) {
            return;
        }
        let kind = match message.opcode {
            Opcode::Ping | Opcode::Pong | Opcode::Close => self.control(session, message),
            _ => self.data(session.connection.0, message),
        };
        if let Some(talk) = self.world.talks.get_mut(&session.connection.0) {
            talk.sent(
                &mut self.world.waiting,
                session.connection.0,
                direction,
                message.span.tcp.end,
                kind,
            );
        }
        let chat = matches!(kind, Kind::Login | Kind::Say(_));
        if !message.opcode.is_control() && self.now.parts {
            // What was told of its parts in this packet is told of the whole now.
            let (from, _) = self.pair(session.connection.0, direction);
            let mut others = false;
            self.story.notes.retain(|note| match note {
                Note::Part { from: by, .. } | Note::Fragment { from: by, .. } => {
                    others |= by.at != from.at;
                    by.at != from.at
                }
                _ => true,
            });
            self.now.parts = others;
        }
        self.circumstances(session.connection.0, message, chat);
    }

    /// A message that ends because its connection does was never sent whole. Gives whether it is one.
    fn unfinished(&mut self, message: &Message<'_>) -> bool {
        let payload = &message.payload;
        let cut_off = payload
            .holes
            .last()
            .is_none_or(|hole| hole.offset >= payload.bytes.len() as u64);
        let brings = self.now.tcp.as_ref().is_some_and(|tcp| tcp.length > 0);
        if message.complete || !cut_off || self.now.gap || brings || message.opcode.is_control() {
            return false;
        }
        let behind: u64 = payload.holes.iter().filter_map(|hole| hole.length).sum();
        let total = payload.length();
        self.story.notes.push(Note::Unfinished {
            first: message.span.first.packet,
            received: total.saturating_sub(behind),
            total: (payload.length_known() && !payload.holes.is_empty()).then_some(total),
        });
        true
    }

    /// How it came: masked, compressed, in pieces, with holes.
    fn circumstances(&mut self, number: u64, message: &Message<'_>, chat: bool) {
        let notes = &mut self.story.notes;
        if !message.complete && !self.now.gap {
            notes.push(Note::Incomplete);
        }
        if message.frames > 1 {
            notes.push(Note::Frames { frames: message.frames });
        }
        if message.span.first.packet < message.span.last.packet {
            notes.push(Note::Packets {
                first: message.span.first.packet,
                after: self.now.time.since(message.span.first.time),
                // What is told of an earlier packet is told in the block of another.
                here: message.span.last.packet == self.now.packet && self.now.packet != self.now.earlier,
            });
        }
        if message.compressed && message.payload.length_known() {
            notes.push(Note::Compressed {
                wire: message.wire_length,
                length: message.payload.length(),
            });
        }
        // What a server masks, it masks against the rule: that is told as such.
        if message.masked && message.wire_length > 0 && message.direction == Direction::ClientToServer {
            let again = self
                .world
                .talks
                .get_mut(&number)
                .is_some_and(|talk| std::mem::replace(&mut talk.told_masked, true));
            if !std::mem::replace(&mut self.now.masked, true) {
                notes.push(Note::Masked { again: again && !chat });
            }
        }
    }

    fn data(&mut self, number: u64, message: &Message<'_>) -> Kind {
        if !message.meaning.is_empty() {
            self.now.json = true;
            let mut kind = kind(message);
            for (index, read) in message.meaning.iter().enumerate() {
                kind = match ChatMeaning::of(read, message.direction) {
                    Some(meaning) => self.meaning(number, message.direction, meaning, read.answers.as_ref()),
                    None => self.labelled(number, message, index, read),
                };
            }
            return kind;
        }
        let length = message.payload.length();
        let (from, to) = self.pair(number, message.direction);
        self.story.entitle(80, Title::Message(message.opcode));
        self.story.notes.push(Note::Message {
            from,
            to,
            opcode: message.opcode,
            length,
        });
        kind(message)
    }

    /// Document `index` of a message of a protocol of which only its labels are told.
    fn labelled(&mut self, number: u64, message: &Message<'_>, index: usize, read: &Interpretation<'_>) -> Kind {
        let several = message.meaning.len() > 1;
        let (from, to) = self.pair(number, message.direction);
        let label = quote(&mut self.story, read.label.unwrap_or(Text::Plain("")), LABEL);
        let id = quote(&mut self.story, read.id.unwrap_or(Text::Plain("")), ID);
        let message = Labelled {
            protocol: read.protocol,
            action: read.action,
            label,
        };
        self.story.entitle(80, Title::Labelled(message));
        self.story.notes.push(if index == 0 {
            Note::Labelled {
                from,
                to,
                message,
                id,
                several,
            }
        } else {
            Note::AlsoLabelled { message, id }
        });
        if let Some(answers) = &read.answers {
            let mut label = self.story.keep(answers.label.as_str().as_bytes());
            label.cut = answers.label.is_cut();
            self.story.notes.push(Note::Answers {
                label,
                packet: answers.packet,
                after: answers.after,
            });
        }
        let kept = Label::new(self.story.text(label), label.cut);
        Kind::Labelled(read.protocol, read.action, kept)
    }

    fn control(&mut self, session: &Source, message: &Message<'_>) -> Kind {
        let number = session.connection.0;
        let direction = message.direction;
        let (from, to) = self.pair(number, direction);
        let length = message.payload.length();
        let Some(talk) = self.world.talks.get_mut(&number) else {
            return Kind::Message(message.opcode, length);
        };
        match message.opcode {
            Opcode::Ping => {
                self.story.entitle(79, Title::Message(Opcode::Ping));
                self.story.notes.push(Note::Ping { from, to, length });
            }
            Opcode::Pong => {
                let ping = message.meaning.first().and_then(|read| read.answers.as_ref());
                self.story.entitle(79, Title::Message(Opcode::Pong));
                self.story.notes.push(Note::Pong {
                    from,
                    to,
                    after: ping.map(|ping| ping.after),
                    ping: ping.map_or(0, |ping| ping.packet),
                });
            }
            _ => {
                let answer = talk.close(session.number(), direction, message.span.last.packet);
                let reason = message.close.map_or("", |close| close.reason);
                let reason = quote(&mut self.story, Text::Plain(reason), QUOTED);
                self.story.entitle(82, Title::Close { answer });
                self.story.notes.push(Note::Close {
                    from,
                    to,
                    code: message.close.map(|close| close.code),
                    reason,
                    answer,
                });
                return Kind::Close { answer };
            }
        }
        Kind::Message(message.opcode, length)
    }
}

/// What others call a message later: without a length where only a part of it is known.
fn kind(message: &Message<'_>) -> Kind {
    match message.payload.length_known() {
        true => Kind::Message(message.opcode, message.payload.length()),
        false => UNKNOWN,
    }
}
