//! The program `wschat-sniff`.

use std::io::Write;
use std::process::ExitCode;

use wschat_sniff::cli::{self, Parsed};
use wschat_sniff::run::{self, Outcome};

fn main() -> ExitCode {
    let options = match cli::parse(std::env::args_os()) {
        Ok(Parsed::Options(options)) => options,
        Ok(Parsed::Text(text)) => {
            // A closed pipe (`--help | head`) is no error.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("wschat-sniff: {error}");
            return ExitCode::from(2);
        }
    };
    match run::run(&options).map_err(anyhow::Error::from) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Violations) => ExitCode::from(3),
        Err(error) => {
            // On one line, with what lies behind it.
            eprintln!("wschat-sniff: {error:#}");
            ExitCode::FAILURE
        }
    }
}
