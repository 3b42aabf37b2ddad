//! `Sec-WebSocket-Extensions` (RFC 6455 §9.1) and permessage-deflate's parameters (RFC 7692 §7.1): header values in, what was
//! agreed out. The agreement is what the response says; the offer decides only whether the response may say it.

use std::collections::HashSet;

use crate::base::{Rule, Violation};
use crate::record::{Deflate, Extension};

/// permessage-deflate's registered name.
pub(super) const DEFLATE: &str = Deflate::EXTENSION;

/// Reads one header value: `name; parameter; parameter=value, name …`. Values may be quoted (RFC 6455 §9.1). A name or a
/// parameter that does not follow the grammar is left out, and the value's fault returned beside the rest.
pub(super) fn parse(value: &str) -> (Vec<Extension>, bool) {
    let mut faulty = false;
    let mut found = Vec::new();
    for element in split(value, ',') {
        let mut parts = split(element, ';');
        let name = parts.next().unwrap_or_default();
        if name.is_empty() {
            // Empty list elements are allowed (RFC 9110 §5.6.1.2), parameters without a name before them are not.
            faulty |= !element.is_empty();
            continue;
        }
        if !is_token(name) {
            faulty = true;
            continue;
        }
        let mut extension = Extension {
            name: name.to_owned(),
            parameters: Vec::new(),
        };
        for part in parts {
            let (key, value) = match part.split_once('=') {
                Some((key, value)) => (
                    key.trim_end_matches(BLANK),
                    Some(unquote(value.trim_start_matches(BLANK))),
                ),
                None => (part, None),
            };
            // The unquoted value must be a token again.
            if is_token(key) && value.as_deref().is_none_or(is_token) {
                extension.parameters.push((key.to_owned(), value));
            } else {
                faulty = true;
            }
        }
        found.push(extension);
    }
    (found, faulty)
}

/// The agreed parameters in the response's `extension`, which is permessage-deflate. `offer` is what the request offered under
/// that name (empty when the request was not seen). What RFC 7692 does not allow is told and left out.
pub(super) fn deflate(
    extension: &Extension,
    offers: Option<&[Extension]>,
    mut violation: impl FnMut(Violation),
) -> Deflate {
    let mut agreed = Deflate::default();
    let mut bad = |what: String| violation(Violation::new(Rule::ExtensionParameter, what));
    let mut seen = HashSet::new();
    for (name, value) in &extension.parameters {
        if !seen.insert(name) {
            bad(format!("{} twice", known(name)));
            continue;
        }
        match (name.as_str(), value.as_deref()) {
            ("server_no_context_takeover", None) => agreed.server_no_context_takeover = true,
            ("client_no_context_takeover", None) => agreed.client_no_context_takeover = true,
            ("server_no_context_takeover" | "client_no_context_takeover", Some(_)) => {
                bad(format!("{name} with a value"));
            }
            ("server_max_window_bits", value) => match value.and_then(window_bits) {
                Some(bits) => agreed.server_max_window_bits = bits,
                None => bad(format!("{name} without a value from 8 to 15")),
            },
            ("client_max_window_bits", value) => match value.and_then(window_bits) {
                Some(bits) => {
                    agreed.client_max_window_bits = bits;
                    let offered = |offer: &Extension| offer.parameters.iter().any(|(n, _)| n == name);
                    if offers.is_some_and(|offers| !offers.iter().any(offered)) {
                        bad(format!("{name}, which the client did not offer"));
                    }
                }
                None => bad(format!("{name} without a value from 8 to 15")),
            },
            _ => bad(format!(
                "a parameter that permessage-deflate does not have{}",
                known(name)
            )),
        }
    }
    if let Some(offers) = offers {
        for broken in beyond(&agreed, offers) {
            bad(broken.to_owned());
        }
    }
    agreed
}

