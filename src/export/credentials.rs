//! What in a handshake is a credential: by the name of a header, of a parameter in a query, or in a subprotocol.
//!
//! This is the one list of such names. What is found is given as ranges of the text, so that who leaves it out may do so in his way.

use std::borrow::Cow;
use std::ops::Range;

/// What stands for a value that is left out.
pub(crate) const LEFT_OUT: &str = "REDACTED";

/// Names of values that are credentials. Case, `-`, `_` and `.` do not count: `api_key` is `Api-Key`, too.
pub(crate) const NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "session",
    "sid",
];

/// Further ones, in queries, headers and subprotocols.
const MORE: &[&str] = &[
    "auth",
    "bearer",
    "code",
    "credential",
    "credentials",
    "jwt",
    "key",
    "otp",
    "pass",
    "passphrase",
    "pwd",
    "session_id",
    "sig",
    "signature",
    "ticket",
];

/// What the last part of longer names says: `x-amz-security-token`, `client_secret`, `JSESSIONID`.
const ENDINGS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "sessionid",
    "sessid",
    "signature",
    "credential",
    "authorization",
    "jwt",
    "cookie",
];

/// Headers that are credentials: these four and all that are called like one.
const HEADERS: &[&str] = &["cookie", "set-cookie", "authorization", "proxy-authorization"];

/// Subprotocols that are a name and a credential in one word: Kubernetes, Phoenix, AWS AppSync, OpenAI.
const PREFIXES: &[&str] = &[
    "base64url.bearer.authorization.k8s.io.",
    "base64url.bearer.phx.",
    "header-",
    "openai-insecure-api-key.",
];

/// Whether all of this header's value is a credential.
pub(crate) fn is_header(name: &str) -> bool {
    HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header)) || !name.starts_with(':') && is_name(name)
}

/// Whether a value of this name is a credential.
pub(crate) fn is_name(name: &str) -> bool {
    // Longer than any: what it says is not a name.
    if name.len() > 200 {
        return false;
    }
    let plain = plain(name);
    NAMES.iter().chain(MORE).any(|known| self::plain(known) == plain)
        || ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// The credentials in the query of a request target or URL; all of what stands behind `?` counts, up to `#`.
pub(crate) fn in_query(target: &str) -> Vec<Range<usize>> {
    let Some(begin) = target.find('?').map(|mark| mark + 1) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut at = begin;
    for part in target[begin..].split(['&', ';', '#']) {
        let end = at + part.len();
        let value = part.find('=').map_or(at, |sign| at + sign + 1);
        let name = &target[at..value.saturating_sub(1).max(at)];
        if value < end && (is_name(&decoded(name)) || is_jwt(&target[value..end])) {
            found.push(value..end);
        }
        at = end + 1;
    }
    found
}

/// The credentials in a `Sec-WebSocket-Protocol` header, or in one subprotocol: what is tied to a name in one word (`bearer.…`), and
/// the word behind one that is such a name (`access_token, …`).
pub(crate) fn in_subprotocols(value: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut named = false;
    for word in value.split(',') {
        let begin = at + (word.len() - word.trim_start().len());
        at += word.len() + 1;
        let word = word.trim();
        let secret = if named {
            Some(0)
        } else {
            prefix(word).or_else(|| tied(word)).or(is_jwt(word).then_some(0))
        };
        named = !named && secret.is_none() && is_name(word);
        if let Some(from) = secret.filter(|from| *from < word.len()) {
            found.push(begin + from..begin + word.len());
        }
    }
    found
}

/// The text with [`LEFT_OUT`] in place of these ranges, which are in order.
pub(crate) fn without<'t>(text: &'t str, ranges: &[Range<usize>]) -> Cow<'t, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        rest.push_str(&text[from..range.start]);
        rest.push_str(LEFT_OUT);
        from = range.end;
    }
    rest.push_str(&text[from..]);
    Cow::Owned(rest)
}

/// Where what follows a well-known prefix begins.
fn prefix(word: &str) -> Option<usize> {
    let begins = |prefix: &&&str| {
        word.get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    PREFIXES.iter().find(begins).map(|prefix| prefix.len())
}

/// Where what follows a name in the same word begins: `bearer.…`, `v1.token.…`, `auth=…`.
fn tied(word: &str) -> Option<usize> {
    let mut from = 0;
    for (sign, _) in word.match_indices(['.', '=', ':', '|']) {
        if is_name(&word[from..sign]) {
            return Some(sign + 1);
        }
        from = sign + 1;
    }
    None
}

/// A JSON Web Token (RFC 7519), whatever it is called: `{"` in Base64, and two more parts.
fn is_jwt(value: &str) -> bool {
    value.starts_with("eyJ") && value.split('.').count() >= 3
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// A name with its `%70` resolved.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let bytes = name.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match pair
            .filter(|_| bytes[at] == b'%')
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(target: &str) -> String {
        without(target, &in_query(target)).into_owned()
    }

    fn protocols(value: &str) -> String {
        without(value, &in_subprotocols(value)).into_owned()
    }

    #[test]
    fn headers_are_known_in_any_case_and_by_their_name() {
        for name in [
            "Cookie",
            "SET-COOKIE",
            "authorization",
            "Proxy-Authorization",
            "X-Api-Key",
            "X-Auth-Token",
        ] {
            assert!(is_header(name), "{name}");
        }
        for name in [
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Accept",
            "Sec-WebSocket-Key1",
            "Host",
            ":authority",
            "Origin",
        ] {
            assert!(!is_header(name), "{name}");
        }
    }

    #[test]
    fn values_in_queries_go_by_their_name() {
        assert_eq!(
            query("/c?room=1&access_token=s3cr3t&x-Amz-Signature=abc&JSESSIONID=1;sid=2#key=3"),
            "/c?room=1&access_token=REDACTED&x-Amz-Signature=REDACTED&JSESSIONID=REDACTED;sid=REDACTED#key=REDACTED"
        );
        assert_eq!(query("/c?%74oken=s3cr3t&a"), "/c?%74oken=REDACTED&a");
        assert_eq!(query("/c?q=eyJhbGciOi.eyJzdWIiOi.c2ln"), "/c?q=REDACTED");
        for target in [
            "/token=1",
            "/c?",
            "/c?=x",
            "/c?token=",
            "/c?monkey=1&room=sid",
            "/c?%=1&%7=2&%zz=3",
        ] {
            assert_eq!(query(target), target);
        }
    }

    #[test]
    fn words_among_subprotocols_go_by_their_name() {
        for (value, rest) in [
            (
                "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0",
                "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.REDACTED",
            ),
            ("chat , access_token,  s3cr3t", "chat , access_token,  REDACTED"),
            ("Authorization, s3cr3t, chat", "Authorization, REDACTED, chat"),
            (
                "realtime, openai-insecure-api-key.sk-1",
                "realtime, openai-insecure-api-key.REDACTED",
            ),
            ("graphql-ws, header-eyJob3N0Ijoi", "graphql-ws, header-REDACTED"),
            ("bearer.a.b.c", "bearer.REDACTED"),
            ("eyJhbGciOi.eyJzdWIiOi.c2ln", "REDACTED"),
        ] {
            assert_eq!(protocols(value), rest);
        }
        for value in [
            "chat, superchat",
            "",
            ",",
            "token",
            "v4.channel.k8s.io",
            "mqtt",
            "bearer.",
        ] {
            assert_eq!(protocols(value), value);
        }
    }
}
