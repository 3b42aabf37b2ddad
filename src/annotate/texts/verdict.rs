//! How a session ended, in one sentence.

use super::words::{Arg, Words};
use super::{Catalog, Language};
use crate::annotate::Story;
use crate::base::Direction;
use crate::record::{How, SessionEnd, Unanswered, Verdict};

impl Catalog {
    /// Appends one sentence on how a session ended: who ended it, with which code, whether the closing handshake was complete,
    /// which pings were never answered. It quotes nothing that was captured.
    pub fn verdict(&'static self, end: &SessionEnd, out: &mut Vec<u8>) {
        thread_local! {
            static NOTHING: Story = Story::default();
        }
        NOTHING.with(|story| {
            // Nothing captured is written, so there is nothing to escape.
            let mut words = Language::of(self).words(story, out, Vec::extend_from_slice);
            words.verdict(end);
            words.end();
        });
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
        match (end.refused, end.how) {
            (Some(0), How::Rst) if end.reset == Some(Direction::ServerToClient) => self.v_unanswered_reset(),
            (Some(0), _) => self.v_unanswered(),
            (Some(status), _) => self.v_refused(Arg::Num(status.into())),
            _ if end.close_codes.iter().any(Option::is_some) => self.closed(end),
            (None, How::Fin) => match end.by {
                Some(by) if end.closing_handshake.is_none() => self.v_fin_unseen(Arg::Side(by)),
                Some(by) => self.v_fin(Arg::Side(by)),
                None => self.v_somebody(),
            },
            (None, How::Rst) => match end.reset.or(end.by) {
                Some(by) if end.closing_handshake.is_none() => self.v_reset_unseen(Arg::Side(by)),
                Some(by) => self.v_reset(Arg::Side(by)),
                None => self.v_somebody(),
            },
            (None, How::Reused) => self.v_reused(),
            (None, How::Idle) => self.v_idle(),
            (None, How::Evicted) => self.v_evicted(),
            (None, How::CaptureEnd) => self.v_capture_end(),
            (None, _) => self.v_somebody(),
        }
        if let Some(vanished) = end.vanished {
            self.out.extend_from_slice(self.catalog.clause.as_bytes());
            self.v_vanished(Arg::Side(vanished));
        }
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            let Unanswered { count, first_packet } = end.unanswered_pings[direction];
            if count > 0 {
                self.out.extend_from_slice(self.catalog.clause.as_bytes());
            }
            match count {
                0 => {}
                1 => self.v_ping(Arg::Side(direction), Arg::Num(first_packet)),
                n => self.v_pings(Arg::Side(direction), Arg::Num(n), Arg::Num(first_packet)),
            }
        }
        self.out.extend_from_slice(self.catalog.stop.as_bytes());
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
