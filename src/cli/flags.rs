//! The flags of `wschat-sniff`, as data: the parser, both helps, the manual page and the shell completions come from here.

use std::path::PathBuf;

use clap::{ArgAction, Parser};

/// What was typed, word for word. [`super::parse`] makes an [`super::Options`] of it.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "wschat-sniff",
    version,
    about = "Read WebSocket conversations off the wire and tell them as an annotated tcpdump session",
    disable_help_flag = true,
    disable_version_flag = true,
    args_override_self = true,
    infer_long_args = true,
    max_term_width = 100
)]
pub(super) struct Flags {
    /// Which packets: an expression of libpcap's filter language, see pcap-filter(7)
    ///
    /// The remaining arguments, joined with blanks. Flags may stand before, after and between them.
    #[arg(value_name = "filter expression", num_args = 0.., action = ArgAction::Append)]
    pub(super) expression: Vec<String>,

    // ---- where packets come from
    /// Listen on this interface: a name, a number of -D, or `any`
    ///
    /// Without -i and -r: the first interface that is up and is not the loopback.
    #[arg(short, long, value_name = "interface", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) interface: Option<String>,

    /// Read packets from this file, `-` for standard input; may be repeated
    ///
    /// pcap and pcapng, also compressed with gzip or zstd. Several files are read in the order given, as one capture.
    #[arg(short = 'r', long = "read-file", value_name = "file", action = ArgAction::Append, allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) read: Vec<PathBuf>,

    /// Compare with this file: the same traffic, captured behind the proxy that -r stands before
    ///
    /// Tells who closed each session first and after what silence, what the proxy dropped, inserted, changed, reordered or sent twice, how long
    /// messages took each way, and how the clocks differ. Text, or `--format json`, see wschat-sniff-json(5); --full lists all. A filter expression
    /// and --keylog apply to both files. Of --max-memory each file may take three eighths; what did not fit is not compared, and a line says so.
    #[arg(long, value_name = "file", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) compare: Option<PathBuf>,

    /// Decrypt TLS with the secrets in this file, a key log in the NSS format; may be repeated
    ///
    /// Browsers, curl, Node, Python, Java and Go write one, most of them where SSLKEYLOGFILE says. It may appear, grow and be replaced
    /// while packets come, and its lines may come after the packets. Secrets in a pcapng file are used without this flag.
    #[arg(long, value_name = "file", action = ArgAction::Append, allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) keylog: Vec<PathBuf>,

    /// Read the names of the files to read from this file, one a line, `-` for standard input
    #[arg(short = 'V', long = "file-list", value_name = "file", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) file_list: Option<PathBuf>,

    /// Read the filter expression from this file; an expression among the arguments is ignored
    #[arg(short = 'F', long = "filter-file", value_name = "file", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) filter_file: Option<PathBuf>,

    /// Stop after this many packets
    #[arg(short = 'c', long = "packets", value_name = "count", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) count_limit: Option<String>,

    /// Pass over this many packets before the first one that is printed or written
    #[arg(long, value_name = "count", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) skip: Option<String>,

    /// Capture this many bytes of each packet; 0 means 262144, the default. Ignored with -r
    #[arg(short = 's', long = "snapshot-length", value_name = "bytes", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) snaplen: Option<String>,

    /// Capture only packets of this direction: `in`, `out` or `inout`
    #[arg(short = 'Q', long, value_name = "direction", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) direction: Option<String>,

    /// Do not put the interface into promiscuous mode
    #[arg(short = 'p', long, help_heading = INPUT)]
    pub(super) no_promiscuous_mode: bool,

    /// Size of the kernel's capture buffer, in KiB
    #[arg(short = 'B', long, value_name = "KiB", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) buffer_size: Option<String>,

    /// Use this link type while capturing, and to compile the filter with -d; -L lists them
    #[arg(short = 'y', long = "linktype", value_name = "type", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) linktype: Option<String>,

    /// Have packets stamped in this way; -J lists the ways
    #[arg(short = 'j', long, value_name = "type", allow_hyphen_values = true, help_heading = INPUT)]
    pub(super) time_stamp_type: Option<String>,

    /// Precision of times: `micro` (the default) or `nano`
    #[arg(long, value_name = "precision", allow_hyphen_values = true, help_heading = INPUT, overrides_with_all = ["micro", "nano"])]
    pub(super) time_stamp_precision: Option<String>,

