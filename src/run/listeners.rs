//! Who listens to the engine: the view, `--check`, `--summary`, and with a selection `-w` and `--count`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::check::Check;
use super::extensions::UnknownExtensions;
use super::extract::Extract;
use super::pick::Pick;
use super::redacted::Redacted;
use super::summary::SummaryReport;
use super::{Error, setup};
use crate::base::Timestamp;
use crate::capture::Raw;
use crate::capture::savefile::{Savefile, Written};
use crate::export::View;
use crate::record::{ConnectionId, Record, RecordKind, SegmentView, SessionId, Sink as _};
use crate::wire::Packet;

/// When this much has gathered, it is taken.
const FULL: usize = 128 << 10;

/// All that listen.
#[derive(Default)]
pub(super) struct Listeners {
    pub(super) view: Option<Box<dyn View + Send>>,
    /// The view shows packets, and not records alone.
    pub(super) packets: bool,
    /// The view hears of packets, and shows none.
    pub(super) hears_packets: bool,
    /// The view shows sessions as a whole.
    pub(super) sessions: bool,
    pub(super) check: Option<Check>,
    pub(super) summary: Option<SummaryReport>,
    pub(super) extract: Option<Extract>,
    pub(super) redacted: Option<Redacted>,
    /// `-w`, when not every packet is written.
    pub(super) savefile: Option<Savefile>,
    /// `--count`, when not every packet counts.
    pub(super) count: Option<u64>,
    /// Extensions that are not known, in sessions that are selected.
    pub(super) unknown_extensions: UnknownExtensions,
    /// Why the savefile could not be written.
    pub(super) failed: Option<Error>,
    /// Messages so far: they are numbered as they are told.
    pub(super) messages: u64,
    pub(super) current: Current,
    /// Open sessions of which a selected message was told: `--follow` shows all that comes after.
    pub(super) begun: HashSet<SessionId>,
    /// Something of what was selected was there.
    pub(super) found: bool,
}

/// What the current packet does.
#[derive(Default)]
pub(super) struct Current {
    in_packet: bool,
    time: Timestamp,
    connection: Option<ConnectionId>,
    /// Something for a session that is selected.
    serves: bool,
    /// Something for one that is not.
    serves_others: bool,
    /// It completes a selected message.
    completes: bool,
}

impl Listeners {
    /// Somebody listens.
    pub(super) fn any(&self) -> bool {
        self.view.is_some() || self.check.is_some() || self.extract.is_some() || self.wants_packets()
    }

    /// Somebody listens to packets, and not only to records.
    pub(super) fn wants_packets(&self) -> bool {
        self.shows_packets() || self.hears_packets || self.wants_whole_connections()
    }

    /// Somebody is told of the packets that serve a selected session, or complete a selected message.
    pub(super) fn shows_packets(&self) -> bool {
        self.packets || self.count.is_some()
    }

    /// Somebody is told of packets by whether their connection carries a selected session.
    pub(super) fn wants_whole_connections(&self) -> bool {
        self.summary.is_some() || self.savefile.is_some() || self.redacted.is_some()
    }

    /// Somebody is told of what is no message by whether its session holds a selected one.
    pub(super) fn wants_whole_sessions(&self) -> bool {
        self.summary.is_some() || self.check.is_some() || self.sessions
    }

    /// What there is to say on standard error at the end.
    pub(super) fn notes(&mut self) -> Result<Vec<String>, Error> {
        let mut notes = self.view.as_ref().map_or_else(Vec::new, |view| view.notes());
        if let Some(extract) = &mut self.extract {
            notes.append(&mut extract.finish()?);
        }
        notes.extend(self.unknown_extensions.note());
        Ok(notes)
    }

    /// Enough has gathered to be written.
    pub(super) fn full(&mut self) -> bool {
        self.view.as_mut().is_some_and(|view| view.output().len() >= FULL)
            || self.check.as_ref().is_some_and(|check| check.out.len() >= FULL)
            || self.redacted.as_mut().is_some_and(Redacted::full)
    }

