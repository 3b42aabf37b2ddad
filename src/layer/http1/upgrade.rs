//! Request and response together: the opening handshake (RFC 6455 §4).

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest, Sha1};

use super::extensions::{self, DEFLATE};
use super::head::has_token;
use crate::base::{Direction, Rule, Violation};
use crate::record::{Accept, Extension, Handshake, Request, Response};

impl Handshake {
    /// Judges `request` and `response`. What breaks a rule goes to `violation`, with who broke it.
    pub fn judge(
        request: Request,
        response: Option<Response>,
        mut violation: impl FnMut(Direction, Violation),
    ) -> Self {
        let mut handshake = Self {
            accept: Accept::Missing,
            subprotocol: None,
            extensions: Vec::new(),
            deflate: None,
            deflate_unknown: false,
            request,
            response,
        };
        if handshake.response.as_ref().is_some_and(agrees) {
            handshake.judge_response(|v| violation(Direction::ServerToClient, v));
        }
        handshake.deflate_unknown = handshake.deflate.is_none()
            && handshake.response.as_ref().is_none_or(|r| r.cut && agrees(r))
            && (handshake.request.method.is_empty() || handshake.request.cut || handshake.offers_deflate());
        handshake
    }

    /// Whether the server agreed, and to WebSocket.
    pub fn upgraded(&self) -> bool {
        let Some(response) = &self.response else { return false };
        is_agreement(response) || is_proven(&self.request, response) || agrees(response) && is_http2(response)
    }

    /// Whether an extension other than permessage-deflate was agreed on: what it does to frames is not known here.
    pub fn extended(&self) -> bool {
        self.extensions.iter().any(|extension| !extension.is_known())
    }

    fn offers_deflate(&self) -> bool {
        self.request
            .header_values("sec-websocket-extensions")
            .any(|v| extensions::parse(v).0.iter().any(|e| e.name == DEFLATE))
    }

    fn judge_response(&mut self, mut violation: impl FnMut(Violation)) {
        let Some(response) = &self.response else { return };
        let request_known = !self.request.method.is_empty() && !self.request.cut;
        if response.odd {
            violation(Violation::new(
                Rule::HeadSyntax,
                "the response's head does not keep to the grammar of HTTP/1.1",
            ));
        }
        if is_of_a_draft(response) {
            violation(Violation::new(
                Rule::DraftHandshake,
                "the handshake of a draft before RFC 6455 (hixie-75 or -76), whose frames are not decoded",
            ));
        }
        for (name, twice) in [
            (
                "Sec-WebSocket-Accept",
                "a response that agrees, with two Sec-WebSocket-Accept",
            ),
            (
                "Sec-WebSocket-Protocol",
                "a response that agrees, with two Sec-WebSocket-Protocol",
            ),
        ] {
            if response.header_values(name).nth(1).is_some() {
                violation(Violation::new(Rule::HandshakeResponse, twice).about(format!("2 × {name}")));
            }
        }
        if !is_http2(response) {
            self.accept = self.judge_upgrade(response, &mut violation);
        }
        if let Some(chosen) = response.header("sec-websocket-protocol") {
            let offered = |v: &str| v.split(',').any(|v| v.trim_matches([' ', '\t']) == chosen);
            if request_known && !self.request.header_values("sec-websocket-protocol").any(offered) {
                let name = quoted(chosen);
                let detail = format!("the response names a subprotocol{name} that the request did not offer");
                violation(Violation::new(Rule::SubprotocolNotOffered, detail).about(name.trim_start().to_owned()));
            }
            self.subprotocol = Some(chosen.to_owned());
        }
        let offers: Vec<Extension> = self
            .request
            .header_values("sec-websocket-extensions")
            .flat_map(|v| extensions::parse(v).0)
            .collect();
        for value in response.header_values("sec-websocket-extensions") {
            let (found, faulty) = extensions::parse(value);
            if faulty {
                violation(Violation::new(
                    Rule::ExtensionSyntax,
                    "Sec-WebSocket-Extensions does not follow its grammar",
                ));
            }
            self.extensions.extend(found);
        }
        let offered: HashSet<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
        for extension in &self.extensions {
            if request_known && !offered.contains(extension.name.as_str()) {
                let name = quoted(&extension.name);
                let detail = format!("the response names an extension{name} that the request did not offer");
                violation(Violation::new(Rule::ExtensionNotOffered, detail).about(name.trim_start().to_owned()));
            }
            if extension.name != DEFLATE {
                continue;
            }
            if self.deflate.is_some() {
                violation(
                    Violation::new(Rule::ExtensionParameter, "permessage-deflate is agreed on twice")
                        .about(format!("2 × {DEFLATE}")),
                );
                continue;
            }
            let offers: Vec<Extension> = offers.iter().filter(|offer| offer.name == DEFLATE).cloned().collect();
            let offers = (request_known && !offers.is_empty()).then_some(&offers[..]);
            self.deflate = Some(extensions::deflate(extension, offers, &mut violation));
        }
    }