    /// The same as --time-stamp-precision=micro
    #[arg(long, help_heading = INPUT, overrides_with_all = ["nano", "time_stamp_precision"])]
    pub(super) micro: bool,

    /// The same as --time-stamp-precision=nano
    #[arg(long, help_heading = INPUT, overrides_with_all = ["micro", "time_stamp_precision"])]
    pub(super) nano: bool,

    /// Have the kernel deliver each packet when it arrives; its buffer then holds few packets
    ///
    /// Without it packets are seen a few hundredths of a second after they came.
    #[arg(long, help_heading = INPUT)]
    pub(super) immediate_mode: bool,

    /// Do not run the optimizer over the compiled filter
    #[arg(short = 'O', long, help_heading = INPUT)]
    pub(super) no_optimize: bool,

    /// List the interfaces that packets can be captured on, and exit
    #[arg(short = 'D', long, help_heading = INPUT)]
    pub(super) list_interfaces: bool,

    /// List the link types of the interface, and exit
    #[arg(short = 'L', long, help_heading = INPUT)]
    pub(super) list_data_link_types: bool,

    /// List the ways in which the interface can stamp packets, and exit
    #[arg(short = 'J', long, help_heading = INPUT)]
    pub(super) list_time_stamp_types: bool,

    /// Print the compiled filter and exit: -d readable, -dd as C, -ddd as numbers
    #[arg(short = 'd', long = "dump-filter", action = ArgAction::Count, help_heading = INPUT)]
    pub(super) dump_filter: u8,

    // ---- which view
    /// The view: `trace` (the default), `tcpdump`, `messages`, `sessions`, `json`, `har`, `html`, `pcapng`, `pdu` or `none`
    ///
    /// `trace` explains each TCP packet in a comment block, shows it as tcpdump does, and below it the message that it
    /// completes. `tcpdump` is tcpdump's output alone. `messages` is one line a message. `sessions` is one line a session,
    /// see SESSIONS below. `json` is one JSON object a line, see wschat-sniff-json(5). `har` is a file that the developer
    /// tools of browsers import, `html` a page for a browser. `none` is for --summary and --check alone.
    ///
    /// Files for Wireshark: `pcapng` is the captured packets, with what `trace` says and the decoded text as a comment on each packet that
    /// completes a message. `pdu` is a packet for each complete decoded message, compressed and encrypted ones too, which Wireshark dissects
    /// and filters by itself.
    #[arg(long, value_name = "view", allow_hyphen_values = true, help_heading = VIEW)]
    pub(super) format: Option<String>,

    /// The language of what is told: `en`, `zh-CN`, `zh-TW`, `ja` or `es`
    ///
    /// The default comes from LC_ALL, LC_MESSAGES and LANG.
    #[arg(long, value_name = "language", allow_hyphen_values = true, help_heading = VIEW)]
    pub(super) lang: Option<String>,

    /// Colours: `auto` (the default), `always` or `never`
    ///
    /// `auto` means: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "when", allow_hyphen_values = true, help_heading = VIEW)]
    pub(super) color: Option<String>,

    /// Add a closing summary: sessions, users, messages, rates, times
    #[arg(long, help_heading = VIEW)]
    pub(super) summary: bool,

    /// Print only violations of the protocol, one a line, and exit with 3 if there were any
    ///
    /// With --format the view is printed as well.
    #[arg(long, help_heading = VIEW)]
    pub(super) check: bool,

    /// With --check: answers that come later than this, such as `2s` or `500ms`, are violations, and so are requests without one
    ///
    /// app.late-answer and app.no-answer: of JSON-RPC, GraphQL, Socket.IO, SignalR, STOMP, MQTT, the chat, and pings.
    #[arg(long, value_name = "duration", allow_hyphen_values = true, help_heading = VIEW)]
    pub(super) max_answer: Option<String>,

    /// Print how many packets there were instead of any view
    #[arg(long, help_heading = VIEW)]
    pub(super) count: bool,

    /// With `--format json`: an object for each frame, too
    #[arg(long, help_heading = VIEW)]
    pub(super) frames: bool,

