//! What the user asked the `tcpdump` view to show: tcpdump's flags as plain data.

use jiff::tz::TimeZone;

use super::names::Names;
use crate::base::Limits;

/// The flags that change what is printed, named after what they do; each field says its letter.
///
/// The default is what `-n` alone prints, in the system's time zone.
#[derive(Debug, Clone)]
pub struct Options {
    /// `-t` … `-ttttt`: what stands for the time at the beginning of the line.
    pub time: TimeFormat,
    /// `--nano` rather than `--micro`: digits of a fraction of a second.
    pub precision: Precision,
    /// Where local time is read off; tcpdump takes it from `TZ`.
    pub timezone: TimeZone,
    /// `--resolve`: who knows names; without, everything is a number.
    pub names: Option<Names>,
    /// `-#`: the packet's number before everything else.
    pub number: bool,
    /// `--lengths`: captured and original length before the time (tcpdump 5).
    pub lengths: bool,
    /// `-e`: the header of the link layer.
    pub link_header: bool,
    /// `-q`, counted: less of everything.
    pub quiet: u8,
    /// `-v`, counted: more of everything.
    pub verbose: u8,
    /// `-S`: TCP numbers as sent, not relative to the first ones seen.
    pub absolute_sequence: bool,
    /// `-K`: checksums are not verified.
    pub unverified: bool,
    /// `-A`, counted: the packet as text; twice, with its link layer's header.
    pub ascii: u8,
    /// `-x`, counted: the packet in hexadecimal; twice, with its link layer's header. Wins over `-A`.
    pub hex: u8,
    /// `-X`, counted: both side by side; twice, with its link layer's header. Wins over `-x`.
    pub hex_ascii: u8,
    /// Bytes that may be remembered of the conversations' first sequence numbers.
    pub memory_bytes: usize,
}

/// `-t` … `-ttttt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// No flag: local time of day.
    #[default]
    TimeOfDay,
    /// `-t`: nothing.
    None,
    /// `-tt`: seconds since the epoch.
    Unix,
    /// `-ttt`: since the packet before.
    SincePrevious,
    /// `-tttt`: local date and time of day.
    DateTime,
    /// `-ttttt`: since the first packet.
    SinceFirst,
}

/// How fine times are printed, and computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Six digits; what is finer is cut off before anything else.
    #[default]
    Micro,
    /// Nine digits.
    Nano,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time: TimeFormat::default(),
            precision: Precision::default(),
            timezone: TimeZone::system(),
            names: None,
            number: false,
            lengths: false,
            link_header: false,
            quiet: 0,
            verbose: 0,
            absolute_sequence: false,
            unverified: false,
            ascii: 0,
            hex: 0,
            hex_ascii: 0,
            memory_bytes: Limits::default().sequence_total(),
        }
    }
}
