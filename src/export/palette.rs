//! Colours, as the control sequences that switch them on (ECMA-48 §8.3.117, SGR), or nothing at all.
//!
//! Only the first sixteen colours are used, so that the terminal's own theme decides what they look like, on dark and on light.

use owo_colors::Color;
use owo_colors::colors::{Blue, BrightBlack, BrightGreen, BrightRed, Cyan, Default, Green, Magenta, Yellow};

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
        reset: Default::ANSI_FG,
        note: Green::ANSI_FG,
        title: BrightGreen::ANSI_FG,
        faint: BrightBlack::ANSI_FG,
        client: Cyan::ANSI_FG,
        server: Magenta::ANSI_FG,
        wrong: BrightRed::ANSI_FG,
        key: Blue::ANSI_FG,
        string: Green::ANSI_FG,
        number: Yellow::ANSI_FG,
        literal: Magenta::ANSI_FG,
    };

    /// The one or the other.
    pub const fn new(colour: bool) -> &'static Palette {
        if colour { &Palette::COLOUR } else { &Palette::PLAIN }
    }
}