    /// With `--format sessions`: sort by this column, such as `duration`, `bytes` or `verdict`
    ///
    /// `number` (the default), `client`, `server`, `url`, `subprotocol`, `user` and `start` from the first on; `duration`, `messages`,
    /// `bytes`, `pong`, `slowest`, `codes` and `violations` from the largest on; `verdict` from the worst on.
    #[arg(long, value_name = "column", allow_hyphen_values = true, help_heading = VIEW)]
    pub(super) sort: Option<String>,

    /// With `--format sessions`: TCP connections that carry no WebSocket, too
    #[arg(long, help_heading = VIEW)]
    pub(super) all: bool,

    /// With `--format json`: in every object also this, such as `sensor=web1`; may be repeated
    ///
    /// For captures of many machines that are looked at together. With it, objects also have `session_uid`, which is the same when the same
    /// capture is read again and differs from that of every other session, on this machine or another; and `community_id`, the connection's
    /// Community ID, by which Zeek, Suricata and others know it.
    #[arg(long, value_name = "name=value", action = ArgAction::Append, allow_hyphen_values = true, help_heading = VIEW)]
    pub(super) tag: Vec<String>,

    /// With `--format json`: only these fields (and `event`, and tags), such as `time,session,text`
    ///
    /// What is left out costs no time. A payload stands in an object twice, as `text` and as `json`.
    #[arg(long, value_name = "list", allow_hyphen_values = true, help_heading = VIEW)]
    pub(super) json_fields: Option<String>,

    /// Show long messages whole
    #[arg(long, help_heading = VIEW)]
    pub(super) full: bool,

    /// With `--format har`, `html` and `pcapng`: keep the credentials and TLS secrets in it
    ///
    /// Without it Cookie, Set-Cookie, Authorization, Proxy-Authorization and other headers that are called like a credential are left out of
    /// `har` and `html`, and so are values that are credentials by their name in queries and subprotocols; what messages say is kept in any
    /// case. Of `pcapng` the TLS secrets that stand in the capture are left out, as of everything else that is written.
    #[arg(long, help_heading = VIEW)]
    pub(super) with_secrets: bool,

    /// Print to this file instead of standard output; not over one that is there already
    #[arg(long, value_name = "file", allow_hyphen_values = true, help_heading = VIEW)]
    pub(super) output: Option<PathBuf>,

    /// With --output and --redact: overwrite the file
    #[arg(long, help_heading = VIEW)]
    pub(super) force: bool,

    /// Accepted; output is written whenever no packet is waiting, and at the latest after a tenth of a second, anyway
    #[arg(short = 'l', long = "line-buffered", help_heading = VIEW)]
    pub(super) _line_buffered: bool,

    // ---- which messages
    /// Only messages of these kinds, such as `text,binary`; also close, ping, pong, control, reserved, reserved-3
    #[arg(long, value_name = "list", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) opcode: Option<String>,

    /// Only messages whose text matches this regular expression, as sent or with the escapes of JSON resolved
    #[arg(long, value_name = "regex", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) grep: Option<String>,

    /// Only messages that the `client` or the `server` sent
    #[arg(long, value_name = "side", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) from: Option<String>,

    /// Only sessions of these numbers, such as `2` or `1,4-7`
    #[arg(long, value_name = "list", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) session: Option<String>,

    /// Only sessions with such a server: Host or `:authority`, else the server name of TLS, else the address
    ///
    /// `*` stands for any characters, `?` for one. The port counts when the pattern has one.
    #[arg(long, value_name = "pattern", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) host: Option<String>,

    /// Only sessions with such a target, without its query; `*` crosses `/`
    #[arg(long, value_name = "pattern", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) path: Option<String>,

    /// Only sessions that agreed on such a subprotocol
    #[arg(long, value_name = "pattern", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) subprotocol: Option<String>,

    /// Only sessions in which somebody logged in by this name
    #[arg(long = "user", value_name = "name", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) who: Option<String>,

    /// Only sessions that did not end as they should: refused, reset, closed with an error, not closed
    #[arg(long, help_heading = SELECT)]
    pub(super) abnormal: bool,

    /// Only messages that fit a condition on their JSON, such as `.type=="say" and .params[0].price > 100`
    ///
    /// Fields are `.name`, `.list[0]`, `."any name"`, and of the message itself `opcode`, `length` and `direction`. They are
    /// compared with strings, numbers, `true`, `false` and `null` (== != < <= > >=), with regular expressions (~), or
    /// asked for (exists); and, or, not and parentheses join that. What is not there, or of another type, fits nothing.
    #[arg(long = "where", value_name = "condition", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) condition: Option<String>,

