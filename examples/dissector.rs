//! A dissector of one's own, for messages like `temp=21.5`: `cargo run --example dissector -- capture.pcap`

use std::ops::ControlFlow;
use std::path::PathBuf;

use wschat_sniff::dissect::{Claim, Dissector, Interpretations, MessageView, Text};
use wschat_sniff::engine::Engine;
use wschat_sniff::record::{Action, Field, Handshake, Interpretation, Record, RecordKind, Sink};

struct KeyValue;

impl Dissector for KeyValue {
    fn claims(&self, handshake: &Handshake) -> Claim {
        match handshake.subprotocol.as_deref() {
            Some("key-value") => Claim::Yes,
            _ => Claim::ByContent,
        }
    }

    fn read<'a>(&'a mut self, message: &MessageView<'a>, out: &mut Interpretations<'a>) -> bool {
        let Some((key, value)) = message.text.and_then(|text| text.split_once('=')) else {
            return false;
        };
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return false;
        }
        let read = Interpretation::new("key-value", Action::Send)
            .label(Some(Text::Plain(key)))
            .field("value", Some(Field::Text(Text::Plain(value))));
        out.push(read);
        true
    }
}

struct Meanings;

impl Sink for Meanings {
    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if let RecordKind::Message(message) = record.kind {
            for read in message.meaning {
                let label: String = read.label.into_iter().flat_map(Text::chars).collect();
                println!("{} {} {label:?}", read.protocol, read.action.name());
            }
        }
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("which capture file?")?);
    let mut engine = Engine::new(Default::default()).with_dissectors(vec![Box::new(KeyValue)]);
    wschat_sniff::replay(&path, &mut engine, &mut Meanings)?;
    Ok(())
}
