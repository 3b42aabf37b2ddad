//! From the words of [`Flags`] to [`Options`]: every value is read, every contradiction named.

use std::path::PathBuf;
use std::str::FromStr;

use crate::annotate::texts;
use crate::base::{Direction, Limits};
use crate::export::json::{Fields, Tags};
use crate::export::redact::NAMES;
use crate::export::sessions::Column;
use crate::export::{EXPORTERS, Exporter, JSON, TRACE};
use crate::select::{self, Condition, Glob, Moment, Numbers, Opcodes, Selection};

use super::flags::Flags;
use super::{
    CaptureDirection, Color, Extract, FilterText, Input, Lines, Live, Options, Output, Redact, Task, UsageError, Write,
};

/// Messages before and after a selected one.
const MAX_CONTEXT: u64 = 1 << 16;

/// libpcap's largest snapshot length (`MAXIMUM_SNAPLEN`), tcpdump's default.
const MAX_SNAPLEN: u32 = 262_144;

pub(super) fn options(flags: Flags) -> Result<Options, UsageError> {
    foreign(&flags)?;
    let (format, format_given) = match flags.format.as_deref() {
        None => (Some(&TRACE), false),
        Some(name) => (one_of("--format", name, &formats())?, true),
    };
    let (json_fields, tags) = json(&flags)?;
    let input = input(&flags)?;
    let selection = selection(&flags)?;
    let write = write(&flags)?;
    let is_live = matches!(input, Input::Live(_));
    if selection.abnormal && is_live && write.is_none() && !flags.summary && !format.is_some_and(|view| view.sessions) {
        return wrong(
            "--abnormal is known when a session ends: live it goes with --format sessions, --summary and -w".to_owned(),
        );
    }
    compare(&flags, format)?;
    let redact = redact(&flags)?;
    if flags.lines_time_too_often() {
        return wrong(format!(
            "-{}: only -t, -tt, -ttt, -tttt and -ttttt have a meaning",
            "t".repeat(flags.time.into())
        ));
    }
    if flags.dump_filter > 3 {
        return wrong(format!(
            "-{}: only -d, -dd and -ddd have a meaning",
            "d".repeat(flags.dump_filter.into())
        ));
    }
    Ok(Options {
        task: task(&flags),
        input,
        filter: match &flags.filter_file {
            Some(file) => FilterText::File(file.clone()),
            None => FilterText::Expression(flags.expression.join(" ")),
        },
        optimize: !flags.no_optimize,
        count_limit: flags
            .count_limit
            .as_deref()
            .map(|text| number("-c", text, 1, u64::MAX, "packets"))
            .transpose()?,
        skip: optional("--skip", flags.skip.as_deref(), 0, u64::MAX, "packets")?.unwrap_or(0),
        nano: nano(&flags)?,
        live: live(&flags)?,
        compare: flags.compare.clone(),
        format,
        format_given,
        lang: flags
            .lang
            .as_deref()
            .map(|name| match texts::by_name(name) {
                Some(catalog) => Ok(catalog.tag.to_owned()),
                None => one_of("--lang", name, &languages()).map(str::to_owned),
            })
            .transpose()?,
        color: flags
            .color
            .as_deref()
            .map_or(Ok(Color::Auto), |when| one_of("--color", when, COLORS))?,
        summary: flags.summary,
        check: flags.check,
        max_answer: flags
            .max_answer
            .as_deref()
            .map(|text| duration("--max-answer", text))
            .transpose()?,
        count: flags.count,
        frames: flags.frames,
        sort: flags
            .sort
            .as_deref()
            .map_or(Ok(Column::Number), |name| one_of("--sort", name, &columns()))?,
        all: flags.all,
        print: flags.print,
        extract: extract(&flags)?,
        json_fields,
        tags,
        full: flags.full,
        with_secrets: flags.with_secrets,
        packet_buffered: flags.packet_buffered,
        selection,
        lines: Lines {
            ascii: flags.ascii,
            hex: flags.hex,
            hex_ascii: flags.hex_ascii,
            link_header: flags.link_header,
            quick: flags.quick,
            verbose: flags.verbose,
            absolute_sequence_numbers: flags.absolute_tcp_sequence_numbers,
            time: flags.time,
            number: flags.number,
            lengths: flags.lengths,
            resolve: flags.resolve && flags.numeric == 0,
            no_domain: flags.no_domain,
            no_checksums: flags.dont_verify_checksums,
        },
        write,
        redact,
        output: output(&flags)?,
        limits: limits(&flags)?,
        keylogs: flags.keylog,
        user: flags.user,
    })
}

