//! `-d`, `-dd`, `-ddd`: the compiled filter as text.

use super::{Error, live, setup};
use crate::capture::bpf::Program;
use crate::capture::filter::{self, Expression};
use crate::capture::offline::Offline;
use crate::cli::{Input, Options};
use crate::wire::LinkType;

/// tcpdump's largest snapshot length, for which a filter is compiled when there is neither file nor interface.
const SNAPLEN: u32 = 262_144;

pub(super) fn filter(options: &Options, rights: setup::Rights, how: u8) -> Result<String, Error> {
    let filter = setup::Filter::open(&options.filter)?;
    let program = match &options.input {
        Input::Live(Some(device)) => {
            let live = live::open(options, Some(device))?;
            rights.give_up()?;
            live.compile(&filter.read()?, options.optimize)?
        }
        Input::Live(None) => {
            rights.give_up()?;
            let link = setup::link_type(options)?.unwrap_or(LinkType::ETHERNET);
            filter::compile(&filter.read()?, options.optimize, link, SNAPLEN)?
        }
        Input::Files(_) | Input::List(_) => {
            let files = super::offline::Files::open(&options.input)?;
            rights.give_up()?;
            let expression = filter.read()?;
            // As tcpdump: for the first one.
            let input = files.read(options)?.remove(0);
            let program = for_file(&input, options, &expression)?;
            super::offline::announce(&input);
            program
        }
    };
    Ok(match how {
        1 => program.readable(),
        2 => program.as_c(),
        _ => program.as_numbers(),
    })
}

fn for_file(input: &Offline, options: &Options, expression: &Expression) -> Result<Program, Error> {
    Ok(filter::compile_for_file(
        expression,
        options.optimize,
        input.link_type(),
        input.swapped(),
        input.snaplen(),
    )?)
}
