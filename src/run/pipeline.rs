//! What is done with each packet: filtered, passed over, counted, written, shown.

use std::ops::ControlFlow;

use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use super::check::Check;
use super::extract::Extract;
use super::hold_queue::HoldQueue;
use super::keys::Keys;
use super::listeners::Listeners;
use super::names::SystemNames;
use super::output::Output;
use super::relay::{Relay, Renderer};
use super::signals::Signals;
use super::sinks::{Emptied, Sinks};
use super::summary::SummaryReport;
use super::{Error, Outcome, setup};
use crate::annotate::Detail;
use crate::annotate::texts::{self, Catalog};
use crate::base::{Limits, counted};
use crate::capture::filter::Filter;
use crate::capture::savefile::{Savefile, Written};
use crate::capture::{Outputs, Raw};
use crate::cli::{Color, Input, Options};
use crate::dissect::Dissectors;
use crate::engine::Engine;
use crate::export::palette::Palette;
use crate::export::tcpdump::{self, Names, Precision, Printer, TimeFormat};
use crate::export::{JSON, PCAPNG, PDU, Setup, TCPDUMP, View};
use crate::layer::tls::Secrets;
use crate::record::{GivenUp, Record, SegmentView, Sink};
use crate::select::{Decisions, Evaluator};
use crate::wire::Packet;

/// The way of the packets of one run.
pub(super) struct Pipeline {
    filter: Filter,
    /// Packets that matched, those passed over included: the number of the last one.
    number: u64,
    skip: u64,
    /// The number of the last packet that is wanted.
    last: u64,
    savefile: Option<Savefile>,
    /// What is to be shown, while the capture is read for the first time of two.
    later: Option<Show>,
    show: Show,
    count: bool,
    output: Output,
    keys: Keys,
    /// The format, when what it writes holds all that the messages hold.
    telling: Option<&'static str>,
    with_secrets: bool,
    /// A redacted capture was written.
    redacted: bool,
    /// Decryption Secrets Blocks that were not written.
    secrets_left_out: usize,
}

/// What is shown of a packet. There is one for a run.
#[allow(clippy::large_enum_variant)]
enum Show {
    Nothing,
    /// Straight from the packet: no engine.
    Tcpdump(Printer),
    Decoded(Engine, Sinks),
    /// The same, with another thread that renders. That one has the output as well.
    Relayed(Engine, Relay),
    /// What is selected is looked for first: the capture is read twice.
    FirstPass(Engine, FirstPass),
}

impl Pipeline {
    pub(super) fn new(options: &Options, filter: Filter, outputs: &Outputs) -> Result<Self, Error> {
        let mut show = show(options);
        if let (Show::Decoded(_, sinks), Some(wanted)) = (&mut show, &options.extract) {
            sinks.listeners.extract = Some(Extract::open(wanted, outputs)?);
        }
        if let (Show::Decoded(_, sinks), Some(wanted)) = (&mut show, &options.redact) {
            let redacted = setup::redacted(wanted, options.limits.memory_bytes, outputs)?;
            sinks.listeners.redacted = Some(redacted);
        }
        if let Some(exporter) = options.format
            && exporter.binary
            && matches!(show, Show::Decoded(..))
            && setup::shows_on_terminal(options)
        {
            return Err(Error::new(format!(
                "--format {} is not for terminals; expected --output FILE or a pipe",
                exporter.name
            )));
        }
        Ok(Self {
            filter,
            number: 0,
            skip: options.skip,
            last: options
                .count_limit
                .map_or(u64::MAX, |count| count.saturating_add(options.skip)),
            savefile: None,
            later: None,
            show,
            count: options.count,
            output: Output::open(options.output.as_ref(), outputs)?,
            keys: Keys::default(),
            telling: options
                .view()
                .filter(|exporter| *exporter == &PDU || *exporter == &PCAPNG)
                .map(|exporter| exporter.name),
            with_secrets: options.with_secrets,
            redacted: false,
            secrets_left_out: 0,
        })
    }

