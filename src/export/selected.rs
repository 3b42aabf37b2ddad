//! A view of the selected part only.

use std::ops::ControlFlow;

use super::View;
use crate::record::{Record, RecordKind, SegmentView, Sink};
use crate::select::Selection;
use crate::wire::Packet;

/// A view that is told of the events only that a [`Selection`] wants: for views that show events.
pub struct SelectedEvents<V> {
    view: V,
    selection: Selection,
}

impl<V: View> SelectedEvents<V> {
    /// `view`, told of what `selection` wants.
    pub fn new(view: V, selection: Selection) -> Self {
        Self { view, selection }
    }
}

impl<V: View> View for SelectedEvents<V> {
    fn output(&mut self) -> &mut Vec<u8> {
        self.view.output()
    }

    fn secrets(&mut self, key_log: &[u8]) {
        self.view.secrets(key_log);
    }

    fn finish(&mut self) {
        self.view.finish();
    }
}

impl<V: View> Sink for SelectedEvents<V> {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.view.packet(packet, segment)
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if self.selection.wants_event(record) {
            self.view.record(record)
        } else {
            self.view.unselected(record);
            ControlFlow::Continue(())
        }
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.view.packet_end(packet)
    }
}

/// A view that shows only the packets that a [`Selection`] wants: those that complete a selected message, or belong to the
/// selected connection. For views that show packets.
///
/// Such views know things from packets that are not shown (sequence numbers, names), so they render every packet, and what is
/// not wanted is taken out of their output again.
pub struct SelectedPackets<V> {
    view: V,
    selection: Selection,
    /// Where the current packet's output begins, and whether it is wanted. `None` between packets.
    packet: Option<(usize, bool)>,
}

impl<V: View> SelectedPackets<V> {
    /// `view`, showing what `selection` wants.
    pub fn new(view: V, selection: Selection) -> Self {
        Self {
            view,
            selection,
            packet: None,
        }
    }
}

impl<V: View> View for SelectedPackets<V> {
    fn output(&mut self) -> &mut Vec<u8> {
        self.view.output()
    }

    fn secrets(&mut self, key_log: &[u8]) {
        self.view.secrets(key_log);
    }

    fn finish(&mut self) {
        self.view.finish();
    }
}

