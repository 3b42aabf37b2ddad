//! Titles and notes, as sentences.

use super::words::{Arg, Words};
use crate::annotate::{Fit, Labelled, Note, Person, Span, Title, To};
use crate::base::{Gap, GapCause};
use crate::record::Opcode;

impl Words<'_> {
    /// Writes a title.
    pub fn title(&mut self, title: &Title) {
        self.begin();
        match self.story.received {
            true => self.t_received(Arg::Title(title)),
            false => self.title_inside(title),
        }
        self.end();
    }

    /// Writes a title, or a part of one.
    pub(super) fn title_inside(&mut self, title: &Title) {
        let by = |person: &Option<Person>| person.map(Arg::Person);
        match title {
            Title::Tcp => self.t_tcp(),
            Title::TcpHandshake(1) => self.t_handshake_1(),
            Title::TcpHandshake(2) => self.t_handshake_2(),
            Title::TcpHandshake(_) => self.t_handshake_3(),
            Title::UpgradeRequest => self.t_upgrade_request(),
            Title::UpgradeReceived => self.t_upgrade_received(),
            Title::UpgradeResponse => self.t_upgrade_response(),
            Title::UpgradeRefused => self.t_upgrade_refused(),
            Title::UpgradeDone => self.t_upgrade_done(),
            Title::Login => self.t_login(),
            Title::UserList { login: true } => self.t_login_list(),
            Title::UserList { login: false } => self.t_user_list(),
            Title::LoginResult => self.t_login_result(),
            Title::LoginDone => self.t_login_done(),
            Title::Joined => self.t_joined(),
            Title::Left => self.t_left(),
            Title::Say(person) => match by(person) {
                Some(person) => self.t_say_by(person),
                None => self.t_say(),
            },
            Title::SayDone(person) => match by(person) {
                Some(person) => self.t_say_done_by(person),
                None => self.t_say_done(),
            },
            Title::Private(person) => match by(person) {
                Some(person) => self.t_private_by(person),
                None => self.t_private(),
            },
            Title::AppPing => self.t_app_ping(),
            Title::AppPong => self.t_app_pong(),
            Title::Refusal => self.t_refusal(),
            Title::Labelled(Labelled {
                protocol,
                action,
                label,
            }) => {
                let (protocol, act) = (Arg::Raw(protocol), Arg::Act(*action));
                if label.is_empty() {
                    self.t_labelled(protocol, act);
                } else {
                    self.t_labelled_name(protocol, act, Arg::Quote(*label));
                }
            }
            Title::Message(Opcode::Binary) => self.t_binary(),
            Title::Message(Opcode::Ping) => self.t_ping(),
            Title::Message(Opcode::Pong) => self.t_pong(),
            Title::Message(Opcode::Reserved(n)) => self.t_reserved(Arg::Num((*n).into())),
            Title::Message(_) => self.t_text(),
            Title::Part { total: None, .. } => self.t_part(),
            Title::Part {
                received,
                total: Some(total),
                frames,
            } => {
                let (received, total) = (Arg::Num(*received), Arg::Bytes(*total));
                match frames {
                    0 | 1 => self.t_part_of(received, total),
                    n => self.t_fragment_of(Arg::Num((*n).into()), received, total),
                }
            }
            Title::Close { answer: false } => self.t_close(),
            Title::Close { answer: true } => self.t_close_answer(),
            Title::Fin => self.t_fin(),
            Title::FinAcked => self.t_fin_acked(),
            Title::Reset => self.t_reset(),
            Title::Refused => self.t_refused(),
            Title::Retransmission => self.t_retransmission(),
            Title::Duplicate => self.t_duplicate(),
            Title::OutOfOrder => self.t_out_of_order(),
            Title::KeepAlive => self.t_keep_alive(),
            Title::WindowProbe => self.t_window_probe(),
            Title::WindowClosed => self.t_window_closed(),
            Title::WindowOpened => self.t_window_opened(),
            Title::Window(bytes) => self.t_window(Arg::Bytes(*bytes)),
            Title::AckRepeated => self.t_ack_repeated(),
            Title::AckSack { begin, end } => self.t_ack_sack(Arg::Num(*begin), Arg::Num(*end)),
            Title::AckOvertaken => self.t_ack_overtaken(),
            Title::Ack => self.t_ack(),
            Title::Http2 => self.t_http2(),
            Title::Tls => self.t_tls(),
            Title::TlsHandshake => self.t_tls_handshake(),
            Title::ResetStray => self.t_reset_stray(),
            Title::ResetDoubtful => self.t_reset_doubtful(),
            Title::Data => self.t_data(),
            Title::Gap => self.t_gap(),
            Title::How => self.t_end(),
        }
    }

    /// Writes a note: one sentence.
    pub fn note(&mut self, note: &Note) {
        use Arg::{Bare, Bytes, Local, Name, Num, Party, Place, Quote, Raw, Remote, Time, What};
        self.begin();
        match *note {
            Note::Syn { client, server } => self.syn(Bare(client), Local(client), Remote(server)),
            Note::SynAck { client, server } => self.syn_ack(Remote(server), Bare(client), Place(client)),
            Note::HandshakeAck { client, server } => self.handshake_ack(Bare(client), Local(client), Remote(server)),
            Note::SynAgain { agrees } => self.syn_again(Raw(if agrees { "SYN+ACK" } else { "SYN" })),
            Note::Late => self.late(),
            Note::Inferred => self.inferred(),
            Note::UpgradeRequest {
                client,
                server,
                agent,
                target,
            } => match agent {
                Some(agent) => self.upgrade_request_browser(
                    Bare(client),
                    Arg::Agent(agent),
                    Local(client),
                    Remote(server),
                    Quote(target),
                ),
                None => self.upgrade_request(Bare(client), Local(client), Remote(server), Quote(target)),
            },
            Note::Origin(span) => self.origin(Quote(span)),
            Note::OffersSubprotocol(span) => self.offers_subprotocol(Quote(span)),
            Note::OffersExtensions(span) => self.offers_extensions(Quote(span)),
            Note::UpgradeAccepted { client, server, accept } => {
                let (a, b, c, d) = (Bare(server), Place(server), Bare(client), Place(client));
                match accept {
                    Fit::Yes => self.upgrade_accepted(a, b, c, d),
                    Fit::No => self.upgrade_accept_invalid(a, b, c, d),
                    Fit::Missing => self.upgrade_accept_missing(a, b, c, d),
                    Fit::NoKey => self.upgrade_no_key(a, b, c, d),
                    Fit::Unseen => self.upgrade_accept_unseen(a, b, c, d),
                    Fit::NotNeeded { status } => self.upgrade_accepted_http2(a, b, c, d, Num(status.into())),
                }
            }
            Note::UpgradeRefused {
                client,
                server,
                status: 101,
                ..
            } => self.upgrade_failed(Party(server), Party(client)),
            Note::UpgradeRefused {
                client,
                server,
                status,
                reason,
            } => match reason.is_empty() {
                true => self.upgrade_refused(Party(server), Party(client), Num(status.into())),
                false => self.upgrade_refused_reason(Party(server), Party(client), Num(status.into()), Quote(reason)),
            },
            Note::RefusalBody(body) => self.refusal_body(Quote(body)),
            Note::Forwarded(address, header) => self.forwarded(Quote(address), Raw(header)),
            Note::UnknownExtension(name) => self.unknown_extension(Quote(name)),
            Note::Subprotocol(span) => self.subprotocol(Quote(span)),
            Note::Deflate(deflate) => match (deflate.client_no_context_takeover, deflate.server_no_context_takeover) {
                (false, false) => self.deflate(),
                (true, false) => self.deflate_client_anew(),
                (false, true) => self.deflate_server_anew(),
                (true, true) => self.deflate_both_anew(),
            },
            Note::Acked {
                by,
                to,
                what,
                before,
                more,
                also,
            } => {
                let whats = Arg::Whats(what, before, more);
                match also {
                    true => self.acked_also(Party(by), whats),
                    false => self.acked(Party(by), Party(to), whats),
                }
            }
            Note::AckedPart {
                by,
                to,
                bytes,
                also: false,
            } => self.acked_part(Party(by), Party(to), Bytes(bytes)),
            Note::AckedPart { by, bytes, .. } => self.acked_part_also(Party(by), Bytes(bytes)),
            Note::AckedBytes { by, bytes, also: false } => self.acked_bytes(Party(by), Bytes(bytes)),
            Note::AckedBytes { by, bytes, .. } => self.acked_bytes_also(Party(by), Bytes(bytes)),
            Note::AckRepeats { what } => self.ack_repeats(What(what)),
            Note::AckDuplicate { by } => self.ack_duplicate(Party(by)),
            Note::AckSack { by, begin, end } => self.ack_sack(Party(by), Num(begin), Num(end)),
            Note::AckOvertaken { by } => self.ack_overtaken(Party(by)),
            Note::AckClosed { by } => self.ack_closed(Party(by)),
            Note::AckOnly { by } => self.ack_only(Party(by)),
            Note::AckUnseen => self.ack_unseen(),
            Note::Login { client, server, name } => self.login(Party(client), Party(server), Name(name)),
            Note::UserList {
                server,
                client,
                names,
                count,
            } => {
                let (a, b, c) = (Party(server), Party(client), Arg::Names(names));
                match count {
                    0 => self.user_list_none(a, b),
                    1 => self.user_list_one(a, b, c),
                    n if names.cut => self.user_list_more(a, b, c, Num(n)),
                    n => self.user_list(a, b, c, Num(n)),
                }
            }
            Note::LoginResult { server, client, person } => {
                self.login_result(Party(server), Party(client), Name(person.name), Arg::Id(person.id));
            }
            Note::LoginNotice { server, client, person } => {
                self.login_notice(Party(server), Party(client), Arg::Person(person));
            }
            Note::LogoutNotice { server, client, person } => {
                self.logout_notice(Party(server), Party(client), Arg::Person(person));
            }
            Note::Say {
                client,
                server,
                to,
                content,
            } => match to {
                To::All => self.say(Party(client), Quote(content), Place(server)),
                To::One(person) => {
                    self.say_private(Party(client), Quote(content), Arg::Person(person), Place(server));
                }
            },
            Note::Forward {
                server,
                client,
                from,
                content,
                own,
            } => match own {
                true => self.forward_own(Party(server), Party(client), Quote(content)),
                false => self.forward(Party(server), Party(client), Arg::Person(from), Quote(content)),
            },
            Note::ForwardPrivate {
                server,
                client,
                from,
                to,
                content,
                own,
            } => match own {
                true => self.forward_private_own(Party(server), Party(client), Arg::Person(to), Quote(content)),
                false => self.forward_private(Party(server), Party(client), Arg::Person(from), Quote(content)),
            },
            Note::Delivery {
                nth,
                of,
                after,
                browsers,
            } => match (nth, of, browsers) {
                (0, _, _) | (_, 0, _) => self.delivery(Time(after)),
                (_, _, true) => self.delivery_browsers(Num(nth.into()), Num(of.into()), Time(after)),
                (_, _, false) => self.delivery_clients(Num(nth.into()), Num(of.into()), Time(after)),
            },
            Note::SayDone {
                content,
                of,
                after,
                browsers,
            } => {
                let (content, of_all, after) = (Quote(content), Num(of.into()), Time(after));
                match (of, browsers) {
                    (1, true) => self.say_done_browser(content, after),
                    (1, false) => self.say_done_client(content, after),
                    (_, true) => self.say_done_browsers(content, of_all, after),
                    (_, false) => self.say_done_clients(content, of_all, after),
                }
            }
            Note::PrivateDone { content, after } => self.private_done(Quote(content), Time(after)),
            Note::Missed {
                content,
                packet,
                who,
                more,
                end,
            } => {
                let (content, packet, who, others) = (Quote(content), Num(packet), Party(who), Num(more.into()));
                match (more, end) {
                    (0, false) => self.missed(content, packet, who),
                    (1, false) => self.missed_and_one(content, packet, who),
                    (_, false) => self.missed_and_more(content, packet, who, others),
                    (0, true) => self.pending(content, packet, who),
                    (_, true) => self.pending_and_more(content, packet, who, others),
                }
            }
            Note::MissedByAll { content, packet, end } => match end {
                false => self.missed_by_all(Quote(content), Num(packet)),
                true => self.pending_by_all(Quote(content), Num(packet)),
            },
            Note::MissedLeaving { who, content, packet } => {
                self.missed_leaving(Party(who), Quote(content), Num(packet));
            }
            Note::NotJson { at } => self.not_json(Num(at)),
            Note::Repeated => self.repeated(),
            Note::Refusal { server, client, code } => self.refusal(Party(server), Party(client), Quote(code)),
            Note::AppPing { from, to } => self.app_ping(Party(from), Party(to)),
            Note::AppPong { from, to, after } => match after {
                Some(after) => self.app_pong_after(Party(from), Party(to), Time(after)),
                None => self.app_pong_unasked(Party(from), Party(to)),
            },
            Note::Labelled {
                from, to, message, id, ..
            } => {
                let protocol = Raw(message.protocol);
                self.labelled(Party(from), Party(to), protocol, Arg::Act(message.action));
                self.label_and_id(message.label, id);
            }
            Note::AlsoLabelled { message, id } => {
                self.also_labelled(Raw(message.protocol), Arg::Act(message.action));
                self.label_and_id(message.label, id);
            }
            Note::Answers { label, packet, after } => match label.is_empty() {
                true => self.answers_unnamed(Num(packet), Time(after)),
                false => self.answers(Quote(label), Num(packet), Time(after)),
            },
            Note::Message {
                from,
                to,
                opcode,
                length,
            } => match opcode {
                Opcode::Binary => self.binary(Party(from), Party(to), Bytes(length)),
                Opcode::Reserved(n) => self.reserved(Party(from), Party(to), Num(n.into()), Bytes(length)),
                _ => self.text(Party(from), Party(to), Bytes(length)),
            },
            Note::Masked { .. } => self.masked(),
            Note::Compressed { wire, length } => self.compressed(Bytes(wire), Bytes(length)),
            Note::Frames { frames } => self.frames(Num(frames.into())),
            Note::Packets {
                first,
                after,
                here: true,
            } => self.packets(Num(first), Time(after)),
            Note::Packets { first, after, .. } => self.packets_earlier(Num(first), Time(after)),
            Note::Incomplete => self.incomplete(),
            Note::Unfinished { first, received, total } => match total {
                Some(total) => self.fin_unfinished(Num(first), Num(received), Bytes(total)),
                None => self.fin_unfinished_some(Num(first)),
            },
            Note::OfConnection { client, server } => self.of_connection(Party(client), Party(server)),
            Note::Earlier { packet, recognised } => match recognised {
                true => self.earlier(Num(packet)),
                false => self.earlier_unread(Num(packet)),
            },
            Note::Part {
                from,
                to,
                frames,
                received,
                total,
                since,
            } => match (total, since) {
                (None, _) => self.part_header(Party(from), Party(to)),
                (Some(total), _) if frames > 1 => {
                    self.part_fragment(Party(from), Party(to), Num(frames.into()), Num(received), Bytes(total));
                }
                (Some(total), None) => self.part_begins(Party(from), Party(to), Num(received), Bytes(total)),
                (Some(total), Some(since)) => {
                    self.part_goes_on(Party(from), Party(to), Num(received), Bytes(total), Num(since));
                }
            },
            Note::Fragment { from, to, frames, .. } => self.fragment(Party(from), Party(to), Num(frames.into())),
            Note::Ping { from, to, .. } => self.ping(Party(from), Party(to)),
            Note::Pong { from, to, after, ping } => match after {
                Some(after) => self.pong(Party(from), Party(to), Num(ping), Time(after)),
                None => self.pong_unasked(Party(from), Party(to)),
            },
            Note::Close {
                from,
                to,
                code,
                reason,
                answer,
            } => {
                let (from, to) = (Party(from), Party(to));
                match (code, answer) {
                    (None, false) => self.close(from, to),
                    (None, true) => self.close_answer(from, to),
                    (Some(code), false) => self.close_code(from, to, Num(code.into()), Raw(self.code(code))),
                    (Some(code), true) => self.close_answer_code(from, to, Num(code.into()), Raw(self.code(code))),
                }
                if !reason.is_empty() {
                    self.close_reason(Quote(reason));
                }
            }
            Note::Fin { from, to, second, bare } => match (second, bare) {
                (true, _) => self.fin_second(Party(from)),
                (false, true) => self.fin_bare(Party(from), Party(to)),
                (false, false) => self.fin(Party(from), Party(to)),
            },
            Note::FinAcked { by, last } => match last {
                true => self.fin_acked_last(Party(by)),
                false => self.fin_acked(Party(by)),
            },
            Note::Reset { from, to, late } => match late {
                true => self.reset_late(Party(from)),
                false => self.reset(Party(from), Party(to)),
            },
            Note::Refused { from, to } => self.reset_refused(Party(from), Party(to)),
            Note::Data { from, to, length } => self.data(Party(from), Party(to), Bytes(length)),
            Note::Retransmission { from, new, different } => match (new, different) {
                (0, false) => self.retransmission(Party(from)),
                (0, true) => self.retransmission_differs(Party(from)),
                (new, _) => self.retransmission_partly(Party(from), Bytes(new)),
            },
            Note::Duplicate => self.duplicate(),
            Note::OutOfOrder { from, missing } => self.out_of_order(Party(from), Bytes(missing)),
            Note::Fills { released: 0 } => self.fills(),
            Note::Fills { released } => self.fills_releases(Bytes(released)),
            Note::Http2Preface { from } => self.http2_preface(Party(from)),
            Note::Http2Settings { from, allows: false } => self.http2_settings(Party(from)),
            Note::Http2Settings { from, allows: true } => self.http2_allows(Party(from)),
            Note::Http2Data { from, stream, length } => {
                self.http2_data(Party(from), Bytes(length.into()), Num(stream.into()));
            }
            Note::Http2EndStream { from, stream } => self.http2_end_stream(Party(from), Num(stream.into())),
            Note::Http2Request { from, stream, what } => {
                self.http2_request(Party(from), Quote(what), Num(stream.into()));
            }
            Note::Http2Response { from, stream, status } => {
                self.http2_response(Party(from), Num(stream.into()), Num(status.into()));
            }
            Note::Http2Reset { from, stream, code } => self.http2_reset(Party(from), Num(stream.into()), Raw(code)),
            Note::Http2GoAway { from, code } => self.http2_goaway(Party(from), Raw(code)),
            Note::Http2Control { from, frame } => self.http2_control(Party(from), Raw(frame)),
            Note::TlsClientHello { from, name } => match name.is_empty() {
                true => self.tls_client_hello(Party(from)),
                false => self.tls_client_hello_name(Party(from), Quote(name)),
            },
            Note::TlsServerHello { from, version, suite } => match suite {
                Some(suite) => self.tls_server_hello(Party(from), Raw(version), Raw(suite)),
                None => self.tls_server_hello_version(Party(from), Raw(version)),
            },
            Note::TlsHandshake { from } => self.tls_handshake(Party(from)),
            Note::TlsData { from } => self.tls_data(Party(from)),
            Note::TlsSealed { from, records } => self.tls_sealed(Party(from), Num(records.into())),
            Note::TlsAlert { from, name } => self.tls_alert(Party(from), Raw(name)),
            Note::ResetStray { from, to } => self.reset_stray(Party(from), Party(to)),
            Note::ResetDoubtful { from, to } => self.reset_doubtful(Party(from), Party(to)),
            Note::KeepAlive { from, to } => self.keep_alive(Party(from), Party(to)),
            Note::WindowProbe { from, to } => self.window_probe(Party(from), Party(to)),
            Note::OutOfWindow => self.out_of_window(),
            Note::WindowClosed { by } => self.window_closed(Party(by)),
            Note::WindowOpened { by, bytes } => self.window_opened(Party(by), Bytes(bytes)),
            Note::WindowUpdate { by, bytes } => self.window_update(Party(by), Bytes(bytes)),
            Note::Gap { from, length, cause } => match cause {
                _ if length >= Gap::UNKNOWN => self.gap_unknown(Party(from)),
                GapCause::Lost => self.gap_lost(Party(from), Bytes(length)),
                GapCause::Snaplen => self.gap_snaplen(Party(from), Bytes(length)),
                GapCause::NoKey => self.gap_no_key(Party(from), Bytes(length)),
                GapCause::Evicted => self.gap_evicted(Party(from), Bytes(length)),
            },
            Note::Violation { by, rule, about } => {
                let (what, id) = (Arg::Broken(rule, about), Raw(rule.id()));
                match rule.rfc() {
                    Some(rfc) => self.violation(Party(by), what, id, Raw(rfc)),
                    None => self.violation_limit(what, id),
                }
            }
            Note::Ended { session, client, end } => {
                let story = self.story;
                if let Some(end) = story.end(end) {
                    self.ended(Num(session), Party(client), Arg::Verdict(end));
                }
            }
        }
        self.end();
    }

    /// What a labelled message is called, and the end of its sentence.
    fn label_and_id(&mut self, label: Span, id: Span) {
        if !label.is_empty() {
            self.labelled_name(Arg::Quote(label));
        }
        if !id.is_empty() {
            self.labelled_id(Arg::Id(id));
        }
        self.out.extend_from_slice(self.catalog.stop.as_bytes());
    }
}
