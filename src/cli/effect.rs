//! Flags of ours that would have no effect beside the others, each with what it goes with. (What tcpdump itself ignores is ignored.)

use super::flags::Flags;
use super::{Options, UsageError};
use crate::export::heeding;

/// The first flag without effect.
pub(super) fn check(flags: &Flags, options: &Options) -> Result<(), UsageError> {
    let told = options.summary || options.check;
    let extracts = options.redact.is_some() || options.extract.is_some();
    // `tcpdump` alone prints packets as they are.
    let lines = options.format.is_some_and(|exporter| exporter.name == "tcpdump");
    let decodes = extracts || !options.count && (!lines || told || !options.selection.is_everything());
    let heeds = |flag| options.view().is_some_and(|exporter| exporter.heeds.contains(&flag));
    // As tcpdump has it.
    let ignored = options.count || options.write.is_some();
    let of_views = [
        ("--sort", flags.sort.is_some(), false),
        ("--all", flags.all, false),
        ("--with-secrets", flags.with_secrets, false),
        ("--tag", !flags.tag.is_empty(), false),
        ("--json-fields", flags.json_fields.is_some(), false),
        ("--frames", flags.frames, false),
        ("--full", flags.full, false),
        ("--lang", flags.lang.is_some(), told),
        ("--color", flags.color.is_some(), told),
        ("-q", flags.quick > 0, ignored),
        ("-A", flags.ascii > 0, ignored),
        ("-x", flags.hex > 0, ignored),
        ("-X", flags.hex_ascii > 0, ignored),
        ("-e", flags.link_header, ignored),
        ("-S", flags.absolute_tcp_sequence_numbers, ignored),
        ("--lengths", flags.lengths, ignored),
        ("-t", flags.time > 0, ignored),
        ("-#", flags.number, ignored),
    ];
    let idle = of_views
        .into_iter()
        .find(|(flag, given, elsewhere)| *given && !elsewhere && !heeds(flag));
    if let Some((flag, ..)) = idle {
        let besides = if matches!(flag, "--lang" | "--color") {
            ", and --check and --summary"
        } else {
            ""
        };
        return refuse(flag, &format!("--format {}{besides}", either(&heeding(flag))));
    }
    let others = [
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
        ("--max-answer", flags.max_answer.is_some() && !flags.check, "--check"),
        (
            "--keylog",
            !flags.keylog.is_empty() && !decodes && options.write.is_none(),
            "a view that decodes, such as --format trace, messages or json",
        ),
    ];
    match others.into_iter().find(|(_, idle, _)| *idle) {
        Some((flag, _, with)) => refuse(flag, with),
        None => Ok(()),
    }
}

fn refuse(flag: &str, with: &str) -> Result<(), UsageError> {
    Err(UsageError(format!("{flag} has no effect here: it goes with {with}")))
}

/// `a, b or c`.
fn either(names: &[&str]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => names.concat(),
    }
}