impl<V: View> Sink for SelectedPackets<V> {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        let wanted = self.selection.wants_packet(segment.as_ref());
        self.packet = Some((self.view.output().len(), wanted));
        self.view.packet(packet, segment)
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        match &mut self.packet {
            Some((_, wanted)) => {
                *wanted |= matches!(record.kind, RecordKind::Message(_)) && self.selection.wants_event(record);
                self.view.record(record)
            }
            // What the end of the capture brings belongs to no packet.
            None if self.selection.wants_event(record) => self.view.record(record),
            // A view may keep what it hears and write it later, so it must not hear this.
            None => ControlFlow::Continue(()),
        }
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        let flow = self.view.packet_end(packet);
        if let Some((begin, false)) = self.packet.take() {
            self.view.take_back(begin);
        }
        flow
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Captured, Endpoint, Side, Timestamp};
    use crate::export::samples;
    use crate::record::Opcode;
    use crate::select::Opcodes;
    use crate::wire::LinkType;

    /// Writes `packet N`, `message` and `end` lines.
    #[derive(Default)]
    struct Lines(Vec<u8>);

    impl View for Lines {
        fn output(&mut self) -> &mut Vec<u8> {
            &mut self.0
        }
    }

    impl Sink for Lines {
        fn packet(&mut self, packet: &Packet<'_>, _: Option<SegmentView<'_>>) -> ControlFlow<()> {
            self.0
                .extend_from_slice(format!("packet {}\n", packet.number).as_bytes());
            ControlFlow::Continue(())
        }

        fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
            let what = match record.kind {
                RecordKind::Message(message) => message.opcode.name(),
                _ => "other",
            };
            self.0
                .extend_from_slice(format!("{} {what}\n", record.source.number()).as_bytes());
            ControlFlow::Continue(())
        }

        fn packet_end(&mut self, _: &Packet<'_>) -> ControlFlow<()> {
            self.0.extend_from_slice(b"end\n");
            ControlFlow::Continue(())
        }
    }

    /// Packet 1 has nothing, packet 2 a text of session 2, packet 3 a ping of session 2 and a text of session 3; then session 2
    /// ends.
    fn shown<V: View>(mut view: V) -> String {
        let mut sessions = [samples::session(), samples::session()];
        sessions[1].session = Some(crate::record::SessionId(3));
        let (text, ping) = (
            samples::message(Opcode::Text, b"hi"),
            samples::message(Opcode::Ping, b""),
        );
        let gap = RecordKind::Gap {
            direction: crate::base::Direction::ClientToServer,
            gap: crate::base::Gap {
                offset: 0,
                length: 1,
                cause: crate::base::GapCause::Lost,
            },
        };
        let events = [
            vec![],
            vec![(0, RecordKind::Message(&text))],
            vec![(0, RecordKind::Message(&ping)), (1, RecordKind::Message(&text))],
        ];
        for (number, events) in (1..).zip(&events) {
            let packet = Packet {
                number,
                time: Timestamp::from_nanos(0),
                link: LinkType(1),
                data: Captured::whole(b""),
            };
            let _ = view.packet(&packet, None);
            for (session, kind) in events {
                let _ = view.record(&samples::record(&sessions[*session], *kind));
            }
            let _ = view.packet_end(&packet);
        }
        let _ = view.record(&samples::record(&sessions[0], gap));
        String::from_utf8(view.output().clone()).unwrap()
    }

    fn selection(opcodes: Option<&str>, session: Option<u64>) -> Selection {
        Selection {
            opcodes: opcodes.map(|list| Opcodes::parse(list).unwrap()),
            session,
            ..Selection::default()
        }
    }

    #[test]
    fn a_view_of_events_hears_of_selected_messages_only() {
        let shown = |opcodes, session| shown(SelectedEvents::new(Lines::default(), selection(opcodes, session)));
        let packets = |a: &str, b: &str, c: &str| format!("packet 1\nend\npacket 2\n{a}end\npacket 3\n{b}end\n{c}");
        assert_eq!(shown(None, None), packets("2 text\n", "2 ping\n3 text\n", "2 other\n"));
        assert_eq!(shown(Some("text"), None), packets("2 text\n", "3 text\n", ""));
        assert_eq!(shown(None, Some(2)), packets("2 text\n", "2 ping\n", "2 other\n"));
        assert_eq!(shown(Some("text"), Some(2)), packets("2 text\n", "", ""));
    }

    #[test]
    fn a_view_of_packets_shows_those_that_complete_selected_messages() {
        let shown = |opcodes, session| shown(SelectedPackets::new(Lines::default(), selection(opcodes, session)));
        let third = "packet 3\n2 ping\n3 text\nend\n";
        assert_eq!(shown(Some("ping"), None), third);
        assert_eq!(shown(Some("text"), Some(3)), third);
        assert_eq!(shown(Some("close"), None), "");
    }

    #[test]
    fn a_view_of_packets_shows_all_of_a_selected_connection() {
        use crate::tcp::{Connection, SegmentFacts};
        use crate::wire::{Segment, TcpFlags};
        let endpoint = Endpoint::new(std::net::Ipv4Addr::LOCALHOST.into(), 1);
        let segment = Segment {
            source: endpoint,
            destination: endpoint,
            seq: 0,
            ack: 0,
            flags: TcpFlags(0x10),
            window: 0,
            payload: Captured::default(),
            ip_id: None,
            ttl: 64,
            interface: None,
            header: &[],
            first_fragment: None,
            fragments_differ: false,
        };
        let mut view = SelectedPackets::new(Lines::default(), selection(None, Some(2)));
        for number in 1..=3 {
            let packet = Packet {
                number,
                time: Timestamp::from_nanos(0),
                link: LinkType(1),
                data: Captured::whole(b""),
            };
            let connection = Connection {
                number,
                endpoints: [endpoint; 2],
                initiator: None,
            };
            let facts = SegmentFacts::new(Side::A);
            let segment = SegmentView {
                segment: &segment,
                connection: &connection,
                facts: &facts,
                source: None,
            };
            let _ = view.packet(&packet, Some(segment));
            let _ = view.packet_end(&packet);
        }
        assert_eq!(view.output(), b"packet 2\nend\n");
    }
}