    /// One that tells `view` everything and prints nothing.
    pub(super) fn listening(limits: Limits, filter: Filter, view: Box<dyn View + Send>) -> Self {
        let sinks = Sinks {
            listeners: Listeners {
                view: Some(view),
                packets: true,
                ..Listeners::default()
            },
            selected: None,
        };
        Self {
            filter,
            number: 0,
            skip: 0,
            last: u64::MAX,
            savefile: None,
            later: None,
            show: Show::Decoded(Engine::new(limits).with_narration(true), sinks),
            count: false,
            output: Output::default(),
            keys: Keys::default(),
            telling: None,
            with_secrets: false,
            redacted: false,
            secrets_left_out: 0,
        }
    }

    /// Packets are written there, too.
    pub(super) fn write_to(&mut self, savefile: Option<Savefile>) {
        match &mut self.show {
            Show::Decoded(_, sinks) if sinks.selected.is_some() => sinks.listeners.savefile = savefile,
            _ => self.savefile = savefile,
        }
    }

    /// Whether what is selected is known only when all packets were read.
    pub(super) fn must_read_twice(options: &Options) -> bool {
        let selection = &options.selection;
        let view = options.view();
        let shows_packets = options.count || view.is_some_and(|view| view.packets);
        let shows_sessions = view.is_some_and(|view| view.sessions);
        let whole_connections = options.summary || options.write.is_some() || options.redact.is_some();
        let whole_sessions = options.summary || options.check || shows_sessions;
        selection.is_late()
            || shows_packets && selection.selects_sessions()
            || whole_connections && (selection.selects_sessions() || selection.selects_messages())
            || whole_sessions && selection.selects_messages()
            || shows_sessions && selection.selects_time()
    }

    /// The packets that come are looked through for what is selected, until [`Self::end_first_pass`].
    pub(super) fn begin_first_pass(&mut self, options: &Options) {
        let first_pass = FirstPass {
            evaluator: evaluator(options),
            decisions: Decisions::default(),
        };
        let mut engine = Engine::new(engine_limits(options));
        if let (Some(own), Some(known)) = (engine.secrets(), self.engine().and_then(Engine::secrets)) {
            *own = known.clone();
        }
        self.later = Some(std::mem::replace(&mut self.show, Show::FirstPass(engine, first_pass)));
    }

    /// The packets come again, to be shown: with the same secrets at the same places, for they decide how sessions are numbered.
    pub(super) fn end_first_pass(&mut self) {
        let Some(later) = self.later.take() else { return };
        let Show::FirstPass(mut engine, mut first_pass) = std::mem::replace(&mut self.show, later) else {
            return;
        };
        let _ = engine.finish(&mut first_pass);
        if let Show::Decoded(_, sinks) = &mut self.show {
            sinks.selected = Some(Box::new(HoldQueue::decided(
                &first_pass.evaluator,
                first_pass.decisions,
            )));
        }
        self.number = 0;
    }

    /// There are more processors than threads that have work.
    pub(super) fn spares_a_processor(&self) -> bool {
        let threads = 1 + usize::from(matches!(self.show, Show::Relayed(..)));
        processors() > threads
    }

    /// From now on a second thread renders, where that makes it faster. It is to be called when
    /// the privileges are given up, for the thread keeps those that it begins with.
    pub(super) fn use_two_threads(&mut self) -> Result<(), Error> {
        // Secrets go from here to the view.
        if processors() < 2 || self.with_secrets {
            return Ok(());
        }
        self.show = match std::mem::replace(&mut self.show, Show::Nothing) {
            Show::Decoded(mut engine, sinks) if sinks.listeners.savefile.is_none() => {
                let renderer = Renderer {
                    // A view of packets has enough to do.
                    dissectors: (!sinks.listeners.packets).then(|| engine.take_dissectors()),
                    sinks,
                    output: std::mem::take(&mut self.output),
                };
                Show::Relayed(engine, Relay::start(renderer))
            }
            show => show,
        };
        Ok(())
    }

    /// TLS is decrypted with these. `grows`: more may come while packets do.
    pub(super) fn use_keys(&mut self, keys: Keys, grows: bool) {
        self.keys = keys;
        if let Some(secrets) = self.engine().and_then(Engine::secrets) {
            secrets.set_may_grow(grows);
        }
    }

