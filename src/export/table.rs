//! The views by name, a row each: `--format`, its completions and the run read this table.

use regex::bytes::Regex;

use super::json::{Fields, Tags};
use super::palette::Palette;
use super::tcpdump::{self, Lines};
use super::trace::{self, Trace};
use super::{Annotated, Har, Html, Json, Messages, Pdu, Sessions, View, messages, sessions};
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
    /// Credentials stay in what is handed on.
    pub with_secrets: bool,
    /// Bytes that a view may keep until it can write them.
    pub kept_bytes: usize,
    /// Which fields events have.
    pub json_fields: Fields,
    /// What is added to every event.
    pub tags: Tags,
    /// What is searched for.
    pub grep: Option<Regex>,
    /// By what sessions are sorted.
    pub sort: sessions::Column,
    /// Connections without WebSocket are shown as well.
    pub all: bool,
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
    /// It shows sessions as a whole, even where single messages are selected.
    pub sessions: bool,
    /// It hears the records that are for narration.
    pub narrated: bool,
    /// Its output is not for terminals.
    pub binary: bool,
    /// It leaves credentials out.
    pub strips: bool,
    /// It keeps what it hears until it can write it.
    pub keeps: bool,
    /// Flags that change what it shows, beside those that change what any view is told.
    pub heeds: &'static [&'static str],
    /// One that has seen nothing.
    pub make: fn(&Setup) -> Box<dyn View + Send>,
}

/// Annotated packets: the default.
pub static TRACE: Exporter = Exporter {
    name: "trace",
    packets: true,
    sessions: false,
    narrated: true,
    binary: false,
    strips: false,
    keeps: false,
    heeds: &[
        "--lang",
        "--color",
        "--full",
        "-q",
        "-t",
        "-#",
        "-A",
        "-x",
        "-X",
        "-e",
        "-S",
        "--lengths",
    ],
    make: |setup| Box::new(Trace::new(setup.trace())),
};

/// Packets as tcpdump prints them.
pub static TCPDUMP: Exporter = Exporter {
    name: "tcpdump",
    packets: true,
    sessions: false,
    narrated: false,
    binary: false,
    strips: false,
    keeps: false,
    heeds: &["-q", "-t", "-#", "-A", "-x", "-X", "-e", "-S", "--lengths"],
    make: |setup| Box::new(Lines::new(setup.tcpdump.clone())),
};

/// One object a line.
pub static JSON: Exporter = Exporter {
    name: "json",
    packets: false,
    sessions: false,
    narrated: false,
    binary: false,
    strips: false,
    keeps: false,
    heeds: &["--tag", "--json-fields", "--frames"],
    make: |setup| {
        let json = Json::new(setup.nano, setup.frames, texts::english());
        Box::new(json.with_fields(setup.json_fields).with_tags(&setup.tags))
    },
};

/// One line a message.
pub static MESSAGES: Exporter = Exporter {
    name: "messages",
    packets: false,
    sessions: false,
    narrated: false,
    binary: false,
    strips: false,
    keeps: false,
    heeds: &["--lang", "--color", "--full", "-t", "-#"],
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

/// One line a session.
pub static SESSIONS: Exporter = Exporter {
    name: "sessions",
    packets: false,
    sessions: true,
    narrated: false,
    binary: false,
    strips: false,
    keeps: true,
    heeds: &["--lang", "--color", "--sort", "--all", "-t"],
    make: |setup| {
        Box::new(Sessions::new(sessions::Options {
            catalog: setup.catalog,
            tcpdump: setup.tcpdump.clone(),
            palette: setup.palette,
            width: setup.width,
            sort: setup.sort,
            all: setup.all,
            memory: setup.kept_bytes,
        }))
    },
};

/// HAR 1.2, for browsers' developer tools.
pub static HAR: Exporter = Exporter {
    name: "har",
    packets: false,
    sessions: false,
    narrated: false,
    binary: false,
    strips: true,
    keeps: true,
    heeds: &["--with-secrets"],
    make: |setup| Box::new(Har::new(setup.kept_bytes, setup.with_secrets)),
};

/// One page.
pub static HTML: Exporter = Exporter {
    name: "html",
    packets: false,
    sessions: false,
    narrated: false,
    binary: false,
    strips: true,
    keeps: true,
    heeds: &["--with-secrets", "--lang", "--full"],
    make: |setup| {
        Box::new(Html::new(
            setup.catalog,
            setup.kept_bytes,
            setup.full,
            setup.with_secrets,
        ))
    },
};

/// Complete messages, for Wireshark.
pub static PDU: Exporter = Exporter {
    name: "pdu",
    packets: false,
    sessions: false,
    narrated: false,
    binary: true,
    strips: false,
    keeps: false,
    heeds: &[],
    make: |setup| Box::new(Pdu::new(setup.nano)),
};

/// Captured packets with comments, for Wireshark.
pub static PCAPNG: Exporter = Exporter {
    name: "pcapng",
    packets: true,
    sessions: false,
    narrated: true,
    binary: true,
    strips: false,
    keeps: false,
    heeds: &["--with-secrets", "--lang", "--full", "-q"],
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
pub static EXPORTERS: &[&Exporter] = &[
    &TRACE, &TCPDUMP, &MESSAGES, &SESSIONS, &JSON, &HAR, &HTML, &PCAPNG, &PDU,
];

/// The names of those that heed a flag.
pub fn heeding(flag: &str) -> Vec<&'static str> {
    let heed = EXPORTERS.iter().filter(|exporter| exporter.heeds.contains(&flag));
    heed.map(|exporter| exporter.name).collect()
}

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
