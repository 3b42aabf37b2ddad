//! A run over files.

use std::ops::ControlFlow;
use std::path::Path;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::keys::Keys;
use super::live::unsupported;
use super::pipeline::Pipeline;
use super::progress::Progress;
use super::setup::TextFile;
use super::signals::Signals;
use super::{Error, Outcome, report, setup};
use crate::capture::filter::Filter;
use crate::capture::live::time_stamp_type_from_name;
use crate::capture::offline::{Offline, Unread};
use crate::capture::{Outputs, link_types};
use crate::cli::{Input, Options};
use crate::wire::LinkType;

/// The files to read, open, and none of them read yet.
pub(super) enum Files {
    /// `-r`.
    Named(Vec<Unread>),
    /// `-V`: their names.
    Listed(TextFile),
}

impl Files {
    pub(super) fn open(input: &Input) -> Result<Self, Error> {
        match input {
            Input::List(list) => Ok(Self::Listed(TextFile::open("-V", list)?)),
            Input::Files(files) => {
                let files: Result<Vec<Unread>, _> = files.iter().map(|file| Unread::open(file)).collect();
                Ok(Self::Named(files?))
            }
            Input::Live(_) => Ok(Self::Named(Vec::new())),
        }
    }

    /// The same files once more, if all of them can be read twice.
    fn again(&self) -> Option<Self> {
        match self {
            Self::Named(files) => files.iter().map(Unread::again).collect::<Option<_>>().map(Self::Named),
            Self::Listed(_) => None,
        }
    }

    /// Opens those that are listed, with the rights that the process has now.
    pub(super) fn opened(self, outputs: &mut Outputs) -> Result<Self, Error> {
        let files = match self {
            Self::Named(files) => files,
            Self::Listed(list) => {
                list.keep_from(outputs)?;
                listed(&list)?
            }
        };
        for file in &files {
            setup::reading(outputs, file, file.path())?;
        }
        Ok(Self::Named(files))
    }

    /// Reads their headers; there is at least one.
    pub(super) fn read(self, options: &Options) -> Result<Vec<Offline>, Error> {
        let files = match self {
            Self::Named(files) => files,
            Self::Listed(list) => listed(&list)?,
        };
        let inputs: Result<Vec<Offline>, _> = files
            .into_iter()
            .map(|file| Offline::new(file, options.reads_nano(), options.limits.memory_bytes))
            .collect();
        Ok(inputs?)
    }
}

/// tcpdump's line about a file that it begins to read.
pub(super) fn announce(input: &Offline) {
    report(&format!(
        "reading from file {}, link-type {}, snapshot length {}",
        input.path().display(),
        link_types::described(input.link_type()),
        input.snaplen()
    ));
}

pub(super) fn run(options: &Options, rights: setup::Rights) -> Result<Outcome, Error> {
    setup::link_type(options)?;
    if let Some(name) = &options.live.time_stamp_type {
        time_stamp_type_from_name(name)?;
    }
    let filter = setup::Filter::open(&options.filter)?;
    let files = Files::open(&options.input)?;
    let twice = Pipeline::must_read_twice(options);
    // With the rights that the files were opened with.
    let mut again = twice.then(|| files.again()).flatten();
    let keys = Keys::open(&options.keylogs, false)?;
    let signals = Signals::catch().map_err(|error| Error::new(format!("signals cannot be caught: {error}")))?;
    let mut outputs = rights.give_up()?;
    filter.keep_from(&mut outputs)?;
    keys.keep_from(&mut outputs)?;
    let expression = filter.read()?;
    let files = files.opened(&mut outputs)?;
    if twice && again.is_none() {
        again = files.again();
    }
    let inputs = files.read(options)?;
    let filter = prepare(Filter::new(expression, options.optimize), &inputs)?;
    let mut links: Vec<LinkType> = Vec::new();
    for input in &inputs {
        if !links.contains(&input.link_type()) {
            links.push(input.link_type());
        }
    }
    let mut pipeline = Pipeline::new(options, filter, &outputs)?;
    if pipeline.shows_packets() {
        supported(&inputs)?;
    }
    if options.write.is_some() && links.len() > 1 {
        let names: Vec<String> = links.iter().map(|link| link_types::name(*link)).collect();
        return Err(Error::new(format!(
            "-w: a savefile has one link type, and the inputs have {}; write one file for each",
            names.join(", ")
        )));
    }
    let link = links.first().copied().unwrap_or(LinkType::ETHERNET);
    let snaplen = inputs.iter().map(Offline::snaplen).max().unwrap_or(262_144);
    let savefile = setup::savefile(options, &outputs, link, snaplen)?;
    setup::enter_sandbox(options, savefile.as_ref(), None);
    pipeline.write_to(savefile);
    give_keys(keys, &inputs, &mut pipeline, &signals)?;
    if let Some(again) = again {
        first_pass(again.read(options)?, options, &mut pipeline, &signals);
    }
    // From a pipe packets may come one by one, and are shown when they come.
    if !inputs.iter().any(Offline::is_pipe) {
        pipeline.use_two_threads()?;
    }
    read_all(inputs, pipeline, &signals)
}

/// Compiles the filter for these files.
pub(super) fn prepare(mut filter: Filter, inputs: &[Offline]) -> Result<Filter, Error> {
    for input in inputs {
        filter.prepare(input.link_type(), input.swapped())?;
        if input.may_have_more_link_types() {
            // Names in the expression are looked up now: later nobody can be asked any more.
            for link in LinkType::TABLE {
                let _ = filter.prepare(*link, input.swapped());
            }
        }
    }
    Ok(filter)
}

