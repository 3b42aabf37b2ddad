//! The command line: what was typed comes in, typed and checked [`Options`] go out, or one line that says what is wrong.
//!
//! The syntax is tcpdump's, which is GNU getopt_long's: short flags combine (`-Ans 4096 -iany`), a value may stand in the
//! same word or the next one whatever it looks like, flags may follow the filter expression, long flags may be shortened as
//! long as they are unambiguous, and of a repeated flag the last counts. clap can be told all of that.

mod check;
mod effect;
mod errors;
mod flags;
mod help;

pub use help::{EXAMPLES, EXIT_CODES};

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, Parser};
use regex::Regex;

use crate::base::Limits;
use crate::export::json::{Fields, Tags};
use crate::export::sessions::Column;
use crate::export::{Exporter, PCAPNG};
use crate::select::Selection;

/// What the user wants, checked as far as that can be without looking at the world.
#[derive(Debug, Clone)]
pub struct Options {
    /// What to do.
    pub task: Task,
    /// Where packets come from.
    pub input: Input,
    /// Which packets.
    pub filter: FilterText,
    /// Run libpcap's optimizer over the filter.
    pub optimize: bool,
    /// Stop after this many packets.
    pub count_limit: Option<u64>,
    /// Pass over this many packets first.
    pub skip: u64,
    /// Times have nanoseconds.
    pub nano: bool,
    /// How to capture.
    pub live: Live,
    /// `--compare`: the capture from behind the proxy.
    pub compare: Option<PathBuf>,
    /// The view; `None` is none.
    pub format: Option<&'static Exporter>,
    /// `--format` was given.
    pub format_given: bool,
    /// `--lang`, a name of the catalogs.
    pub lang: Option<String>,
    /// `--color`.
    pub color: Color,
    /// `--summary`.
    pub summary: bool,
    /// `--check`.
    pub check: bool,
    /// `--max-answer`, in nanoseconds.
    pub max_answer: Option<i64>,
    /// `--count`.
    pub count: bool,
    /// `--frames`.
    pub frames: bool,
    /// `--sort`.
    pub sort: Column,
    /// `--all`.
    pub all: bool,
    /// `--print`: the view is shown although something is written.
    pub print: bool,
    /// `--extract` and what belongs to it.
    pub extract: Option<Extract>,
    /// `--json-fields`.
    pub json_fields: Fields,
    /// `--tag`.
    pub tags: Tags,
    /// `--full`.
    pub full: bool,
    /// `--with-secrets`.
    pub with_secrets: bool,
    /// `-U`: `-w` is flushed after each packet.
    pub packet_buffered: bool,
    /// Which messages.
    pub selection: Selection,
    /// tcpdump's lines.
    pub lines: Lines,
    /// `-w` and what belongs to it.
    pub write: Option<Write>,
    /// `--redact` and what belongs to it.
    pub redact: Option<Redact>,
    /// `--output`.
    pub output: Option<Output>,
    /// `-Z`.
    pub user: Option<String>,
    /// `--keylog`.
    pub keylogs: Vec<PathBuf>,
    /// The bounds.
    pub limits: Limits,
}

impl Options {
    /// Times are read with nanoseconds: what is written as pcapng has the times of the capture.
    pub fn reads_nano(&self) -> bool {
        self.nano || self.redact.is_some() || self.format == Some(&PCAPNG)
    }

    /// The view, unless nothing is shown of the packets: what is written is not printed as well, and a number or violations stand alone.
    pub(crate) fn view(&self) -> Option<&'static Exporter> {
        let written = (self.write.is_some() || self.extract.is_some() || self.redact.is_some()) && !self.print;
        let silent = written || self.count || self.check && !self.format_given;
        self.format.filter(|_| !silent)
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Read packets and show them.
    Run,
    /// `-D`.
    ListInterfaces,
    /// `-L`.
    ListLinkTypes,
    /// `-J`.
    ListTimeStampTypes,
    /// `-d` (1), `-dd` (2), `-ddd` (3).
    DumpFilter(u8),
}

/// Where packets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// `-i`, or the default interface.
    Live(Option<String>),
    /// `-r`, once or more. `-` is standard input.
    Files(Vec<PathBuf>),
    /// `-V`: a file with the names of files.
    List(PathBuf),
}

/// The filter expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterText {
    /// The remaining arguments; perhaps empty: every packet.
    Expression(String),
    /// `-F`.
    File(PathBuf),
}

/// How to capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// `-s`, in bytes.
    pub snaplen: u32,
    /// `-p` turns it off.
    pub promiscuous: bool,
    /// `-Q`.
    pub direction: CaptureDirection,
    /// `-B`, in KiB.
    pub buffer_kib: Option<u32>,
    /// `-y`.
    pub link_type: Option<String>,
    /// `-j`.
    pub time_stamp_type: Option<String>,
    /// `--immediate-mode`.
    pub immediate: bool,
}