impl Flags {
    fn lines_time_too_often(&self) -> bool {
        self.time > 5
    }
}

const COLORS: &[(&str, Color)] = &[
    ("auto", Color::Auto),
    ("always", Color::Always),
    ("never", Color::Never),
];
const DIRECTIONS: &[(&str, CaptureDirection)] = &[
    ("in", CaptureDirection::In),
    ("out", CaptureDirection::Out),
    ("inout", CaptureDirection::InOut),
];
const PRECISIONS: &[(&str, bool)] = &[("micro", false), ("nano", true)];
/// Those that one would type.
const OPCODES: &[&str] = &["text", "binary", "ping", "pong", "close", "control", "reserved"];
const SENDERS: &[(&str, Direction)] = &[
    ("client", Direction::ClientToServer),
    ("server", Direction::ServerToClient),
];

/// The views, and `none` for none.
fn formats() -> Vec<(&'static str, Option<&'static Exporter>)> {
    let views = EXPORTERS.iter().map(|exporter| (exporter.name, Some(*exporter)));
    views.chain([("none", None)]).collect()
}

/// What `--lang` takes.
fn languages() -> Vec<(&'static str, &'static str)> {
    texts::CATALOGS
        .iter()
        .map(|catalog| (catalog.tag, catalog.tag))
        .collect()
}

/// The columns of `--sort`.
fn columns() -> Vec<(&'static str, Column)> {
    Column::ALL.iter().map(|column| (column.name(), *column)).collect()
}

/// The flags that take one of a few values, and these values, for the completions.
pub(super) fn values() -> Vec<(&'static str, Vec<&'static str>)> {
    fn names<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
        table.iter().map(|(name, _)| *name).collect()
    }
    vec![
        ("format", names(&formats())),
        ("sort", names(&columns())),
        ("lang", names(&languages())),
        ("color", names(COLORS)),
        ("direction", names(DIRECTIONS)),
        ("from", names(SENDERS)),
        ("opcode", OPCODES.to_vec()),
        ("time_stamp_precision", names(PRECISIONS)),
    ]
}

/// tcpdump's flags that have no meaning here, each with the reason.
fn foreign(flags: &Flags) -> Result<(), UsageError> {
    let reasons = [
        (flags.bgp_asdot, "-b: is about BGP, which this program does not print"),
        (
            flags.esp_secret.is_some(),
            "-E: this program does not decrypt IPsec; capture behind the tunnel instead",
        ),
        (
            flags.foreign_numeric,
            "-f: addresses are printed as numbers anyway; --resolve looks up names",
        ),
        (flags.mesh, "-H: is about 802.11s, which this program does not print"),
        (
            flags.monitor_mode,
            "-I: 802.11 in monitor mode is not supported; capture on the interface as it is",
        ),
        (
            flags.smi_module.is_some(),
            "-m: is about SNMP, which this program does not print",
        ),
        (
            flags.tcp_md5_secret.is_some(),
            "-M: digests of TCP's MD5 option are shown, not validated",
        ),
        (
            flags.packet_type.is_some(),
            "-T: what TCP carries is recognised by itself, on every port; leave it out",
        ),
        (flags.nfs_handles, "-u: is about NFS, which this program does not print"),
    ];
    match reasons.into_iter().find(|(given, _)| *given) {
        Some((_, reason)) => wrong(reason.to_owned()),
        None => Ok(()),
    }
}

