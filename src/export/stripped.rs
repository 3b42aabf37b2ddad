//! Handshakes without the credentials in them.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::credentials::{LEFT_OUT, find, in_authority, in_subprotocols, is_header, is_name, without};
use super::decoded::PERCENT;
use crate::record::Handshake;

/// Shorter values are found by chance in other texts.
const MIN_VALUE: usize = 4;

/// Shorter cookies may be anything, unless their name says what they are: `lang=en-US`.
const MIN_COOKIE: usize = 8;

/// What was taken out of a handshake.
#[derive(Debug, Default)]
pub(super) struct Stripped {
    /// How many values.
    pub(super) count: u64,
    values: BTreeSet<String>,
}

/// The values of [`Stripped`], to be found in one pass: what stands for one is not searched for others.
pub(super) enum Values {
    Nothing,
    These(AhoCorasick),
    /// More than can be searched for.
    TooMany,
}

impl Values {
    /// Takes them out of `text`; of those that begin in one place, the longest. Says whether there was one.
    pub(super) fn hide(&self, text: &mut String) -> bool {
        let all = match self {
            Self::Nothing => return false,
            Self::TooMany => {
                LEFT_OUT.clone_into(text);
                return true;
            }
            Self::These(all) => all,
        };
        let found: Vec<Range<usize>> = all
            .find_iter(text.as_str())
            .filter(|found| found.pattern().as_usize() > 0)
            .map(|found| found.range())
            .collect();
        if !found.is_empty() {
            *text = without(text, &found).into_owned();
        }
        !found.is_empty()
    }
}

impl Stripped {
    /// Takes the credentials out of `handshake`: headers that are one go, other values stand as [`LEFT_OUT`].
    pub(super) fn of(handshake: &mut Handshake) -> Self {
        let mut stripped = Self::default();
        let request = &mut handshake.request;
        stripped.without(&mut request.target, find);
        stripped.headers(&mut request.headers);
        if let Some(response) = &mut handshake.response {
            stripped.without(&mut response.reason, find);
            stripped.headers(&mut response.headers);
        }
        if let Some(subprotocol) = &mut handshake.subprotocol {
            stripped.known().hide(subprotocol);
            stripped.without(subprotocol, in_subprotocols);
        }
        let known = stripped.known();
        // What was a credential in one place may stand in another: the subprotocol agreed upon, an echo in a refusal.
        known.hide(&mut request.target);
        for (_, value) in &mut request.headers {
            known.hide(value);
        }
        for extension in &mut handshake.extensions {
            known.hide(&mut extension.name);
            for (name, value) in &mut extension.parameters {
                known.hide(name);
                if let Some(value) = value {
                    known.hide(value);
                    if is_name(name) {
                        LEFT_OUT.clone_into(value);
                    }
                }
            }
        }
        if let Some(response) = &mut handshake.response {
            known.hide(&mut response.reason);
            for (_, value) in &mut response.headers {
                known.hide(value);
            }
            if let Some(body) = &mut response.body {
                let mut text = String::from_utf8_lossy(body).into_owned();
                let echoed = known.hide(&mut text);
                let before = stripped.count;
                stripped.without(&mut text, find);
                if echoed || stripped.count > before {
                    *body = text.into_bytes();
                }
            }
        }
        stripped
    }

    /// What was taken out of the handshake, to be taken out of other texts.
    pub(super) fn known(&self) -> Values {
        if self.values.is_empty() {
            return Values::Nothing;
        }
        let values = self.values.iter().map(String::as_str);
        // What is hidden already is found as that, and no other value in it. A DFA would take the square of a value that repeats itself to build.
        let all = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(std::iter::once(LEFT_OUT).chain(values));
        all.map_or(Values::TooMany, Values::These)
    }

    /// Bytes of memory that it takes.
    pub(super) fn size(&self) -> usize {
        self.values.iter().map(|value| value.len() + 48).sum()
    }

