//! Flags of ours that would have no effect beside the others, each with what it goes with. (What tcpdump itself ignores is ignored.)

use super::flags::Flags;
use super::{Options, UsageError};

/// The first flag without effect.
pub(super) fn check(flags: &Flags, options: &Options) -> Result<(), UsageError> {
    let view = options.format.map_or("none", |exporter| exporter.name);
    let is = |names: &[&str]| names.contains(&view);
    let shows_packets = options.format.is_some_and(|exporter| exporter.packets);
    let told = options.summary || options.check;
    // `tcpdump` alone prints packets as they are.
    let extracts = options.redact.is_some() || options.extract.is_some();
    let decodes = extracts || !options.count && (view != "tcpdump" || told || !options.selection.is_everything());
    let writes_packets = options.write.is_some();
    let lines = "--format trace or tcpdump";
    let rows = [
        (
            "--summary",
            flags.summary && options.count,
            "a view, not with --count, which prints a number alone",
        ),
        (
            "--check",
            flags.check && options.count,
            "a view, not with --count, which prints a number alone",
        ),
        (
            "--sort",
            flags.sort.is_some() && !is(&["sessions"]),
            "--format sessions",
        ),
        ("--all", flags.all && !is(&["sessions"]), "--format sessions"),
        ("--max-answer", flags.max_answer.is_some() && !flags.check, "--check"),
        (
            "--with-secrets",
            flags.with_secrets && !is(&["har", "html", "pcapng"]),
            "--format har, html and pcapng, which would leave them out",
        ),
        ("--tag", !flags.tag.is_empty() && !is(&["json"]), "--format json"),
        (
            "--json-fields",
            flags.json_fields.is_some() && !is(&["json"]),
            "--format json",
        ),
        (
            "--frames",
            flags.frames && (options.count || !is(&["json"])),
            "--format json",
        ),
        (
            "--full",
            flags.full && (options.count || is(&["json", "tcpdump", "none", "har", "sessions", "pdu"])),
            "--format trace, messages or html",
        ),
        (
            "--lang",
            flags.lang.is_some() && !told && (options.count || is(&["json", "har", "pdu", "tcpdump", "none"])),
            "--format trace or messages, --check and --summary",
        ),
        (
            "--keylog",
            !flags.keylog.is_empty() && !decodes && !writes_packets,
            "a view that decodes, such as --format trace, messages or json",
        ),
        (
            "--color",
            flags.color.is_some() && !told && is(&["json", "har", "html", "pcapng", "pdu", "tcpdump", "none"]),
            "--format trace, messages or sessions",
        ),
        ("-q", flags.quick > 0 && !shows_packets, lines),
        ("-A", flags.ascii > 0 && !shows_packets, lines),
        ("-x", flags.hex > 0 && !shows_packets, lines),
        ("-X", flags.hex_ascii > 0 && !shows_packets, lines),
        ("-e", flags.link_header && !shows_packets, lines),
        ("-S", flags.absolute_tcp_sequence_numbers && !shows_packets, lines),
        ("--lengths", flags.lengths && !shows_packets, lines),
        (
            "-t",
            flags.time > 0 && is(&["json", "none", "har", "html", "pdu"]),
            "a view with lines, not with json",
        ),
        (
            "-#",
            flags.number && is(&["json", "none", "har", "html", "pdu", "sessions"]),
            "a view with lines, not with json",
        ),
    ];
    match rows.into_iter().find(|(_, idle, _)| *idle) {
        Some((flag, _, with)) => Err(UsageError(format!("{flag} has no effect here: it goes with {with}"))),
        None => Ok(()),
    }
}