/// What goes with `--compare`: files, and the views that it has.
fn compare(flags: &Flags, format: Option<&'static Exporter>) -> Result<(), UsageError> {
    let Some(file) = &flags.compare else { return Ok(()) };
    if flags.read.is_empty() && flags.file_list.is_none() {
        return wrong(format!(
            "--compare {}: compares files: say with -r FILE which one was captured before the proxy",
            file.display()
        ));
    }
    let is_input = |path: &PathBuf| path.as_os_str() == "-";
    if is_input(file) && (flags.read.iter().any(is_input) || flags.file_list.as_ref().is_some_and(is_input)) {
        return wrong("--compare -: standard input can be read only once".to_owned());
    }
    if let Some(name) = flags.format.as_deref().filter(|_| format != Some(&JSON)) {
        return wrong(format!(
            "--format {name}: does not go with --compare, which prints text or JSON; expected --format json, or no --format"
        ));
    }
    let others = [
        (flags.write.is_some(), "-w"),
        (flags.extract.is_some(), "--extract"),
        (flags.redact.is_some(), "--redact"),
        (flags.print, "--print"),
        (flags.check, "--check"),
        (flags.summary, "--summary"),
        (flags.count, "--count"),
        (flags.frames, "--frames"),
        (flags.count_limit.is_some(), "-c"),
        (flags.skip.is_some(), "--skip"),
        (flags.dump_filter > 0, "-d"),
        (flags.opcode.is_some(), "--opcode"),
        (flags.grep.is_some(), "--grep"),
        (flags.condition.is_some(), "--where"),
        (flags.from.is_some(), "--from"),
        (flags.session.is_some(), "--session"),
        (flags.host.is_some(), "--host"),
        (flags.path.is_some(), "--path"),
        (flags.subprotocol.is_some(), "--subprotocol"),
        (flags.who.is_some(), "--user"),
        (flags.abnormal, "--abnormal"),
        (flags.slower.is_some(), "--slower"),
        (flags.since.is_some(), "--since"),
        (flags.until.is_some(), "--until"),
        (flags.max_held.is_some(), "--max-held"),
        (flags.no_control, "--no-control"),
        (flags.ascii > 0, "-A"),
        (flags.hex > 0, "-x"),
        (flags.hex_ascii > 0, "-X"),
        (flags.link_header, "-e"),
        (flags.quick > 0, "-q"),
        (flags.verbose > 0, "-v"),
        (flags.absolute_tcp_sequence_numbers, "-S"),
        (flags.time > 0, "-t"),
        (flags.number, "-#"),
        (flags.lengths, "--lengths"),
        (flags.resolve, "--resolve"),
    ];
    match others.into_iter().find(|(given, _)| *given) {
        Some((_, flag)) => wrong(format!(
            "{flag}: does not go with --compare, which compares all messages of both files; leave one of them out, or say with a \
             filter expression which packets"
        )),
        None => Ok(()),
    }
}

fn task(flags: &Flags) -> Task {
    // tcpdump ignores `-L` and `-J` when it reads files.
    let live = flags.read.is_empty() && flags.file_list.is_none();
    if flags.list_interfaces {
        Task::ListInterfaces
    } else if flags.list_data_link_types && live {
        Task::ListLinkTypes
    } else if flags.list_time_stamp_types && live {
        Task::ListTimeStampTypes
    } else if flags.dump_filter > 0 {
        Task::DumpFilter(flags.dump_filter)
    } else {
        Task::Run
    }
}

fn input(flags: &Flags) -> Result<Input, UsageError> {
    match (&flags.file_list, flags.read.is_empty()) {
        (Some(_), false) => wrong("-V and -r exclude each other: put all names into the file of -V".to_owned()),
        (Some(list), true) => Ok(Input::List(list.clone())),
        (None, false) => {
            if flags.read.iter().filter(|file| file.as_os_str() == "-").count() > 1 {
                return wrong("-r -: standard input can be read only once".to_owned());
            }
            Ok(Input::Files(flags.read.clone()))
        }
        (None, true) => Ok(Input::Live(flags.interface.clone())),
    }
}

fn live(flags: &Flags) -> Result<Live, UsageError> {
    let snaplen = match flags.snaplen.as_deref() {
        None => MAX_SNAPLEN,
        Some(text) => match number("-s", text, 0, MAX_SNAPLEN.into(), "bytes")? {
            0 => MAX_SNAPLEN,
            some => some as u32,
        },
    };
    Ok(Live {
        snaplen,
        promiscuous: !flags.no_promiscuous_mode,
        direction: flags
            .direction
            .as_deref()
            .map_or(Ok(CaptureDirection::InOut), |name| one_of("-Q", name, DIRECTIONS))?,
        buffer_kib: optional("-B", flags.buffer_size.as_deref(), 1, i32::MAX as u64 / 1024, "KiB")?
            .map(|kib| kib as u32),
        link_type: flags.linktype.clone(),
        time_stamp_type: flags.time_stamp_type.clone(),
        immediate: flags.immediate_mode,
    })
}