    /// Turn --grep and --where round: only messages that do not match and do not fit
    #[arg(long, help_heading = SELECT)]
    pub(super) invert: bool,

    /// Only answers that took at least so long, such as `2s` or `300ms`
    #[arg(long, value_name = "duration", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) slower: Option<String>,

    /// Also so many messages of the session before and after each selected one
    #[arg(long, value_name = "messages", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) context: Option<String>,

    /// Also all of the session that comes after the first selected message
    #[arg(long, help_heading = SELECT)]
    pub(super) follow: bool,

    /// Nothing before this time: RFC 3339, `HH:MM[:SS]` of the first packet's day, or `+90s` after the first packet
    #[arg(long, value_name = "time", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) since: Option<String>,

    /// Nothing after this time, given likewise
    #[arg(long, value_name = "time", allow_hyphen_values = true, help_heading = SELECT)]
    pub(super) until: Option<String>,

    /// No pings, pongs and close frames
    #[arg(long, help_heading = SELECT)]
    pub(super) no_control: bool,

    // ---- tcpdump's lines
    /// Print each packet in ASCII, without its link-level header
    #[arg(short = 'A', long = "ascii", action = ArgAction::Count, help_heading = LINES)]
    pub(super) ascii: u8,

    /// Print each packet in hex; -xx with its link-level header
    #[arg(short = 'x', long = "hex", action = ArgAction::Count, help_heading = LINES)]
    pub(super) hex: u8,

    /// Print each packet in hex and ASCII; -XX with its link-level header
    #[arg(short = 'X', long = "hex-ascii", action = ArgAction::Count, help_heading = LINES)]
    pub(super) hex_ascii: u8,

    /// Print the link-level header
    #[arg(short = 'e', long = "link-header", help_heading = LINES)]
    pub(super) link_header: bool,

    /// Shorter lines, and blocks that are a title alone
    ///
    /// The blocks of `trace` come in three levels. With -q each is its title on one line, `/* title */`.
    #[arg(short = 'q', long = "quick", action = ArgAction::Count, help_heading = LINES)]
    pub(super) quick: u8,