/// Their packets can be read.
pub(super) fn supported(inputs: &[Offline]) -> Result<(), Error> {
    match inputs.iter().find(|input| !input.link_type().is_supported()) {
        Some(input) => Err(unsupported(&input.path().display().to_string(), input.link_type())),
        None => Ok(()),
    }
}

/// Gives the pipeline the secrets of TLS that are there before the first packet.
pub(super) fn give_keys(
    keys: Keys,
    inputs: &[Offline],
    pipeline: &mut Pipeline,
    signals: &Signals,
) -> Result<(), Error> {
    let grows = inputs.iter().any(|input| input.is_pipe() || input.may_bring_secrets());
    pipeline.use_keys(keys, grows);
    // What comes through a pipe is not held up.
    let wait = !inputs.iter().any(Offline::is_pipe);
    pipeline.read_keys(wait.then_some(signals))?;
    if pipeline.needs_secrets() {
        for input in inputs {
            input.each_secrets(|log| {
                let _ = pipeline.secrets_from_capture(&[log]);
            });
        }
    }
    Ok(())
}

/// Looks through the files for what is selected.
fn first_pass(inputs: Vec<Offline>, options: &Options, pipeline: &mut Pipeline, signals: &Signals) {
    let mut progress = Progress::new();
    pipeline.begin_first_pass(options);
    for mut input in inputs {
        let end = read(&mut input, pipeline, signals, &mut progress);
        progress.clear();
        // Damage is told when it is met again.
        if !matches!(end, Ok(ControlFlow::Continue(()))) {
            break;
        }
    }
    pipeline.end_first_pass();
}

/// Reads files one behind the other through the pipeline, to its end.
pub(super) fn read_all(inputs: Vec<Offline>, mut pipeline: Pipeline, signals: &Signals) -> Result<Outcome, Error> {
    let mut progress = Progress::new();
    let mut end = Ok(ControlFlow::Continue(()));
    for mut input in inputs {
        announce(&input);
        if input.link_type() == LinkType::LINUX_SLL2 {
            // Its packets have numbers of interfaces, which tcpdump (and so the view) looks up on this machine.
            report("Warning: interface names might be incorrect");
        }
        end = read(&mut input, &mut pipeline, signals, &mut progress);
        progress.clear();
        if !matches!(end, Ok(ControlFlow::Continue(()))) {
            break;
        }
    }
    // What was read before the damage is shown before the error.
    let outcome = pipeline.finish();
    for line in pipeline.filter_hints() {
        report(&line);
    }
    end.and(outcome)
}

fn read(
    input: &mut Offline,
    pipeline: &mut Pipeline,
    signals: &Signals,
    progress: &mut Progress,
) -> Result<ControlFlow<()>, Error> {
    input.read_ahead(pipeline.spares_a_processor());
    loop {
        if input.pipe_to_wait_for().is_some() && wait(input, pipeline, signals)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let Some(raw) = input.next_packet()? else {
            return Ok(ControlFlow::Continue(()));
        };
        if pipeline.packet(&raw)?.is_break() || signals.end() {
            return Ok(ControlFlow::Break(()));
        }
        if input.may_bring_secrets() && pipeline.secrets_from_capture(&input.take_secrets()).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if input.is_pipe() && pipeline.look_for_keys().is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if signals.flush_wanted() {
            pipeline.flush_savefile()?;
        }
        if signals.counters_wanted() {
            pipeline.show_so_far();
        }
        progress.packet(input);
    }
}

/// A pipe is empty: what is known is shown before we wait for more of it, or for a signal.
fn wait(input: &Offline, pipeline: &mut Pipeline, signals: &Signals) -> Result<ControlFlow<()>, Error> {
    let Some(pipe) = input.pipe_to_wait_for() else {
        return Ok(ControlFlow::Continue(()));
    };
    let mut polled = [
        PollFd::new(pipe, PollFlags::POLLIN),
        PollFd::new(signals.wake(), PollFlags::POLLIN),
    ];
    let mut timeout = PollTimeout::ZERO;
    loop {
        match poll(&mut polled, timeout) {
            Ok(0) => {
                if pipeline.flush().is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                timeout = PollTimeout::NONE;
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(Error::new(format!("{}: {}", input.path().display(), error.desc()))),
        }
        if signals.end() {
            return Ok(ControlFlow::Break(()));
        }
        if signals.flush_wanted() {
            pipeline.flush_savefile()?;
        }
        if signals.counters_wanted() {
            pipeline.show_so_far();
            if pipeline.flush().is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        signals.rest();
        if polled[0].any().unwrap_or(true) {
            return Ok(ControlFlow::Continue(()));
        }
    }
}

/// Opens the files whose names stand in the list, one a line. Errors give the line's number: who reads them may perhaps not read
/// the list.
fn listed(list: &TextFile) -> Result<Vec<Unread>, Error> {
    let text = list.read()?;
    let mut files = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let name = line.trim_end_matches('\r');
        if name.is_empty() {
            continue;
        }
        let file = Unread::open(Path::new(name)).map_err(|error| {
            Error::new(format!(
                "{}: line {}: {}; expected the name of a capture",
                list.name(),
                at + 1,
                error.without_path()
            ))
        })?;
        files.push(file);
    }
    if files.is_empty() {
        return Err(Error::new(format!(
            "{}: names no file; expected the name of a capture on each line",
            list.name()
        )));
    }
    Ok(files)
}
