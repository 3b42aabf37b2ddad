//! Which sessions, messages and packets the user wants: records come in, yes or no goes out.
//!
//! What is selected changes what is shown, counted, checked and written, never what is decoded.

mod bits;
mod evaluator;
mod decisions;
mod condition;
mod glob;
mod moment;
mod numbers;
#[cfg(test)]
mod testing;

use std::fmt;

use regex::bytes::Regex;

pub use condition::{Condition, Misread};
pub use decisions::{Decisions, FRAGMENTS};
pub use evaluator::Evaluator;
pub use glob::Glob;
pub use moment::{Moment, duration};
pub use numbers::Numbers;

use crate::base::{Direction, Text};
use crate::record::{Message, Opcode};

/// What the selecting flags ask for; all of it must hold.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// `--session`: only these, by number.
    pub sessions: Option<Numbers>,
    /// `--host`: only sessions with such a server.
    pub host: Option<Glob>,
    /// `--path`: only sessions whose target, without its query, is like this.
    pub path: Option<Glob>,
    /// `--subprotocol`: only sessions that agreed on such a subprotocol.
    pub subprotocol: Option<Glob>,
    /// `--user`: only sessions in which the client logged in by this name.
    pub user: Option<String>,
    /// `--abnormal`: only sessions whose end was abnormal.
    pub abnormal: bool,
    /// `--opcode`: only messages of these kinds.
    pub opcodes: Option<Opcodes>,
    /// `--from`: only what this side sends.
    pub from: Option<Direction>,
    /// `--no-control`: no pings, pongs and close frames, nor other control frames (RFC 6455 §5.5).
    pub no_control: bool,
    /// `--grep`: only messages whose application bytes match, in what is known of them: as sent, or with the escapes of JSON
    /// resolved.
    pub grep: Option<Regex>,
    /// `--where`: only messages that fit this.
    pub condition: Option<Condition>,
    /// `--invert`: only messages that do not match and do not fit.
    pub invert: bool,
    /// `--slower`: only answers that took at least so many nanoseconds.
    pub slower: Option<i64>,
    /// `--context`: so many messages of the session before and after each as well.
    pub context: usize,
    /// `--follow`: all of the session as well, from the first of them on.
    pub follow: bool,
    /// `--since`: nothing before that.
    pub since: Option<Moment>,
    /// `--until`: nothing after that.
    pub until: Option<Moment>,
}

impl Selection {
    /// Nothing was asked for: everything is wanted.
    pub fn is_everything(&self) -> bool {
        !self.selects_sessions() && !self.selects_messages() && !self.selects_time()
    }

    /// It is about sessions as a whole.
    pub fn selects_sessions(&self) -> bool {
        self.sessions.is_some()
            || self.host.is_some()
            || self.path.is_some()
            || self.subprotocol.is_some()
            || self.user.is_some()
            || self.abnormal
    }

    /// It is about single messages.
    pub fn selects_messages(&self) -> bool {
        self.opcodes.is_some()
            || self.grep.is_some()
            || self.condition.is_some()
            || self.slower.is_some()
            || self.from.is_some()
            || self.no_control
    }

