//! The two helps: the flags at a glance, and everything.

use crate::capture;

/// `-h`: at a glance, by hand. A test holds it against the flags.
const SHORT: &str = "\
wschat-sniff: WebSocket conversations off the wire, told as an annotated tcpdump

Usage: wschat-sniff [flags] [filter expression]
  e.g. sudo wschat-sniff -i any port 7272

From     -i interface, -r file (pcap, pcapng, .gz, .zst; - is stdin; repeatable)
         -V list of files, -F filter from a file, -c count, --skip count
         -D interfaces, -L link types, -J time stamp types; -y and -j choose one
         -s snaplen, -p no promiscuous mode, -Q in|out|inout, -B KiB
         --immediate-mode, --micro, --nano, --time-stamp-precision P, -O
         --compare file: the same behind a proxy; -d -dd -ddd dump the filter
View     --format trace|tcpdump|messages|sessions|json|har|html|pcapng|pdu|none
         --sort column, --all, --lang en|zh-CN|zh-TW|ja|es, --color when, -l
         --summary, --check, --max-answer time, --count, --frames, --full
         --json-fields list, --tag name=value, --output file, --force
Sessions --session list, --host, --path, --subprotocol, --user, --abnormal
Messages --grep regex, --where condition, --invert, --opcode list, --from side
         --no-control, --slower time, --context count, --follow
         --since and --until a time
TLS      --keylog file: secrets in the NSS key log format, --max-tls-trials
Lines    -A -x -xx -X -XX dumps, -e link header, -q less, -v -vv -vvv more
         -t -tt -ttt -tttt -ttttt times, -# --number, --lengths, -n, --resolve
         -S absolute sequence numbers, -N, -K
Writing  -w file, --extract folder, --extract-text, --print as well, -U at once
         --redact file, --redact-key, --redact-value, --redact-addresses
         --with-secrets, -C size -G seconds -W count -z command: rotation
Root     -Z user to become (default: the caller of sudo, else nobody)
Bounds   --max-memory, --max-flows, --max-waiting, --max-fragments,
         --max-fragment-age, --max-head, --max-message, --max-inflated,
         --max-held, --max-idle, --max-extract-files, --max-extract-bytes

Flags mean what they mean to tcpdump; those with long names only are our own.
--help has all of it with examples, `man wschat-sniff` too; --version.
Exit codes: 0 done, 1 error, 2 bad usage, 3 --check found violations.
";

/// Behind the flags of `--help` and in the manual page.
pub const EXAMPLES: &[(&str, &str)] = &[
    (
        "Watch the chat on this machine, packet by packet, explained; Ctrl-C ends it:",
        "sudo wschat-sniff -i any port 7272",
    ),
    (
        "The same with each packet in ASCII, as typed to tcpdump:",
        "sudo wschat-sniff -Ans 4096 -iany port 7272",
    ),
    (
        "Explain a capture that somebody sent, in Japanese:",
        "wschat-sniff --lang ja -r capture.pcap.gz",
    ),
    (
        "Read along: one line a message, without pings:",
        "sudo wschat-sniff -i eth0 --format messages --no-control tcp port 8080",
    ),
    (
        "What did everybody say?",
        "wschat-sniff -r capture.pcap --format json | jq -r 'select(.json.type == \"say\") | .json.content'",
    ),
    (
        "Who breaks the protocol? (exit code 3 when somebody does)",
        "wschat-sniff -r capture.pcap --check",
    ),
    (
        "What did the proxy do? Two captures of the same traffic, before and behind it:",
        "wschat-sniff -r edge.pcap --compare app.pcap",
    ),
    (
        "Keep the last ten files of 100 million bytes, as the user who called sudo:",
        "sudo wschat-sniff -i any -w chat.pcap -C 100 -W 10 port 7272",
    ),
    (
        "Capture there, read here:",
        "ssh host sudo tcpdump -i any -U -w - port 7272 | wschat-sniff -r -",
    ),
];

/// What the exit codes mean.
pub const EXIT_CODES: &[(&str, &str)] = &[
    (
        "0",
        "done; also after Ctrl-C, and when nobody reads the output any more",
    ),
    ("1", "an error; a line on standard error says what to do"),
    ("2", "bad usage"),
    ("3", "--check found violations"),
];

/// `-h`: the flags at a glance.
pub(super) fn short() -> String {
    SHORT.to_owned()
}

/// `--help`: everything, with examples.
pub(super) fn long() -> String {
    let mut text = super::command().render_long_help().to_string();
    text.push_str("\nExamples:\n");
    for (what, how) in EXAMPLES {
        text.push_str(&format!("  {what}\n      {how}\n"));
    }
    text.push_str("\nExit codes:\n");
    for (code, meaning) in EXIT_CODES {
        text.push_str(&format!("  {code}  {meaning}\n"));
    }
    text
}

/// `--version`.
pub(super) fn version() -> String {
    format!(
        "wschat-sniff {}\n{}\n",
        env!("CARGO_PKG_VERSION"),
        capture::libpcap_version()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_help_names_every_flag() {
        assert!(SHORT.lines().count() <= 40);
        assert!(SHORT.lines().all(|line| line.chars().count() <= 80));
        let words: Vec<&str> = SHORT
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '#'))
            .collect();
        for flag in crate::cli::command().get_arguments().filter(|flag| !flag.is_hide_set()) {
            let short = flag.get_short().map(|short| format!("-{short}"));
            let long = flag.get_long().map(|long| format!("--{long}"));
            if flag.is_positional() || short.as_deref() == Some("-h") {
                continue;
            }
            assert!(
                words
                    .iter()
                    .any(|word| Some(*word) == short.as_deref() || Some(*word) == long.as_deref()),
                "{} is not in the short help",
                flag.get_id()
            );
        }
    }

    #[test]
    fn every_bound_tells_its_default() {
        for flag in crate::cli::command().get_arguments() {
            let name = flag.get_long().unwrap_or_default();
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                !name.starts_with("max-") || name == "max-answer" || help.contains("[default: "),
                "--{name}: {help}"
            );
        }
    }

    #[test]
    fn the_short_help_names_no_flag_that_does_not_exist() {
        let command = crate::cli::command();
        for word in SHORT.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '#')) {
            if let Some(long) = word.strip_prefix("--") {
                assert!(
                    command.get_arguments().any(|flag| flag.get_long() == Some(long)),
                    "--{long} does not exist"
                );
            }
        }
    }

    #[test]
    fn every_example_parses() {
        for (_, how) in EXAMPLES {
            let ours = how.split(" | ").find(|part| part.contains("wschat-sniff")).unwrap();
            let words: Vec<std::ffi::OsString> = ours
                .split_whitespace()
                .skip_while(|word| *word != "wschat-sniff")
                .map(Into::into)
                .collect();
            assert!(
                matches!(crate::cli::parse(words), Ok(crate::cli::Parsed::Options(_))),
                "{how}"
            );
        }
    }
}