    /// What a response must say over HTTP/1.1 (RFC 6455 §4.2.2), and not over HTTP/2 (RFC 8441 §5).
    fn judge_upgrade(&self, response: &Response, violation: &mut impl FnMut(Violation)) -> Accept {
        let key = self.request.header("sec-websocket-key");
        let accept = match (response.header("sec-websocket-accept"), key) {
            (Some(accept), Some(key)) if accept == accept_for(key) => Accept::Valid,
            (Some(_), Some(_)) => {
                violation(Violation::new(
                    Rule::AcceptInvalid,
                    "Sec-WebSocket-Accept does not follow from the request's Sec-WebSocket-Key",
                ));
                Accept::Invalid
            }
            (None, _) => {
                if !response.cut {
                    violation(Violation::new(
                        Rule::AcceptMissing,
                        "a 101 response without Sec-WebSocket-Accept",
                    ));
                }
                Accept::Missing
            }
            (Some(_), None) => Accept::Missing,
        };
        if !response.cut {
            if !has_token(response.header_values("upgrade"), "websocket") {
                let detail = "a 101 response without Upgrade: websocket";
                violation(Violation::new(Rule::HandshakeResponse, detail).about("Upgrade: websocket"));
            }
            if !has_token(response.header_values("connection"), "upgrade") {
                let detail = "a 101 response without Connection: Upgrade";
                violation(Violation::new(Rule::HandshakeResponse, detail).about("Connection: Upgrade"));
            }
        }
        accept
    }
}

/// Whether a response has a status that agrees: 101 over HTTP/1.1, any of success over HTTP/2 (RFC 8441 §4, RFC 9110 §9.3.6).
fn agrees(response: &Response) -> bool {
    response.status == 101 || (200..300).contains(&response.status) && is_http2(response)
}

/// Whether a response came over HTTP/2: nothing else has pseudo-fields (RFC 9113 §8.3).
fn is_http2(response: &Response) -> bool {
    response.header(":status").is_some()
}

/// Whether a request asks for WebSocket, as far as it was captured. A proxy on the way may have left `Upgrade` out, which is
/// hop-by-hop (RFC 9110 §7.6.1), but not the key.
pub(super) fn asks(request: &Request) -> bool {
    names_websocket(request.header_values("upgrade")) || request.header("sec-websocket-key").is_some()
}

/// Whether `Upgrade` names WebSocket, with a version behind it (RFC 9110 §7.8) or without (RFC 6455 §4.1).
pub(super) fn names_websocket<'v>(values: impl Iterator<Item = &'v str>) -> bool {
    let mut names = values.flat_map(|v| v.split(',')).filter_map(|v| v.split('/').next());
    names.any(|name| name.trim_matches([' ', '\t']).eq_ignore_ascii_case("websocket"))
}

/// Whether a response says that frames follow: one that does not say to what it switches, if anything, is believed.
pub(super) fn is_agreement(response: &Response) -> bool {
    let silent = response.header("upgrade").is_none();
    response.status == 101 && (silent || names_websocket(response.header_values("upgrade"))) && !is_of_a_draft(response)
}

/// Whether a 101 response proves that it was meant for a WebSocket request, whatever its other headers say.
pub(super) fn is_proven(request: &Request, response: &Response) -> bool {
    let key = request.header("sec-websocket-key");
    response.status == 101 && key.is_some_and(|key| response.header("sec-websocket-accept") == Some(&accept_for(key)))
}

/// Whether a 101 response is that of a draft from before there were frames (draft-hixie-thewebsocketprotocol-75 and -76): what
/// follows it is something else.
fn is_of_a_draft(response: &Response) -> bool {
    response.header("sec-websocket-accept").is_none()
        && (response.header("sec-websocket-location").is_some() || response.header("websocket-location").is_some())
}

