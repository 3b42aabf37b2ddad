//! What is told at the end of a run of extensions that are not known: what they do to payloads cannot be undone.

use crate::base::counted;
use crate::export::escape;
use crate::record::Handshake;

/// So many extensions are named.
const NAMES: usize = 3;

/// Bytes of a name that are shown.
const NAME: usize = 64;

/// In how many sessions extensions were agreed on that are not known.
#[derive(Debug, Default)]
pub(super) struct UnknownExtensions {
    /// The first few names, and the sessions of each.
    named: Vec<(String, u64)>,
    /// Sessions in which there were others.
    others: u64,
}

impl UnknownExtensions {
    /// A session begins with that.
    pub(super) fn handshake(&mut self, handshake: &Handshake) {
        if !handshake.extended() || !handshake.upgraded() {
            return;
        }
        // Each name once, at most: what a header repeats is still one session.
        let mut seen = [false; NAMES];
        let mut other = false;
        for extension in handshake.extensions.iter().filter(|extension| !extension.is_known()) {
            let name = shown(&extension.name);
            match self.named.iter().position(|(known, _)| *known == name) {
                Some(index) => seen[index] = true,
                None if self.named.len() < NAMES => {
                    seen[self.named.len()] = true;
                    self.named.push((name, 0));
                }
                None => other = true,
            }
        }
        for ((_, sessions), seen) in self.named.iter_mut().zip(seen) {
            *sessions += u64::from(seen);
        }
        self.others += u64::from(other);
    }

    /// The line about them, if there were any.
    pub(super) fn note(&self) -> Option<String> {
        if self.named.is_empty() {
            return None;
        }
        let sessions = |count: &u64| counted(*count, "session");
        let mut parts: Vec<String> = self
            .named
            .iter()
            .map(|(name, count)| format!("{name} in {}", sessions(count)))
            .collect();
        if self.others > 0 {
            parts.push(format!("others in {}", sessions(&self.others)));
        }
        Some(format!(
            "extensions that are not known: {}; messages that use them are taken as they were sent",
            parts.join(", ")
        ))
    }
}

/// The name as it is shown: escaped, and cut where it is long.
fn shown(name: &str) -> String {
    let short = escape::prefix(name.as_bytes(), NAME).len();
    let mut text = Vec::new();
    escape::text_line(&mut text, &name[..short]);
    let more = if short < name.len() { "…" } else { "" };
    format!("\"{}{more}\"", String::from_utf8_lossy(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Accept, Extension, Request, Response};

    fn agreed(names: &[&str]) -> Handshake {
        let extension = |name: &&str| Extension {
            name: (*name).to_owned(),
            parameters: Vec::new(),
        };
        let headers = [("Upgrade", "websocket"), ("Connection", "Upgrade")];
        Handshake {
            request: Request::default(),
            response: Some(Response {
                status: 101,
                headers: headers
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec(),
                ..Response::default()
            }),
            accept: Accept::Valid,
            subprotocol: None,
            extensions: names.iter().map(extension).collect(),
            deflate: None,
            deflate_unknown: false,
        }
    }

    fn told(handshakes: &[&[&str]]) -> Option<String> {
        let mut unknown = UnknownExtensions::default();
        for names in handshakes {
            unknown.handshake(&agreed(names));
        }
        unknown.note()
    }

    #[test]
    fn sessions_are_counted_by_name_and_only_a_few_names_are_kept() {
        assert_eq!(told(&[&[], &["permessage-deflate"]]), None);
        let handshakes: [&[&str]; 5] = [
            &["a", "a"],
            &["a", "b"],
            &["permessage-deflate", "c"],
            &["d", "e"],
            &["f", "b"],
        ];
        assert_eq!(
            told(&handshakes).unwrap(),
            "extensions that are not known: \"a\" in 2 sessions, \"b\" in 2 sessions, \"c\" in 1 session, others in 2 sessions; \
             messages that use them are taken as they were sent"
        );
    }

    #[test]
    fn names_are_escaped_and_cut() {
        let long = format!("\u{1b}[2J{}", "x".repeat(1_000));
        let note = told(&[&[&long]]).unwrap();
        assert!(
            note.contains("\"\\u{1b}[2Jxx") && note.contains("x…\" in 1 session"),
            "{note}"
        );
        assert!(note.len() < 200 && !note.contains('\u{1b}'), "{note}");
    }

    #[test]
    fn what_a_refusal_names_was_not_agreed_on() {
        let mut refused = agreed(&["a"]);
        refused.response.as_mut().unwrap().status = 400;
        let mut unknown = UnknownExtensions::default();
        unknown.handshake(&refused);
        assert_eq!(unknown.note(), None);
    }
}