    /// It is about times.
    pub fn selects_time(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// What of a session is selected may be known long after it was heard.
    pub fn is_late(&self) -> bool {
        self.user.is_some() || self.abnormal || self.context > 0
    }

    /// Whether a message is one of those that are looked for, wherever and whenever it was sent.
    pub fn wants_message(&self, message: &Message<'_>) -> bool {
        self.from.is_none_or(|from| from == message.direction)
            && self.opcodes.is_none_or(|opcodes| opcodes.contains(message.opcode))
            && !(self.no_control && message.opcode.is_control())
            && self.slower.is_none_or(|least| {
                let mut answers = message.meaning.iter().filter_map(|read| read.answers.as_ref());
                answers.any(|answers| answers.after >= least)
            })
            && self
                .condition
                .as_ref()
                .is_none_or(|condition| condition.holds(message) != self.invert)
            && self
                .grep
                .as_ref()
                .is_none_or(|regex| matches(regex, message) != self.invert)
    }
}

/// Why a regular expression is none, on one line.
pub fn reason(error: &regex::Error) -> String {
    let whole = error.to_string();
    let last = whole.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// Whether the regular expression matches in a stretch of known bytes.
fn matches(regex: &Regex, message: &Message<'_>) -> bool {
    let payload = &message.payload;
    let len = payload.bytes.len();
    let within = |offset: u64| usize::try_from(offset).unwrap_or(len).min(len);
    let found = |known: &[u8]| regex.is_match(known) || message.opcode == Opcode::Text && matches_spelled(regex, known);
    let mut from = 0;
    for hole in payload.holes {
        let (begin, end) = (
            within(hole.offset),
            within(hole.offset.saturating_add(hole.length.unwrap_or(0))),
        );
        if from < begin && found(&payload.bytes[from..begin]) {
            return true;
        }
        from = end.max(from);
    }
    // Nothing at all is a text as well, if it is known to be nothing.
    (from < len || payload.holes.is_empty()) && found(&payload.bytes[from..])
}

/// The same, in the characters that escapes of JSON stand for (RFC 8259 §7): many servers write `\u732a` for `猪`, and who
/// searches has read the character in the trace.
fn matches_spelled(regex: &Regex, known: &[u8]) -> bool {
    if memchr::memchr(b'\\', known).is_none() {
        return false;
    }
    std::str::from_utf8(known).is_ok_and(|text| regex.is_match(Text::Json(text).chars().collect::<String>().as_bytes()))
}

/// A set of opcodes (RFC 6455 §5.2): bit i says whether opcode i is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opcodes(u16);

impl Opcodes {
    /// Reads a list such as `text,binary` or `reserved-3`: the names that the views show, `control` and `reserved` for all of
    /// these, or the numbers of RFC 6455.
    pub fn parse(list: &str) -> Result<Self, UnknownOpcode> {
        let mut set = 0;
        for name in list.split(',').map(str::trim) {
            set |= named(name).ok_or_else(|| UnknownOpcode(name.to_owned()))?;
        }
        Ok(Self(set))
    }

    /// Whether `opcode` is in it.
    #[inline]
    pub const fn contains(self, opcode: Opcode) -> bool {
        self.0 >> (opcode.bits() & 0x0f) & 1 == 1
    }
}

fn named(name: &str) -> Option<u16> {
    let all = (1..16).map(Opcode::from_bits);
    let number = match name.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => name.parse().ok(),
    };
    let set = all
        .filter(|opcode| match name {
            "control" => opcode.is_control(),
            "reserved" => matches!(opcode, Opcode::Reserved(_)),
            _ => opcode.name() == name || Some(opcode.bits()) == number,
        })
        .fold(0, |set, opcode| set | 1 << opcode.bits());
    (set != 0).then_some(set)
}

/// No opcode of messages has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOpcode(pub String);

impl fmt::Display for UnknownOpcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no opcode; a list like text,binary is right, of text, binary, close, ping, pong, reserved-3 to reserved-7, \
             reserved-11 to reserved-15, control, reserved",
            self.0.escape_default()
        )
    }
}

impl std::error::Error for UnknownOpcode {}

#[cfg(test)]
mod tests {
    use super::testing::message;
    use super::*;
    use crate::record::Hole;

    fn wants(selection: &Selection, opcode: Opcode, direction: Direction, bytes: &[u8]) -> bool {
        selection.wants_message(&message(opcode, direction, bytes, &[]))
    }

    const C2S: Direction = Direction::ClientToServer;
    const S2C: Direction = Direction::ServerToClient;

    #[test]
    fn without_flags_everything_is_wanted() {
        let all = Selection::default();
        assert!(all.is_everything());
        assert!(wants(&all, Opcode::Ping, C2S, b""));
    }