fn nano(flags: &Flags) -> Result<bool, UsageError> {
    match flags.time_stamp_precision.as_deref() {
        Some(name) => one_of("--time-stamp-precision", name, PRECISIONS),
        None => Ok(flags.nano),
    }
}

fn selection(flags: &Flags) -> Result<Selection, UsageError> {
    let glob = |flag: &str, pattern: &Option<String>, new: fn(&str) -> Option<Glob>| match pattern {
        None => Ok(None),
        Some(text) => new(text)
            .map(Some)
            .ok_or_else(|| UsageError(format!("{flag}: is too long; expected a pattern such as *.example.com"))),
    };
    let moment = |flag: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => Moment::parse(text).map(Some).ok_or_else(|| {
            UsageError(format!(
                "{flag} {text}: expected a time such as 2026-11-26T17:51:02Z, 17:51:02 or +90s"
            ))
        }),
    };
    let selection = Selection {
        sessions: flags
            .session
            .as_deref()
            .map(|list| {
                Numbers::parse(list).map_err(|part| {
                    UsageError(format!(
                        "--session {list}: expected numbers of sessions such as 2 or 1,4-7, not {part:?}"
                    ))
                })
            })
            .transpose()?,
        host: glob("--host", &flags.host, Glob::ignoring_case)?,
        path: glob("--path", &flags.path, Glob::new)?,
        subprotocol: glob("--subprotocol", &flags.subprotocol, Glob::new)?,
        user: flags.who.clone(),
        abnormal: flags.abnormal,
        opcodes: flags
            .opcode
            .as_deref()
            .map(|list| Opcodes::parse(list).map_err(|error| UsageError(format!("--opcode: {error}"))))
            .transpose()?,
        from: flags
            .from
            .as_deref()
            .map(|name| one_of("--from", name, SENDERS))
            .transpose()?,
        no_control: flags.no_control,
        grep: flags.grep.as_deref().map(grep).transpose()?,
        condition: flags
            .condition
            .as_deref()
            .map(|text| Condition::parse(text).map_err(|error| UsageError(format!("--where {text}: {error}"))))
            .transpose()?,
        invert: flags.invert,
        slower: flags
            .slower
            .as_deref()
            .map(|text| duration("--slower", text))
            .transpose()?,
        context: optional("--context", flags.context.as_deref(), 0, MAX_CONTEXT, "messages")?.unwrap_or(0) as usize,
        follow: flags.follow,
        since: moment("--since", &flags.since)?,
        until: moment("--until", &flags.until)?,
    };
    if selection.invert && selection.grep.is_none() && selection.condition.is_none() {
        return wrong("--invert turns --grep and --where round: say with one of them what is not wanted".to_owned());
    }
    for (given, flag) in [(selection.context > 0, "--context"), (selection.follow, "--follow")] {
        if given && !selection.selects_messages() {
            return wrong(format!(
                "{flag} goes with what selects messages: --grep, --where, --opcode, --from, --no-control or --slower"
            ));
        }
    }
    Ok(selection)
}

fn grep(pattern: &str) -> Result<regex::bytes::Regex, UsageError> {
    regex::bytes::Regex::new(pattern).map_err(|error| UsageError(not_a_regex("--grep", pattern, &error)))
}

/// `--tag` and `--json-fields`.
fn json(flags: &Flags) -> Result<(Fields, Tags), UsageError> {
    let mut tags = Tags::default();
    for tag in &flags.tag {
        tags.add(tag)
            .map_err(|reason| UsageError(format!("--tag {tag}: {reason}")))?;
    }
    let Some(list) = &flags.json_fields else {
        return Ok((Fields::default(), tags));
    };
    let fields = Fields::parse(list, &tags).map_err(|name| {
        UsageError(format!(
            "--json-fields {list}: no event has a field {name}; expected names as in wschat-sniff-json(5), such as time,session,text"
        ))
    })?;
    if fields.need_tags() && tags.is_empty() {
        return wrong("--json-fields: session_uid and community_id go with --tag; expected that as well".to_owned());
    }
    Ok((fields, tags))
}

