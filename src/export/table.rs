//! The views by name, a row each: `--format`, its completions and the run read this table.

use regex::bytes::Regex;

use super::json::{Fields, Tags};
use super::palette::Palette;
use super::tcpdump::{self, Lines};
use super::trace::{self, Trace};
use super::{Annotated, Json, Messages, Pdu, View, messages};
use crate::annotate::Detail;
use crate::annotate::texts::{self, Catalog};

/// What the user asked of a view. Each takes what is meant for it.
#[derive(Debug, Clone)]
pub struct Setup {
    /// In which language.
    pub catalog: &'static Catalog,
    /// How much is told.
    pub detail: Detail,
    /// In which colours.
    pub palette: &'static Palette,
    /// Columns of the terminal; `None` when it is none.
    pub width: Option<usize>,
    /// Long messages are shown whole.
    pub full: bool,
    /// Times have nanoseconds.
    pub nano: bool,
    /// Packets are shown when they come.
    pub live: bool,
    /// Frames are events of their own.
    pub frames: bool,
    /// Which fields events have.
    pub json_fields: Fields,
    /// What is added to every event.
    pub tags: Tags,
    /// What is searched for.
    pub grep: Option<Regex>,
    /// How packets are printed.
    pub tcpdump: tcpdump::Options,
}

/// A view.
#[derive(Debug)]
pub struct Exporter {
    /// What it is called on the command line.
    pub name: &'static str,
    /// It shows packets, and not records alone.
    pub packets: bool,
    /// It hears the records that are for narration.
    pub narrated: bool,
    /// Its output is not for terminals.
    pub binary: bool,
    /// One that has seen nothing.
    pub make: fn(&Setup) -> Box<dyn View + Send>,
}

/// Annotated packets: the default.
pub static TRACE: Exporter = Exporter {
    name: "trace",
    packets: true,
    narrated: true,
    binary: false,
    make: |setup| Box::new(Trace::new(setup.trace())),
};

/// Packets as tcpdump prints them.
pub static TCPDUMP: Exporter = Exporter {
    name: "tcpdump",
    packets: true,
    narrated: false,
    binary: false,
    make: |setup| Box::new(Lines::new(setup.tcpdump.clone())),
};

/// One object a line.
pub static JSON: Exporter = Exporter {
    name: "json",
    packets: false,
    narrated: false,
    binary: false,
    make: |setup| {
        let json = Json::new(setup.nano, setup.frames, texts::english());
        Box::new(json.with_fields(setup.json_fields).with_tags(&setup.tags))
    },
};

/// One line a message.
pub static MESSAGES: Exporter = Exporter {
    name: "messages",
    packets: false,
    narrated: false,
    binary: false,
    make: |setup| {
        Box::new(Messages::new(&messages::Options {
            catalog: setup.catalog,
            tcpdump: setup.tcpdump.clone(),
            palette: setup.palette,
            width: setup.width,
            full: setup.full,
            grep: setup.grep.clone(),
        }))
    },
};

/// Complete messages, for Wireshark.
pub static PDU: Exporter = Exporter {
    name: "pdu",
    packets: false,
    narrated: false,
    binary: true,
    make: |setup| Box::new(Pdu::new(setup.nano)),
};

/// Captured packets with comments, for Wireshark.
pub static PCAPNG: Exporter = Exporter {
    name: "pcapng",
    packets: true,
    narrated: true,
    binary: true,
    make: |setup| {
        let options = trace::Options {
            palette: Palette::new(false),
            width: None,
            ..setup.trace()
        };
        Box::new(Annotated::new(options, setup.live))
    },
};

/// All of them.
pub static EXPORTERS: &[&Exporter] = &[&TRACE, &TCPDUMP, &MESSAGES, &JSON, &PDU, &PCAPNG];

impl Setup {
    fn trace(&self) -> trace::Options {
        trace::Options {
            catalog: self.catalog,
            detail: self.detail,
            palette: self.palette,
            width: self.width,
            full: self.full,
            tcpdump: self.tcpdump.clone(),
        }
    }
}

impl PartialEq for Exporter {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
