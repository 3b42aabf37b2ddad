//! The command line of `wschat-server`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory, Parser};

/// The reference chat server that wschat-sniff is shown with: a page to chat on, and the WebSocket server behind it.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "wschat-server",
    version,
    max_term_width = 100,
    after_help = "Ctrl-C closes every connection (close code 1001) and ends with exit code 0.\n\
                  Watch the conversation with: sudo wschat-sniff -i any port 7272\n\
                  and with --tls --keylog FILE: sudo wschat-sniff -i any --keylog FILE port 7272"
)]
pub struct Args {
    /// Where the chat listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7272", value_parser = address)]
    pub ws: SocketAddr,

    /// Where the page is served; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:55151", value_parser = address)]
    pub http: SocketAddr,

    /// Serve wss and https, with a self-signed certificate that is made at every start
    ///
    /// It is never written to a file. Its names are localhost, 127.0.0.1, ::1, the addresses of --ws and --http, and the hosts of
    /// --allow-origin. Its fingerprint is printed: a browser warns of it, and shows the same one.
    #[arg(long)]
    pub tls: bool,

    /// Append the secrets of all TLS connections to this file (NSS key log), for wschat-sniff and others to decrypt
    ///
    /// A file that is made can be read by its owner and root alone. Whoever has it, and a capture, can read everything.
    #[arg(long, value_name = "FILE", requires = "tls", value_parser = printable_path)]
    pub keylog: Option<PathBuf>,

    #[allow(rustdoc::bare_urls, reason = "the text is the flag's help as well")]
    /// Another page that may use the chat, such as https://chat.example; may be repeated
    ///
    /// Programs send no origin and are accepted. Of pages, only the own one is, opened as 127.0.0.1, localhost or the address that
    /// the WebSocket was requested from; others get 403. So does a request whose Host is a name other than localhost and the
    /// hosts of these origins.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub allow_origin: Vec<String>,

    /// Connections at a time; more get 503
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_clients: u32,

    /// Connections at a time, and logins a minute, from one address; more get 429 and too-fast
    ///
    /// An IPv6 /64 counts as one address. Behind a proxy all clients come from the proxy's address, which needs more.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_per_address: u32,

    /// Characters of a name
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_name: u32,

    /// Bytes of a chat message's content
    #[arg(long, value_name = "BYTES", default_value_t = 131_072, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub max_content: u32,

    /// Messages a second that one client may send, each 4 KiB begun counting as one; 0: any number
    #[arg(long, value_name = "N", default_value_t = 20.0, value_parser = rate)]
    pub rate: f64,

    /// Messages that one client may send at once
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub burst: u32,

    /// Messages that may wait for a slow client before it is closed with 1013
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub queue: u32,

    /// Bytes that may wait for a slow client
    #[arg(long, value_name = "BYTES", default_value_t = 4_194_304, value_parser = clap::value_parser!(u32).range(1..))]
    pub queue_bytes: u32,

    /// Time between two pings
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub ping: Duration,

    /// Silence after which a client is closed with 1011; longer than the time between two pings
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub idle: Duration,
}

impl Args {
    /// Reads the program's arguments. Help, version and bad usage end the process, as is usual (0, 0 and 2).
    pub fn from_command_line() -> Self {
        let args = Self::parse();
        if args.idle <= args.ping {
            let message = "--idle must be longer than --ping: a silent client shows life by answering a ping\n";
            command().error(clap::error::ErrorKind::ValueValidation, message).exit();
        }
        args
    }
}

/// The command line as clap sees it: for the manual page and shell completions.
pub fn command() -> clap::Command {
    Args::command()
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let wanted = "expected HOST:PORT, such as 127.0.0.1:7272 or [::1]:0";
    match text.to_socket_addrs() {
        Ok(mut addrs) => addrs.next().ok_or_else(|| wanted.to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Err(wanted.to_owned()),
        Err(error) => Err(format!("{error}; {wanted}")),
    }
}

fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host.map(|host| host.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(['/', ' ', '*', '?', '#', '@']) => Ok(text.to_owned()),
        _ => Err("expected an origin: http:// or https://, a host, and its port if it is not the usual one".to_owned()),
    }
}

/// An absolute path that can be printed as part of a command.
fn printable_path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("expected the name of a file".to_owned());
    }
    let path = std::path::absolute(text).map_err(|error| error.to_string())?;
    match path.to_string_lossy().contains(char::is_control) {
        true => Err("expected a path without control characters".to_owned()),
        false => Ok(path),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.0..=1e9).contains(&rate) => Ok(rate),
        _ => Err("expected a number of messages a second".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) if (0.05..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected seconds, from 0.05 to 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold() {
        command().debug_assert();
        let args = Args::try_parse_from(["wschat-server"]).unwrap();
        assert_eq!(
            (args.ws.to_string(), args.http.to_string()),
            ("127.0.0.1:7272".into(), "127.0.0.1:55151".into())
        );
    }

    #[test]
    fn bad_values_are_named() {
        for (flag, value, hint) in [
            ("--ws", "7272", "HOST:PORT"),
            ("--http", "127.0.0.1:99999", "HOST:PORT"),
            ("--allow-origin", "chat.example", "http://"),
            ("--allow-origin", "http://chat.example/path", "http://"),
            ("--rate", "-1", "messages a second"),
            ("--rate", "NaN", "messages a second"),
            ("--idle", "0", "seconds"),
            ("--max-clients", "0", "max-clients"),
            ("--keylog", "a\x1b[2Jb", "control characters"),
            ("--keylog", "keys.log", "--tls"),
        ] {
            let error = Args::try_parse_from(["wschat-server", &format!("{flag}={value}")])
                .unwrap_err()
                .to_string();
            assert!(error.contains(hint), "{flag} {value}: {error}");
        }
    }
}
