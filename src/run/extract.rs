//! `--extract`: payloads as files with names of ours, and an index of them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Error;
use crate::capture::{Outputs, PayloadFolder};
use crate::cli;
use crate::record::{Message, Opcode, Record, RecordKind, Sink};

/// Its name cannot be that of a payload: they are in folders.
const INDEX: &str = "index.ndjson";

/// Writes payloads.
pub(super) struct Extract {
    folder: PayloadFolder,
    index: File,
    text: bool,
    max_files: u64,
    max_bytes: u64,
    files: u64,
    bytes: u64,
    /// Payloads that were not written: not all was captured, or a bound was reached.
    incomplete: u64,
    beyond: u64,
    /// Messages of each session so far.
    counted: HashMap<u64, u64>,
    failed: Option<io::Error>,
}

impl Extract {
    /// Opens the folder, which may be there, and creates the index, which may not.
    pub(super) fn open(wanted: &cli::Extract, outputs: &Outputs) -> Result<Self, Error> {
        let folder = PayloadFolder::open(&wanted.folder, outputs).map_err(|error| failed(&wanted.folder, &error))?;
        let index = folder.create(INDEX).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::new(format!(
                "--extract {}: there is an {INDEX} in it already; name another folder",
                wanted.folder.display()
            )),
            _ => failed(&wanted.folder, &error),
        })?;
        Ok(Self {
            folder,
            index,
            text: wanted.text,
            max_files: wanted.max_files,
            max_bytes: wanted.max_bytes,
            files: 0,
            bytes: 0,
            incomplete: 0,
            beyond: 0,
            counted: HashMap::new(),
            failed: None,
        })
    }

    /// What there is to say at the end.
    pub(super) fn finish(&mut self) -> Result<Vec<String>, Error> {
        if let Some(error) = self.failed.take() {
            return Err(failed(self.folder.path(), &error));
        }
        let mut line = format!(
            "--extract {}: {} payloads, {} bytes, as they were sent: credentials in them are not left out",
            self.folder.path().display(),
            self.files,
            self.bytes
        );
        if self.incomplete > 0 {
            line += &format!("; {} left out, of which not all was captured", self.incomplete);
        }
        if self.beyond > 0 {
            line += &format!(
                "; {} left out beyond --max-extract-files {} and --max-extract-bytes {}",
                self.beyond, self.max_files, self.max_bytes
            );
        }
        Ok(vec![line])
    }

    fn message(&mut self, record: &Record<'_>, message: &Message<'_>) -> ControlFlow<()> {
        let number = self.count(record);
        let wanted = match message.opcode {
            Opcode::Binary => true,
            Opcode::Text => self.text,
            _ => false,
        };
        if !wanted {
            return ControlFlow::Continue(());
        }
        if !message.complete || !message.payload.holes.is_empty() {
            self.incomplete += 1;
            return ControlFlow::Continue(());
        }
        let length = message.payload.bytes.len() as u64;
        if self.files >= self.max_files || length > self.max_bytes - self.bytes {
            self.beyond += 1;
            return ControlFlow::Continue(());
        }
        match self.write(record, message, number) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// The number of the current message in its session, from 1.
    fn count(&mut self, record: &Record<'_>) -> u64 {
        let count = self.counted.entry(record.source.number()).or_default();
        *count += 1;
        *count
    }

    fn write(&mut self, record: &Record<'_>, message: &Message<'_>, number: u64) -> io::Result<()> {
        let bytes = message.payload.bytes;
        let folder = format!("session-{}", record.source.number());
        let name = format!(
            "{number:06}-{}-{}.{}",
            message.direction.sender(),
            message.opcode.name(),
            kind(bytes, message.opcode)
        );
        let file = self.folder.create_in(&folder, &name);
        let file = file.and_then(|mut file| file.write_all(bytes));
        file.map_err(|error| {
            let way_out = match error.kind() {
                io::ErrorKind::AlreadyExists => "; name an empty folder",
                _ => "",
            };
            io::Error::new(error.kind(), format!("{folder}/{name}: {error}{way_out}"))
        })?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        let digest = Sha256::digest(bytes);
        let entry = json!({
            "file": format!("{folder}/{name}"),
            "session": record.source.number(),
            "packet": record.at.packet,
            "direction": message.direction.name(),
            "opcode": message.opcode.name(),
            "length": bytes.len(),
            "sha256": digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        });
        self.index.write_all(format!("{entry}\n").as_bytes())
    }
}

fn failed(folder: &Path, error: &io::Error) -> Error {
    Error::new(format!("--extract {}: {error}", folder.display()))
}

impl Sink for Extract {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        match record.kind {
            RecordKind::Message(message) => self.message(record, message),
            RecordKind::SessionEnd(_) => {
                self.counted.remove(&record.source.number());
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Extract {
    /// This is not selected, but counts: files are numbered by all messages of their session.
    pub(super) fn unselected(&mut self, record: &Record<'_>) {
        match record.kind {
            RecordKind::Message(_) => _ = self.count(record),
            RecordKind::SessionEnd(_) => _ = self.counted.remove(&record.source.number()),
            _ => {}
        }
    }
}

/// What a payload is, by its first bytes: the end of its name.
fn kind(bytes: &[u8], opcode: Opcode) -> &'static str {
    const KINDS: &[(usize, &[u8], &str)] = &[
        (0, b"\x89PNG\r\n\x1a\n", "png"),
        (0, b"\xff\xd8\xff", "jpg"),
        (0, b"GIF87a", "gif"),
        (0, b"GIF89a", "gif"),
        (8, b"WEBP", "webp"),
        (8, b"WAVE", "wav"),
        (4, b"ftypavif", "avif"),
        (4, b"ftyp", "mp4"),
        (0, b"\x1a\x45\xdf\xa3", "webm"),
        (0, b"OggS", "ogg"),
        (0, b"fLaC", "flac"),
        (0, b"ID3", "mp3"),
        (0, b"%PDF-", "pdf"),
        (0, b"PK\x03\x04", "zip"),
        (0, b"\x1f\x8b", "gz"),
        (0, b"\x28\xb5\x2f\xfd", "zst"),
        (0, b"\0asm", "wasm"),
        (0, b"<svg", "svg"),
        (0, b"<?xml", "xml"),
    ];
    let found = KINDS
        .iter()
        .find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    match (found, bytes.trim_ascii_start().first()) {
        (Some((_, _, kind)), _) => kind,
        (None, Some(b'{' | b'[')) if serde_json::from_slice::<&serde_json::value::RawValue>(bytes).is_ok() => "json",
        _ if opcode == Opcode::Text => "txt",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_the_first_bytes() {
        for (bytes, opcode, wanted) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Opcode::Binary, "png"),
            (b"RIFF\0\0\0\0WEBPVP8 ", Opcode::Binary, "webp"),
            (b" {\"a\":[1]}", Opcode::Binary, "json"),
            (b"{not json", Opcode::Text, "txt"),
            (b"{not json", Opcode::Binary, "bin"),
            (b"", Opcode::Binary, "bin"),
        ] {
            assert_eq!(kind(bytes, opcode), wanted);
        }
    }
}
