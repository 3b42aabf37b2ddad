//! `--compare`: two captures of the same traffic, read one behind the other.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc;

use super::keys::Keys;
use super::offline::{self, Files};
use super::output::Output;
use super::pipeline::{self, Pipeline};
use super::signals::Signals;
use super::{Error, Outcome, report, setup};
use crate::base::Limits;
use crate::capture::filter::Filter;
use crate::capture::offline::{Offline, Unread};
use crate::cli::{Input, Options};
use crate::compare::{Capture, Collector, Comparison, compare};
use crate::export::comparison::Compared;
use crate::export::palette::Palette;
use crate::export::{JSON, View};
use crate::record::{Record, SegmentView, Sink};
use crate::wire::Packet;

pub(super) fn run(options: &Options, rights: setup::Rights, other: &Path) -> Result<Outcome, Error> {
    setup::link_type(options)?;
    let filter = setup::Filter::open(&options.filter)?;
    let files = Files::open(&options.input)?;
    let others = Files::Named(vec![Unread::open(other)?]);
    let keys = Keys::open(&options.keylogs, false)?;
    // Each capture is read with all the keys, from their beginning.
    let other_keys = Keys::open(&options.keylogs, false)?;
    let signals = Signals::catch().map_err(|error| Error::new(format!("signals cannot be caught: {error}")))?;
    let mut outputs = rights.give_up()?;
    filter.keep_from(&mut outputs)?;
    keys.keep_from(&mut outputs)?;
    let expression = filter.read()?;
    let edge = files.opened(&mut outputs)?.read(options)?;
    let app = others.opened(&mut outputs)?.read(options)?;
    offline::supported(&edge)?;
    offline::supported(&app)?;
    let filter = |inputs| offline::prepare(Filter::new(expression.clone(), options.optimize), inputs);
    let filters = (filter(&edge)?, filter(&app)?);
    let names = [named(&options.input), other.display().to_string()];
    let mut output = Output::open(options.output.as_ref(), &outputs)?;
    setup::enter_sandbox(options, None, None);

    let mut first_error = Ok(Outcome::Done);
    let mut read = |inputs: Vec<Offline>, filter, keys, name: &str| {
        // The end of a run closes the channel; a capture is always sent before.
        let (sender, receiver) = mpsc::channel();
        let listener = Listener::new(options.limits.memory_bytes / 8 * 3, sender);
        let limits = Limits {
            memory_bytes: options.limits.memory_bytes / 4,
            ..options.limits
        };
        let mut pipeline = Pipeline::listening(limits, filter, Box::new(listener));
        let end = offline::give_keys(keys, &inputs, &mut pipeline, &signals)
            .and_then(|()| offline::read_all(inputs, pipeline, &signals));
        if first_error.is_ok() {
            first_error = end;
        }
        let capture: Capture = receiver.recv().unwrap_or_default();
        if let Some(packet) = capture.full_at {
            report(&format!(
                "{name}: --max-memory was reached with packet {packet}: what follows is not compared"
            ));
        }
        capture
    };
    let edge = read(edge, filters.0, keys, &names[0]);
    let app = read(app, filters.1, other_keys, &names[1]);

    let found = compare(&edge, &app);
    if is_uneven(&found) && !is_uneven(&compare(&app, &edge)) {
        report(&format!(
            "{} and {} seem to be the other way round: expected -r with what was captured between the client and the proxy",
            names[0], names[1]
        ));
    }
    let compared = Compared {
        names: [&names[0], &names[1]],
        edge: &edge,
        app: &app,
        found: &found,
    };
    let mut drain = |written: &mut Vec<u8>| {
        output.buffer.append(written);
        // Nobody takes it: what follows is lost, and the end says why.
        let _ = output.flush_if_full();
    };
    if options.format == Some(&JSON) {
        compared.json(options.nano, &mut drain);
    } else {
        let palette = Palette::new(pipeline::coloured(options));
        compared.text(pipeline::catalog(options), palette, options.full, &mut drain);
    }
    output.finish()?;
    first_error
}

/// Messages seem to arrive before they were sent.
fn is_uneven(found: &Comparison) -> bool {
    found.clock.is_some_and(|clock| clock.uneven)
}

/// What the first capture is called.
fn named(input: &Input) -> String {
    match input {
        Input::Files(files) => {
            let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            names.join(", ")
        }
        Input::List(list) => list.display().to_string(),
        Input::Live(_) => String::new(),
    }
}

/// Keeps a capture, and sends it when it is over.
struct Listener {
    collector: Option<Collector>,
    done: mpsc::Sender<Capture>,
    /// It shows nothing.
    output: Vec<u8>,
}

impl Listener {
    fn new(bound: usize, done: mpsc::Sender<Capture>) -> Self {
        Self {
            collector: Some(Collector::new(bound)),
            done,
            output: Vec::new(),
        }
    }

    fn collector(&mut self, tell: impl FnOnce(&mut Collector) -> ControlFlow<()>) -> ControlFlow<()> {
        self.collector.as_mut().map_or(ControlFlow::Break(()), tell)
    }
}

impl Sink for Listener {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.collector(|collector| collector.packet(packet, segment))
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.collector(|collector| collector.record(record))
    }

    fn packet_end(&mut self, packet: &Packet<'_>) -> ControlFlow<()> {
        self.collector(|collector| collector.packet_end(packet))
    }
}

impl View for Listener {
    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn finish(&mut self) {
        if let Some(collector) = self.collector.take() {
            // Who does not listen any more does not want it.
            let _ = self.done.send(collector.finish());
        }
    }
}
