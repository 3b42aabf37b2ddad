//! A run over an interface.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use super::keys::Keys;
use super::pipeline::Pipeline;
use super::signals::Signals;
use super::{Error, Outcome, report, setup};
use crate::base::counted;
use crate::capture::filter::Filter;
use crate::capture::live::{Direction, Live, Settings};
use crate::capture::{devices, link_types};
use crate::cli::{CaptureDirection, Options};
use crate::wire::LinkType;

/// How long the kernel may gather packets that are printed: they are to be seen within 100 ms.
///
/// Its timer closes a block that was already open at the timer's last turn, so a packet may wait twice as long.
const DELAY_PRINTING: Duration = Duration::from_millis(20);

/// How long it may gather packets that only go into a file; tcpdump's.
const DELAY_WRITING: Duration = Duration::from_millis(1_000);

/// At the latest after this the output is flushed, however busy the interface is.
const FLUSH: Duration = Duration::from_millis(80);

/// Packets between two looks at signals and the clock.
const BATCH: usize = 4_096;

/// libpcap's 2 MiB are soon full: every delay takes a block, however little is in it.
const PRINTING_KIB: u32 = 16 << 10;

/// The interface that the options mean, opened.
pub(super) fn open(options: &Options, device: Option<&str>) -> Result<Live, Error> {
    let shown = options
        .write
        .as_ref()
        .is_none_or(|write| options.print || write.name == "-")
        || options.packet_buffered;
    let settings = Settings {
        snaplen: options.live.snaplen,
        promiscuous: options.live.promiscuous,
        direction: match options.live.direction {
            CaptureDirection::In => Some(Direction::In),
            CaptureDirection::Out => Some(Direction::Out),
            CaptureDirection::InOut => None,
        },
        buffer_kib: options.live.buffer_kib.or(shown.then_some(PRINTING_KIB)),
        link_type: options.live.link_type.clone(),
        time_stamp_type: options.live.time_stamp_type.clone(),
        // Nobody waits for less than the delay, and in immediate mode libpcap takes a ring of slots that are each as large as the
        // largest packet: it is full when a few packets wait.
        immediate: options.live.immediate,
        delay: if shown { DELAY_PRINTING } else { DELAY_WRITING },
        nano: options.reads_nano(),
    };
    Ok(Live::open(&devices::find(device)?, &settings)?)
}

pub(super) fn run(options: &Options, rights: setup::Rights, device: Option<&str>) -> Result<Outcome, Error> {
    let filter = setup::Filter::open(&options.filter)?;
    filter.is_no_file()?;
    let keys = Keys::open(&options.keylogs, true)?;
    let mut live = open(options, device)?;
    let signals = Signals::catch().map_err(|error| Error::new(format!("signals cannot be caught: {error}")))?;
    let mut outputs = rights.give_up()?;
    filter.keep_from(&mut outputs)?;
    keys.keep_from(&mut outputs)?;
    live.filter(&filter.read()?, options.optimize)?;
    let mut pipeline = Pipeline::new(options, Filter::everything(), &outputs)?;
    let savefile = setup::savefile(options, &outputs, live.link_type(), live.snaplen())?;
    setup::enter_sandbox(options, savefile.as_ref(), Some(live.as_fd()));
    pipeline.use_keys(keys, !options.keylogs.is_empty());
    pipeline.write_to(savefile);
    if pipeline.shows_packets() && !live.link_type().is_supported() {
        let offered = live.link_types().unwrap_or_default();
        return Err(other_type(live.device(), live.link_type(), &offered));
    }
    report(&format!(
        "listening on {}, link-type {}, snapshot length {} bytes",
        live.device(),
        link_types::described(live.link_type()),
        live.snaplen()
    ));
    let stdout = io::stdout();
    let output = options.output.is_none().then(|| stdout.as_fd());
    let end = watch(&mut live, &mut pipeline, &signals, output);
    if let Ok(counted) = live.counters() {
        pipeline.dropped(counted.dropped.into());
    }
    // Whatever happened, what is known is shown first.
    let outcome = pipeline.finish();
    // Also when the interface went away: what was captured was captured.
    let counted = counters(&mut live, pipeline.packets(), "\n");
    end?;
    counted?;
    outcome
}

fn watch(
    live: &mut Live,
    pipeline: &mut Pipeline,
    signals: &Signals,
    output: Option<BorrowedFd<'_>>,
) -> Result<(), Error> {
    let mut flushed = Instant::now();
    let mut drops = Drops::new();
    loop {
        if signals.end() {
            return Ok(());
        }
        if signals.counters_wanted() {
            counters(live, pipeline.packets(), ", ")?;
            pipeline.show_so_far();
            if pipeline.flush().is_break() {
                return Ok(());
            }
        }
        if signals.flush_wanted() {
            pipeline.flush_savefile()?;
        }
        if pipeline.look_for_keys().is_break() {
            return Ok(());
        }
        let mut stop = None;
        let delivered = live.deliver(BATCH, |raw| {
            if stop.is_none() && !signals.end() {
                match pipeline.packet(raw) {
                    Ok(ControlFlow::Continue(())) => {}
                    end => stop = Some(end),
                }
            }
        })?;
        match stop {
            None => {}
            Some(Ok(_)) => return Ok(()),
            Some(Err(error)) => return Err(error),
        }
        if delivered == 0 || flushed.elapsed() >= FLUSH {
            if pipeline.flush().is_break() {
                return Ok(());
            }
            flushed = Instant::now();
        }
        let next_look = drops.look(live, delivered)?;
        if delivered == 0 {
            if live
                .wait(signals.wake(), output, sooner(next_look, pipeline.waits_for_keys()))?
                .is_break()
            {
                return Ok(());
            }
            signals.rest();
        }
    }
}