/// What of the agreement no offer allows (RFC 7692 §7.1.1.1, §7.1.2.1, §7.1.2.2).
fn beyond(agreed: &Deflate, offers: &[Extension]) -> impl Iterator<Item = &'static str> {
    let asked = |name: &str, good: &dyn Fn(Option<&str>) -> bool| {
        // An offer without the parameter asks for nothing; the others must each be kept to, or not be the one that was taken.
        offers.is_empty()
            || offers.iter().any(|offer| {
                let parameter = offer.parameters.iter().find(|(n, _)| n == name);
                parameter.is_none_or(|(_, value)| good(value.as_deref()))
            })
    };
    let within = |bits: u8| move |value: Option<&str>| value.and_then(window_bits).is_none_or(|limit| bits <= limit);
    let broken = [
        (!asked("server_no_context_takeover", &|_| agreed.server_no_context_takeover))
            .then_some("server_no_context_takeover is missing, which the client asked for"),
        (!asked("server_max_window_bits", &within(agreed.server_max_window_bits)))
            .then_some("server_max_window_bits is larger than the client asked for"),
        (!asked("client_max_window_bits", &within(agreed.client_max_window_bits.min(15)))
            && agreed.client_max_window_bits < 15)
            .then_some("client_max_window_bits is larger than the client offered"),
    ];
    broken.into_iter().flatten()
}

/// `8` to `15`, without leading zeros (RFC 7692 §7.1.2).
fn window_bits(value: &str) -> Option<u8> {
    match value.as_bytes() {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

/// A parameter's name for a detail, where nothing captured is quoted.
fn known(name: &str) -> &str {
    [
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
    ]
    .into_iter()
    .find(|k| *k == name)
    .unwrap_or("")
}

const BLANK: [char; 2] = [' ', '\t'];

/// The parts of `value` between `separator`s that are not in a quoted string, trimmed.
fn split(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let value = rest?;
        let (mut quoted, mut escaped) = (false, false);
        let end = value.find(|c| {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ => return c == separator && !quoted,
            }
            false
        });
        let part = end.map_or(value, |end| &value[..end]);
        rest = end.map(|end| &value[end + separator.len_utf8()..]);
        Some(part.trim_matches(BLANK))
    })
}

/// A quoted string's content (RFC 9110 §5.6.4), or the value as it is.
fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(response: &str, offer: &str) -> (Deflate, Vec<String>) {
        let mut details = Vec::new();
        let (offers, _) = parse(offer);
        let (response, _) = parse(response);
        let deflate = deflate(&response[0], Some(&offers), |v| details.push(v.detail.into_owned()));
        (deflate, details)
    }

    #[test]
    fn the_grammar() {
        let (found, faulty) = parse("foo, bar; baz=2 ;qux = \"t\\ok\" ,, permessage-deflate");
        assert!(!faulty);
        let names: Vec<_> = found.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["foo", "bar", "permessage-deflate"]);
        assert_eq!(
            found[1].parameters,
            [
                ("baz".to_owned(), Some("2".to_owned())),
                ("qux".to_owned(), Some("tok".to_owned()))
            ]
        );
        let (found, _) = parse("a; b=\"x y\"; c, d e");
        assert_eq!(
            (found.len(), found[0].name.as_str(), found[0].parameters.len()),
            (1, "a", 1)
        );
        for bad in ["; a", "a; b=\"x y\"", "a; =1", "a b", "a; b=\"x"] {
            assert!(parse(bad).1, "{bad}");
        }
    }

    #[test]
    fn every_parameter() {
        let all = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=\"8\"";
        let (deflate, details) = agreed(all, "permessage-deflate; client_max_window_bits");
        assert!(details.is_empty());
        assert_eq!(
            deflate,
            Deflate {
                server_no_context_takeover: true,
                client_no_context_takeover: true,
                server_max_window_bits: 10,
                client_max_window_bits: 8,
            }
        );
        assert_eq!(
            agreed("permessage-deflate", "permessage-deflate"),
            (Deflate::default(), vec![])
        );
    }

    #[test]
    fn what_rfc_7692_forbids() {
        for response in [
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=016",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=10",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; unknown",
        ] {
            assert_eq!(agreed(response, "permessage-deflate").1.len(), 1, "{response}");
        }
        for (response, offer, broken) in [
            ("", "; server_no_context_takeover", 1),
            ("; server_no_context_takeover", "; server_no_context_takeover", 0),
            ("", "; server_max_window_bits=10", 1),
            ("; server_max_window_bits=11", "; server_max_window_bits=10", 1),
            ("; server_max_window_bits=9", "; server_max_window_bits=10", 0),
            ("", "; server_max_window_bits=10, permessage-deflate", 0),
            ("; client_max_window_bits=12", "; client_max_window_bits=11", 1),
            ("; client_max_window_bits=11", "; client_max_window_bits=11", 0),
            ("", "; client_max_window_bits=11", 0),
        ] {
            let details = agreed(&format!("{DEFLATE}{response}"), &format!("{DEFLATE}{offer}")).1;
            assert_eq!(details.len(), broken, "{response} {offer} {details:?}");
        }
    }
}
