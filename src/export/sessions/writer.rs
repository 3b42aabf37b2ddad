//! What cells are written with.

use super::Options;
use crate::annotate::Story;
use crate::annotate::texts::{Arg, Language, Words};
use crate::export::escape;
use crate::export::put::{fraction, number};
use crate::export::tcpdump::Clock;

/// Who writes cells.
pub(super) struct Writer<'w> {
    pub(super) out: &'w mut Vec<u8>,
    pub(super) clock: &'w mut Clock,
    pub(super) story: &'w Story,
}

impl Writer<'_> {
    /// A length of time: as people read it, or in a pipe as a number of seconds.
    pub(super) fn time(&mut self, nanos: i64, options: &Options) {
        match options.width {
            Some(_) => self.words(options).put(Arg::Time(nanos)),
            None => seconds(self.out, nanos),
        }
    }

    /// Words of the view's language.
    pub(super) fn words(&mut self, options: &Options) -> Words<'_> {
        Language::of(options.catalog).words(self.story, self.out, escape::line)
    }
}

/// Seconds, with six digits behind the point.
fn seconds(out: &mut Vec<u8>, nanos: i64) {
    let nanos = nanos.unsigned_abs();
    number(out, nanos / 1_000_000_000);
    out.push(b'.');
    fraction(out, (nanos % 1_000_000_000) as u32, false);
}
