//! What in a handshake is a credential: by the name of a header or of a value, by what it looks like, or in a subprotocol.
//!
//! This is the one list of such names. What is found is given as ranges of the text, so that who leaves it out may do so in his way.

use std::borrow::Cow;
use std::ops::Range;

use super::secrets::{self, Names, is_jwt, is_one};

/// What stands for a value that is left out.
pub(super) const LEFT_OUT: &str = "REDACTED";

/// Names of values that are credentials. Case, `-`, `_` and `.` do not count: `api_key` is `Api-Key`, too.
pub(crate) const NAMES: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "passcode",
    "passphrase",
    "pwd",
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
    "authentication",
    "bearer",
    "client_cert_chain",
    "code",
    "connect.sid",
    "credential",
    "credentials",
    "csrf",
    "dpop",
    "hmac",
    "jwt",
    "key",
    "otp",
    "pin",
    "refresh",
    "sess",
    "session_id",
    "sig",
    "signature",
    "ticket",
    "tkn",
    "tok",
    "userpass",
    "xsrf",
];

/// What the last part of longer names says: `x-amz-security-token`, `client_secret`, `JSESSIONID`.
const ENDINGS: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "passcode",
    "apikey",
    "appkey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "functionskey",
    "masterkey",
    "sessionkey",
    "sharedkey",
    "signingkey",
    "subscriptionkey",
    "userkey",
    "sessionid",
    "sessid",
    "assertion",
    "signature",
    "credential",
    "authorization",
    "authenticationinfo",
    "clientcert",
    "jwt",
    "cookie",
];

/// Headers that are credentials: these four and all that are called like one.
const HEADERS: &[&str] = &["cookie", "set-cookie", "authorization", "proxy-authorization"];

/// Subprotocols that are names and no credentials; most of them are registered.
pub(super) const SUBPROTOCOLS: &[&str] = &[
    "actioncable-unsupported",
    "actioncable-v1-json",
    "amqp",
    "base64",
    "base64.channel.k8s.io",
    "binary",
    "channel.k8s.io",
    "chat",
    "graphql-transport-ws",
    "graphql-ws",
    "json",
    "jsonrpc",
    "kafka",
    "lws-mirror-protocol",
    "mqtt",
    "mqttv3.1",
    "msrp",
    "ocpp1.5",
    "ocpp1.6",
    "ocpp2.0",
    "ocpp2.0.1",
    "ocpp2.1",
    "sip",
    "soap",
    "stomp",
    "superchat",
    "v10.stomp",
    "v11.stomp",
    "v12.stomp",
    "v2.channel.k8s.io",
    "v3.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "v4.channel.k8s.io",
    "v5.channel.k8s.io",
    "vite-hmr",
    "vite-ping",
    "wamp.2.cbor",
    "wamp.2.json",
    "wamp.2.msgpack",
    "xmpp",
];

/// Subprotocols that are a name and a credential in one word: Kubernetes, Phoenix, AWS AppSync, OpenAI.
const PREFIXES: &[&str] = &[
    "base64url.bearer.authorization.k8s.io.",
    "base64url.bearer.phx.",
    "header-",
    "openai-insecure-api-key.",
];

/// Longer parts of a subprotocol are no names.
const MAX_NAME: usize = 64;

/// Whether all of this header's value is a credential.
pub(super) fn is_header(name: &str) -> bool {
    HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header)) || !name.starts_with(':') && is_name(name)
}

/// Whether a value of this name is a credential.
pub(super) fn is_name(name: &str) -> bool {
    let bare = bare(name);
    NAMES.iter().chain(MORE).any(|known| plain(bare).eq(plain(known))) || ends_like_name(bare)
}

/// The credentials in any text of a handshake, in order: values by their names (`access_token=…`, `"password":"…"`, `/token/…`), what
/// follows the name of a scheme (`Bearer …`), JSON Web Tokens, and who logs in (`://user:password@`); also where they are encoded.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    secrets::find(&Handshakes, &[], text)
}

/// The names of this file.
struct Handshakes;

