//! How a session ended, in one sentence.

use super::words::{Arg, Words};
use super::{Catalog, Language};
use crate::annotate::Story;
use crate::base::Direction;
use crate::layer::tls::Alert;
use crate::record::{How, SessionEnd, TransportEnd, Unacknowledged, Unanswered, Verdict, http2_error_name};

/// Nanoseconds of silence before the end that are worth a word.
const SILENCE: i64 = 1_000_000_000;

impl Catalog {
    /// Appends one sentence on how a session ended: who ended it, with which code, whether the closing handshake was complete,
    /// which pings were not answered. It quotes nothing that was captured.
    pub fn verdict(&'static self, end: &SessionEnd, out: &mut Vec<u8>) {
        // Nothing captured is written, so there is nothing to escape.
        let mut words = Language::of(self).words(Story::EMPTY, out, Vec::extend_from_slice);
        words.verdict(end);
        words.end();
    }
}

impl Catalog {
    /// The name of a verdict.
    pub const fn verdict_name(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Refused => self.n_refused,
            Verdict::Unanswered => self.n_unanswered,
            Verdict::Evicted => self.n_evicted,
            Verdict::Closed => self.n_closed,
            Verdict::ClosedWithError => self.n_closed_with_error,
            Verdict::CloseUnanswered => self.n_close_unanswered,
            Verdict::PeerVanished => self.n_peer_vanished,
            Verdict::Reset => self.n_reset,
            Verdict::EndedWithoutClose => self.n_ended_without_close,
            Verdict::NotSeen => self.n_not_seen,
            Verdict::StillOpen => self.n_still_open,
        }
    }
}

impl Language {
    /// See [`Catalog::verdict`].
    pub fn verdict(&self, end: &SessionEnd, out: &mut Vec<u8>) {
        self.catalog.verdict(end, out);
    }
}

