//! The manual pages are what the flag definitions make of them.
//!
//! `REGENERATE=1 cargo test --test manuals` writes them anew; look at the difference before you commit it.

use std::fs;
use std::path::{Path, PathBuf};

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use wschat_sniff::cli;

#[test]
fn the_page_of_wschat_sniff_is_what_the_flags_make_of_it() {
    let command = cli::command().disable_help_subcommand(true);
    let man = Man::new(command).title("WSCHAT-SNIFF").manual("User Commands").date("");
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([bold("wschat-sniff"), roman(" [flags] [filter expression]")]);
    roff.control("SH", ["DESCRIPTION"]);
    for paragraph in DESCRIPTION {
        roff.control("PP", []);
        roff.text([roman(*paragraph)]);
    }
    roff.to_writer(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    let mut roff = Roff::new();
    roff.control("SH", ["SESSIONS"]);
    for paragraph in SESSIONS {
        roff.control("PP", []);
        roff.text([roman(*paragraph)]);
    }
    roff.control("SH", ["REQUESTS AND ANSWERS"]);
    for paragraph in LATENCY {
        roff.control("PP", []);
        roff.text([roman(*paragraph)]);
    }
    roff.control("SH", ["EXAMPLES"]);
    for (what, how) in cli::EXAMPLES {
        // Neither filled nor hyphenated: to be copied.
        roff.control("PP", []);
        roff.text([roman(*what)]);
        roff.control("PP", []);
        roff.control("RS", ["4"]);
        roff.control("EX", []);
        roff.text([roman(*how)]);
        roff.control("EE", []);
        roff.control("RE", []);
    }
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in cli::EXIT_CODES {
        roff.control("TP", []);
        roff.text([bold(*code)]);
        roff.text([roman(*meaning)]);
    }
    roff.control("SH", ["RIGHTS"]);
    for paragraph in RIGHTS {
        roff.control("PP", []);
        roff.text([roman(*paragraph)]);
    }
    for (flag, allows) in ALLOWS {
        roff.control("TP", []);
        roff.text([bold(*flag)]);
        roff.text([roman(*allows)]);
    }
    roff.control("SH", ["SIGNALS"]);
    roff.text([roman(SIGNALS)]);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(
        "wschat-sniff-json(5), wschat-server(1), tcpdump(8), pcap-filter(7), pcap(3PCAP)",
    )]);
    roff.to_writer(&mut page).unwrap();
    same("man/wschat-sniff.1", &page);
}

#[test]
#[ignore = "needs man"]
fn examples_can_be_copied_from_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/wschat-sniff.1");
    let output = std::process::Command::new("man")
        .args(["-l", "-Tascii"])
        .arg(page)
        .env("MANWIDTH", "60")
        .env("MAN_KEEP_FORMATTING", "")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for (_, how) in cli::EXAMPLES {
        assert!(text.lines().any(|line| line.trim() == *how), "{how}\n{text}");
    }
}

