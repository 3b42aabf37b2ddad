//! Colours, as the control sequences that switch them on (ECMA-48 §8.3.117, SGR), or nothing at all.
//!
//! The colours are those of the 256 that are half as bright as white to the eye: contrast is 3.9 or more (WCAG 2.2 §1.4.3) on black
//! and on white, whatever the terminal's theme makes of the first sixteen. Nothing is told by colour alone.

use owo_colors::Color;
use owo_colors::colors::xterm::{
    Boulder, DelugePurple, GuardsmanRed, HollywoodCerise, JapaneseLaurel, LochmaraBlue, MediumVioletRed,
    RoseofSharonOrange,
};

/// What each kind of thing is shown in. The fields are empty when there is no colour.
#[derive(Debug, PartialEq, Eq)]
pub struct Palette {
    /// Back to normal.
    pub reset: &'static str,
    /// Our own words about a packet.
    pub note: &'static str,
    /// The headline of such words.
    pub title: &'static str,
    /// The same of a packet that the client sends.
    pub client_title: &'static str,
    /// The same of a packet that the server sends.
    pub server_title: &'static str,
    /// What is less important: times, numbers of sessions, addresses.
    pub faint: &'static str,
    /// What the client sends.
    pub client: &'static str,
    /// What the server sends.
    pub server: &'static str,
    /// A rule that was broken.
    pub wrong: &'static str,
    /// What is missing.
    pub lost: &'static str,
    /// An end that is none of the good ones.
    pub abnormal: &'static str,
    /// What was looked for.
    pub hit: &'static str,
    /// The end of that, the colour before it is kept.
    pub hit_end: &'static str,
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
        client_title: "",
        server_title: "",
        faint: "",
        client: "",
        server: "",
        wrong: "",
        lost: "",
        abnormal: "",
        hit: "",
        hit_end: "",
        key: "",
        string: "",
        number: "",
        literal: "",
    };

    /// For a terminal.
    pub const COLOUR: Palette = Palette {
        reset: "\x1b[0m",
        note: JapaneseLaurel::ANSI_FG,
        title: "\x1b[1m",
        client_title: "\x1b[1;38;5;32m",
        server_title: "\x1b[1;38;5;163m",
        faint: Boulder::ANSI_FG,
        client: LochmaraBlue::ANSI_FG,
        server: HollywoodCerise::ANSI_FG,
        wrong: GuardsmanRed::ANSI_FG,
        lost: RoseofSharonOrange::ANSI_FG,
        abnormal: "\x1b[1;38;5;160m",
        hit: "\x1b[7m",
        hit_end: "\x1b[27m",
        key: DelugePurple::ANSI_FG,
        string: JapaneseLaurel::ANSI_FG,
        number: RoseofSharonOrange::ANSI_FG,
        literal: MediumVioletRed::ANSI_FG,
    };

    /// The one or the other.
    pub const fn new(colour: bool) -> &'static Palette {
        if colour { &Palette::COLOUR } else { &Palette::PLAIN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of one of the 216 colours or the greys behind them (WCAG 2.2).
    fn luminance(index: u8) -> f64 {
        let linear = |byte: u8| match f64::from(byte) / 255.0 {
            low if low <= 0.04045 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
        let [r, g, b] = match index {
            232.. => [8 + 10 * (index - 232); 3],
            _ => [(index - 16) / 36, (index - 16) % 36 / 6, (index - 16) % 6].map(step),
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    #[test]
    fn every_colour_is_legible_on_black_and_on_white() {
        let p = &Palette::COLOUR;
        let all = [
            p.note,
            p.client_title,
            p.server_title,
            p.faint,
            p.client,
            p.server,
            p.wrong,
            p.lost,
            p.abnormal,
            p.key,
            p.string,
            p.number,
            p.literal,
        ];
        for colour in all {
            let index = colour.trim_end_matches('m').rsplit(';').next().unwrap();
            let light = luminance(index.parse().unwrap());
            let (on_black, on_white) = ((light + 0.05) / 0.05, 1.05 / (light + 0.05));
            assert!(on_black >= 3.8 && on_white >= 3.8, "{index}: {on_black} {on_white}");
        }
    }
}
