//! A run over files.

use std::fs;
use std::path::PathBuf;

use super::pipeline::Pipeline;
use super::{Error, Outcome};
use crate::capture::filter::Filter;
use crate::capture::link_types;
use crate::capture::offline::Offline;
use crate::cli::{FilterText, Options};
use crate::net::LinkType;

pub(super) fn run(options: &Options, files: &[PathBuf]) -> Result<Outcome, Error> {
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
    let filter = Filter::new(&expression(&options.filter)?, options.optimize, &links)?;
    let mut pipeline = Pipeline::new(options, filter)?;
    let mut result = Ok(());
    'inputs: for mut input in inputs {
        eprintln!(
            "reading from file {}, link-type {}, snapshot length {}",
            input.path().display(),
            link_types::described(input.link_type()),
            input.snaplen()
        );
        loop {
            match input.next_packet() {
                Ok(Some(raw)) => match pipeline.packet(&raw) {
                    Ok(flow) if flow.is_continue() => {}
                    Ok(_) => break 'inputs,
                    Err(error) => {
                        result = Err(error);
                        break 'inputs;
                    }
                },
                Ok(None) => break,
                Err(error) => {
                    result = Err(error.into());
                    break 'inputs;
                }
            }
        }
    }
    pipeline.finish()?;
    result.map(|()| Outcome::Done)
}

/// The expression itself, or what the file of `-F` holds.
pub(super) fn expression(filter: &FilterText) -> Result<String, Error> {
    match filter {
        FilterText::Expression(text) => Ok(text.clone()),
        FilterText::File(path) if path.as_os_str() == "-" => std::io::read_to_string(std::io::stdin())
            .map_err(|error| Error::new(format!("-F -: standard input: {error}"))),
        FilterText::File(path) => {
            fs::read_to_string(path).map_err(|error| Error::new(format!("-F {}: {error}", path.display())))
        }
    }
}