    #[test]
    fn all_that_is_asked_for_must_hold() {
        let selection = Selection {
            opcodes: Some(Opcodes::parse("text,ping").unwrap()),
            grep: Some(Regex::new("(?i)HI,").unwrap()),
            from: Some(C2S),
            no_control: true,
            ..Selection::default()
        };
        assert!(wants(&selection, Opcode::Text, C2S, b"say hi, all"));
        assert!(!wants(&selection, Opcode::Text, S2C, b"say hi, all"));
        assert!(!wants(&selection, Opcode::Binary, C2S, b"say hi, all"));
        assert!(!wants(&selection, Opcode::Text, C2S, b"say ho"));
        assert!(!wants(&selection, Opcode::Ping, C2S, b"say hi, all"));
    }

    #[test]
    fn no_control_keeps_data() {
        let selection = Selection {
            no_control: true,
            ..Selection::default()
        };
        for bits in 1..16 {
            let opcode = Opcode::from_bits(bits);
            assert_eq!(wants(&selection, opcode, C2S, b""), bits < 8);
        }
    }

    #[test]
    fn characters_are_found_behind_their_escapes() {
        let selection = Selection {
            grep: Some(Regex::new(r#"猪 says "ho""#).unwrap()),
            ..Selection::default()
        };
        let sent = br#"{"content":"\u732a says \"ho\""}"#;
        assert!(wants(&selection, Opcode::Text, S2C, sent));
        // Bytes are no JSON.
        assert!(!wants(&selection, Opcode::Binary, S2C, sent));
        // What stands there is found as well.
        let raw = Selection {
            grep: Some(Regex::new(r"\\u732a").unwrap()),
            ..Selection::default()
        };
        assert!(wants(&raw, Opcode::Text, S2C, sent));
    }

    #[test]
    fn a_hole_matches_nothing() {
        let wants = |pattern: &str, holes: &[Hole]| {
            let selection = Selection {
                grep: Some(Regex::new(pattern).unwrap()),
                ..Selection::default()
            };
            selection.wants_message(&message(Opcode::Text, C2S, b"ab??cd", holes))
        };
        let hole = [Hole {
            offset: 2,
            length: Some(2),
        }];
        assert!(wants("ab", &hole) && wants("cd", &hole) && wants("^cd$", &hole));
        assert!(!wants(r"\?", &hole) && !wants("abcd", &hole));
        let head = [Hole {
            offset: 0,
            length: None,
        }];
        assert!(wants("^ab", &head));
        let all = [Hole {
            offset: 0,
            length: Some(6),
        }];
        assert!(!wants("^", &all));
    }

    #[test]
    fn opcodes_have_names_numbers_and_groups() {
        let set = |list: &str| Opcodes::parse(list).unwrap();
        for bits in 1..16 {
            let opcode = Opcode::from_bits(bits);
            assert!(set(opcode.name()).contains(opcode));
            assert_eq!(set(opcode.name()), set(&bits.to_string()));
            assert_eq!(set(opcode.name()), set(&format!("{bits:#x}")));
        }
        assert_eq!(set("control"), set("close, ping,pong,11,12,13,14,15"));
        assert_eq!(set("reserved"), set("3,4,5,6,7,11,12,13,14,15"));
        assert!(!set("text,binary").contains(Opcode::Close));
    }

    #[test]
    fn what_is_no_opcode_is_named() {
        for (list, wrong) in [
            ("text,bin", "bin"),
            ("", ""),
            ("continuation", "continuation"),
            ("0", "0"),
            ("16", "16"),
            ("text,", ""),
        ] {
            assert_eq!(Opcodes::parse(list), Err(UnknownOpcode(wrong.to_owned())), "{list:?}");
        }
        assert!(
            UnknownOpcode("\u{1b}[2J".to_owned())
                .to_string()
                .starts_with(r"`\u{1b}[2J` is no opcode; ")
        );
    }
}
