//! A run over files.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::live::{supported, unsupported};
use super::pipeline::Pipeline;
use super::progress::Progress;
use super::signals::Signals;
use super::{Error, Outcome, setup};
use crate::capture::filter::Filter;
use crate::capture::link_types;
use crate::capture::live::time_stamp_type_from_name;
use crate::capture::offline::Offline;
use crate::cli::Options;
use crate::wire::LinkType;

/// tcpdump's line about a file that it begins to read.
pub(super) fn announce(input: &Offline) {
    eprintln!(
        "reading from file {}, link-type {}, snapshot length {}",
        input.path().display(),
        link_types::described(input.link_type()),
        input.snaplen()
    );
}

pub(super) fn run(options: &Options, files: &[PathBuf]) -> Result<Outcome, Error> {
    setup::link_type(options)?;
    if let Some(name) = &options.live.time_stamp_type {
        time_stamp_type_from_name(name)?;
    }
    let expression = setup::expression(&options.filter)?;
    let mut inputs = Vec::with_capacity(files.len());
    for file in files {
        inputs.push(Offline::open(file, options.nano)?);
    }
    let mut links: Vec<LinkType> = Vec::new();
    for input in &inputs {
        if !links.contains(&input.link_type()) {
            links.push(input.link_type());
        }
    }
    let filter = Filter::new(&expression, options.optimize, &links)?;
    let mut pipeline = Pipeline::new(options, filter)?;
    for input in &inputs {
        if pipeline.shows_packets() && !supported(input.link_type()) {
            return Err(unsupported(&input.path().display().to_string(), input.link_type()));
        }
    }
    if options.write.is_some() && links.len() > 1 {
        let names: Vec<String> = links.iter().map(|link| link_types::name(*link)).collect();
        return Err(Error::new(format!(
            "-w: a savefile has one link type, and the inputs have {}; write one file for each",
            names.join(", ")
        )));
    }
    let signals = Signals::catch().map_err(|error| Error::new(format!("signals cannot be caught: {error}")))?;
    let link = links.first().copied().unwrap_or(LinkType::ETHERNET);
    let snaplen = inputs.iter().map(Offline::snaplen).max().unwrap_or(262_144);
    pipeline.write_to(setup::savefile_and_privileges(options, link, snaplen)?);
    // From a pipe packets may come one by one, and are shown when they come.
    if !inputs.iter().any(Offline::is_pipe) {
        pipeline.use_two_threads()?;
    }
    let mut progress = Progress::new();
    let mut end = Ok(ControlFlow::Continue(()));
    for mut input in inputs {
        announce(&input);
        if input.link_type() == LinkType::LINUX_SLL2 {
            // Its packets have numbers of interfaces, which tcpdump (and so the view) looks up on this machine.
            eprintln!("Warning: interface names might be incorrect");
        }
        end = read(&mut input, &mut pipeline, &signals, &mut progress);
        progress.clear();
        if !matches!(end, Ok(ControlFlow::Continue(()))) {
            break;
        }
    }
    // What was read before the damage is shown before the error.
    let outcome = pipeline.finish();
    end.and(outcome)
}

fn read(
    input: &mut Offline,
    pipeline: &mut Pipeline,
    signals: &Signals,
    progress: &mut Progress,
) -> Result<ControlFlow<()>, Error> {
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
        if signals.flush_wanted() {
            pipeline.flush_savefile()?;
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
        signals.rest();
        if polled[0].any().unwrap_or(true) {
            return Ok(ControlFlow::Continue(()));
        }
    }
}

/// `-V`: the names in the file, one a line.
pub(super) fn listed(list: &Path) -> Result<Vec<PathBuf>, Error> {
    let text = if list.as_os_str() == "-" {
        io::read_to_string(io::stdin())
    } else {
        std::fs::read_to_string(list)
    };
    let text = text.map_err(|error| Error::new(format!("-V {}: cannot be read: {error}", list.display())))?;
    let files: Vec<PathBuf> = text
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| !line.is_empty())
        .map(PathBuf::from)
        .collect();
    if files.is_empty() {
        return Err(Error::new(format!(
            "-V {}: names no file; right is the name of a capture on each line",
            list.display()
        )));
    }
    Ok(files)
}
