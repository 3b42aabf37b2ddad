//! The program `wschat-server`: the reference chat server.

use std::process::ExitCode;

use wschat_sniff::server::{Args, run};

fn main() -> ExitCode {
    match run(&Args::from_command_line()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wschat-server: {error}");
            ExitCode::FAILURE
        }
    }
}
