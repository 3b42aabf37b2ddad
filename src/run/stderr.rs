//! Standard error: lines for whoever runs the program.

use std::io::{self, Write as _};

use crate::export::escape;

/// Writes a line. It may name files and quote arguments: nothing in it can command a terminal. Nobody has to read it.
pub fn line(text: &str) {
    let mut line = Vec::with_capacity(text.len() + 1);
    escape::text_line(&mut line, text);
    line.push(b'\n');
    let _ = io::stderr().write_all(&line);
}