impl Words<'_> {
    /// See [`Catalog::verdict`]; without the capital letter.
    pub(super) fn verdict(&mut self, end: &SessionEnd) {
        let catalog = self.catalog;
        match (end.refused, end.how) {
            (Some(0), _) if end.end_lost[Direction::ServerToClient] => self.v_unanswered_unseen(),
            (Some(0), How::Rst) if end.reset == Some(Direction::ServerToClient) => {
                self.v_unanswered_reset(Arg::Raw(catalog.v_tcp_rst));
            }
            (Some(0), How::RstStream) if end.reset == Some(Direction::ServerToClient) => {
                self.v_unanswered_reset(Arg::Raw(catalog.v_rst_stream));
                self.error_code(end.transport);
            }
            _ if end.transport == TransportEnd::Evicted => self.v_evicted(),
            (Some(0), _) if end.may_go_on(Direction::ServerToClient) => self.v_unanswered_unseen(),
            (Some(0), _) => self.v_unanswered(),
            (Some(101), _) => self.v_failed(),
            (Some(status), _) => self.v_refused(Arg::Num(status.into())),
            _ if end.close_codes.iter().any(Option::is_some) => self.closed(end),
            (None, How::Fin) => self.transport_ended(end, catalog.v_tcp_fin),
            (None, How::EndStream) => self.transport_ended(end, catalog.v_end_stream),
            (None, How::GoAway) => {
                self.transport_ended(end, catalog.v_goaway);
                self.error_code(end.transport);
            }
            (None, How::Alert) => self.transport_ended(end, catalog.v_tls_alert),
            (None, How::Rst) => self.transport_reset(end, catalog.v_tcp_rst),
            (None, How::RstStream) => {
                self.transport_reset(end, catalog.v_rst_stream);
                self.error_code(end.transport);
            }
            (None, How::Reused) => self.v_reused(),
            (None, How::Idle) => self.v_idle(),
            (None, How::Evicted) => self.v_evicted(),
            (None, How::CaptureEnd) => self.v_capture_end(),
            (None, How::Close | How::Refused) => self.v_somebody(),
        }
        self.causes(end);
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            let Unanswered {
                count,
                first_packet,
                more,
            } = end.unanswered_pings[direction];
            if count == 0 {
                continue;
            }
            self.plain(catalog.clause);
            let (who, n, packet) = (Arg::Side(direction), Arg::Num(count), Arg::Num(first_packet));
            match (count, end.may_go_on(direction.other())) {
                _ if more => self.v_pings_at_least(who, n, packet),
                (1, false) => self.v_ping(who, packet),
                (_, false) => self.v_pings(who, n, packet),
                (1, true) => self.v_ping_unseen(who, packet),
                (_, true) => self.v_pings_unseen(who, n, packet),
            }
        }
        self.plain(catalog.stop);
    }

    /// Without a close frame: `what` was ended.
    fn transport_ended(&mut self, end: &SessionEnd, what: &'static str) {
        match end.by {
            Some(by) if end.closing_handshake.is_none() => self.v_fin_unseen(Arg::Side(by), Arg::Raw(what)),
            Some(by) => self.v_fin(Arg::Side(by), Arg::Raw(what)),
            None => self.v_somebody(),
        }
    }

    /// Without a close frame: `what` was reset.
    fn transport_reset(&mut self, end: &SessionEnd, what: &'static str) {
        match end.reset.or(end.by) {
            Some(by) if end.closing_handshake.is_none() => self.v_reset_unseen(Arg::Side(by), Arg::Raw(what)),
            Some(by) => self.v_reset(Arg::Side(by), Arg::Raw(what)),
            None => self.v_somebody(),
        }
    }

    /// The error code of the frame of HTTP/2 that was just named.
    fn error_code(&mut self, transport: TransportEnd) {
        if let TransportEnd::RstStream { code, .. } | TransportEnd::GoAway { code, .. } = transport {
            self.plain(self.catalog.clause);
            self.v_error_code(http2_error_name(code).map_or(Arg::Num(code.into()), Arg::Raw));
        }
    }

    /// What the capture shows of why it ended.
    fn causes(&mut self, end: &SessionEnd) {
        if let (How::Alert, TransportEnd::Alert { description, .. }) = (end.how, end.transport) {
            let alert = Alert {
                fatal: true,
                description,
            };
            self.plain(self.catalog.clause);
            self.v_alert(Arg::Raw(alert.name()));
        }
        if let Some(Unacknowledged {
            direction,
            times,
            nanos,
        }) = end.unacknowledged
        {
            self.plain(self.catalog.clause);
            self.v_unacknowledged(
                Arg::Side(direction),
                Arg::Num(times.into()),
                Arg::Time(nanos),
                Arg::Side(direction.other()),
            );
        }
        if let Some((direction, nanos)) = end.window_closed {
            self.plain(self.catalog.clause);
            self.v_window(Arg::Side(direction), Arg::Time(nanos));
        }
        let silence = end.silence.unwrap_or(0);
        if end.verdict == Verdict::EndedWithoutClose || end.verdict == Verdict::Reset {
            match silence {
                ..SILENCE => {}
                59_000_000_000..62_000_000_000 => {
                    self.plain(self.catalog.clause);
                    self.v_silent_minute(Arg::Time(silence));
                }
                _ => {
                    self.plain(self.catalog.clause);
                    self.v_silent(Arg::Time(silence));
                }
            }
        }
    }

    fn closed(&mut self, end: &SessionEnd) {
        let Some(by) = end.by else { return self.v_somebody() };
        let (who, other) = (Arg::Side(by), Arg::Side(by.other()));
        match (end.close_codes[by].flatten(), end.closing_handshake) {
            (Some(code), Some(true)) => self.v_closed_code(who, Arg::Num(code.into()), Arg::Raw(self.code(code))),
            (None, Some(true)) => self.v_closed(who),
            (Some(code), None) => {
                self.v_closed_code_unseen(who, Arg::Num(code.into()), Arg::Raw(self.code(code)), other)
            }
            (None, None) => self.v_closed_unseen(who, other),
            (Some(code), Some(false)) => {
                self.v_closed_code_unanswered(who, Arg::Num(code.into()), Arg::Raw(self.code(code)), other)
            }
            (None, Some(false)) => self.v_closed_unanswered(who, other),
        }
        // An answer with the same code, or with one that says that all is well, says nothing new.
        if let Some(code) = end.close_codes[by.other()].flatten()
            && end.close_codes[by] != Some(Some(code))
            && !matches!(code, 1000 | 1001)
        {
            self.plain(self.catalog.clause);
            self.v_closed_other(other, Arg::Num(code.into()), Arg::Raw(self.code(code)));
        }
    }

    /// What a close code means.
    pub(super) fn code(&self, code: u16) -> &'static str {
        let catalog = self.catalog;
        match code {
            1000 => catalog.code_1000,
            1001 => catalog.code_1001,
            1002 => catalog.code_1002,
            1003 => catalog.code_1003,
            1007 => catalog.code_1007,
            1008 => catalog.code_1008,
            1009 => catalog.code_1009,
            1010 => catalog.code_1010,
            1011 => catalog.code_1011,
            1012 => catalog.code_1012,
            1013 => catalog.code_1013,
            1014 => catalog.code_1014,
            1005 | 1006 | 1015 => catalog.code_internal,
            3000..=3999 => catalog.code_registered,
            4000..=4999 => catalog.code_private,
            _ => catalog.code_unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::texts::CATALOGS;

    fn said(catalog: &'static Catalog, change: impl FnOnce(&mut SessionEnd)) -> String {
        let mut end = SessionEnd {
            by: Some(Direction::ServerToClient),
            verdict: Verdict::EndedWithoutClose,
            ..SessionEnd::after_nothing(How::Fin)
        };
        change(&mut end);
        let mut out = Vec::new();
        catalog.verdict(&end, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_end_without_a_close_frame_names_what_ended() {
        let ends = [
            (How::Fin, "FIN"),
            (How::Rst, "RST"),
            (How::EndStream, "END_STREAM"),
            (How::RstStream, "RST_STREAM"),
            (How::GoAway, "GOAWAY"),
            (How::Alert, "TLS"),
        ];
        for catalog in CATALOGS {
            for (how, name) in ends {
                for handshake in [Some(false), None] {
                    let said = said(catalog, |end| (end.how, end.closing_handshake) = (how, handshake));
                    assert!(said.contains(name), "{said}");
                    assert_eq!(said.contains("1006"), handshake.is_some(), "{said}");
                }
            }
        }
    }

    #[test]
    fn the_error_code_of_http2_is_named() {
        let by = crate::base::Side::B;
        for catalog in CATALOGS {
            for (code, name) in [(0, "NO_ERROR"), (8, "CANCEL"), (4711, "4711")] {
                let reset = said(catalog, |end| {
                    (end.how, end.transport) = (How::RstStream, TransportEnd::RstStream { by, code });
                });
                let goaway = said(catalog, |end| {
                    (end.how, end.transport) = (How::GoAway, TransportEnd::GoAway { by, code });
                });
                assert!(reset.contains(name) && goaway.contains(name), "{reset} {goaway}");
                let closed = said(catalog, |end| {
                    (end.how, end.transport) = (How::RstStream, TransportEnd::RstStream { by, code });
                    end.close_codes.server_to_client = Some(Some(1000));
                });
                assert!(
                    !closed.contains(name),
                    "it would be taken for the code of the close frame: {closed}"
                );
            }
        }
    }

    #[test]
    fn a_reset_instead_of_an_answer_is_not_called_silence() {
        for catalog in CATALOGS {
            let unanswered =
                |how, reset| said(catalog, |end| (end.refused, end.how, end.reset) = (Some(0), how, reset));
            let (server, client) = (Some(Direction::ServerToClient), Some(Direction::ClientToServer));
            assert!(unanswered(How::Rst, server).contains("TCP"));
            assert!(unanswered(How::RstStream, server).contains("RST_STREAM"));
            assert!(!unanswered(How::RstStream, client).contains("RST_STREAM"));
        }
    }

    #[test]
    fn what_may_still_have_come_is_not_called_absent() {
        for catalog in CATALOGS {
            let fin = said(catalog, |end| {
                let by = crate::base::Side::B;
                (end.refused, end.transport) = (Some(0), TransportEnd::Fin { by });
            });
            for cut in [TransportEnd::CaptureEnd, TransportEnd::Idle, TransportEnd::Reused] {
                let by = crate::base::Side::B;
                let ends = |transport| said(catalog, |end| (end.refused, end.transport) = (Some(0), transport));
                assert_ne!(ends(cut), ends(TransportEnd::Fin { by }));
                let ends = |transport, count, more| {
                    said(catalog, |end| {
                        end.transport = transport;
                        end.unanswered_pings.client_to_server = Unanswered {
                            count,
                            first_packet: 7,
                            more,
                        };
                    })
                };
                for count in [1, 23] {
                    let mut all = [
                        ends(cut, count, false),
                        ends(TransportEnd::Fin { by }, count, false),
                        ends(cut, count, true),
                    ];
                    assert!(all.iter().all(|said| said.contains('7')), "{all:?}");
                    assert!(count == 1 || all.iter().all(|said| said.contains("23")), "{all:?}");
                    all.sort();
                    assert!(all[0] != all[1] && all[1] != all[2], "{all:?}");
                }
                // Who has ended cannot answer any more.
                assert_eq!(
                    said(catalog, |end| {
                        (end.refused, end.transport) = (Some(0), cut);
                        end.fin.server_to_client = true;
                    }),
                    fin
                );
            }
            let evicted = said(catalog, |end| {
                end.transport = TransportEnd::Evicted;
                end.close_codes.server_to_client = Some(Some(1000));
            });
            assert_eq!(evicted, said(catalog, |end| end.how = How::Evicted));
        }
    }

    #[test]
    fn both_codes_are_told_where_the_answer_says_more() {
        for catalog in CATALOGS {
            let closed = |first, answer| {
                said(catalog, |end| {
                    end.closing_handshake = Some(true);
                    end.close_codes.server_to_client = first;
                    end.close_codes.client_to_server = Some(answer);
                })
            };
            assert!(closed(Some(Some(1000)), Some(1007)).contains("1007"));
            assert!(closed(Some(None), Some(1002)).contains("1002"));
            assert!(!closed(Some(Some(1002)), Some(1000)).contains("1000"));
            assert_eq!(closed(Some(Some(1002)), Some(1002)).matches("1002").count(), 1);
        }
    }

    #[test]
    fn the_cause_is_told_as_far_as_the_capture_shows_it() {
        for catalog in CATALOGS {
            let alert = TransportEnd::Alert {
                by: crate::base::Side::A,
                description: 80,
            };
            let said_of_alert = said(catalog, |end| (end.how, end.transport) = (How::Alert, alert));
            assert!(said_of_alert.contains("internal_error"), "{said_of_alert}");
            let plain = said(catalog, |_| {});
            let silent = |seconds: i64| said(catalog, |end| end.silence = Some(seconds * 1_000_000_000));
            assert_eq!(said(catalog, |end| end.silence = Some(900_000_000)), plain);
            assert!(silent(2).contains('2') && silent(2) != plain);
            assert!(
                silent(45).contains("45") && !silent(45).contains("60"),
                "{}",
                silent(45)
            );
            assert!(silent(61).contains("61") && silent(61).contains("60"), "{}", silent(61));
            let window = said(catalog, |end| {
                end.window_closed = Some((Direction::ClientToServer, 31_000_000_000));
            });
            assert!(window.contains("31"), "{window}");
        }
    }
}
