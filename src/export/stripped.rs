//! Handshakes without the credentials in them.

use super::credentials::{LEFT_OUT, in_query, in_subprotocols, is_header, without};
use crate::record::Handshake;

/// Shorter values are found by chance in other texts.
const MIN_VALUE: usize = 4;

/// What was taken out of a handshake.
#[derive(Debug, Default)]
pub(super) struct Stripped {
    /// How many values.
    pub(super) count: u64,
    values: Vec<String>,
}

impl Stripped {
    /// Takes the credentials out of `handshake`: headers that are one go, other values stand as [`LEFT_OUT`].
    pub(super) fn of(handshake: &mut Handshake) -> Self {
        let mut stripped = Self::default();
        stripped.target(&mut handshake.request.target);
        stripped.headers(&mut handshake.request.headers);
        if let Some(response) = &mut handshake.response {
            stripped.headers(&mut response.headers);
        }
        // What was a credential in one place may stand in another: the subprotocol agreed upon, an echo in a refusal.
        for (_, value) in &mut handshake.request.headers {
            stripped.hide(value);
        }
        if let Some(subprotocol) = &mut handshake.subprotocol {
            stripped.hide(subprotocol);
            stripped.without(subprotocol, in_subprotocols);
        }
        if let Some(response) = &mut handshake.response {
            for (_, value) in &mut response.headers {
                stripped.hide(value);
            }
            if let Some(body) = &mut response.body
                && !stripped.values.is_empty()
            {
                let mut text = String::from_utf8_lossy(body).into_owned();
                if stripped.hide(&mut text) {
                    *body = text.into_bytes();
                }
            }
        }
        stripped
    }

    /// Takes out of `text` what was taken out of the handshake. Says whether there was something.
    pub(super) fn hide(&self, text: &mut String) -> bool {
        let mut found = false;
        for value in &self.values {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), LEFT_OUT);
                found = true;
            }
        }
        found
    }

    fn target(&mut self, target: &mut String) {
        self.without(target, in_query);
    }

    fn headers(&mut self, headers: &mut Vec<(String, String)>) {
        headers.retain(|(name, value)| {
            let credential = is_header(name);
            if credential {
                self.count += 1;
                self.keep(value);
            }
            !credential
        });
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("sec-websocket-protocol") {
                self.without(value, in_subprotocols);
            } else {
                self.target(value);
            }
        }
    }

    fn without(&mut self, text: &mut String, find: fn(&str) -> Vec<std::ops::Range<usize>>) {
        let found = find(text);
        // What was hidden already is no further one.
        let new = found.iter().filter(|range| text[(*range).clone()] != *LEFT_OUT);
        let values: Vec<String> = new.map(|range| text[range.clone()].to_owned()).collect();
        self.count += values.len() as u64;
        values.iter().for_each(|value| self.keep(value));
        *text = without(text, &found).into_owned();
    }

    fn keep(&mut self, value: &str) {
        if value.len() >= MIN_VALUE && value != LEFT_OUT && !self.values.iter().any(|known| known == value) {
            self.values.push(value.to_owned());
            // One may be a part of another: the longest goes first.
            self.values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Accept, Request, Response};

    fn headers(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn no_credential_stays_wherever_it_stands() {
        let mut handshake = Handshake {
            request: Request {
                method: "GET".to_owned(),
                target: "/chat?room=7&token=in-the-query".to_owned(),
                headers: headers(&[
                    ("Host", "example.test"),
                    ("Cookie", "sid=in-the-cookie"),
                    ("Authorization", "Bearer in-the-header"),
                    (
                        "Referer",
                        "https://example.test/?token=in-the-query&api_key=in-the-referer",
                    ),
                    ("Sec-WebSocket-Protocol", "token, in-the-subprotocol"),
                    ("X-Again", "in-the-query"),
                ]),
                ..Request::default()
            },
            response: Some(Response {
                status: 403,
                headers: headers(&[
                    ("Set-Cookie", "sid=in-a-new-cookie"),
                    ("Sec-WebSocket-Protocol", "in-the-subprotocol"),
                    ("Location", "/login?next=/&session=in-the-location"),
                ]),
                body: Some(b"no such token: in-the-query".to_vec()),
                ..Response::default()
            }),
            accept: Accept::Missing,
            subprotocol: Some("in-the-subprotocol".to_owned()),
            extensions: Vec::new(),
            deflate: None,
            deflate_unknown: false,
        };
        let stripped = Stripped::of(&mut handshake);
        let all = format!("{handshake:?}");
        assert!(!all.contains("in-the") && !all.contains("in-a"), "{all}");
        assert!(all.contains("/chat?room=7&token=REDACTED"), "{all}");
        assert_eq!(stripped.count, 8);
        let mut detail = "a subprotocol \"in-the-subprotocol\" that nobody offered".to_owned();
        assert!(stripped.hide(&mut detail));
        assert_eq!(detail, "a subprotocol \"REDACTED\" that nobody offered");
    }
}