#[test]
fn examples_run() {
    let folder = tempfile::tempdir().unwrap();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/workerman-chat-2014/capture.pcap");
    let bytes = fs::read(&capture).unwrap();
    fs::write(folder.path().join("capture.pcap"), &bytes).unwrap();
    for side in ["edge.pcap", "app.pcap"] {
        let pair = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/find/hap_pass_lo_");
        fs::copy(format!("{}{side}", pair.display()), folder.path().join(side)).unwrap();
    }
    let packed = fs::File::create(folder.path().join("capture.pcap.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &bytes).unwrap();
    packed.finish().unwrap();
    let mut run = 0;
    for (_, how) in cli::EXAMPLES.iter().filter(|(_, how)| how.starts_with("wschat-sniff ")) {
        let ours = how.split(" | ").next().unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
            .args(ours.split_whitespace().skip(1))
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{how}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        run += 1;
    }
    assert!(run >= 3);
}

#[cfg(feature = "server")]
#[test]
fn the_page_of_wschat_server_is_what_the_flags_make_of_it() {
    let mut page = Vec::new();
    Man::new(wschat_sniff::server::command())
        .manual("User Commands")
        .date("")
        .render(&mut page)
        .unwrap();
    same("man/wschat-server.1", &page);
}

/// Compares what was made with the file of the repository, or writes it.
fn same(path: &str, made: &[u8]) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("REGENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, made).unwrap();
        return;
    }
    let there = fs::read(&path).unwrap_or_default();
    assert!(
        there == made,
        "{} is not what the flags make of it: REGENERATE=1 cargo test --test manuals, and look at the difference",
        path.display()
    );
}

const DESCRIPTION: &[&str] = &[
    "wschat-sniff captures packets from an interface, or reads them from files, and tells the WebSocket conversations (RFC 6455) \
     in them: TCP is reassembled, the opening handshake is read and checked, frames are unmasked, joined and, with \
     permessage-deflate (RFC 7692), inflated. A conversation that began before the capture is recognised, and after lost \
     packets the next whole message is found.",
    "The command line is tcpdump's: its flags mean what they mean there, and the remaining arguments are a filter expression of \
     pcap-filter(7). What is its own has a long name only.",
    "The view trace explains each TCP packet in a comment block, then shows it as tcpdump does, then the message that it \
     completes. The view tcpdump is that of tcpdump -n. The view messages is one line a message, the view sessions one line a session. The view json is described \
     in wschat-sniff-json(5).",
    "Started as root, the program gives root up before it reads the first packet: to the user of -Z, else to the one who called \
     sudo, else to nobody. Capabilities that its file has (setcap cap_net_raw,cap_net_admin=eip) are given up likewise, and \
     no_new_privs is set. See RIGHTS.",
    "Nothing that was captured reaches the terminal as it is: control characters, escape sequences and bidirectional controls are \
     shown escaped, and dumps are those of tcpdump.",
    "To hand on what was found: --format har is HAR 1.2, with an entry a session and its messages as Chrome's developer tools import \
     them; an entry is written when its session ends, or as it goes when an eighth of --max-memory is kept, and what then still \
     does not fit is left out and counted. --format html is one page, written at the end, of at most 20,000 messages, 1,000 sessions and \
     an eighth of --max-memory; it says what it leaves out. Both leave credentials out of handshakes unless --with-secrets is given; \
     what messages say is as it was sent, in the files of --extract too.",
];

const RIGHTS: &[&str] = &[
    "Opened with the rights that the program was started with: the interface, and the files of -r, -V and -F. Then root and all \
     capabilities are given up. After that the first byte of any of them is read, the files that -V lists are opened, and every \
     output is created: -w and its rotation, --output, --extract. Nothing is written over what is read, under whatever name.",
    "Then Landlock and seccomp are put in force, in every thread: the process opens no further file, creates none, makes no \
     connection, runs no program and executes no memory that it did not begin with; such a call fails with EPERM. A kernel without \
     one of them is no error; with -v a line says so. What a run is allowed besides:",
];

/// The other half of this table is `capture::sandbox::Needs`.
const ALLOWS: &[(&str, &str)] = &[
    (
        "always",
        "the time zone is read (/etc/localtime, /usr/share/zoneinfo), and the names and counters of interfaces (/sys/class/net)",
    ),
    ("-C, -G", "files are created and emptied in the folder of -w"),
    ("--extract", "files and folders are created in its folder"),
    (
        "--resolve",
        "sockets, what lies below /etc, /run and /usr/lib, and memory that is executed: the modules that look up names",
    ),
    (
        "-z command",
        "everything: neither is put in force, for the command would inherit both",
    ),
];

const SESSIONS: &[&str] = &[
    "The view sessions is a table: a line for each session, with its number, its two ends, scheme, host and path, the subprotocol, \
     who logged in, when it began and how long it was, messages and application bytes (from the client/from the server), the mean \
     time from ping to pong (of the client's pings/of the server's), the answer that took longest, the close codes (the client's/\
     the server's), its verdict, and how many rules were broken. What is not known stands as `-`. An end that somebody should look \
     at begins with `!`. The table is printed at the end, and when SIGUSR1 comes.",
    "On a terminal the columns are aligned, those in which nothing stands are left out, and so are, where there is no room, the \
     least telling ones. In a pipe all columns are there in that order, with a tab between them, below a line with their heads, and \
     lengths of time are in seconds: awk -F'\\t' '$8 > 60' prints what was longer than a minute.",
    "A row is kept for each session, in an eighth of --max-memory at most; of sessions that are not listed for that reason a line on \
     standard error tells how many there are.",
];

const LATENCY: &[&str] = &[
    "Requests and their answers are tied together by session, direction and identifier: of JSON-RPC, GraphQL (a subscription is \
     answered by what comes first, and none is due), Socket.IO's acknowledgments, SignalR's invocations (a stream is answered when \
     it is complete), STOMP's receipts, MQTT's acknowledgments, pings and their pongs, and the chat: a login is answered by the list \
     of users, a say by its sender's own copy, both by an error. The views messages and json tell in the answer what it answers and \
     after how long; --summary tells by method the 50th, 90th and 99th percentile (nearest rank, out of a histogram: off by 0.4 % at \
     most) and the longest time, how many answers were errors or came once more, and how many requests have no answer.",
    "A request counts as one without an answer when its session ends, or the capture, before one has come, and with no gap in which \
     that may have been. The last 16,384 requests of all sessions are remembered; what is forgotten before its answer came, --summary counts.",
];

const SIGNALS: &str = "SIGINT, SIGTERM and SIGHUP end a run: open conversations are ended in the view, output is flushed, and a \
    capture's counters are printed. SIGUSR1 prints the counters, and with --format sessions the table so far, and goes on. SIGUSR2 flushes the file of -w.";

#[test]
fn the_page_of_the_json_view_names_every_rule() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("man/wschat-sniff-json.5")).unwrap();
    for rule in wschat_sniff::base::Rule::ALL {
        let id = rule.id().replace('-', "\\-");
        let entry = match rule.rfc() {
            Some(rfc) => format!(".BR {id} \" ({rfc})\"\n"),
            None => format!(".B {id}\n"),
        };
        assert!(page.contains(&entry), "{entry}");
    }
}

#[test]
fn the_page_of_the_json_view_names_every_event_and_field() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("man/wschat-sniff-json.5")).unwrap();
    let words: Vec<&str> = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let mut events = 0;
    for capture in captures(&root.join("fixtures")) {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
            .args(["--format", "json", "--frames", "--summary", "-r"])
            .arg(&capture)
            .output()
            .unwrap();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let fields = value.as_object().unwrap();
            let event = fields["event"].as_str().unwrap();
            assert!(
                page.contains(&format!(".SH {}\n", event.to_uppercase())),
                "no section on {event}"
            );
            for field in fields.keys() {
                assert!(words.contains(&field.as_str()), "{field} of {event} is not described");
            }
            events += 1;
        }
    }
    assert!(events > 0);
}

/// All captures below a folder.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(captures(&path));
        } else if path.extension().is_some_and(|end| end == "pcap") {
            found.push(path);
        }
    }
    found
}
