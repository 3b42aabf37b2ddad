//! The speed table of the README: `make bench`, or `cargo bench --bench table -- [MEGABYTES] [RUNS]`.
//!
//! Whole processes, wall time, warm, the two sides of a row in turn, the median of the runs; peak memory as the kernel tells it.
//! Captures come from `benches/generate.rs` and are kept under `target/bench/`. With `AGAINST=PROGRAM` in the environment an earlier
//! build is what stands beside ours.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use chacha20poly1305::ChaCha20Poly1305;
use flate2::{Decompress, FlushDecompress};

mod captures;

use captures::{capture, keys};

const OURS: &str = env!("CARGO_BIN_EXE_wschat-sniff");

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let number = |n: usize, default| {
        arguments
            .get(n)
            .map_or(Ok(default), |a| a.parse())
            .map_err(io::Error::other)
    };
    let (megabytes, runs) = (number(0, 500)?, number(1, 5)? as usize);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    fs::create_dir_all(&folder)?;
    let mut captures = HashMap::new();
    for kind in ["chat", "bulk", "deflate", "lossy", "tls", "tls-chacha"] {
        captures.insert(kind, capture(&folder, kind, megabytes)?);
    }
    describe(&captures, megabytes)?;

    let table = Table { captures, runs };
    if let Some(earlier) = std::env::var_os("AGAINST").filter(|path| !path.is_empty()) {
        return table.against(&earlier.to_string_lossy());
    }
    println!("| run | ours | beside it | ratio | at most | peak memory |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let rewrite = |kind| peer(&["-n", "-r", kind, "-w", "/dev/null"]);
    table.row("messages", "chat", &["--format", "messages"], &rewrite("chat"), "1.5")?;
    let chat = table.row("json", "chat", &["--format", "json"], &rewrite("chat"), "2.5")?;
    table.row("json", "bulk", &["--format", "json"], &rewrite("bulk"), "4")?;
    table.row(
        "tcpdump",
        "chat",
        &["--format", "tcpdump"],
        &peer(&["-n", "-r", "chat"]),
        "0.167",
    )?;
    table.row(
        "tcpdump -A",
        "chat",
        &["--format", "tcpdump", "-A"],
        &peer(&["-n", "-A", "-r", "chat"]),
        "0.1",
    )?;
    table.row(
        "trace -A",
        "chat",
        &["--format", "trace", "-A"],
        &peer(&["-n", "-A", "-r", "chat"]),
        "0.2",
    )?;

    let messages = |kind: &str| table.messages(kind);
    let a_message = chat.as_secs_f64() / messages("chat")? as f64;
    let (bare, inflated) = bare_inflate(&table.captures["deflate"], runs)?;
    table.row_a_message(
        "json, a message",
        "deflate",
        a_message + bare.as_secs_f64() / inflated as f64,
        "chat + flate2 alone",
        "1.5",
    )?;
    table.row_a_message("json, a message", "lossy", a_message, "chat", "2")?;
    for (kind, cipher) in [("tls", "aes-gcm"), ("tls-chacha", "chacha20poly1305")] {
        let (bare, records) = match kind {
            "tls" => bare_seal::<Aes128Gcm>(&table.captures[kind], runs)?,
            _ => bare_seal::<ChaCha20Poly1305>(&table.captures[kind], runs)?,
        };
        table.row_a_message(
            "json, a message",
            kind,
            a_message + bare.as_secs_f64() / records as f64,
            &format!("chat + {cipher} alone"),
            "1.3",
        )?;
    }
    Ok(())
}

fn describe(captures: &HashMap<&str, PathBuf>, megabytes: u64) -> io::Result<()> {
    let first = |text: String, key: &str| {
        text.lines()
            .find(|l| l.starts_with(key))
            .and_then(|l| l.split(':').nth(1))
            .unwrap_or("?")
            .trim()
            .to_owned()
    };
    let cpu = first(fs::read_to_string("/proc/cpuinfo")?, "model name");
    let cores = std::thread::available_parallelism()?;
    println!(
        "{cpu}, {cores} cores; {} captures of {megabytes} MB; whole processes, output to /dev/null\n",
        captures.len()
    );
    Ok(())
}