/// A name for a detail, after a blank: only a short token, so that nothing in it needs escaping.
fn quoted(name: &str) -> String {
    if extensions::is_token(name) && name.len() <= 64 {
        format!(" \"{name}\"")
    } else {
        String::new()
    }
}

/// Judges a request that [`asks`] (RFC 6455 §4.1).
pub(super) fn judge_request(request: &Request, mut violation: impl FnMut(Violation)) {
    let mut bad = |rule, what: &'static str, about: &'static str| violation(Violation::new(rule, what).about(about));
    if request.method != "GET" {
        bad(
            Rule::HandshakeRequest,
            "an upgrade request whose method is not GET",
            "GET",
        );
    }
    if request.http_1_0 {
        bad(Rule::HandshakeRequest, "an upgrade request of HTTP/1.0", "HTTP/1.0");
    }
    if request.odd {
        bad(
            Rule::HeadSyntax,
            "the request's head does not keep to the grammar of HTTP/1.1",
            "",
        );
    }
    for (name, twice, about) in [
        (
            "sec-websocket-key",
            "an upgrade request with two Sec-WebSocket-Key",
            "2 × Sec-WebSocket-Key",
        ),
        (
            "sec-websocket-version",
            "an upgrade request with two Sec-WebSocket-Version",
            "2 × Sec-WebSocket-Version",
        ),
    ] {
        if request.header_values(name).nth(1).is_some() {
            bad(Rule::HandshakeRequest, twice, about);
        }
    }
    if request.cut {
        return;
    }
    if !has_token(request.header_values("upgrade"), "websocket") {
        bad(
            Rule::HandshakeRequest,
            "an upgrade request without Upgrade: websocket",
            "Upgrade: websocket",
        );
    }
    if !has_token(request.header_values("connection"), "upgrade") {
        bad(
            Rule::HandshakeRequest,
            "an upgrade request without Connection: Upgrade",
            "Connection: Upgrade",
        );
    }
    match request.header("sec-websocket-key") {
        None => bad(
            Rule::HandshakeRequest,
            "an upgrade request without Sec-WebSocket-Key",
            "Sec-WebSocket-Key",
        ),
        Some(key) if BASE64.decode(key).map_or(0, |k| k.len()) != 16 => {
            bad(
                Rule::HandshakeRequest,
                "a Sec-WebSocket-Key that is not 16 bytes in base64",
                "Sec-WebSocket-Key",
            );
        }
        Some(_) => {}
    }
    if request.header("host").is_none() {
        bad(Rule::HandshakeRequest, "an upgrade request without Host", "Host");
    }
    match request.header("sec-websocket-version") {
        Some("13") => {}
        None => bad(
            Rule::HandshakeVersion,
            "an upgrade request without Sec-WebSocket-Version",
            "Sec-WebSocket-Version",
        ),
        Some(_) => bad(
            Rule::HandshakeVersion,
            "an upgrade request whose Sec-WebSocket-Version is not 13",
            "Sec-WebSocket-Version",
        ),
    }
    if request
        .header_values("sec-websocket-extensions")
        .any(|v| extensions::parse(v).1)
    {
        bad(
            Rule::ExtensionSyntax,
            "Sec-WebSocket-Extensions does not follow its grammar",
            "",
        );
    }
}