impl Names for Handshakes {
    const PROSE: bool = false;

    fn is_name(&self, name: &str) -> bool {
        is_name(name) || name.split(['[', ']', '.']).any(is_name)
    }

    fn is_segment(&self, name: &str) -> bool {
        ends_like_name(bare(name))
    }
}

/// Who logs in, in `user:password@host`.
pub(super) fn in_authority(text: &str) -> Vec<Range<usize>> {
    let login = text.rfind('@').filter(|at| *at > 0).map(|at| 0..at);
    login.into_iter().collect()
}

/// The credentials in a `Sec-WebSocket-Protocol` header, or in one subprotocol: what is tied to a name in one word (`bearer.…`), the first
/// word behind such a name (`access_token, …`) that is no known subprotocol, and those behind it that look like credentials.
pub(super) fn in_subprotocols(value: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    // A name has come; its credential is still to come.
    let (mut named, mut due) = (false, false);
    for word in value.split(',') {
        let begin = at + (word.len() - word.trim_start().len());
        at += word.len() + 1;
        let word = word.trim();
        if word.is_empty() {
            continue;
        }
        let is_known = is_one(word, SUBPROTOCOLS);
        let secret = if due && !is_known || named && last_unlike_words(word).is_some() {
            Some(0)
        } else {
            prefix(word).or_else(|| tied(word)).or(is_jwt(word).then_some(0))
        };
        due = match due {
            // `Authorization, Bearer, …`
            true => is_known || is_name(word),
            false => secret.is_none() && is_name(word),
        };
        named |= due;
        if let Some(from) = secret.filter(|from| *from < word.len()) {
            found.push(begin + from..begin + word.len());
        }
    }
    found
}

/// The text with [`LEFT_OUT`] in place of these ranges, which are in order.
pub(super) fn without<'t>(text: &'t str, ranges: &[Range<usize>]) -> Cow<'t, str> {
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

/// Where what follows a name in the same word begins: `bearer.…`, `v1.token.…`, `auth=…`; behind `-` and `_`, which also are in names and
/// between words, only what looks like a credential.
fn tied(word: &str) -> Option<usize> {
    let unlike_words = last_unlike_words(word);
    let mut from = 0;
    for (sign, mark) in word.match_indices(['.', '=', ':', '|', '-', '_']) {
        let joins = matches!(mark, "-" | "_");
        let follows = !joins || unlike_words.is_some_and(|last| last > sign);
        if follows && sign - from <= MAX_NAME && is_name(&word[from..sign]) {
            return Some(sign + 1);
        }
        if !joins {
            from = sign + 1;
        }
    }
    None
}

/// Where in a text the last part begins that looks less like a word or a version than like a credential.
fn last_unlike_words(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut last = None;
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let letters = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_mixed = letters.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase());
        if letters.len() >= 16 || letters.len() >= 6 && is_mixed {
            last = Some(at);
        }
        at += part.len();
    }
    last
}

/// A name without what says nothing of it: `X-` before it, a number behind it (`token1`).
fn bare(name: &str) -> &str {
    let name = match name.split_at_checked(2) {
        Some(("X-" | "x-" | "X_" | "x_", rest)) => rest,
        _ => name,
    };
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// What counts in a name.
fn plain(name: &str) -> impl DoubleEndedIterator<Item = u8> + '_ {
    name.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase())
}

