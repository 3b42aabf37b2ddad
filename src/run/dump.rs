//! `-d`, `-dd`, `-ddd`: the compiled filter as text.

use super::{Error, live, setup};
use crate::capture::bpf::Program;
use crate::capture::filter;
use crate::capture::offline::Offline;
use crate::cli::{Input, Options};
use crate::wire::LinkType;

/// tcpdump's largest snapshot length, for which a filter is compiled when there is neither file nor interface.
const SNAPLEN: u32 = 262_144;

pub(super) fn filter(options: &Options, how: u8) -> Result<String, Error> {
    let expression = setup::expression(&options.filter)?;
    let program = match &options.input {
        Input::Files(files) => match files.first() {
            Some(file) => for_file(options, file, &expression)?,
            None => for_link(options, &expression)?,
        },
        Input::List(list) => match super::offline::listed(list)?.first() {
            Some(file) => for_file(options, file, &expression)?,
            None => for_link(options, &expression)?,
        },
        Input::Live(Some(device)) => live::open(options, Some(device))?.compile(&expression, options.optimize)?,
        Input::Live(None) => for_link(options, &expression)?,
    };
    Ok(match how {
        1 => program.readable(),
        2 => program.as_c(),
        _ => program.as_numbers(),
    })
}

fn for_file(options: &Options, file: &std::path::Path, expression: &str) -> Result<Program, Error> {
    let input = Offline::open(file, options.nano)?;
    let program = filter::compile(expression, options.optimize, input.link_type(), input.snaplen())?;
    super::offline::announce(&input);
    Ok(program)
}

/// Neither file nor interface: Ethernet, or what `-y` says.
fn for_link(options: &Options, expression: &str) -> Result<Program, Error> {
    let link = setup::link_type(options)?.unwrap_or(LinkType::ETHERNET);
    Ok(filter::compile(expression, options.optimize, link, SNAPLEN)?)
}
