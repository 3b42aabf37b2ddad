//! The two helps: one screen, and everything.

/// `-h`: fits on one screen.
pub(super) fn short() -> String {
    super::command().render_help().to_string()
}

/// `--help`: everything, with examples.
pub(super) fn long() -> String {
    super::command().render_long_help().to_string()
}

/// `--version`.
pub(super) fn version() -> String {
    concat!("wschat-sniff ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}
