//! Any bytes as text to be shown: as JSON to be minified and laid out, as a line, in a comment, in a JSON string. Beside not
//! panicking: what is JSON is what `serde_json` takes for JSON, it stays what it was, and nothing hidden comes out.

use serde_json::Value;
use serde_json::value::RawValue;
use wschat_sniff::export::escape;
use wschat_sniff::export::hidden::is_hidden_at;
use wschat_sniff::export::json_text::{Layout, MAX_DEPTH, minify, pretty};
use wschat_sniff::export::palette::Palette;

/// One input.
pub fn run(data: &[u8]) {
    let mut out = Vec::new();
    escape::line(&mut out, data);
    harmless(&out, false);
    out.clear();
    let (first, second) = data.split_at(data.len() / 2);
    escape::comment(&mut out, first);
    escape::comment(&mut out, second);
    harmless(&out, false);
    assert!(!out.windows(2).any(|pair| pair == b"*/"));
    out.clear();
    escape::lines(&mut out, data, 4, usize::MAX);
    harmless(&out, true);
    if let Ok(text) = std::str::from_utf8(data) {
        string(text);
        json(text);
    }
}

fn string(text: &str) {
    let mut out = b"\"".to_vec();
    escape::json(&mut out, text);
    out.push(b'"');
    harmless(&out, false);
    assert_eq!(serde_json::from_slice::<String>(&out).ok().as_deref(), Some(text));
}

fn json(text: &str) {
    let depth = text.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
    let layout = Layout {
        indent: 2,
        limit: usize::MAX,
        palette: &Palette::PLAIN,
    };
    let mut large = Vec::new();
    let is_json = pretty(&mut large, text, &layout).is_ok();
    // Beyond our depth and that of `serde_json` opinions may differ.
    if depth < MAX_DEPTH.min(100) {
        assert_eq!(is_json, serde_json::from_str::<&RawValue>(text).is_ok());
    }
    let mut cut = Vec::new();
    let limit = text.len() / 2;
    assert_eq!(pretty(&mut cut, text, &Layout { limit, ..layout }).is_ok(), is_json);
    let mut small = Vec::new();
    let is_written = minify(&mut small, text).is_ok();
    assert!(is_json || !is_written);
    harmless(&small, false);
    harmless(&large, true);
    harmless(&cut, true);
    if !is_json {
        assert!(large.is_empty());
        return;
    }
    if is_written {
        assert_eq!(again(&small).as_deref(), Some(&small[..]));
    } else {
        // It is JSON by the grammar alone.
        assert!(small.is_empty() && (depth >= 100 || serde_json::from_str::<Value>(text).is_err()));
    }
    assert_eq!(again(&large).is_some(), is_written);
}

fn again(json: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    minify(&mut out, std::str::from_utf8(json).ok()?).ok().map(|()| out)
}

/// `out` can be shown. Line feeds are allowed in what has several lines.
fn harmless(out: &[u8], lines: bool) {
    let text = std::str::from_utf8(out).expect("what is shown is UTF-8");
    for (at, ch) in text.char_indices() {
        assert!(lines && ch == '\n' || !is_hidden_at(text, at, ch), "{text:?}");
    }
}
