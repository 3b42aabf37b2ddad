//! Replaces what is secret in a text by as many bytes.

use std::ops::Range;

use regex::Regex;

use crate::export::decoded::unit;
use crate::export::json_text::{Token, scan};
use crate::export::secrets::{self, Names, documents, ends_with_name};

/// What stands for a byte that is not to be seen.
pub(super) const FILL: u8 = b'x';

/// What is to be replaced.
#[derive(Debug)]
pub(super) struct Words {
    /// Letters and digits in lower case.
    names: Vec<String>,
    values: Vec<Regex>,
}

impl Words {
    pub(super) fn new(names: &[String], values: &[Regex]) -> Self {
        let names: Vec<String> = names
            .iter()
            .map(|name| plain(name))
            .filter(|name| !name.is_empty())
            .collect();
        Self {
            names,
            values: values.to_vec(),
        }
    }

    /// Replaces what is secret in `text`, a byte by a byte.
    pub(super) fn scrub(&self, text: &str) -> Vec<u8> {
        let hidden = secrets::find(self, &self.values, text);
        let mut out = text.as_bytes().to_vec();
        if !hidden.is_empty() {
            replace(text, &hidden, &mut out);
        }
        out
    }
}

impl Names for Words {
    const PROSE: bool = true;

    fn is_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| ends_with_name(name, known))
    }
}

/// A name without what does not count in it.
fn plain(name: &str) -> String {
    let counts = |c: &char| c.is_alphanumeric();
    name.chars().filter(counts).flat_map(char::to_lowercase).collect()
}

/// Replaces `hidden` in `out`, a copy of `text`, so that documents of JSON stay that.
fn replace(text: &str, hidden: &[Range<usize>], out: &mut [u8]) {
    let mut hide = vec![false; text.len()];
    for range in hidden {
        hide[range.clone()].fill(true);
    }
    let mut at = 0;
    for document in documents(text) {
        fill(&mut out[at..document.start], &hide[at..document.start]);
        let _ = scan(&text[document.clone()], |token, range| {
            let range = document.start + range.start..document.start + range.end;
            match token {
                Token::Key | Token::String if hide[range.clone()].contains(&true) => {
                    // An escape is replaced whole.
                    let mut at = range.start + 1;
                    while at < range.end - 1 {
                        let length = unit(&text[at..range.end - 1]);
                        if hide[at..at + length].contains(&true) {
                            out[at..at + length].fill(FILL);
                        }
                        at += length;
                    }
                }
                Token::Number => {
                    for at in range.filter(|at| hide[*at] && text.as_bytes()[*at].is_ascii_digit()) {
                        out[at] = b'1';
                    }
                }
                _ => {}
            }
        });
        at = document.end;
    }
    fill(&mut out[at..], &hide[at..]);
}