fn output(flags: &Flags) -> Result<Option<Output>, UsageError> {
    match &flags.output {
        Some(path) if path.as_os_str() != "-" => Ok(Some(Output {
            path: path.clone(),
            force: flags.force,
        })),
        _ if flags.force && flags.redact.is_none() => {
            wrong("--force overwrites the file of --output: say with --output which".to_owned())
        }
        _ => Ok(None),
    }
}

fn redact(flags: &Flags) -> Result<Option<Redact>, UsageError> {
    let Some(path) = &flags.redact else {
        for (given, flag) in [
            (!flags.redact_key.is_empty(), "--redact-key"),
            (!flags.redact_value.is_empty(), "--redact-value"),
            (flags.redact_addresses, "--redact-addresses"),
        ] {
            if given {
                return wrong(format!("{flag} is about the file of --redact; expected that as well"));
            }
        }
        return Ok(None);
    };
    if path.as_os_str() == "-" {
        return wrong("--redact -: expected the name of a file".to_owned());
    }
    let values = flags.redact_value.iter().map(|pattern| {
        regex::Regex::new(pattern).map_err(|error| UsageError(not_a_regex("--redact-value", pattern, &error)))
    });
    if let Some(name) = flags
        .redact_key
        .iter()
        .find(|name| !name.chars().any(char::is_alphanumeric))
    {
        return wrong(format!("--redact-key {name}: expected a name with a letter in it"));
    }
    let names = NAMES.iter().map(|name| (*name).to_owned());
    Ok(Some(Redact {
        output: Output {
            path: path.clone(),
            force: flags.force,
        },
        names: names.chain(flags.redact_key.iter().cloned()).collect(),
        values: values.collect::<Result<_, _>>()?,
        addresses: flags.redact_addresses,
    }))
}

fn not_a_regex(flag: &str, pattern: &str, error: &regex::Error) -> String {
    format!("{flag} {pattern}: not a regular expression: {}", select::reason(error))
}

fn write(flags: &Flags) -> Result<Option<Write>, UsageError> {
    let Some(name) = flags.write.clone() else {
        for (given, flag) in [
            (flags.rotate_size.is_some(), "-C"),
            (flags.rotate_seconds.is_some(), "-G"),
        ] {
            if given {
                return wrong(format!("{flag} rotates the file of -w: say with -w which"));
            }
        }
        return Ok(None);
    };
    if name == "-" && flags.print {
        return wrong("-w - and --print both want standard output: write to a file, or leave --print out".to_owned());
    }
    if name == "-" && flags.rotate_size.is_some() {
        return wrong("-C rotates files, and -w - is standard output: name a file with -w, or leave -C out".to_owned());
    }
    let rotate_files = optional("-W", flags.rotate_files.as_deref(), 1, i32::MAX as u64, "files")?;
    Ok(Some(Write {
        name,
        rotate_bytes: flags.rotate_size.as_deref().map(rotate_size).transpose()?,
        rotate_seconds: optional("-G", flags.rotate_seconds.as_deref(), 1, i32::MAX as u64, "seconds")?,
        rotate_files: rotate_files.map(|count| count as u32),
        post_rotate: flags.post_rotate.clone(),
    }))
}

fn extract(flags: &Flags) -> Result<Option<Extract>, UsageError> {
    let Some(folder) = flags.extract.clone() else {
        for (given, flag) in [
            (flags.extract_text, "--extract-text"),
            (flags.max_extract_files.is_some(), "--max-extract-files"),
            (flags.max_extract_bytes.is_some(), "--max-extract-bytes"),
        ] {
            if given {
                return wrong(format!(
                    "{flag} goes with --extract: say with --extract into which folder"
                ));
            }
        }
        return Ok(None);
    };
    let files = optional(
        "--max-extract-files",
        flags.max_extract_files.as_deref(),
        1,
        u64::MAX,
        "files",
    )?;
    let bytes = optional(
        "--max-extract-bytes",
        flags.max_extract_bytes.as_deref(),
        1,
        u64::MAX,
        "bytes",
    )?;
    Ok(Some(Extract {
        folder,
        text: flags.extract_text,
        max_files: files.unwrap_or(Extract::MAX_FILES),
        max_bytes: bytes.unwrap_or(Extract::MAX_BYTES),
    }))
}

