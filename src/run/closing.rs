//! `--summary`: counts, and closes the output.

use crate::annotate::texts::Catalog;
use crate::cli::Options;
use crate::export::palette::Palette;
use crate::export::{JSON, Summary};

/// The summary and how it is to be written.
pub(super) struct Closing {
    pub(super) summary: Summary,
    json: bool,
    nano: bool,
    catalog: &'static Catalog,
    palette: &'static Palette,
}

impl Closing {
    /// An event when the view is `json`, else a block of text.
    pub(super) fn new(options: &Options, silent: bool, catalog: &'static Catalog, palette: &'static Palette) -> Self {
        Self {
            summary: Summary::new(),
            json: options.format == Some(&JSON) && !silent,
            nano: options.nano,
            catalog,
            palette,
        }
    }

    /// Appends it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.json {
            self.summary.json(out, self.nano);
        } else {
            self.summary.text(out, self.catalog, self.palette);
        }
    }
}
