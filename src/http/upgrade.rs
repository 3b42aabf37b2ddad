//! Request and response together: the opening handshake (RFC 6455 §4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest, Sha1};

use super::extensions::{self, DEFLATE};
use super::head::has_token;
use super::{Deflate, Extension, Request, Response};
use crate::base::{Direction, Rule, Violation};

/// `Sec-WebSocket-Accept`, recomputed (RFC 6455 §4.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// It follows from the request's key.
    Valid,
    /// It does not.
    Invalid,
    /// It is absent, or there is no response, or no key.
    Missing,
}

/// The opening handshake (RFC 6455 §4): `Upgrade` in DESIGN's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// What the client asked. Its method is empty when the capture does not hold the request.
    pub request: Request,
    /// What the server answered; `None` when it never did, or the capture does not hold it.
    pub response: Option<Response>,
    /// Whether the answer proves that it knows the key.
    pub accept: Accept,
    /// The subprotocol agreed upon.
    pub subprotocol: Option<String>,
    /// The extensions agreed upon, in order.
    pub extensions: Vec<Extension>,
    /// The agreed parameters of permessage-deflate, if that was agreed upon.
    pub deflate: Option<Deflate>,
    /// It is not known whether permessage-deflate was agreed upon: the headers that say it are lost.
    pub deflate_unknown: bool,
}

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
        if handshake.upgraded() {
            handshake.judge_response(|v| violation(Direction::ServerToClient, v));
        }
        handshake.deflate_unknown = handshake.deflate.is_none()
            && handshake.response.as_ref().is_none_or(|r| r.cut && r.status == 101)
            && (handshake.request.method.is_empty() || handshake.request.cut || handshake.offers_deflate());
        handshake
    }

    /// Whether the server agreed.
    pub fn upgraded(&self) -> bool {
        self.response.as_ref().is_some_and(|r| r.status == 101)
    }

    fn offers_deflate(&self) -> bool {
        self.request
            .header_values("sec-websocket-extensions")
            .any(|v| extensions::parse(v).0.iter().any(|e| e.name == DEFLATE))
    }

    fn judge_response(&mut self, mut violation: impl FnMut(Violation)) {
        let Some(response) = &self.response else { return };
        let request_known = !self.request.method.is_empty() && !self.request.cut;
        let key = self.request.header("sec-websocket-key");
        self.accept = match (response.header("sec-websocket-accept"), key) {
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
                violation(Violation::new(
                    Rule::HandshakeResponse,
                    "a 101 response without Upgrade: websocket",
                ));
            }
            if !has_token(response.header_values("connection"), "upgrade") {
                violation(Violation::new(
                    Rule::HandshakeResponse,
                    "a 101 response without Connection: Upgrade",
                ));
            }
        }
        if let Some(chosen) = response.header("sec-websocket-protocol") {
            let offered = |v: &str| v.split(',').any(|v| v.trim_matches([' ', '\t']) == chosen);
            if request_known && !self.request.header_values("sec-websocket-protocol").any(offered) {
                violation(Violation::new(
                    Rule::SubprotocolNotOffered,
                    "the response names a subprotocol that the request did not offer",
                ));
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
        for (i, extension) in self.extensions.iter().enumerate() {
            let offers: Vec<Extension> = offers.iter().filter(|o| o.name == extension.name).cloned().collect();
            if request_known && offers.is_empty() {
                violation(Violation::new(
                    Rule::ExtensionNotOffered,
                    "the response names an extension that the request did not offer",
                ));
            }
            if extension.name != DEFLATE {
                continue;
            }
            if self.extensions[..i].iter().any(|e| e.name == DEFLATE) {
                violation(Violation::new(
                    Rule::ExtensionParameter,
                    "permessage-deflate is agreed on twice",
                ));
                continue;
            }
            let offers = (request_known && !offers.is_empty()).then_some(&offers[..]);
            self.deflate = Some(extensions::deflate(extension, offers, &mut violation));
        }
    }
}

/// Whether a request asks for WebSocket, as far as it was captured.
pub(super) fn asks(request: &Request) -> bool {
    has_token(request.header_values("upgrade"), "websocket")
}

/// Judges a request that [`asks`] (RFC 6455 §4.1).
pub(super) fn judge_request(request: &Request, mut violation: impl FnMut(Violation)) {
    let mut bad = |rule, what: &'static str| violation(Violation::new(rule, what));
    if request.method != "GET" {
        bad(Rule::HandshakeRequest, "an upgrade request whose method is not GET");
    }
    if request.cut {
        return;
    }
    if !has_token(request.header_values("connection"), "upgrade") {
        bad(Rule::HandshakeRequest, "an upgrade request without Connection: Upgrade");
    }
    match request.header("sec-websocket-key") {
        None => bad(Rule::HandshakeRequest, "an upgrade request without Sec-WebSocket-Key"),
        Some(key) if BASE64.decode(key).map_or(0, |k| k.len()) != 16 => {
            bad(
                Rule::HandshakeRequest,
                "a Sec-WebSocket-Key that is not 16 bytes in base64",
            );
        }
        Some(_) => {}
    }
    if request.header("host").is_none() {
        bad(Rule::HandshakeRequest, "an upgrade request without Host");
    }
    match request.header("sec-websocket-version") {
        Some("13") => {}
        None => bad(
            Rule::HandshakeVersion,
            "an upgrade request without Sec-WebSocket-Version",
        ),
        Some(_) => bad(
            Rule::HandshakeVersion,
            "an upgrade request whose Sec-WebSocket-Version is not 13",
        ),
    }
    if request
        .header_values("sec-websocket-extensions")
        .any(|v| extensions::parse(v).1)
    {
        bad(
            Rule::ExtensionSyntax,
            "Sec-WebSocket-Extensions does not follow its grammar",
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