    /// Longer lines, and blocks that tell all; -vv and -vvv for longer lines yet
    ///
    /// The blocks of `trace` tell with -v all that there is to say of a packet, with whole addresses, however many lines that
    /// takes. -q tells less.
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count, help_heading = LINES)]
    pub(super) verbose: u8,

    /// Absolute sequence numbers of TCP
    #[arg(short = 'S', long, help_heading = LINES)]
    pub(super) absolute_tcp_sequence_numbers: bool,

    /// Times: -t none, -tt seconds since 1970, -ttt since the line before, -tttt with the date, -ttttt since the first
    #[arg(short = 't', long = "time", action = ArgAction::Count, help_heading = LINES)]
    pub(super) time: u8,

    /// Begin each packet with its number
    #[arg(short = '#', long, help_heading = LINES)]
    pub(super) number: bool,

    /// Begin each packet with its captured and its whole length
    #[arg(long, help_heading = LINES)]
    pub(super) lengths: bool,

    /// Do not look up names; this is how it is anyway, see --resolve
    #[arg(short = 'n', long = "no-names", action = ArgAction::Count, help_heading = LINES)]
    pub(super) numeric: u8,

    /// Look up the names of hosts and ports
    ///
    /// A sniffer that sends DNS queries disturbs what it watches, so this is off.
    #[arg(long, help_heading = LINES)]
    pub(super) resolve: bool,

    /// With --resolve: host names without their domain
    #[arg(short = 'N', long = "no-domain", help_heading = LINES)]
    pub(super) no_domain: bool,

    /// Do not verify checksums
    #[arg(short = 'K', long, help_heading = LINES)]
    pub(super) dont_verify_checksums: bool,

    // ---- writing packets
    /// Write the packets to this file instead of printing them, `-` for standard output
    ///
    /// strftime(3) conversions in the name are filled in with -G.
    #[arg(short = 'w', long = "write-file", value_name = "file", allow_hyphen_values = true, help_heading = WRITE)]
    pub(super) write: Option<String>,

    /// Write the payloads of binary messages to files in this folder instead of printing packets
    ///
    /// The folder is created when it is not there; one that has an index already, or is a symbolic link, is refused. Files are named by
    /// session, number of the message and sender, as in `session-2/000017-server-binary.png`, and end in what their first bytes are.
    /// `index.ndjson` has an object for each, with its SHA-256.
    #[arg(long, value_name = "folder", allow_hyphen_values = true, help_heading = WRITE)]
    pub(super) extract: Option<PathBuf>,

    /// With --extract: the payloads of text messages, too
    #[arg(long, help_heading = WRITE)]
    pub(super) extract_text: bool,

    /// With -w, --extract and --redact: print as well
    #[arg(long, help_heading = WRITE)]
    pub(super) print: bool,

    /// Write each packet out at once
    #[arg(short = 'U', long, help_heading = WRITE)]
    pub(super) packet_buffered: bool,

    /// Begin a new file when one has become this large, in millions of bytes (or with k, m, g: KiB, MiB, GiB)
    #[arg(short = 'C', long = "rotate-size", value_name = "size", allow_hyphen_values = true, help_heading = WRITE)]
    pub(super) rotate_size: Option<String>,

    /// Begin a new file every so many seconds
    #[arg(short = 'G', long = "rotate-seconds", value_name = "seconds", allow_hyphen_values = true, help_heading = WRITE)]
    pub(super) rotate_seconds: Option<String>,

    /// With -C: overwrite from the beginning after so many files. With -G: exit after so many
    #[arg(short = 'W', long = "rotate-files", value_name = "count", allow_hyphen_values = true, help_heading = WRITE)]
    pub(super) rotate_files: Option<String>,

    /// Run this command on each file that is finished, with its name as argument
    #[arg(short = 'z', long = "post-rotate", value_name = "command", allow_hyphen_values = true, help_heading = WRITE)]
    pub(super) post_rotate: Option<String>,

    // ---- a capture to be shown
    /// Write a capture to this file (pcapng) that can be shown to others: without what is secret, and still to be decoded
    ///
    /// Plain sessions keep their packets, lengths, masking keys and sequence numbers. Sessions that are compressed, encrypted or over HTTP/2
    /// are written as plain HTTP/1.1 sessions of their complete messages. Everything that is not understood is left out or blank: packets of
    /// other protocols, binary messages, the payloads of pings, incomplete messages; values in queries, of headers that are not known to be
    /// harmless, of subprotocols that are not known; reasons of close frames; link layers, tunnels, comments and TLS secrets.
    #[arg(long, value_name = "file", allow_hyphen_values = true, help_heading = REDACT)]
    pub(super) redact: Option<PathBuf>,

    /// With --redact: values of this name, too, are replaced; may be repeated
    ///
    /// Besides password, passwd, pass, passcode, passphrase, pwd, secret, token, access_token, refresh_token, id_token, api_key, apikey,
    /// authorization, cookie, session and sid. Names are those of JSON, also behind escapes and in strings that hold JSON, and of
    /// `name=value` and `name: value` elsewhere. Case, `-`, `_` and `.` do not count.
    #[arg(long, value_name = "name", action = ArgAction::Append, allow_hyphen_values = true, help_heading = REDACT)]
    pub(super) redact_key: Vec<String>,

    /// With --redact: what this regular expression finds in a message is replaced; may be repeated
    #[arg(long, value_name = "regex", action = ArgAction::Append, allow_hyphen_values = true, help_heading = REDACT)]
    pub(super) redact_value: Vec<String>,

    /// With --redact: addresses are replaced, too, and names of hosts in headers
    ///
    /// Two addresses that share a prefix share one of the same length afterwards. Ports stay.
    #[arg(long, help_heading = REDACT)]
    pub(super) redact_addresses: bool,

    // ---- privilege and bounds
    /// Started as root: become this user before the first packet is read; `root` stays root
    ///
    /// The default is the user who called sudo, else `nobody`.
    #[arg(short = 'Z', long = "relinquish-privileges", value_name = "user", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) user: Option<String>,

    /// Bytes of memory for all that is kept for all connections together
    ///
    /// The other bounds remain within it, packets that are held and what a view keeps until the end included. When it is reached,
    /// connections that have shown no WebSocket go first, then those that hold most drop it (gaps and holes of the cause `evicted`), and
    /// last those that have been silent for longest end as `evicted`.
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_memory: Option<String>,

    /// Connections known at once
    ///
    /// With more, those that have shown no WebSocket and those that are over are given up first, then those that have been silent for
    /// longest: their sessions end as `evicted`.
    #[arg(long, value_name = "count", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_flows: Option<String>,

    /// Bytes of one direction that wait behind a gap
    ///
    /// With more the gap is given up: a gap with the cause `evicted`. The same goes for what a client sends before its upgrade is answered.
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_waiting: Option<String>,

    /// Bytes of fragmented IP datagrams that are kept, in all
    ///
    /// With more, or after --max-fragment-age, the oldest are given up; --summary says how many never came whole.
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_fragments: Option<String>,

    /// Seconds until an incomplete IP datagram is given up
    #[arg(long, value_name = "seconds", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_fragment_age: Option<String>,

    /// Bytes of an HTTP head
    ///
    /// Of a longer one only the beginning counts: the violation http.head-too-long.
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_head: Option<String>,

    /// Bytes of one message that are kept
    ///
    /// More are counted: the message is not `complete`, and says what is `missing`. So with the next flag.
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_message: Option<String>,

    /// Bytes that one message may become when it is inflated
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_inflated: Option<String>,

    /// Seconds of silence after which a connection is given up
    ///
    /// Its session ends as `idle`.
    #[arg(long, value_name = "seconds", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_idle: Option<String>,

    /// Bytes of packets that are held, live and from a pipe, until it is known whether they are selected
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_held: Option<String>,

    /// Keys and sequence numbers that one TLS connection may try in a row
    ///
    /// After a loss, or when its handshake was not captured, the key and the number of a record are found by trying. When so many trials
    /// have found nothing, the connection tries no more; a line on standard error counts such connections.
    #[arg(long, value_name = "count", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_tls_trials: Option<String>,

    /// Files that --extract writes
    ///
    /// Further payloads are left out, and a line on standard error counts them.
    #[arg(long, value_name = "count", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_extract_files: Option<String>,

    /// Bytes that --extract writes, in all
    ///
    /// Payloads that do not fit are left out, and a line on standard error counts them.
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, help_heading = BOUNDS)]
    pub(super) max_extract_bytes: Option<String>,

    // ---- help
    /// One screen of help
    #[arg(short = 'h', help_heading = HELP)]
    pub(super) help: bool,

    /// All of the help, with examples
    #[arg(long = "help", help_heading = HELP)]
    pub(super) long_help: bool,

    /// The versions of this program and of libpcap
    #[arg(long, help_heading = HELP)]
    pub(super) version: bool,

    // ---- tcpdump's, without a meaning here: `check.rs` says why
    #[arg(short = 'a', hide = true)]
    pub(super) _old_ascii: bool,
    #[arg(short = 'b', hide = true)]
    pub(super) bgp_asdot: bool,
    #[arg(short = 'E', hide = true, allow_hyphen_values = true)]
    pub(super) esp_secret: Option<String>,
    #[arg(short = 'f', hide = true)]
    pub(super) foreign_numeric: bool,
    #[arg(short = 'H', hide = true)]
    pub(super) mesh: bool,
    #[arg(short = 'I', long = "monitor-mode", hide = true)]
    pub(super) monitor_mode: bool,
    #[arg(short = 'm', hide = true, allow_hyphen_values = true)]
    pub(super) smi_module: Option<String>,
    #[arg(short = 'M', hide = true, allow_hyphen_values = true)]
    pub(super) tcp_md5_secret: Option<String>,
    #[arg(short = 'T', hide = true, allow_hyphen_values = true)]
    pub(super) packet_type: Option<String>,
    #[arg(short = 'u', hide = true)]
    pub(super) nfs_handles: bool,
}

const INPUT: &str = "Where packets come from";
const VIEW: &str = "What is shown";
const SELECT: &str = "Which messages";
const LINES: &str = "The lines of tcpdump";
const WRITE: &str = "Writing packets to a file";
const REDACT: &str = "Captures to be shown";
const BOUNDS: &str = "Privilege and bounds";
const HELP: &str = "Help";
