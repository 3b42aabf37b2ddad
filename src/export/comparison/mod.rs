//! What came of two captures, as text for people and as JSON for scripts.
//!
//! Nothing is built up: what is written goes out through [`Drain`] while it is made.

mod json;
mod text;

use crate::annotate::texts::Catalog;
use crate::compare::{self, Capture, Comparison, Session};
use crate::export::palette::Palette;

/// Takes what was written so far; called whenever much has gathered.
pub type Drain<'d> = &'d mut dyn FnMut(&mut Vec<u8>);

/// When this much has gathered, it is taken.
const FULL: usize = 64 << 10;

/// Two captures and what came of them.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    /// The names of both, as they were given.
    pub names: [&'a str; 2],
    /// The one between the client and the proxy.
    pub edge: &'a Capture,
    /// The one between the proxy and the server.
    pub app: &'a Capture,
    /// What was found.
    pub found: &'a Comparison,
}

impl<'a> Compared<'a> {
    /// A session in each of the captures.
    fn sides(&self, session: &compare::Compared) -> (Option<&'a Session>, Option<&'a Session>) {
        (
            session.edge.map(|at| &self.edge.sessions[at]),
            session.app.map(|at| &self.app.sessions[at]),
        )
    }

    /// Writes it as one object of JSON, on one line. Times have nine digits when `nano`.
    pub fn json(&self, nano: bool, drain: Drain<'_>) {
        json::write(self, nano, drain);
    }

    /// Writes it for people; all of it when `full`, else about a screen.
    pub fn text(&self, catalog: &'static Catalog, palette: &Palette, full: bool, drain: Drain<'_>) {
        text::write(self, catalog, palette, full, drain);
    }
}