    fn headers(&mut self, headers: &mut Vec<(String, String)>) {
        headers.retain(|(name, value)| {
            let credential = is_header(name);
            if credential {
                self.count += 1;
                self.keep_header(name, value);
            }
            !credential
        });
        self.subprotocols(headers);
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("host") || name == ":authority" {
                // A host may be called like a credential, and its port is none.
                self.without(value, in_authority);
                continue;
            }
            self.without(value, find);
        }
    }

    /// They are one list, in however many headers (RFC 9110 §5.3).
    fn subprotocols(&mut self, headers: &mut [(String, String)]) {
        let mut values: Vec<&mut String> = headers
            .iter_mut()
            .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"))
            .map(|(_, value)| value)
            .collect();
        let list = values.iter().map(|value| value.as_str()).collect::<Vec<_>>().join(",");
        let mut found = in_subprotocols(&list).into_iter().peekable();
        let mut begin = 0;
        for value in &mut values {
            let end = begin + value.len();
            let here: Vec<_> = std::iter::from_fn(|| found.next_if(|range| range.end <= end))
                .map(|range| range.start - begin..range.end - begin)
                .collect();
            self.cut(value, &here);
            begin = end + 1;
        }
    }

    fn without(&mut self, text: &mut String, find: fn(&str) -> Vec<Range<usize>>) {
        let found = find(text);
        self.cut(text, &found);
    }

    fn cut(&mut self, text: &mut String, found: &[Range<usize>]) {
        // What was hidden already is no further one.
        for range in found.iter().filter(|range| text[(*range).clone()] != *LEFT_OUT) {
            self.count += 1;
            let value = &text[range.clone()];
            let rest = &text[range.end..];
            match rest.starts_with('@') || rest.starts_with("%40") {
                true => self.keep_login(value),
                false => self.keep(value),
            }
        }
        *text = without(text, found).into_owned();
    }

    /// A header that goes, and the parts of it that may stand alone elsewhere.
    fn keep_header(&mut self, name: &str, value: &str) {
        self.keep(value);
        if name.eq_ignore_ascii_case("cookie") || name.eq_ignore_ascii_case("set-cookie") {
            let all = if name.len() == "cookie".len() { usize::MAX } else { 1 };
            for (name, value) in value.split(';').take(all).filter_map(|cookie| cookie.split_once('=')) {
                let value = value.trim().trim_matches('"');
                if value.len() >= MIN_COOKIE || is_name(name) {
                    self.keep(value);
                }
            }
        } else if let Some((scheme, value)) = value.trim().split_once(' ') {
            let value = value.trim();
            self.keep(value);
            if scheme.eq_ignore_ascii_case("basic")
                && let Some(login) = STANDARD
                    .decode(value)
                    .ok()
                    .and_then(|login| String::from_utf8(login).ok())
            {
                self.keep_login(&login);
            }
        }
    }

    fn keep(&mut self, value: &str) {
        if let Some(plain) = PERCENT.decode(value) {
            self.remember(plain.text);
        }
        self.remember(value.to_owned());
    }

    /// `user:password`, and the password alone.
    fn keep_login(&mut self, login: &str) {
        self.keep(login);
        if let Some((_, password)) = login.split_once(':') {
            self.keep(password);
        }
    }

    fn remember(&mut self, value: String) {
        // A part of our own word would be found in it.
        if value.len() >= MIN_VALUE && !LEFT_OUT.contains(value.as_str()) {
            self.values.insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples::{self, headers};
    use crate::record::{Extension, Response};

    #[test]
    fn subprotocols_in_several_headers_are_one_list() {
        let mut handshake = samples::handshake(
            "/",
            &[
                ("Sec-WebSocket-Protocol", "chat, bearer"),
                ("Origin", "http://example.test"),
                ("sec-websocket-protocol", "s3cr3t"),
                ("Sec-WebSocket-Protocol", "mqtt, token.s3cr3t"),
            ],
        );
        let stripped = Stripped::of(&mut handshake);
        let values: Vec<_> = handshake
            .request
            .headers
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        let rest = ["chat, bearer", "http://example.test", "REDACTED", "mqtt, REDACTED"];
        assert_eq!(values, rest);
        assert_eq!(stripped.count, 2);
    }

    #[test]
    fn echoes_of_parts_of_headers_are_found() {
        let mut handshake = samples::handshake(
            "/chat/in-the-header?token=in%2Dthe-query&again=in-a-cookie",
            &[
                ("Host", "in-a-host@example.test"),
                ("Origin", "https://in-an:in-a-login@example.test"),
                ("Cookie", "theme=dark; sid=in-a-cookie; other=\"in-another\""),
                ("Authorization", "Bearer in-the-header"),
                ("Proxy-Authorization", "Basic bWU6aW4tYS1wYXNzd29yZA=="),
                ("X-Custom", "scheme Bearer in-a-custom-header"),
            ],
        );
        handshake.response = Some(Response {
            status: 403,
            reason: "No in-another, in-the-header or in-a-password".to_owned(),
            headers: headers(&[
                ("X-Echo", "in-the-query, in-the-header, dark"),
                ("Location", "/#id_token=in-a-fragment"),
            ]),
            body: Some(b"in-a-login in-the-header in-a-cookie in-the-query".to_vec()),
            ..Response::default()
        });
        Stripped::of(&mut handshake);
        if let Some(response) = &mut handshake.response {
            response.reason += &String::from_utf8_lossy(&response.body.take().unwrap());
        }
        let all = format!("{handshake:?}");
        assert!(
            !all.contains("in-a") && !all.contains("in-the") && all.contains("dark"),
            "{all}"
        );
    }

    #[test]
    fn only_of_logins_what_is_behind_a_colon_is_looked_for() {
        let mut handshake = samples::handshake("/chat?token=v1:chat&u=https://me:hunter@h/", &[("X-A", "hunter")]);
        Stripped::of(&mut handshake);
        assert_eq!(handshake.request.target, "/chat?token=REDACTED&u=https://REDACTED@h/");
        assert_eq!(handshake.request.headers, headers(&[("X-A", "REDACTED")]));
    }

    #[test]
    fn of_values_in_one_another_the_longest_goes_and_what_stands_for_one_stays() {
        let mut handshake = samples::handshake("/chat?token=abcd&token=abcdefgh&token=TEDA&token=CTEDx", &[]);
        let stripped = Stripped::of(&mut handshake);
        let known = stripped.known();
        let mut text = "abcdefghabcdabcdefghx abcdx".to_owned();
        assert!(known.hide(&mut text));
        assert_eq!(text, "REDACTEDREDACTEDREDACTEDx REDACTEDx");
        let again = text.clone();
        assert!(!known.hide(&mut text));
        assert_eq!(text, again);
    }

    #[test]
    fn a_long_value_that_repeats_itself_costs_no_more_than_another() {
        let value = "a".repeat(60_000);
        let mut handshake = samples::handshake("/chat", &[("Cookie", &format!("sid={value}")), ("X-Echo", &value)]);
        Stripped::of(&mut handshake);
        assert_eq!(handshake.request.headers, headers(&[("X-Echo", "REDACTED")]));
    }

    #[test]
    fn no_credential_stays_wherever_it_stands() {
        let mut handshake = samples::handshake(
            "/chat?room=7&token=in-the-query",
            &[
                ("Host", "example.test"),
                ("Cookie", "sid=in-the-cookie"),
                ("Authorization", "Bearer in-the-header"),
                (
                    "Referer",
                    "https://example.test/?token=in-the-query&api_key=in-the-referer",
                ),
                ("Sec-WebSocket-Protocol", "token, in-the-subprotocol"),
                ("X-Again", "in-the-query"),
            ],
        );
        handshake.response = Some(Response {
            status: 403,
            headers: headers(&[
                ("Set-Cookie", "sid=in-a-new-cookie"),
                ("Sec-WebSocket-Protocol", "in-the-subprotocol"),
                ("Location", "/login?next=/&session=in-the-location"),
            ]),
            body: Some(b"no such token: in-the-query".to_vec()),
            ..Response::default()
        });
        handshake.subprotocol = Some("in-the-subprotocol".to_owned());
        handshake.extensions = vec![Extension {
            name: "in-the-query".to_owned(),
            parameters: vec![("token".to_owned(), Some("in-a-parameter".to_owned()))],
        }];
        let stripped = Stripped::of(&mut handshake);
        let all = format!("{handshake:?}");
        assert!(!all.contains("in-the") && !all.contains("in-a"), "{all}");
        assert!(all.contains("/chat?room=7&token=REDACTED"), "{all}");
        assert_eq!(stripped.count, 8);
        let mut detail = "a subprotocol \"in-the-subprotocol\" that nobody offered".to_owned();
        assert!(stripped.known().hide(&mut detail));
        assert_eq!(detail, "a subprotocol \"REDACTED\" that nobody offered");
    }
}
