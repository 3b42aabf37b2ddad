//! `--summary`: what is printed at the end, and how.

use crate::annotate::texts::Catalog;
use crate::cli::Options;
use crate::export::json::{Fields, Tags};
use crate::export::palette::Palette;
use crate::export::{JSON, Summary};

/// The summary and how it is to be written.
pub(super) struct SummaryReport {
    pub(super) counts: Summary,
    json: bool,
    nano: bool,
    fields: Fields,
    tags: Tags,
    catalog: &'static Catalog,
    palette: &'static Palette,
}

impl SummaryReport {
    /// An event when the view is `json`, else a block of text.
    pub(super) fn new(options: &Options, catalog: &'static Catalog, palette: &'static Palette) -> Self {
        Self {
            counts: Summary::new(),
            json: options.view() == Some(&JSON),
            nano: options.nano,
            fields: options.json_fields,
            tags: options.tags.clone(),
            catalog,
            palette,
        }
    }

    /// Appends it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.json {
            self.counts.json(out, self.nano, self.fields, &self.tags);
        } else {
            self.counts.text(out, self.catalog, self.palette);
        }
    }
}