/// What the kernel drops is told when it happens, at most so often.
const DROPS_PERIOD: Duration = Duration::from_secs(1);

/// Tells of packets that the kernel dropped.
struct Drops {
    told: u32,
    looked: Instant,
    /// Packets came since.
    busy: bool,
}

impl Drops {
    fn new() -> Self {
        Self {
            told: 0,
            looked: Instant::now(),
            busy: false,
        }
    }

    /// Looks at the counters when it is time. Gives how long to wait before the next look; none is needed before packets come.
    fn look(&mut self, live: &mut Live, delivered: usize) -> Result<Option<Duration>, Error> {
        self.busy |= delivered > 0;
        if !self.busy {
            return Ok(None);
        }
        let since = self.looked.elapsed();
        if since < DROPS_PERIOD {
            return Ok(Some(DROPS_PERIOD - since));
        }
        (self.looked, self.busy) = (Instant::now(), false);
        let dropped = live.counters()?.dropped;
        let new = dropped.wrapping_sub(self.told);
        if new > 0 {
            self.told = dropped;
            report(&format!(
                "wschat-sniff: {} dropped by kernel: its buffer was full (-B makes it larger), {dropped} so far",
                packets(new.into())
            ));
        }
        Ok(None)
    }
}

/// tcpdump's lines: each on its own at the end; after SIGUSR1 in one, behind the program's name.
fn counters(live: &mut Live, captured: u64, separator: &str) -> Result<(), Error> {
    let counted = live.counters()?;
    let mut parts = vec![
        format!("{} captured", packets(captured)),
        format!("{} received by filter", packets(counted.received.into())),
        format!("{} dropped by kernel", packets(counted.dropped.into())),
    ];
    if counted.dropped_by_interface > 0 {
        parts.push(format!(
            "{} dropped by interface",
            packets(counted.dropped_by_interface.into())
        ));
    }
    let name = if separator == "\n" { "" } else { "wschat-sniff: " };
    for line in format!("{name}{}", parts.join(separator)).lines() {
        report(line);
    }
    Ok(())
}

fn packets(count: u64) -> String {
    counted(count, "packet")
}

/// `-L`. On standard error, as tcpdump.
pub(super) fn list_link_types(options: &Options) -> Result<Outcome, Error> {
    let live = open(options, device(options))?;
    report(&format!(
        "Data link types for {} (use option -y to set):",
        live.device()
    ));
    for link in live.link_types()? {
        let note = if link.is_supported() {
            ""
        } else {
            " (printing not supported)"
        };
        report(&format!("  {}{note}", link_types::described(link)));
    }
    Ok(Outcome::Done)
}

fn device(options: &Options) -> Option<&str> {
    match &options.input {
        crate::cli::Input::Live(device) => device.as_deref(),
        crate::cli::Input::Files(_) | crate::cli::Input::List(_) => None,
    }
}

/// `-J`. On standard error, as tcpdump.
pub(super) fn list_time_stamp_types(options: &Options) -> Result<Outcome, Error> {
    let device = devices::find(device(options))?;
    eprint!("{}", crate::capture::live::list_time_stamp_types(&device)?);
    Ok(Outcome::Done)
}

/// The one line about a device of such a link type, which offers these ones.
fn other_type(device: &str, link: LinkType, offered: &[LinkType]) -> Error {
    let readable = offered.iter().filter(|link| link.is_supported());
    let flags: Vec<String> = readable.map(|link| format!("-y {}", link_types::name(*link))).collect();
    if flags.is_empty() {
        return unsupported(device, link);
    }
    Error::new(format!(
        "{device}: packets of link type {} cannot be read; {} would do",
        link_types::described(link),
        flags.join(" or ")
    ))
}

/// The one line about a link type that cannot be read.
pub(super) fn unsupported(what: &str, link: LinkType) -> Error {
    Error::new(format!(
        "{what}: packets of link type {} cannot be read; expected one of {} (-w FILE writes packets of any)",
        link_types::described(link),
        link_types::readable()
    ))
}

/// The shorter of two times to wait; `None` is for ever.
fn sooner(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_offers_another_type_says_which_flag_chooses_it() {
        let (bluetooth, raw) = (LinkType(201), LinkType(228));
        let said = other_type("bt0", bluetooth, &[bluetooth, raw]).to_string();
        assert!(said.ends_with("cannot be read; -y IPV4 would do"), "{said}");
        let said = other_type("bt0", bluetooth, &[bluetooth]).to_string();
        assert!(said.contains("expected one of"), "{said}");
    }
}