/// `-Q`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureDirection {
    /// Received.
    In,
    /// Sent.
    Out,
    /// Both.
    InOut,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal without `NO_COLOR`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// tcpdump's flags about its lines, as counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// `-A`.
    pub ascii: u8,
    /// `-x`.
    pub hex: u8,
    /// `-X`.
    pub hex_ascii: u8,
    /// `-e`.
    pub link_header: bool,
    /// `-q`.
    pub quick: u8,
    /// `-v`.
    pub verbose: u8,
    /// `-S`.
    pub absolute_sequence_numbers: bool,
    /// `-t`, 0 to 5.
    pub time: u8,
    /// `-#`.
    pub number: bool,
    /// `--lengths`.
    pub lengths: bool,
    /// `--resolve`.
    pub resolve: bool,
    /// `-N`.
    pub no_domain: bool,
    /// `-K`.
    pub no_checksums: bool,
}

/// `--output`: where the view goes instead of standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The file.
    pub path: PathBuf,
    /// Also when it is there already.
    pub force: bool,
}

/// `--extract` and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract {
    /// The folder.
    pub folder: PathBuf,
    /// `--extract-text`.
    pub text: bool,
    /// `--max-extract-files`.
    pub max_files: u64,
    /// `--max-extract-bytes`.
    pub max_bytes: u64,
}

impl Extract {
    /// As many files as one looks through.
    pub const MAX_FILES: u64 = 10_000;
    /// A gigabyte.
    pub const MAX_BYTES: u64 = 1 << 30;
}

/// `--redact` and what belongs to it.
#[derive(Debug, Clone)]
pub struct Redact {
    /// The file.
    pub output: Output,
    /// Names of secret values, those that are always meant included.
    pub names: Vec<String>,
    /// `--redact-value`.
    pub values: Vec<Regex>,
    /// `--redact-addresses`.
    pub addresses: bool,
}

/// `-w` and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The name as typed, `-` for standard output.
    pub name: String,
    /// `-C`, in bytes.
    pub rotate_bytes: Option<u64>,
    /// `-G`, in seconds.
    pub rotate_seconds: Option<u64>,
    /// `-W`.
    pub rotate_files: Option<u32>,
    /// `-z`.
    pub post_rotate: Option<String>,
}

/// What the command line comes to.
#[derive(Debug)]
pub enum Parsed {
    /// Something to do.
    Options(Box<Options>),
    /// `-h`, `--help`, `--version`: this is to be printed on standard output.
    Text(String),
}

/// What was wrong with the command line, and what would be right. One line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Reads the command line; `arguments` begin with the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, UsageError> {
    let flags = flags::Flags::try_parse_from(arguments).map_err(|error| errors::one_line(&error))?;
    if flags.help {
        return Ok(Parsed::Text(help::short()));
    }
    if flags.long_help {
        return Ok(Parsed::Text(help::long()));
    }
    if flags.version {
        return Ok(Parsed::Text(help::version()));
    }
    let options = check::options(flags.clone())?;
    effect::check(&flags, &options)?;
    Ok(Parsed::Options(Box::new(options)))
}

/// The flags that take one of a few values, by their field's name, and these values.
pub fn values() -> Vec<(&'static str, Vec<&'static str>)> {
    check::values()
}

/// The definition of all flags, for the manual page and the completions.
pub fn command() -> clap::Command {
    let limits = Limits::default();
    let bounds = [
        ("max_memory", limits.memory_bytes),
        ("max_flows", limits.flows),
        ("max_waiting", limits.waiting_bytes),
        ("max_fragments", limits.fragment_bytes),
        ("max_fragment_age", limits.fragment_seconds as usize),
        ("max_head", limits.head_bytes),
        ("max_message", limits.message_bytes),
        ("max_inflated", limits.inflated_bytes),
        ("max_held", limits.held_bytes),
        ("max_tls_trials", limits.tls_trials as usize),
        ("max_idle", limits.idle_seconds as usize),
        ("max_extract_files", Extract::MAX_FILES as usize),
        ("max_extract_bytes", Extract::MAX_BYTES as usize),
    ];
    bounds
        .into_iter()
        .fold(flags::Flags::command(), |command, (flag, value)| {
            command.mut_arg(flag, |arg| with_default(arg, value))
        })
}

/// Adds the default to the first line of a flag's help.
fn with_default(arg: clap::Arg, value: usize) -> clap::Arg {
    let whole = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
    let whole = whole.unwrap_or_default();
    let (first, more) = whole.split_once('\n').unwrap_or((&whole, ""));
    let first = format!("{first} [default: {value}]");
    let arg = match more {
        "" => arg,
        more => arg.long_help(format!("{first}\n{more}")),
    };
    arg.help(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_is_offered_is_taken() {
        let command = command();
        for (id, values) in values() {
            let flag = command.get_arguments().find(|flag| flag.get_id() == id).unwrap();
            let name = flag.get_long().unwrap();
            for value in values {
                // `--sort` has nothing to sort in other views.
                let view = format!("--format={}", if name == "format" { value } else { "sessions" });
                let words = ["wschat-sniff".to_owned(), view, format!("--{name}={value}")];
                assert!(parse(words.map(OsString::from)).is_ok(), "--{name} {value}");
            }
        }
    }
}