/// A command of tcpdump's; the names of captures are filled in later.
fn peer(arguments: &[&str]) -> Vec<String> {
    std::iter::once("tcpdump")
        .chain(arguments.iter().copied())
        .map(str::to_owned)
        .collect()
}

struct Table {
    captures: HashMap<&'static str, PathBuf>,
    runs: usize,
}

impl Table {
    /// Times our views against those of an earlier build.
    fn against(&self, earlier: &str) -> io::Result<()> {
        println!("| run | ours | earlier | ratio | at most | peak memory |");
        println!("| --- | --- | --- | --- | --- | --- |");
        for (view, kind, most) in [
            ("messages", "chat", "1.05"),
            ("json", "chat", "1.2"),
            ("json", "bulk", "1.2"),
            ("json", "deflate", "1.2"),
            ("json", "lossy", "1.2"),
            ("tcpdump", "chat", "1.05"),
            ("trace", "chat", "1.05"),
        ] {
            let beside = [earlier, "-n", "-r", kind, "--format", view].map(str::to_owned);
            self.row(view, kind, &["--format", view], &beside, most)?;
        }
        Ok(())
    }

    /// Times our view against a command beside it, prints the row, and says how long ours took.
    fn row(&self, view: &str, kind: &str, flags: &[&str], beside: &[String], most: &str) -> io::Result<Duration> {
        let ours = self.ours(kind, flags);
        let theirs: Vec<String> = beside
            .iter()
            .map(|a| {
                self.captures
                    .get(a.as_str())
                    .map_or_else(|| a.clone(), |p| p.display().to_string())
            })
            .collect();
        run(&ours)?;
        run(&theirs)?;
        let (mut a, mut b, mut peak) = (Vec::new(), Vec::new(), 0);
        for _ in 0..self.runs {
            let (time, memory) = run(&ours)?;
            a.push(time);
            peak = peak.max(memory);
            b.push(run(&theirs)?.0);
        }
        let (a, b) = (median(a), median(b));
        println!(
            "| `--format {view}`, {kind} | {:.2} s | `{}` {:.2} s | {:.2} | {most} | {} MB |",
            a.as_secs_f64(),
            beside.join(" "),
            b.as_secs_f64(),
            a.as_secs_f64() / b.as_secs_f64(),
            peak >> 10,
        );
        Ok(a)
    }

    /// The same a message: our JSON view against a figure in seconds a message.
    fn row_a_message(&self, view: &str, kind: &str, beside: f64, what: &str, most: &str) -> io::Result<()> {
        let ours = self.ours(kind, &["--format", "json"]);
        run(&ours)?;
        let mut times = Vec::new();
        let mut peak = 0;
        for _ in 0..self.runs {
            let (time, memory) = run(&ours)?;
            times.push(time);
            peak = peak.max(memory);
        }
        let a_message = median(times).as_secs_f64() / self.messages(kind)? as f64;
        println!(
            "| `--format {view}`, {kind} | {:.0} ns | {what} {:.0} ns | {:.2} | {most} | {} MB |",
            a_message * 1e9,
            beside * 1e9,
            a_message / beside,
            peak >> 10,
        );
        Ok(())
    }

    fn ours(&self, kind: &str, flags: &[&str]) -> Vec<String> {
        let mut command = vec![
            OURS.to_owned(),
            "-n".into(),
            "-r".into(),
            self.captures[kind].display().to_string(),
        ];
        let keys = keys(&self.captures[kind]);
        if keys.exists() {
            command.extend(["--keylog".to_owned(), keys.display().to_string()]);
        }
        command.extend(flags.iter().map(|f| (*f).to_owned()));
        command
    }

    /// How many messages we find in the capture of this kind.
    fn messages(&self, kind: &str) -> io::Result<u64> {
        let ours = self.ours(kind, &["--format", "messages"]);
        let output = Command::new(&ours[0]).args(&ours[1..]).stderr(Stdio::null()).output()?;
        Ok(memchr::memchr_iter(b'\n', &output.stdout).count().max(1) as u64)
    }
}