/// Lines stay lines.
fn fill(out: &mut [u8], hide: &[bool]) {
    for (byte, hide) in out.iter_mut().zip(hide) {
        if *hide && !matches!(byte, b'\r' | b'\n' | 0) {
            *byte = FILL;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scrub(text: &str) -> String {
        let names: Vec<String> = crate::export::credentials::NAMES
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let words = Words::new(&names, &[Regex::new("hunter[0-9]+").unwrap()]);
        String::from_utf8(words.scrub(text)).unwrap()
    }

    #[test]
    fn values_in_json_go_by_their_name() {
        for (text, rest) in [
            (
                r#"{"type":"login","password":"abc"}"#,
                r#"{"type":"login","password":"xxx"}"#,
            ),
            (
                r#"{"\u0070assword" : "a\"b\u732a"}"#,
                r#"{"\u0070assword" : "xxxxxxxxxx"}"#,
            ),
            (r#"{"apiKey":-120.5e3,"n":12}"#, r#"{"apiKey":-111.1e1,"n":12}"#),
            (
                r#"{"Access-Token":["a",{"b":"c","d":7}],"e":"f"}"#,
                r#"{"Access-Token":["x",{"x":"x","x":1}],"e":"f"}"#,
            ),
            (
                r#"{"session":null,"sid":true,"x":"y"}"#,
                r#"{"session":null,"sid":true,"x":"y"}"#,
            ),
            (r#"{"secret":{},"x":"y"}"#, r#"{"secret":{},"x":"y"}"#),
            (
                r#"{"pass":"abc","user_pwd":"abc","passphrase":"a","bypass":"abc","passed":"abc"}"#,
                r#"{"pass":"xxx","user_pwd":"xxx","passphrase":"x","bypass":"abc","passed":"abc"}"#,
            ),
            (r#"{"x":"password"}"#, r#"{"x":"password"}"#),
            // Socket.IO, SockJS with JSON in a string, SignalR, NDJSON.
            (r#"42["auth",{"token":"abc"}]"#, r#"42["auth",{"token":"xxx"}]"#),
            (r#"a["{\"token\":\"ab\\\"c\"}"]"#, r#"a["{\"token\":\"xxxxxxx\"}"]"#),
            (
                "{\"sid\":\"a\"}\u{1e}{\"x\":\"b\"}\u{1e}",
                "{\"sid\":\"x\"}\u{1e}{\"x\":\"b\"}\u{1e}",
            ),
            ("{\"sid\":\"a\"}\n{\"x\":\"b\"}\n", "{\"sid\":\"x\"}\n{\"x\":\"b\"}\n"),
        ] {
            assert_eq!(scrub(text), rest, "{text}");
        }
    }

    #[test]
    fn values_in_text_go_by_their_name() {
        for (text, rest) in [
            (
                "CONNECT\nlogin:me\npasscode:abc\ntoken:abc def\n\n\0",
                "CONNECT\nlogin:me\npasscode:xxx\ntoken:xxxxxxx\n\n\0",
            ),
            (
                "ws://h/?room=1&access_token=abc&x=1",
                "ws://h/?room=1&access_token=xxx&x=1",
            ),
            ("Authorization: Bearer abc", "Authorization: xxxxxxxxxx"),
            (r#"{"content":"my password: abc"}"#, r#"{"content":"my password: xxx"}"#),
            // Not whole: no JSON.
            (r#"{"password":"abc","n":"#, r#"{"password":"xxx","n":"#),
            (r#"{"\u0070assword":"abc"#, r#"{"\u0070assword":"xxx"#),
            (r#"{"token":123,"n":4"#, r#"{"token":xxx,"n":4"#),
            ("inside: all", "inside: all"),
        ] {
            assert_eq!(scrub(text), rest, "{text}");
        }
    }

    #[test]
    fn secrets_go_however_they_are_written() {
        for text in [
            "user%5Bpassword%5D=S",
            "user[password]=S",
            "go=%2Fa%3Faccess_token%3DS%26a%3D1",
            "%7B%22token%22%3A%22S%22%7D",
            "&quot;password&quot;:&quot;S&quot;",
            "&#34;password&#x22;: S",
            "<password>S</password>",
            "<ns><password kind=\"plain\"><v>S</v></password></ns>",
            "<input name=\"password\" value=\"S\">",
            r#"["Authorization","Bearer S"]"#,
            r#"[["a","b"],["Authorization",{"a":["S"]}]]"#,
            r#"["Authorization","Bearer S"#,
            r#"{"name":"password","value":"S"}"#,
            r#"{"value":{"a":"S"},"name":"password"}"#,
            r#"{"name":"password","value":"S"#,
            r#"{"new_password":"S","userToken":"S"}"#,
            "token => S",
            "token := 'S'",
            "password\u{ff1a}S",
            "my password is: password=S\"",
            r#"{"token":{"a":["S",{"b":"}S"}]},"n":"#,
            r#"{"token":["S","#,
            "secret: {a: [S]}",
            r#"token=\"S\""#,
            "Authorization: Bearer S",
            "curl -H 'X-A: Bearer Sabc123def456'",
            "https://me:S@h.example/",
            "see eyJhbGciOi.eyJzdWIiOi.S",
            "https://h.example/token/S?a",
            r#"{"a":"b\u0026token%3dS"}"#,
            r#"{"n\u0061me":"password","value":"S"}"#,
            r#"{"name":"password","v\u0061lue":"S"}"#,
            r#"{"tokens":1,"token":{"S":{"S":true}}}"#,
            &format!(r#"{{"\u0061{}_password":"S"}}"#, "a".repeat(220)),
        ] {
            let scrubbed = scrub(text);
            assert!(!scrubbed.contains('S'), "{text} {scrubbed}");
            assert_eq!(scrubbed.len(), text.len());
        }
    }

    #[test]
    fn what_is_deeper_than_anybody_looks_is_hidden() {
        for depth in 1..12 {
            let mut json = r#"{"token":"S"}"#.to_owned();
            let mut query = "token=S".to_owned();
            let mut marked = "<token>S</token>".to_owned();
            for _ in 0..depth {
                json = serde_json::json!({ "a": json }).to_string();
                let encoded = query.replace('%', "%25").replace('=', "%3D").replace('?', "%3F");
                query = format!("?q={encoded}");
                marked = marked.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            }
            for text in [json, query, marked] {
                let scrubbed = scrub(&text);
                assert!(!scrubbed.contains('S'), "{text} {scrubbed}");
            }
        }
    }

    #[test]
    fn what_people_say_stays() {
        let art = format!("C:\\new\\users {}", "\\".repeat(200));
        for text in [
            "the bearer of good news has a basic idea, and a token of it",
            "100% sure &amp; 50%25 more: 3:4@home, me@example.test",
            &art,
            "is \"token\", they say, <b>secret</b> and/or session?",
            "https://h.example/a/b?room=1#top",
            r#"{"type":"say","to_uid":"all","content":"hi,  all ! {\"a\":[1,2]} \\o/"}"#,
            r#"{"name":"me","value":"x","user_list":[{"uid":1,"name":"token"}]}"#,
            r#"{"name":"token","content":"hello"}"#,
            r#"["say","hello",{"name":"x"}]"#,
            r#"{"time":"2026-01-01 10:00:00","key":"k","value":"v"}"#,
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    /// What is said quickly takes no long time, whatever it is.
    #[test]
    fn long_texts_take_no_longer_than_their_length() {
        for part in [
            "token=",
            "token/",
            "/token/",
            "a@",
            ":@",
            "//a@",
            "bearer ",
            "Basic+",
            "eyJ.",
            "%25",
            "&amp;",
            "\\\\",
            "\\\"",
            "<token>",
            "token:{",
            "\"token\",",
            "name=\"",
            "key='x",
            "{\"value\":",
            "[",
            "\\\\%25&amp;",
            "token,\n",
            "[\n",
        ] {
            // Quadratic time would be seen: this would not end.
            let text = part.repeat(100_000 / part.len());
            assert_eq!(scrub(&text).len(), text.len(), "{part}");
        }
    }

    #[test]
    fn what_a_regular_expression_finds_goes_wherever_it_stands() {
        for (text, rest) in [
            ("say hunter2 twice hunter22", "say xxxxxxx twice xxxxxxxx"),
            (
                r#"{"a":"\u0068unter2!","hunter3":1}"#,
                r#"{"a":"xxxxxxxxxxxx!","xxxxxxx":1}"#,
            ),
            (r#"["\"hunter\u0031\""]"#, r#"["\"xxxxxxxxxxxx\""]"#),
            (r#"["{\"a\":\"hunter2\"}"]"#, r#"["{\"a\":\"xxxxxxx\"}"]"#),
        ] {
            assert_eq!(scrub(text), rest, "{text}");
        }
        // One that goes over the bounds of strings takes what is inside of them.
        let words = Words::new(&[], &[Regex::new(r#""pin":\s*[0-9]+,"[a-z]+""#).unwrap()]);
        let text = r#"{"pin": 1234,"name":"x"}"#;
        assert_eq!(
            String::from_utf8(words.scrub(text)).unwrap(),
            r#"{"xxx": 1111,"xxxx":"x"}"#
        );
    }

    /// A name without end of its value, over and over.
    #[test]
    fn many_names_on_one_line_take_no_longer_than_few() {
        let text = "token:".repeat(200_000);
        let scrubbed = scrub(&text);
        assert!(scrubbed.starts_with("token:xxxx") && scrubbed.ends_with("xxxx"));
    }

    proptest! {
        #[test]
        fn lengths_lines_and_json_stay(
            text in "(\\PC|[{}\\[\\]\":,=\\\\ \n\r]|\"(token|password)\"[:=]|hunter1|\\\\u0068|\\\\ud83d){0,40}",
            value in "[a-z0-9\u{732a}😀\"\\\\]{0,8}",
        ) {
            prop_assert_eq!(scrub(&text).len(), text.len());
            let json = serde_json::json!({"a": [value, {"token": value, "hunter1": 12.5}], "b": text}).to_string();
            let scrubbed = scrub(&json);
            prop_assert_eq!(scrubbed.len(), json.len());
            let read: serde_json::Value = serde_json::from_str(&scrubbed).unwrap();
            prop_assert!(read["a"][1]["token"].as_str().unwrap().bytes().all(|byte| byte == FILL));
        }
    }
}