    /// Reads all that is in the key logs; see [`Keys::read_all`].
    pub(super) fn read_keys(&mut self, wait: Option<&Signals>) -> Result<(), Error> {
        let mut keys = std::mem::take(&mut self.keys);
        let result = self
            .engine()
            .and_then(Engine::secrets)
            .map_or(Ok(()), |secrets| keys.read_all(wait, secrets));
        self.keys = keys;
        result
    }

    /// Looks whether secrets have come, when it is time for that.
    pub(super) fn look_for_keys(&mut self) -> ControlFlow<()> {
        if !self.keys.are_due() {
            return ControlFlow::Continue(());
        }
        let mut keys = std::mem::take(&mut self.keys);
        let flow = self.add_secrets(|secrets| keys.look(secrets));
        self.keys = keys;
        flow
    }

    /// How long to wait at most before [`Self::look_for_keys`] is called again.
    pub(super) fn waits_for_keys(&self) -> Option<std::time::Duration> {
        self.keys.any().then_some(super::keys::EVERY)
    }

    /// Secrets that a capture file brought.
    pub(super) fn secrets_from_capture(&mut self, logs: &[Zeroizing<Vec<u8>>]) -> ControlFlow<()> {
        if logs.is_empty() {
            return ControlFlow::Continue(());
        }
        match &mut self.show {
            // They come again.
            Show::FirstPass(..) => {}
            Show::Decoded(_, sinks) if self.with_secrets => {
                if let Some(view) = &mut sinks.listeners.view {
                    logs.iter().for_each(|log| view.secrets(log));
                }
            }
            _ => self.secrets_left_out += logs.len(),
        }
        self.add_secrets(|secrets| super::keys::from_capture(logs, secrets))
    }

    fn engine(&mut self) -> Option<&mut Engine> {
        match &mut self.show {
            Show::Decoded(engine, _) | Show::Relayed(engine, _) | Show::FirstPass(engine, _) => Some(engine),
            Show::Nothing | Show::Tcpdump(_) => None,
        }
    }

    /// What has waited for secrets is read when there are new ones.
    fn add_secrets(&mut self, add: impl FnOnce(&mut Secrets)) -> ControlFlow<()> {
        let Some(secrets) = self.engine().and_then(Engine::secrets) else {
            return ControlFlow::Continue(());
        };
        let before = secrets.len();
        add(secrets);
        if secrets.len() == before {
            return ControlFlow::Continue(());
        }
        match &mut self.show {
            Show::Decoded(engine, sinks) => engine.keys_changed(&mut Emptied {
                sinks,
                output: &mut self.output,
            }),
            Show::Relayed(engine, relay) => engine.keys_changed(relay),
            Show::FirstPass(engine, first_pass) => engine.keys_changed(first_pass),
            Show::Nothing | Show::Tcpdump(_) => ControlFlow::Continue(()),
        }
    }

    /// Packets are looked into.
    pub(super) fn shows_packets(&self) -> bool {
        !matches!(self.show, Show::Nothing)
    }

    /// TLS secrets in the capture are read, or their being left out is told.
    pub(super) fn needs_secrets(&self) -> bool {
        self.shows_packets() || self.savefile.is_some()
    }

    /// What the filter probably means and does not match.
    pub(super) fn filter_hints(&self) -> Vec<String> {
        self.filter.hints()
    }

    /// How many packets were taken.
    pub(super) fn packets(&self) -> u64 {
        self.number.saturating_sub(self.skip)
    }

