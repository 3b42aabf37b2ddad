//! Colours, as the control sequences that switch them on (ECMA-48 §8.3.117, SGR), or nothing at all.
//!
//! Only the first sixteen colours and attributes are used, so that the terminal's own theme decides what they look like, on dark
//! and on light.

/// What each kind of thing is shown in. The fields are empty when there is no colour.
#[derive(Debug, PartialEq, Eq)]
pub struct Palette {
    /// Back to normal.
    pub reset: &'static str,
    /// Our own words about a packet.
    pub note: &'static str,
    /// The headline of such words.
    pub title: &'static str,
    /// What is less important: times, numbers of sessions, addresses.
    pub faint: &'static str,
    /// What the client sends.
    pub client: &'static str,
    /// What the server sends.
    pub server: &'static str,
    /// What is wrong.
    pub wrong: &'static str,
    /// The name of a JSON member.
    pub key: &'static str,
    /// A JSON string.
    pub string: &'static str,
    /// A JSON number.
    pub number: &'static str,
    /// `true`, `false`, `null`.
    pub literal: &'static str,
}

impl Palette {
    /// No colour.
    pub const PLAIN: Palette = Palette {
        reset: "",
        note: "",
        title: "",
        faint: "",
        client: "",
        server: "",
        wrong: "",
        key: "",
        string: "",
        number: "",
        literal: "",
    };

    /// For a terminal.
    pub const COLOUR: Palette = Palette {
        reset: "\x1b[0m",
        note: "\x1b[32m",
        title: "\x1b[1;32m",
        faint: "\x1b[2m",
        client: "\x1b[36m",
        server: "\x1b[35m",
        wrong: "\x1b[1;31m",
        key: "\x1b[34m",
        string: "\x1b[32m",
        number: "\x1b[33m",
        literal: "\x1b[35m",
    };

    /// The one or the other.
    pub const fn new(colour: bool) -> &'static Palette {
        if colour { &Palette::COLOUR } else { &Palette::PLAIN }
    }
}
