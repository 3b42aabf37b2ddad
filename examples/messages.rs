//! Prints the messages of a capture: `cargo run --example messages -- capture.pcap`

use std::ops::ControlFlow;
use std::path::PathBuf;

use wschat_sniff::engine::Engine;
use wschat_sniff::record::{Record, RecordKind, Sink};

struct Messages;

impl Sink for Messages {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if let RecordKind::Message(message) = record.kind {
            let sender = record.source.sender(message.direction);
            // `{:?}` escapes what must not reach a terminal.
            match message.text {
                Some(text) => println!("{sender} {text:?}"),
                None => println!(
                    "{sender} {} of {} bytes",
                    message.opcode.name(),
                    message.payload.length()
                ),
            }
        }
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("which capture file?")?);
    let mut engine = Engine::new(Default::default());
    wschat_sniff::replay(&path, &mut engine, &mut Messages)?;
    Ok(())
}