/// What `Sec-WebSocket-Accept` must be for this `Sec-WebSocket-Key` (RFC 6455 §4.2.2, step 5.4).
pub fn accept_for(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Deflate;

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut all = vec![
            ("Host", "a"),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
        ];
        all.extend(headers);
        Request {
            method: "GET".into(),
            target: "/".into(),
            headers: all.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            ..Request::default()
        }
    }

    fn response(headers: &[(&str, &str)]) -> Response {
        let mut all = vec![("Upgrade", "WebSocket"), ("Connection", "upgrade")];
        all.extend(headers);
        Response {
            status: 101,
            headers: all.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            ..Response::default()
        }
    }

    fn judged(request: Request, response: Response) -> (Handshake, Vec<&'static str>) {
        let mut rules = Vec::new();
        let handshake = Handshake::judge(request, Some(response), |_, v| rules.push(v.rule.id()));
        (handshake, rules)
    }

    const ACCEPT: (&str, &str) = ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

    #[test]
    fn what_a_request_may_not_be() {
        let rules = |request: &Request| {
            let mut rules = Vec::new();
            judge_request(request, |v| rules.push((v.rule.id(), v.detail.into_owned())));
            rules
        };
        assert!(rules(&request(&[])).is_empty());
        for (bad, id) in [
            (
                Request {
                    http_1_0: true,
                    ..request(&[])
                },
                "http.handshake-request",
            ),
            (
                Request {
                    odd: true,
                    ..request(&[])
                },
                "http.head-syntax",
            ),
            (request(&[("Sec-WebSocket-Key", "x")]), "http.handshake-request"),
            (request(&[("Sec-WebSocket-Version", "8")]), "http.handshake-request"),
        ] {
            let rules = rules(&bad);
            assert!(rules.len() == 1 && rules[0].0 == id, "{rules:?}");
        }
        let mut stripped = request(&[]);
        stripped.headers.retain(|(name, _)| name != "Upgrade");
        assert!(asks(&stripped) && rules(&stripped)[0].1.ends_with("without Upgrade: websocket"));
        stripped.headers.push(("Upgrade".into(), "h2c, WebSocket/13".into()));
        assert!(names_websocket(stripped.header_values("upgrade")));
    }

    #[test]
    fn a_header_that_stands_twice_in_the_response() {
        let (_, rules) = judged(request(&[]), response(&[ACCEPT, ACCEPT]));
        assert_eq!(rules, ["http.handshake-response"]);
    }

    #[test]
    fn the_key_of_rfc_6455_1_3() {
        assert_eq!(accept_for("dGhlIHNhbXBsZSBub25jZQ=="), ACCEPT.1);
        let (handshake, rules) = judged(request(&[]), response(&[ACCEPT]));
        assert_eq!((handshake.accept, rules), (Accept::Valid, vec![]));
    }

    #[test]
    fn accept_missing_and_invalid() {
        let (handshake, rules) = judged(request(&[]), response(&[]));
        assert_eq!(
            (handshake.accept, rules),
            (Accept::Missing, vec!["http.accept-missing"])
        );
        let (handshake, rules) = judged(request(&[]), response(&[("Sec-WebSocket-Accept", "x")]));
        assert_eq!(
            (handshake.accept, rules),
            (Accept::Invalid, vec!["http.accept-invalid"])
        );
    }

    #[test]
    fn what_was_not_offered() {
        let (handshake, rules) = judged(
            request(&[("Sec-WebSocket-Protocol", "chat, superchat")]),
            response(&[
                ACCEPT,
                ("Sec-WebSocket-Protocol", "other"),
                ("Sec-WebSocket-Extensions", DEFLATE),
            ]),
        );
        assert_eq!(rules, ["http.subprotocol-not-offered", "http.extension-not-offered"]);
        assert_eq!(handshake.subprotocol.as_deref(), Some("other"));
        assert_eq!(handshake.deflate, Some(Deflate::default()));
    }

    #[test]
    fn a_request_that_is_not_seen_is_not_blamed() {
        let (handshake, rules) = judged(
            Request::default(),
            response(&[ACCEPT, ("Sec-WebSocket-Protocol", "chat")]),
        );
        assert_eq!((handshake.accept, rules), (Accept::Missing, vec![]));
    }

    /// Extensions and parameters without end.
    #[test]
    fn long_lists_take_no_longer_than_their_length() {
        // Quadratic time would be seen: this would not end.
        let names: Vec<String> = (0..100_000).map(|n| format!("a{n}")).collect();
        let (extensions, parameters) = (names.join(","), format!("permessage-deflate;{}", names.join(";")));
        for list in [&extensions, &parameters] {
            let header = ("Sec-WebSocket-Extensions", list.as_str());
            let (handshake, _) = judged(request(&[header]), response(&[ACCEPT, header]));
            assert_eq!(handshake.deflate.is_some(), list == &parameters);
        }
    }

    #[test]
    fn what_was_cut_may_have_agreed_on_deflate() {
        let offer = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
        let mut cut = response(&[]);
        cut.cut = true;
        assert!(judged(request(&[offer]), cut.clone()).0.deflate_unknown);
        assert!(!judged(request(&[]), cut.clone()).0.deflate_unknown);
        assert!(judged(Request::default(), cut).0.deflate_unknown);
        assert!(!judged(request(&[offer]), response(&[ACCEPT])).0.deflate_unknown);
    }
}
