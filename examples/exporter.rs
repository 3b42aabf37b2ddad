//! An exporter of one's own: one line of CSV a session, when it has ended. `cargo run --example exporter -- capture.pcap`

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use wschat_sniff::engine::Engine;
use wschat_sniff::record::{Record, RecordKind, Sink};

/// Writes until it cannot.
struct Csv<W> {
    out: W,
    error: Option<io::Error>,
}

impl<W: Write> Sink for Csv<W> {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        let (RecordKind::SessionEnd(end), Some(session)) = (record.kind, record.source.session) else {
            return ControlFlow::Continue(());
        };
        let source = record.source;
        let written = writeln!(
            self.out,
            "{session},{},{},{},{},{}",
            source.client,
            source.server,
            end.verdict.name(),
            end.message_count(),
            end.byte_count(),
        );
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("which capture file?")?);
    let mut csv = Csv {
        out: io::stdout().lock(),
        error: None,
    };
    writeln!(csv.out, "session,client,server,verdict,messages,bytes")?;
    wschat_sniff::replay(&path, &mut Engine::new(Default::default()), &mut csv)?;
    csv.error.map_or(Ok(()), |error| Err(error.into()))
}
