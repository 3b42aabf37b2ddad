//! The program `wschat-sniff`.

use std::process::ExitCode;

use wschat_sniff::cli::{self, Parsed};
use wschat_sniff::run::{self, Outcome};

fn main() -> ExitCode {
    let outcome = match cli::parse(std::env::args_os()) {
        Ok(Parsed::Options(options)) => run::run(&options),
        Ok(Parsed::Text(text)) => run::print(&text),
        Err(error) => {
            run::report(&format!("wschat-sniff: {error}"));
            return ExitCode::from(2);
        }
    };
    match outcome.map_err(anyhow::Error::from) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Violations) => ExitCode::from(3),
        Err(error) => {
            // On one line, with what lies behind it.
            run::report(&format!("wschat-sniff: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
