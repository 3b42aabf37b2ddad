//! The program `wschat-server`: the reference chat server.

use std::process::ExitCode;

use wschat_sniff::server::{Args, run};

fn main() -> ExitCode {
    match run(&Args::from_command_line()).map_err(anyhow::Error::from) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // On one line, with what lies behind it.
            eprintln!("wschat-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}