fn ends_like_name(name: &str) -> bool {
    ENDINGS.iter().any(|ending| {
        let mut letters = plain(name).rev();
        plain(ending).rev().all(|letter| letters.next() == Some(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(target: &str) -> String {
        without(target, &find(target)).into_owned()
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
            "X-Session",
            "X-Pass",
            "x-otp",
            "X-Ticket",
            "X-Bearer",
            "X-Credentials",
            "X-Key",
            "X-Appkey",
            "X-Functions-Key",
            "X-Hub-Signature-256",
            "X-Pin",
            "X-Auth-User-Key",
            "X-XSRF",
            "Authentication",
            "Authentication-Info",
            "Proxy-Authentication-Info",
            "DPoP",
            "X-Client-Cert",
            "X-Forwarded-Client-Cert",
            "Client-Cert-Chain",
            "Cookie2",
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
            "X-Key-Count",
            "X-Session-Duration",
            "X-Passed",
            "X-",
            "X-1",
            "X-Refreshed",
            "X-Stok",
            "X-Client-Certificate-Count",
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
        assert_eq!(
            query("/c?token1=s3cr3t&password_2=s3cr3t&hmac=s3cr3t&client_assertion=s3cr3t&x-key=s3cr3t"),
            "/c?token1=REDACTED&password_2=REDACTED&hmac=REDACTED&client_assertion=REDACTED&x-key=REDACTED"
        );
        assert_eq!(
            query("/c?tok=s3cr3t&refresh=s3cr3t&tkn=s3cr3t&stok=a&refreshed=b"),
            "/c?tok=REDACTED&refresh=REDACTED&tkn=REDACTED&stok=a&refreshed=b"
        );
        assert_eq!(query("/c?%74oken=s3cr3t&a"), "/c?%74oken=REDACTED&a");
        assert_eq!(query("/c?q=eyJhbGciOi.eyJzdWIiOi.c2ln"), "/c?q=REDACTED");
        for target in [
            "/c?",
            "/c?=x",
            "/c?token=",
            "/c?monkey=1&room=sid",
            "/c?%=1&%7=2&%zz=3",
            "/c?1=2&client_assertion_type=a&tokens1=b&x=c",
        ] {
            assert_eq!(query(target), target);
        }
    }

    #[test]
    fn credentials_are_found_in_any_text() {
        for (text, rest) in [
            ("/cb#access_token=s3cr3t&state=1", "/cb#access_token=REDACTED&state=1"),
            (
                "/c?next=%2Fx%3Faccess_token%3Ds3cr3t%26a%3D1",
                "/c?next=%2Fx%3Faccess_token%3DREDACTED%26a%3D1",
            ),
            ("/c?u=%252Fx%253Ftoken%253Ds3cr3t", "/c?u=%252Fx%253Ftoken%253DREDACTED"),
            ("https://me:s3cr3t@h.example/a", "https://REDACTED@h.example/a"),
            ("https://s3cr3t@h.example/a?b=c@d", "https://REDACTED@h.example/a?b=c@d"),
            ("me:s3cr3t@h.example:80", "REDACTED@h.example:80"),
            ("/c/eyJhbGciOi.eyJzdWIiOi.c2ln/x", "/c/REDACTED/x"),
            ("v=1, eyJhbGciOi.eyJzdWIiOi.c2ln", "v=1, REDACTED"),
            ("a bearer s3cr3t, b", "a bearer REDACTED, b"),
            ("/c?h=Bearer%20s3cr3t&x=1", "/c?h=Bearer%20REDACTED&x=1"),
            ("/c?h=Bearer+s3cr3t&x=1", "/c?h=Bearer+REDACTED&x=1"),
            ("x-auth; token=s3cr3t, other; a=b", "x-auth; token=REDACTED, other; a=b"),
            ("/c?token=a;b,c&d=e", "/c?token=REDACTED&d=e"),
            ("/socket/token/s3cr3t/websocket", "/socket/token/REDACTED/websocket"),
            ("/c?user[password]=s3cr3t", "/c?user[password]=REDACTED"),
            ("/c?user%5Bpassword%5D=s3cr3t", "/c?user%5Bpassword%5D=REDACTED"),
            ("/c?token[0]=s3cr3t&a=b", "/c?token[0]=REDACTED&a=b"),
            ("/c?token[a][b]=s3cr3t", "/c?token[a][b]=REDACTED"),
            ("/c?data[token][x]=s3cr3t", "/c?data[token][x]=REDACTED"),
            ("/c?data.token.x=s3cr3t", "/c?data.token.x=REDACTED"),
            // Only & and # and blanks end a value in a query.
            ("/c?token=a\"s3cr3t&b=c", "/c?token=REDACTED&b=c"),
            ("/c?token=a<s3cr3t&b=c", "/c?token=REDACTED&b=c"),
            ("x: Bearer\ts3cr3t", "x: Bearer\tREDACTED"),
            ("NTLM s3cr3t", "NTLM REDACTED"),
            ("Negotiate s3cr3t", "Negotiate REDACTED"),
            (
                "/c?s=%7B%22token%22%3A%22s3cr3t%22%7D",
                "/c?s=%7B%22token%22%3A%22REDACTED%22%7D",
            ),
            (
                "{\"password\" : \"s3 cr3t\",\"a\":1}",
                "{\"password\" : \"REDACTED\",\"a\":1}",
            ),
            ("no: password: s3 cr3t", "no: password: REDACTED"),
            ("/c?\u{732a}token=\u{732a}&%ff=@", "/c?\u{732a}token=REDACTED&%ff=@"),
        ] {
            assert_eq!(query(text), rest);
        }
        for text in [
            "http://auth:8080/x",
            "dGhlIHNhbXBsZSBub25jZQ==",
            "permessage-deflate; client_max_window_bits=15",
            "Basic realm=\"chat\"",
            "text/html;q=0.9, */*;q=0.8",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            "/chat@2/x",
        ] {
            assert_eq!(query(text), text);
        }
        for name in [
            "X-Auth-Key",
            "X-Auth",
            "Ocp-Apim-Subscription-Key",
            "subscription-key",
            "auth_key",
            "userpass",
            "connect.sid",
        ] {
            assert!(is_header(name), "{name}");
        }
    }

    /// Names and logins without end.
    #[test]
    fn long_texts_take_no_longer_than_their_length() {
        for part in [
            "token=", "token/", "token-.", "token_", "-", "1-", "a@", ":@", "bearer ", "Basic+", "eyJ.", "%25", "a=",
            "/token:",
        ] {
            // Quadratic time would be seen: this would not end.
            let text = part.repeat(20_000);
            for found in [find(&text), in_subprotocols(&text)] {
                assert!(found.iter().all(|range| range.end <= text.len()), "{part}");
            }
        }
    }

    /// The closing mark of a query's value ends it as little as any other.
    #[test]
    fn quoted_values_of_queries_go_to_their_end() {
        for target in [
            "/c?token='a's3cr3t&b=c",
            "/c?token=\"a\"s3cr3t&b=c",
            "/c?token=[a]s3cr3t&b=c",
        ] {
            let rest = query(target);
            assert!(!rest.contains("s3cr3t") && rest.ends_with("&b=c"), "{rest}");
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
            ("bearer,, s3cr3t", "bearer,, REDACTED"),
            (
                "realtime, openai-insecure-api-key.sk-1",
                "realtime, openai-insecure-api-key.REDACTED",
            ),
            ("graphql-ws, header-eyJob3N0Ijoi", "graphql-ws, header-REDACTED"),
            ("bearer.a.b.c", "bearer.REDACTED"),
            (
                "chat, bearer_s3cr3t, token-S3cret",
                "chat, bearer_REDACTED, token-REDACTED",
            ),
            ("auth-v1-0123456789abcdef", "auth-REDACTED"),
            (
                "my-api-key-s3cr3ts, x_auth_s3cr3t",
                "my-api-key-REDACTED, x_auth_REDACTED",
            ),
            ("access_token.s3cr3t", "access_token.REDACTED"),
            ("bearer, chat, s3cr3t, mqtt", "bearer, chat, REDACTED, mqtt"),
            ("bearer, mine, s3cr3ts, mine", "bearer, REDACTED, REDACTED, mine"),
            ("Authorization, Bearer, hunter", "Authorization, REDACTED, REDACTED"),
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
            "token-based-chat",
            "auth-v2.example.com, session-v1, key_exchange_v10",
            "bearer, chat",
            "graphql-transport-ws, Example2024",
        ] {
            assert_eq!(protocols(value), value);
        }
    }
}
