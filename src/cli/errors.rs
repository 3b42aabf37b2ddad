//! clap's errors as one line of ours: what was wrong, what would be right.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::UsageError;

pub(super) fn one_line(error: &clap::Error) -> UsageError {
    let given = text(error, ContextKind::InvalidArg);
    UsageError(match error.kind() {
        ErrorKind::UnknownArgument => {
            let near = text(error, ContextKind::SuggestedArg)
                .map(|near| format!("did you mean {near}? "))
                .unwrap_or_default();
            format!(
                "{}: no such flag; {near}`wschat-sniff -h` lists them (a filter that begins with `-` goes behind `--`)",
                given.unwrap_or_default()
            )
        }
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues
            if text(error, ContextKind::InvalidValue).is_none_or(|value| value.is_empty()) =>
        {
            format!(
                "{}: the value is missing; `wschat-sniff --help` says which",
                with_short(&given.unwrap_or_default())
            )
        }
        ErrorKind::TooManyValues => format!("{}: takes no value", given.unwrap_or_default()),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        _ => error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned(),
    })
}

/// The flag as clap names it, by its long name, and before it the short one, which is what was probably typed.
fn with_short(given: &str) -> String {
    let long = given.split_whitespace().next().and_then(|flag| flag.strip_prefix("--"));
    let command = super::command();
    match command
        .get_arguments()
        .find(|argument| long.is_some() && argument.get_long() == long)
    {
        Some(argument) => match argument.get_short() {
            Some(short) => format!("-{short}, {given}"),
            None => given.to_owned(),
        },
        None => given.to_owned(),
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(" or ")),
        _ => None,
    }
}