    /// One packet. Stop means: no more are wanted.
    #[inline]
    pub(super) fn packet(&mut self, raw: &Raw<'_>) -> Result<ControlFlow<()>, Error> {
        if !self.filter.matches(raw)? {
            return Ok(ControlFlow::Continue(()));
        }
        self.number += 1;
        if self.number <= self.skip {
            return Ok(ControlFlow::Continue(()));
        }
        if let Some(savefile) = &mut self.savefile
            && savefile.write(raw, setup::now)? != Written::Yes
        {
            return Ok(ControlFlow::Break(()));
        }
        let packet = Packet {
            number: self.number,
            time: raw.time,
            link: raw.link,
            data: raw.data,
        };
        let flow = match &mut self.show {
            Show::Nothing => ControlFlow::Continue(()),
            Show::Tcpdump(printer) => {
                printer.print(&packet, &mut self.output.buffer);
                ControlFlow::Continue(())
            }
            Show::Decoded(engine, sinks) => {
                let flow = engine.packet(&packet, sinks);
                if sinks.full() {
                    sinks.drain(&mut self.output.buffer);
                }
                flow
            }
            Show::Relayed(engine, relay) => engine.packet(&packet, relay),
            Show::FirstPass(engine, first_pass) => engine.packet(&packet, first_pass),
        };
        let taken = self.output.flush_if_full();
        if self.number >= self.last {
            return Ok(ControlFlow::Break(()));
        }
        Ok(if taken.is_break() { taken } else { flow })
    }

    /// Nothing waits: what there is goes out. Stop means: nobody takes it.
    pub(super) fn flush(&mut self) -> ControlFlow<()> {
        if let Show::Decoded(_, sinks) = &mut self.show {
            sinks.drain(&mut self.output.buffer);
        }
        self.output.flush()
    }

    /// SIGUSR1: a view that waits for the end shows what there is.
    pub(super) fn show_so_far(&mut self) {
        if let Show::Decoded(_, sinks) = &mut self.show
            && let Some(view) = &mut sinks.listeners.view
        {
            view.so_far();
        }
    }

    /// SIGUSR2.
    pub(super) fn flush_savefile(&mut self) -> Result<(), Error> {
        let selected = match &mut self.show {
            Show::Decoded(_, sinks) => sinks.listeners.savefile.as_mut(),
            _ => None,
        };
        match self.savefile.as_mut().or(selected) {
            Some(savefile) => Ok(savefile.flush()?),
            None => Ok(()),
        }
    }

    /// The kernel dropped so many packets.
    pub(super) fn dropped(&mut self, packets: u64) {
        if let Show::Decoded(_, sinks) = &mut self.show
            && let Some(summary) = &mut sinks.listeners.summary
        {
            summary.counts.dropped(packets);
        }
    }

