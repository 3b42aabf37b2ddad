//! What is done with each packet: filtered, passed over, counted, written, shown.

use std::ops::ControlFlow;

use zeroize::Zeroizing;

use super::check::Check;
use super::closing::Closing;
use super::keys::Keys;
use super::names::SystemNames;
use super::output::Output;
use super::relay::Relay;
use super::sinks::{Emptied, Sinks};
use super::{Error, Outcome, setup};
use crate::annotate::Detail;
use crate::annotate::texts::{self, Catalog};
use crate::capture::filter::Filter;
use crate::capture::savefile::{Savefile, Written};
use crate::capture::{Outputs, Raw};
use crate::cli::{Color, Input, Options};
use crate::engine::Engine;
use crate::export::palette::Palette;
use crate::export::tcpdump::{self, Names, Precision, Printer, TimeFormat};
use crate::export::{JSON, PCAPNG, PDU, SelectedEvents, SelectedPackets, Setup, TCPDUMP, View};
use crate::layer::tls::Secrets;
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
}

impl Pipeline {
    pub(super) fn new(options: &Options, filter: Filter, outputs: &Outputs) -> Result<Self, Error> {
        let show = show(options, outputs)?;
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
            show,
            count: options.count,
            output: Output::open(options.output.as_ref(), outputs)?,
            keys: Keys::default(),
            telling: options
                .format
                .filter(|exporter| *exporter == &PDU || *exporter == &PCAPNG)
                .filter(|_| !options.is_silent())
                .map(|exporter| exporter.name),
            with_secrets: options.with_secrets,
            redacted: false,
            secrets_left_out: 0,
        })
    }

    /// Packets are written there, too.
    pub(super) fn write_to(&mut self, savefile: Option<Savefile>) {
        self.savefile = savefile;
    }

    /// From now on a second thread renders, where that makes it faster. It is to be called when
    /// the privileges are given up, for the thread keeps those that it begins with.
    pub(super) fn use_two_threads(&mut self) -> Result<(), Error> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        // Secrets go from here to the view.
        if processors < 2 || self.with_secrets {
            return Ok(());
        }
        self.show = match std::mem::replace(&mut self.show, Show::Nothing) {
            Show::Decoded(engine, sinks) => {
                let output = std::mem::take(&mut self.output);
                Show::Relayed(engine, Relay::start(sinks, output))
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

    /// Reads all that is in the key logs now; what cannot be read is an error.
    pub(super) fn read_keys(&mut self) -> Result<(), Error> {
        let mut keys = std::mem::take(&mut self.keys);
        let result = self
            .engine()
            .and_then(Engine::secrets)
            .map_or(Ok(()), |secrets| keys.read_all(secrets));
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
            Show::Decoded(_, sinks) if self.with_secrets => {
                if let Some(view) = &mut sinks.view {
                    logs.iter().for_each(|log| view.secrets(log));
                }
            }
            _ => self.secrets_left_out += logs.len(),
        }
        self.add_secrets(|secrets| super::keys::from_capture(logs, secrets))
    }

    fn engine(&mut self) -> Option<&mut Engine> {
        match &mut self.show {
            Show::Decoded(engine, _) | Show::Relayed(engine, _) => Some(engine),
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
            Show::Nothing | Show::Tcpdump(_) => ControlFlow::Continue(()),
        }
    }

    /// Packets are looked into.
    pub(super) fn shows_packets(&self) -> bool {
        !matches!(self.show, Show::Nothing)
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

    /// SIGUSR2.
    pub(super) fn flush_savefile(&mut self) -> Result<(), Error> {
        match &mut self.savefile {
            Some(savefile) => Ok(savefile.flush()?),
            None => Ok(()),
        }
    }

    /// The kernel dropped so many packets.
    pub(super) fn dropped(&mut self, packets: u64) {
        if let Show::Decoded(_, sinks) = &mut self.show
            && let Some(closing) = &mut sinks.closing
        {
            closing.summary.dropped(packets);
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
        let mut closed = None;
        let (mut incomplete, mut evicted) = (0, 0);
        // Stop is no news at the end.
        let sinks = match std::mem::replace(&mut self.show, Show::Nothing) {
            Show::Decoded(mut engine, mut sinks) => {
                (incomplete, evicted) = (engine.incomplete_datagrams(), engine.evicted_histories());
                let _ = engine.finish(&mut Emptied {
                    sinks: &mut sinks,
                    output: &mut self.output,
                });
                closed = super::keys::closed(engine.tls_report(), given);
                Some(sinks)
            }
            Show::Relayed(mut engine, mut relay) => {
                (incomplete, evicted) = (engine.incomplete_datagrams(), engine.evicted_histories());
                let _ = engine.finish(&mut relay);
                closed = super::keys::closed(engine.tls_report(), given);
                let (sinks, output) = relay.finish();
                self.output = output;
                Some(sinks)
            }
            Show::Nothing | Show::Tcpdump(_) => None,
        };
        if let Some(mut sinks) = sinks {
            sinks.finish();
            sinks.drain(&mut self.output.buffer);
            if let Some(closing) = &mut sinks.closing {
                closing.summary.incomplete_datagrams(incomplete);
                closing.summary.evicted_histories(evicted);
                closing.write(&mut self.output.buffer);
            }
            if let Some(redacted) = &mut sinks.redacted {
                redacted.finish()?;
                redacted
                    .redaction
                    .report()
                    .iter()
                    .for_each(|line| super::report(&format!("--redact: {line}")));
                self.redacted = true;
            }
            if sinks.check.as_ref().is_some_and(|check| check.found > 0) {
                outcome = Outcome::Violations;
            }
        }
        if self.count {
            let count = self.packets();
            let plural = if count == 1 { "" } else { "s" };
            self.output
                .buffer
                .extend_from_slice(format!("{count} packet{plural}\n").as_bytes());
        }
        if let Some(savefile) = &mut self.savefile {
            savefile.finish()?;
        }
        self.output.finish()?;
        if let Some(line) = closed {
            super::report(&line);
        }
        self.tell_what_is_written();
        Ok(outcome)
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

fn show(options: &Options, outputs: &Outputs) -> Result<Show, Error> {
    if options.count && options.redact.is_none() {
        return Ok(Show::Nothing);
    }
    let silent = options.is_silent() || options.count || (options.check && !options.format_given);
    let selection = &options.selection;
    if options.format == Some(&TCPDUMP)
        && !silent
        && options.redact.is_none()
        && !options.check
        && !options.summary
        && selection.is_everything()
    {
        return Ok(Show::Tcpdump(Printer::new(lines(options))));
    }
    let exporter = options.format.filter(|_| !silent);
    let view = exporter.map(|exporter| -> Box<dyn View + Send> {
        let view = (exporter.make)(&view_setup(options));
        if selection.is_everything() {
            view
        } else if exporter.packets {
            Box::new(SelectedPackets::new(view, selection.clone()))
        } else {
            Box::new(SelectedEvents::new(view, selection.clone()))
        }
    });
    let redacted = options
        .redact
        .as_ref()
        .map(|redact| setup::redacted(redact, options.limits.memory_bytes, outputs))
        .transpose()?;
    let sinks = Sinks {
        view,
        redacted,
        packets: exporter.is_some_and(|exporter| exporter.packets),
        check: options
            .check
            .then(|| Check::new(options.format_given && options.format == Some(&JSON), catalog(options))),
        closing: options.summary.then(|| {
            let palette = Palette::new(coloured(options));
            Closing::new(options, silent, catalog(options), palette)
        }),
    };
    if !sinks.any() {
        return Ok(Show::Nothing);
    }
    Ok(Show::Decoded(
        Engine::new(options.limits)
            .with_frames(options.frames || options.redact.is_some())
            .with_narration(exporter.is_some_and(|exporter| exporter.narrated)),
        sinks,
    ))
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
        json_fields: options.json_fields,
        tags: options.tags.clone(),
        grep: options.selection.grep.clone(),
        tcpdump: lines(options),
    }
}

/// Columns of the terminal that output goes to, if it is one.
fn terminal_width(options: &Options) -> Option<usize> {
    setup::shows_on_terminal(options).then(|| terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into()))
}

/// `--lang`, else the locale's.
fn catalog(options: &Options) -> &'static Catalog {
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
fn coloured(options: &Options) -> bool {
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
        ..tcpdump::Options::default()
    }
}