    /// A packet, when everything is selected.
    #[inline]
    pub(super) fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        if let Some(summary) = &mut self.summary {
            summary.counts.packet(packet, segment)?;
        }
        if let Some(redacted) = &mut self.redacted {
            redacted.redaction.packet(packet, segment)?;
        }
        match &mut self.view {
            Some(view) => view.packet(packet, segment),
            None => ControlFlow::Continue(()),
        }
    }

    /// A record, when everything is selected.
    pub(super) fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if let RecordKind::Handshake(handshake) = record.kind {
            self.unknown_extensions.handshake(handshake);
        }
        if let Some(check) = &mut self.check {
            check.record(record)?;
        }
        if let Some(summary) = &mut self.summary {
            summary.counts.record(record)?;
        }
        if let Some(extract) = &mut self.extract {
            extract.record(record)?;
        }
        if let Some(redacted) = &mut self.redacted {
            redacted.redaction.record(record)?;
        }
        match &mut self.view {
            Some(view) => view.record(record),
            None => ControlFlow::Continue(()),
        }
    }

    /// The end of a packet, when everything is selected.
    #[inline]
    pub(super) fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        if let Some(summary) = &mut self.summary {
            summary.counts.packet_end(packet)?;
        }
        if let Some(redacted) = &mut self.redacted {
            redacted.redaction.packet_end(packet)?;
        }
        match &mut self.view {
            Some(view) => view.packet_end(packet),
            None => ControlFlow::Continue(()),
        }
    }

    /// A packet of which `pick` says whether it is wanted.
    pub(super) fn pick_packet(
        &mut self,
        packet: &Packet<'_>,
        segment: Option<SegmentView<'_>>,
        pick: &Pick<'_>,
    ) -> ControlFlow<()> {
        let connection = match segment {
            Some(segment) => Some(ConnectionId(segment.connection.number)),
            None => pick.decisions.fragment_of(packet.number),
        };
        self.current = Current {
            in_packet: true,
            time: packet.time,
            connection,
            ..Current::default()
        };
        if pick.whole_packet(packet.time, connection) {
            self.found |= !pick.rules.by_content();
            if let Some(summary) = &mut self.summary {
                summary.counts.packet(packet, segment)?;
            }
            if let Some(redacted) = &mut self.redacted {
                redacted.redaction.packet(packet, segment)?;
            }
            self.write(packet)?;
        }
        match &mut self.view {
            Some(view) if self.packets || self.hears_packets => view.packet(packet, segment),
            _ => ControlFlow::Continue(()),
        }
    }

    fn write(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        let Some(savefile) = &mut self.savefile else {
            return ControlFlow::Continue(());
        };
        let raw = Raw {
            time: packet.time,
            link: packet.link,
            swapped: false,
            data: packet.data,
        };
        match savefile.write(&raw, setup::now) {
            Ok(Written::Yes) => ControlFlow::Continue(()),
            Ok(_) => ControlFlow::Break(()),
            Err(error) => {
                self.failed = Some(error.into());
                ControlFlow::Break(())
            }
        }
    }

    /// A record of which `pick` says whether it is wanted.
    pub(super) fn pick_record(&mut self, record: &Record<'_>, pick: &Pick<'_>) -> ControlFlow<()> {
        let is_message = matches!(record.kind, RecordKind::Message(_));
        let number = self.messages;
        self.messages += u64::from(is_message);
        let session = record.source.session;
        let of_session = pick.session(session);
        if let RecordKind::Handshake(handshake) = record.kind
            && of_session
        {
            self.unknown_extensions.handshake(handshake);
        }
        let chosen = of_session
            && pick.decisions.in_time(record.at.time)
            && match is_message {
                true => pick.message(number),
                false => {
                    !pick.rules.by_message
                        || pick.rules.follow && session.is_some_and(|session| self.begun.contains(&session))
                }
            };
        if chosen && is_message && pick.rules.follow {
            self.begun.extend(session);
        }
        if let RecordKind::SessionEnd(_) = record.kind
            && let Some(session) = session
        {
            self.begun.remove(&session);
        }
        let whole = pick.whole_session(session) && pick.decisions.in_time(record.at.time);
        self.found |= if pick.rules.by_message {
            chosen && is_message
        } else {
            whole
        };
        if let Some(check) = &mut self.check
            && whole
        {
            check.record(record)?;
        }
        if let Some(summary) = &mut self.summary
            && (if is_message { chosen } else { whole })
        {
            summary.counts.record(record)?;
        }
        if let Some(redacted) = &mut self.redacted
            && pick.whole_record(record)
        {
            redacted.redaction.record(record)?;
        }
        if let Some(extract) = &mut self.extract {
            match chosen {
                true => extract.record(record)?,
                false => extract.unselected(record),
            }
        }
        self.current.serves |= of_session && session.is_some();
        self.current.serves_others |= !of_session && session.is_some();
        self.current.completes |= chosen && (is_message || pick.rules.follow);
        let Some(view) = &mut self.view else {
            return ControlFlow::Continue(());
        };
        if self.packets && self.current.in_packet {
            // Of what lies on one connection only what was asked for; of others' connections names are known at least.
            if of_session || !pick.connection(Some(record.source.connection)) {
                if chosen || of_session && !is_message {
                    return view.record(record);
                }
                view.unselected(record);
            }
            return ControlFlow::Continue(());
        }
        if chosen || self.sessions && pick.whole_session(session) {
            view.record(record)
        } else {
            // A view of packets may keep what it hears and write it later.
            if !self.packets {
                view.unselected(record);
            }
            ControlFlow::Continue(())
        }
    }

    /// The end of a packet of which `pick` says whether it is wanted.
    pub(super) fn pick_packet_end(&mut self, packet: &Packet<'_>, pick: &Pick<'_>) -> ControlFlow<()> {
        self.current.in_packet = false;
        let Current {
            time,
            connection,
            serves,
            serves_others,
            completes,
            ..
        } = self.current;
        if pick.whole_packet(time, connection) {
            if let Some(summary) = &mut self.summary {
                summary.counts.packet_end(packet)?;
            }
            if let Some(redacted) = &mut self.redacted {
                redacted.redaction.packet_end(packet)?;
            }
        }
        let wanted = pick.decisions.in_time(time)
            && match (pick.rules.by_message, pick.rules.by_session) {
                (true, _) => completes,
                (false, true) => pick.connection(connection) && (serves || !serves_others),
                (false, false) => true,
            };
        if let Some(count) = &mut self.count {
            *count += u64::from(wanted);
        }
        let Some(view) = self.view.as_mut().filter(|_| self.packets || self.hears_packets) else {
            return ControlFlow::Continue(());
        };
        if wanted || !self.packets {
            return view.packet_end(packet);
        }
        view.hide(packet, pick.may_show(connection));
        ControlFlow::Continue(())
    }
}