/// `-C`: millions of bytes; with a letter (tcpdump 5) KiB, MiB or GiB.
fn rotate_size(text: &str) -> Result<u64, UsageError> {
    let (digits, unit) = match text.as_bytes().last().map(u8::to_ascii_lowercase) {
        Some(b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1_000_000),
    };
    match digits.parse::<u64>().ok().and_then(|size| size.checked_mul(unit)) {
        Some(bytes) if bytes > 0 && bytes <= i64::MAX as u64 => Ok(bytes),
        _ => wrong(format!(
            "-C {text}: not a file size; expected a number of millions of bytes, such as 10, or with a unit, such as 512k"
        )),
    }
}

fn limits(flags: &Flags) -> Result<Limits, UsageError> {
    let most = u32::MAX.into();
    let memory = optional("--max-memory", flags.max_memory.as_deref(), 1 << 20, most, "bytes")?;
    let mut limits = memory.map_or_else(Limits::default, |memory| {
        Limits::within(usize::try_from(memory).unwrap_or(usize::MAX))
    });
    let memory = limits.memory_bytes;
    if let Some(flows) = optional("--max-flows", flags.max_flows.as_deref(), 1, most, "connections")? {
        limits.flows = usize::try_from(flows).unwrap_or(usize::MAX);
    }
    let sizes = [
        ("--max-waiting", &flags.max_waiting, &mut limits.waiting_bytes, memory),
        (
            "--max-fragments",
            &flags.max_fragments,
            &mut limits.fragment_bytes,
            memory,
        ),
        ("--max-head", &flags.max_head, &mut limits.head_bytes, memory),
        ("--max-message", &flags.max_message, &mut limits.message_bytes, memory),
        (
            "--max-inflated",
            &flags.max_inflated,
            &mut limits.inflated_bytes,
            memory,
        ),
        // What decodes needs the rest.
        ("--max-held", &flags.max_held, &mut limits.held_bytes, memory / 2),
    ];
    for (flag, text, limit, room) in sizes {
        let Some(size) = optional(flag, text.as_deref(), 1, most, "bytes")? else {
            continue;
        };
        if size > room as u64 {
            return wrong(format!(
                "{flag} {size}: more than --max-memory ({memory}) has room for; expected at most {room}"
            ));
        }
        *limit = size as usize;
    }
    if let Some(trials) = optional(
        "--max-tls-trials",
        flags.max_tls_trials.as_deref(),
        0,
        u32::MAX.into(),
        "trials",
    )? {
        limits.tls_trials = trials as u32;
    }
    let ages = [
        (
            "--max-fragment-age",
            &flags.max_fragment_age,
            &mut limits.fragment_seconds,
        ),
        ("--max-idle", &flags.max_idle, &mut limits.idle_seconds),
    ];
    for (flag, text, limit) in ages {
        if let Some(seconds) = optional(flag, text.as_deref(), 1, u32::MAX.into(), "seconds")? {
            *limit = seconds as u32;
        }
    }
    Ok(limits)
}

fn one_of<T: Copy>(flag: &str, text: &str, values: &[(&str, T)]) -> Result<T, UsageError> {
    if let Some((_, value)) = values.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let (last, rest) = names.split_last().expect("tables are not empty");
    wrong(format!(
        "{flag} {text}: unknown; expected {} or {last}",
        rest.join(", ")
    ))
}

fn optional(flag: &str, text: Option<&str>, min: u64, max: u64, of: &str) -> Result<Option<u64>, UsageError> {
    text.map(|text| number(flag, text, min, max, of)).transpose()
}

fn number(flag: &str, text: &str, min: u64, max: u64, of: &str) -> Result<u64, UsageError> {
    match u64::from_str(text) {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ if max == u64::MAX => wrong(format!("{flag} {text}: expected a number of {of}, {min} or more")),
        _ => wrong(format!("{flag} {text}: expected a number of {of} from {min} to {max}")),
    }
}

/// A length of time, in nanoseconds.
fn duration(flag: &str, text: &str) -> Result<i64, UsageError> {
    select::duration(text).ok_or_else(|| {
        UsageError(format!(
            "{flag} {text}: expected a length of time, such as 500ms, 2s or 1m"
        ))
    })
}

fn wrong<T>(line: String) -> Result<T, UsageError> {
    Err(UsageError(line))
}