/// Runs to the end with output thrown away: wall time, and peak resident memory in KiB.
fn run(command: &[String]) -> io::Result<(Duration, u64)> {
    let null = File::options().write(true).open("/dev/null")?;
    let started = Instant::now();
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdout(null)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| io::Error::other(format!("{}: {error}", command[0])))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let took = loop {
        if let Some(status) = child.try_wait()? {
            let took = started.elapsed();
            if !status.success() {
                return Err(io::Error::other(format!("{}: {status}", command.join(" "))));
            }
            break took;
        }
        // The high-water mark only grows, so looking now and then misses little; a look is some microseconds.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text
            .lines()
            .find_map(|l| l.strip_prefix("VmHWM:"))
            .and_then(|l| l.split_whitespace().next());
        peak = peak.max(mark.and_then(|m| m.parse().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    };
    Ok((took, peak))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The payloads of the generated capture's segments, with their ports. The layout is the generator's: Ethernet, IPv4, TCP with 12 bytes
/// of options.
fn payloads(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut at = 24;
    std::iter::from_fn(move || {
        let length = u32::from_le_bytes(*bytes.get(at + 8..)?.first_chunk()?) as usize;
        let frame = bytes.get(at + 16..at + 16 + length)?;
        at += 16 + length;
        let ports = u32::from_be_bytes(*frame.get(34..)?.first_chunk()?);
        Some((ports, frame.get(14 + 20 + 32..).unwrap_or_default()))
    })
}

/// What the cipher alone costs, the median of the runs: as many bytes as the records of application data have, sealed in place with
/// one key, which is as much work as opening them. A record a segment.
fn bare_seal<C: KeyInit + AeadInOut>(path: &Path, runs: usize) -> io::Result<(Duration, u64)> {
    let bytes = fs::read(path)?;
    let mut records: Vec<Vec<u8>> = payloads(&bytes)
        .filter(|(_, payload)| payload.len() > 5 + 16 && payload[0] == 23)
        .map(|(_, payload)| payload[5..payload.len() - 16].to_vec())
        .collect();
    drop(bytes);
    let cipher = C::new(&Default::default());
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let started = Instant::now();
        for record in &mut records {
            let head = [23, 3, 3, 0, 0];
            cipher
                .encrypt_inout_detached(&Default::default(), &head, record.as_mut_slice().into())
                .map_err(|_| io::Error::other("a record is too long"))?;
        }
        times.push(started.elapsed());
    }
    Ok((median(times), records.len() as u64))
}

/// What inflating alone costs, the median of the runs: the compressed messages of the generated capture through bare flate2, a window a direction.
/// A frame a segment.
fn bare_inflate(path: &Path, runs: usize) -> io::Result<(Duration, u64)> {
    let bytes = fs::read(path)?;
    let mut messages: Vec<(u32, Vec<u8>)> = Vec::new();
    for (ports, payload) in payloads(&bytes).filter(|(_, payload)| payload.len() > 2 && payload[0] == 0xc1) {
        let extended = if payload[1] & 0x7f == 126 { 2 } else { 0 };
        let start = 2 + extended + if payload[1] & 0x80 != 0 { 4 } else { 0 };
        let mut message = payload[start..].to_vec();
        if payload[1] & 0x80 != 0 {
            for (i, byte) in message.iter_mut().enumerate() {
                *byte ^= payload[start - 4 + (i & 3)];
            }
        }
        message.extend_from_slice(&[0, 0, 0xff, 0xff]);
        messages.push((ports, message));
    }
    let mut out = Vec::with_capacity(1 << 16);
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let mut windows: HashMap<u32, Decompress> = HashMap::new();
        let started = Instant::now();
        for (ports, message) in &messages {
            let window = windows.entry(*ports).or_insert_with(|| Decompress::new(false));
            out.clear();
            window
                .decompress_vec(message, &mut out, FlushDecompress::Sync)
                .map_err(io::Error::other)?;
        }
        times.push(started.elapsed());
    }
    Ok((median(times), messages.len() as u64))
}
