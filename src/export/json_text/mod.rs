//! JSON text (RFC 8259): read strictly in one pass, without building values, and written again compactly or for reading.

mod minify;
mod pretty;
mod repeats;
mod scan;

pub use minify::{minify, minify_clean};
pub use pretty::{Laid, Layout, Shown, pretty};
pub use scan::{MAX_DEPTH, NotJson, Token, scan};

/// Whether `text` can only be a JSON object or array, if it is JSON at all.
pub fn begins_like_container(text: &str) -> bool {
    let first = text.bytes().find(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
    matches!(first, Some(b'{' | b'['))
}