    /// The end of the capture.
    pub(super) fn finish(&mut self) -> Result<Outcome, Error> {
        let mut outcome = Outcome::Done;
        let given = self.keys.any();
        let mut keys = std::mem::take(&mut self.keys);
        let _ = self.add_secrets(|secrets| {
            keys.look(secrets);
            keys.finish(secrets);
        });
        let (mut closed, mut looked_at) = (None, None);
        let mut notes = Ok(Vec::new());
        let mut given_up = GivenUp::default();
        // Stop is no news at the end.
        let sinks = match std::mem::replace(&mut self.show, Show::Nothing) {
            Show::Decoded(mut engine, mut sinks) => {
                let _ = engine.finish(&mut Emptied {
                    sinks: &mut sinks,
                    output: &mut self.output,
                });
                closed = super::keys::closed(engine.tls_report(), given);
                given_up = engine.given_up();
                Some(sinks)
            }
            Show::Relayed(mut engine, mut relay) => {
                let _ = engine.finish(&mut relay);
                closed = super::keys::closed(engine.tls_report(), given);
                given_up = engine.given_up();
                let renderer = relay.finish();
                let dissectors = renderer.dissectors.as_ref();
                given_up.forgotten_requests += dissectors.map_or(0, Dissectors::forgotten_requests);
                self.output = renderer.output;
                Some(renderer.sinks)
            }
            Show::Nothing | Show::Tcpdump(_) | Show::FirstPass(..) => None,
        };
        let mut failed = None;
        let mut count = self.packets();
        if let Some(mut sinks) = sinks {
            sinks.finish();
            sinks.drain(&mut self.output.buffer);
            let listeners = &mut sinks.listeners;
            count = listeners.count.unwrap_or(count);
            let whole = listeners.wants_whole_connections();
            failed = listeners.failed.take();
            self.savefile = self.savefile.take().or(listeners.savefile.take());
            if let Some(selected) = &sinks.selected {
                selected.report(listeners.found, self.savefile.is_some(), whole);
            }
            if let Some(summary) = &mut listeners.summary {
                summary.counts.given_up(given_up);
                summary.write(&mut self.output.buffer);
            }
            if let Some(redacted) = &mut listeners.redacted {
                redacted.finish()?;
                redacted
                    .redaction
                    .report()
                    .iter()
                    .for_each(|line| super::report(&format!("--redact: {line}")));
                self.redacted = true;
            }
            notes = listeners.notes();
            match &listeners.check {
                Some(check) if check.found > 0 => outcome = Outcome::Violations,
                Some(check) => looked_at = Some(check.looked_at(self.packets())),
                None => {}
            }
        }
        if self.count {
            self.output
                .buffer
                .extend_from_slice(counted(count, "packet").as_bytes());
            self.output.buffer.push(b'\n');
        }
        self.output.finish()?;
        let limited = (given_up.limited_inflations > 0).then(|| {
            format!(
                "{} not inflated to the end: together they would have become too much for the bytes that they are; a larger --max-inflated allows more",
                counted(given_up.limited_inflations, "compressed message")
            )
        });
        let unlisted = (given_up.unlisted_violations > 0).then(|| {
            format!(
                "{} not listed: there were too many for the bytes that were captured",
                counted(given_up.unlisted_violations, "violation")
            )
        });
        let ends = closed.iter().chain(&limited).chain(&unlisted).chain(&looked_at);
        for line in notes?.iter().chain(ends) {
            super::report(line);
        }
        self.tell_what_is_written();
        if let Some(savefile) = &mut self.savefile {
            savefile.finish()?;
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }
}

impl Pipeline {
    /// What whoever hands on what was written should know.
    fn tell_what_is_written(&self) {
        if let Some(format) = self.telling {
            super::report(&format!(
                "--format {format}: what was written holds all that the messages hold, passwords and tokens too"
            ));
        }
        if self.secrets_left_out > 0 && (self.savefile.is_some() || self.redacted || self.telling == Some(PCAPNG.name))
        {
            super::report(&format!(
                "TLS secrets in the capture (Decryption Secrets Blocks: {}) were left out; --format pcapng --with-secrets keeps them",
                self.secrets_left_out
            ));
        }
    }
}

/// Looks for what is selected.
struct FirstPass {
    evaluator: Evaluator,
    decisions: Decisions,
}

impl Sink for FirstPass {
    fn packet(&mut self, packet: &Packet<'_>, segment: Option<SegmentView<'_>>) -> ControlFlow<()> {
        self.evaluator
            .packet(packet.time, segment.as_ref(), &mut self.decisions);
        if let Some(segment) = &segment {
            self.decisions.remember_fragments(segment);
        }
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        self.evaluator.record(record, &mut self.decisions);
        ControlFlow::Continue(())
    }
}

fn evaluator(options: &Options) -> Evaluator {
    let live = matches!(options.input, Input::Live(_));
    Evaluator::new(options.selection.clone(), TimeZone::system()).with_live(live)
}

/// Who listens to the engine; `-w`, `--extract` and `--redact` come when their files are created.
fn listeners(options: &Options) -> Listeners {
    let exporter = options.view();
    let all = options.selection.is_everything();
    Listeners {
        view: exporter.map(|exporter| (exporter.make)(&view_setup(options))),
        packets: exporter.is_some_and(|exporter| exporter.packets),
        hears_packets: options.all,
        sessions: exporter.is_some_and(|exporter| exporter.sessions),
        check: (options.check && !options.count)
            .then(|| Check::new(options.format_given && options.format == Some(&JSON), catalog(options))),
        summary: (options.summary && !options.count).then(|| {
            let palette = Palette::new(coloured(options));
            SummaryReport::new(options, catalog(options), palette)
        }),
        count: (options.count && !all).then_some(0),
        ..Listeners::default()
    }
}

/// What is shown.
fn show(options: &Options) -> Show {
    let all = options.selection.is_everything();
    let extracts = options.extract.is_some() || options.redact.is_some();
    let alone = !options.check && !options.summary && !extracts && all;
    if options.view() == Some(&TCPDUMP) && alone {
        return Show::Tcpdump(Printer::new(lines(options)));
    }
    let listeners = listeners(options);
    if !listeners.any() && !extracts && (all || options.write.is_none()) {
        return Show::Nothing;
    }
    let selected = (!all).then(|| Box::new(HoldQueue::deciding(evaluator(options), options.limits.held_bytes)));
    // Of a packet of HTTP/2 its frames tell whom it serves.
    let narrated =
        options.all || options.view().is_some_and(|exporter| exporter.narrated) || !all && listeners.shows_packets();
    Show::Decoded(
        Engine::new(engine_limits(options))
            .with_frames(options.frames || options.redact.is_some())
            .with_max_answer(options.max_answer)
            .with_narration(narrated),
        Sinks { listeners, selected },
    )
}

/// What is left to the engine beside what is held and what the view keeps; the same in both readings of a file.
fn engine_limits(options: &Options) -> Limits {
    let held = match options.selection.is_everything() {
        true => 0,
        false => options.limits.held_bytes,
    };
    let kept = match options.view() {
        Some(exporter) if exporter.keeps => options.limits.view_total(),
        _ => 0,
    };
    options.limits.beside(held + kept)
}

fn view_setup(options: &Options) -> Setup {
    Setup {
        catalog: catalog(options),
        detail: match (options.lines.quick, options.lines.verbose) {
            (1.., _) => Detail::Brief,
            (_, 1..) => Detail::Verbose,
            _ => Detail::Normal,
        },
        palette: Palette::new(coloured(options)),
        width: terminal_width(options),
        full: options.full,
        nano: options.nano,
        live: match &options.input {
            Input::Live(_) => true,
            Input::Files(files) => files.iter().any(|file| file.as_os_str() == "-"),
            Input::List(_) => false,
        },
        frames: options.frames,
        sort: options.sort,
        all: options.all,
        with_secrets: options.with_secrets,
        kept_bytes: options.limits.view_total(),
        json_fields: options.json_fields,
        tags: options.tags.clone(),
        grep: options.selection.grep.clone(),
        tcpdump: lines(options),
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Columns of the terminal that output goes to, if it is one.
fn terminal_width(options: &Options) -> Option<usize> {
    setup::shows_on_terminal(options).then(|| terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into()))
}

/// `--lang`, else the locale's.
pub(super) fn catalog(options: &Options) -> &'static Catalog {
    match options.lang.as_deref().and_then(texts::by_tag) {
        Some(catalog) => catalog,
        None => {
            let variable = |name| std::env::var(name).ok();
            texts::from_env(
                variable("LC_ALL").as_deref(),
                variable("LC_MESSAGES").as_deref(),
                variable("LANG").as_deref(),
            )
        }
    }
}

/// `--color`, and what `auto` means: <https://no-color.org>.
pub(super) fn coloured(options: &Options) -> bool {
    match options.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !unwanted && setup::shows_on_terminal(options)
        }
    }
}

/// tcpdump's flags for its printer.
fn lines(options: &Options) -> tcpdump::Options {
    let lines = &options.lines;
    tcpdump::Options {
        time: match lines.time {
            0 => TimeFormat::TimeOfDay,
            1 => TimeFormat::None,
            2 => TimeFormat::Unix,
            3 => TimeFormat::SincePrevious,
            4 => TimeFormat::DateTime,
            _ => TimeFormat::SinceFirst,
        },
        precision: if options.nano {
            Precision::Nano
        } else {
            Precision::Micro
        },
        names: lines.resolve.then(|| Names::new(SystemNames::new(lines.no_domain))),
        number: lines.number,
        lengths: lines.lengths,
        link_header: lines.link_header,
        quiet: lines.quick,
        verbose: lines.verbose,
        absolute_sequence: lines.absolute_sequence_numbers,
        unverified: lines.no_checksums,
        ascii: lines.ascii,
        hex: lines.hex,
        hex_ascii: lines.hex_ascii,
        memory_bytes: options.limits.sequence_total(),
        ..tcpdump::Options::default()
    }
}
