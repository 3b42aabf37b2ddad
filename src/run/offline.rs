//! A run over files.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::live::{supported, unsupported};
use super::pipeline::Pipeline;
use super::signals::Signals;
use super::{Error, Outcome, setup};
use crate::capture::filter::Filter;
use crate::capture::link_types;
use crate::capture::offline::Offline;
use crate::cli::Options;
use crate::net::LinkType;

pub(super) fn run(options: &Options, files: &[PathBuf]) -> Result<Outcome, Error> {
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
    let mut end = Ok(ControlFlow::Continue(()));
    for mut input in inputs {
        eprintln!(
            "reading from file {}, link-type {}, snapshot length {}",
            input.path().display(),
            link_types::described(input.link_type()),
            input.snaplen()
        );
        end = read(&mut input, &mut pipeline, &signals);
        if !matches!(end, Ok(ControlFlow::Continue(()))) {
            break;
        }
    }
    // What was read before the damage is shown before the error.
    let outcome = pipeline.finish();
    end.and(outcome)
}

fn read(input: &mut Offline, pipeline: &mut Pipeline, signals: &Signals) -> Result<ControlFlow<()>, Error> {
    while let Some(raw) = input.next_packet()? {
        if pipeline.packet(&raw)?.is_break() || signals.end() {
            return Ok(ControlFlow::Break(()));
        }
        if signals.flush_wanted() {
            pipeline.flush_savefile()?;
        }
    }
    Ok(ControlFlow::Continue(()))
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
