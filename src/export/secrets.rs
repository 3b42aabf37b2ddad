//! Where in a text something secret stands: values behind a name that says so, values that look like one, and what expressions find.
//!
//! Texts are read as they are meant: JSON with its escapes resolved, also JSON inside a string of JSON, documents behind a prefix
//! (`42["say",…]`), one a line or one a record; and what is percent-encoded or written with the entities of HTML. What is written in more
//! ways than are looked into is secret as a whole.

use std::borrow::Cow;
use std::ops::Range;

use regex::Regex;

use super::decoded::{JSON, WAYS, Way};
use super::json_text::{Token, scan};
use crate::base::Text;

/// So many ways of writing may lie in one another.
const DEPTH: usize = 5;

/// So much work for each byte is done at most. Usual texts take a few.
const WORK: usize = 12;

/// So much is done in short texts as well.
const LEAST: usize = 64;

/// What may stand before a document of JSON: `42`, `a`, `42/admin,17`.
const PREFIX: usize = 64;

/// Characters of a name that are looked at.
const MAX_NAME: usize = 200;

/// So many places are remembered of a text.
const MAX_FOUND: usize = 1 << 20;

/// Words before a credential (RFC 9110 §11.6.2).
const SCHEMES: &[&str] = &["bearer", "basic", "token", "negotiate", "ntlm", "apikey"];

/// What a member is called that holds the name of another: `{"name":"password","value":…}`.
const LABELS: &[&str] = &["name", "key", "field", "id", "header", "param", "parameter", "k", "n"];

/// What that other member is called.
const VALUES: &[&str] = &["value", "values", "val", "data", "v"];

/// Which names say that a value is secret.
pub(super) trait Names {
    /// The text is that of a person, in which `basic` and `token` are words as others.
    const PROSE: bool;

    /// Whether `name` is such a name, or ends with one.
    fn is_name(&self, name: &str) -> bool;

    /// Whether what follows such a part of a path is secret.
    fn is_segment(&self, name: &str) -> bool {
        self.is_name(name)
    }
}

/// What of `text` is secret: ranges in order, none in another.
pub(super) fn find<N: Names>(names: &N, values: &[Regex], text: &str) -> Vec<Range<usize>> {
    let work = WORK * text.len() + LEAST;
    let mut found = Vec::new();
    // When there are twice as many as were left of the last ones, what lies in one another goes.
    let mut enough = 1024;
    Search { names, values, work }.find(text, 0, &mut |range| {
        if !range.is_empty() {
            found.push(range);
        }
        if found.len() >= enough {
            merge(&mut found, 0);
            // What is between those that are close goes as well, so that there is an end of them.
            let mut gap = 1;
            while found.len() > MAX_FOUND / 2 {
                merge(&mut found, gap);
                gap *= 2;
            }
            enough = enough.max(2 * found.len());
        }
    });
    merge(&mut found, 0);
    found
}

/// Brings ranges in order; of those that overlap, or are less than `gap` apart, one is left.
fn merge(ranges: &mut Vec<Range<usize>>, gap: usize) {
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|range, last| {
        let overlap = range.start < last.end + gap;
        if overlap {
            last.end = last.end.max(range.end);
        }
        overlap
    });
}

struct Search<'n, N> {
    names: &'n N,
    values: &'n [Regex],
    /// Bytes that may still be looked at.
    work: usize,
}

impl<N: Names> Search<'_, N> {
    fn find(&mut self, text: &str, depth: usize, hide: &mut dyn FnMut(Range<usize>)) {
        self.work = self.work.saturating_sub(text.len());
        for value in self.values {
            value.find_iter(text).for_each(|found| hide(found.range()));
        }
        let mut at = 0;
        for document in documents(text) {
            self.find_plain(text, at..document.start, depth, hide);
            self.find_json(text, document.clone(), depth, hide);
            at = document.end;
        }
        self.find_plain(text, at..text.len(), depth, hide);
    }

    fn find_json(&mut self, text: &str, document: Range<usize>, depth: usize, hide: &mut dyn FnMut(Range<usize>)) {
        // The member whose value comes is a secret; or how deep in the value of one we are.
        let mut secret = false;
        let mut inside = 0_usize;
        let mut levels: Vec<Level> = Vec::new();
        let _ = scan(&text[document.clone()], |token, range| {
            let range = document.start + range.start..document.start + range.end;
            let inner = || range.start + 1..range.end - 1;
            match token {
                Token::Open => {
                    if secret || inside > 0 {
                        inside += 1;
                    }
                    levels.push(Level::new(range.start, text[range.clone()].starts_with('[')));
                }
                Token::Close => {
                    inside = inside.saturating_sub(1);
                    if let Some(level) = levels.pop() {
                        if level.labelled {
                            level.values.into_iter().for_each(&mut *hide);
                        }
                        if let Some(outer) = levels.last_mut() {
                            outer.value(level.begin..range.end);
                        }
                    }
                }
                Token::Key => {
                    let key = resolved(&text[inner()]);
                    secret = self.names.is_name(&key);
                    if let Some(level) = levels.last_mut() {
                        level.label = is_one(&key, LABELS);
                        level.holds = is_one(&key, VALUES);
                    }
                    if inside > 0 {
                        hide(inner());
                    } else {
                        self.find_inside(text, inner(), depth, hide);
                    }
                }
                Token::String => {
                    let named = secret || inside > 0;
                    if named {
                        hide(inner());
                    } else {
                        self.find_inside(text, inner(), depth, hide);
                    }
                    if let Some(level) = levels.last_mut() {
                        let is_name = (level.array || level.label) && self.names.is_name(&resolved(&text[inner()]));
                        level.labelled |= level.label && is_name;
                        // `["password","…"]`
                        secret = level.array && is_name && !named;
                        level.value(inner());
                    }
                    return;
                }
                Token::Number => {
                    if secret || inside > 0 {
                        hide(range.clone());
                    }
                    if let Some(level) = levels.last_mut() {
                        level.value(range);
                    }
                }
                Token::Comma | Token::Colon | Token::Literal => {}
            }
            if !matches!(token, Token::Key | Token::Colon | Token::Comma) {
                secret = false;
            }
        });
    }

    /// Looks into a string of JSON.
    fn find_inside(&mut self, text: &str, inner: Range<usize>, depth: usize, hide: &mut dyn FnMut(Range<usize>)) {
        let raw = &text[inner.clone()];
        if raw.contains('\\') {
            return self.find_written(text, inner, &JSON, depth, hide);
        }
        self.find(raw, depth, &mut |range| {
            hide(inner.start + range.start..inner.start + range.end)
        });
    }

    /// Looks into what a part of a text says when it is read in such a way.
    fn find_written(
        &mut self,
        text: &str,
        part: Range<usize>,
        way: &Way,
        depth: usize,
        hide: &mut dyn FnMut(Range<usize>),
    ) {
        let written = &text[part.clone()];
        if depth >= DEPTH || self.work == 0 {
            // Nobody has seen what it says.
            if way.is_in(written) {
                hide(part);
            }
        } else if let Some(decoded) = way.decode(written) {
            self.find(&decoded.text, depth + 1, &mut |range| {
                let place = |at| part.start + way.place(&decoded, written, at);
                hide(place(range.start)..place(range.end));
            });
        }
    }

    fn find_plain(&mut self, text: &str, part: Range<usize>, depth: usize, hide: &mut dyn FnMut(Range<usize>)) {
        let plain = &text[part.clone()];
        if plain.is_empty() {
            return;
        }
        let mut shifted = |range: Range<usize>| hide(part.start + range.start..part.start + range.end);
        search_tokens(plain, &mut shifted);
        search_logins(plain, N::PROSE, &mut shifted);
        search_schemes(plain, N::PROSE, &mut shifted);
        self.search_names(plain, &mut shifted);
        for way in &WAYS {
            self.find_written(text, part.clone(), way, depth, hide);
        }
    }

    /// Values behind names.
    fn search_names(&self, text: &str, hide: &mut dyn FnMut(Range<usize>)) {
        // What is in a value is hidden already.
        let mut done = 0;
        for (at, sign) in signs(text) {
            if at < done {
                continue;
            }
            let before = &text[done..at];
            let value = at + sign.len();
            let range = match sign {
                "/" => self.segment(before, text, value),
                ">" => self.element(before, text, value),
                _ => {
                    let name = Name::before(before);
                    match self.names.is_name(name.name) {
                        true if sign == "," => {
                            let list =
                                name.quoted && text[value..].trim_start().starts_with(['"', '\'', '[', '{', '\\']);
                            list.then(|| value..line_end(text, value))
                        }
                        true if is_port(before, name.name, sign, &text[value..]) => None,
                        true => Some(assigned(text, value, sign, name.quoted, N::PROSE)),
                        false if sign == "," || !is_one(name.name, LABELS) => None,
                        false => self.labelled(text, value, sign),
                    }
                }
            };
            if let Some(range) = range.filter(|range| !range.is_empty()) {
                done = range.end;
                hide(range);
            }
        }
    }

    /// `/token/…`
    fn segment(&self, before: &str, text: &str, from: usize) -> Option<Range<usize>> {
        let name = trailing(before, is_of_name);
        let begins = before.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'));
        let end = from + until(&text[from..], |c| c.is_whitespace() || "/?#;,\"<>".contains(c));
        (begins && self.names.is_segment(name)).then_some(from..end)
    }

    /// `<password>…</password>`
    fn element(&self, before: &str, text: &str, from: usize) -> Option<Range<usize>> {
        let tag = trailing(before, |c| !matches!(c, '<' | '>'));
        before.strip_suffix(tag)?.strip_suffix('<')?;
        let name = &tag[..until(tag, |c| c.is_whitespace() || c == '/')];
        if name.is_empty() || tag.ends_with('/') || !self.names.is_name(name) {
            return None;
        }
        let rest = &text[from..];
        let ends = |(at, _): &(usize, &str)| rest[at + 2..].starts_with(name);
        let end = rest.match_indices("</").find(ends).map_or(rest.len(), |(at, _)| at);
        Some(from..from + end)
    }

    /// `name="password" value="…"`: all that follows.
    fn labelled(&self, text: &str, from: usize, sign: &str) -> Option<Range<usize>> {
        let rest = text[from..].trim_start_matches([' ', '\\']);
        let mark = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let name = &rest[1..];
        let name = &name[..until(name, |c| c == mark || c == '\\' || c == '\n')];
        if name.len() > MAX_NAME || !self.names.is_name(name) {
            return None;
        }
        let begin = text.len() - rest.len() + 1 + name.len();
        let end = match sign {
            "=" => begin + until(&text[begin..], |c| c == '>'),
            _ => line_end(text, begin),
        };
        Some(begin..end)
    }
}

/// A container of JSON that is not at its end.
struct Level {
    begin: usize,
    array: bool,
    /// The member whose value comes holds the name of another, or what is called by it.
    label: bool,
    holds: bool,
    /// A name that stands here is that of a secret.
    labelled: bool,
    values: Vec<Range<usize>>,
}

impl Level {
    fn new(begin: usize, array: bool) -> Self {
        Self {
            begin,
            array,
            label: false,
            holds: false,
            labelled: false,
            values: Vec::new(),
        }
    }

    fn value(&mut self, range: Range<usize>) {
        if self.holds {
            self.values.push(range);
        }
    }
}

/// What stands before a sign.
struct Name<'t> {
    name: &'t str,
    quoted: bool,
}

impl<'t> Name<'t> {
    fn before(text: &'t str) -> Self {
        let rest = text.trim_end();
        let bare = rest.trim_end_matches(['"', '\'', '\\', '`', '*', ']', ')']);
        let quoted = rest[bare.len()..].contains(['"', '\'']);
        Self {
            name: trailing(bare, is_of_name),
            quoted,
        }
    }
}

/// JSON Web Tokens (RFC 7519), whatever they are called: `{"` in Base64, and two more parts.
pub(super) fn is_jwt(value: &str) -> bool {
    value.starts_with("eyJ") && value.split('.').count() >= 3
}

/// JSON Web Tokens.
fn search_tokens(text: &str, hide: &mut dyn FnMut(Range<usize>)) {
    let mut end = 0;
    for (begin, _) in text.match_indices("eyJ") {
        let within = text[..begin].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if begin < end || within {
            continue;
        }
        end = begin + until(&text[begin..], |c| !c.is_ascii_alphanumeric() && !"-_.=".contains(c));
        if is_jwt(&text[begin..end]) {
            hide(begin..end);
        }
    }
}

/// `user:password` before an `@`; behind `//` whatever stands there.
fn search_logins(text: &str, prose: bool, hide: &mut dyn FnMut(Range<usize>)) {
    if !text.contains('@') {
        return;
    }
    let mut begin = 0;
    for part in text.split_inclusive(|c: char| c.is_whitespace() || "/?#&=,;\"'<>\\".contains(c)) {
        if let Some(login) = part.rfind('@').filter(|login| *login > 0)
            && (text[..begin].ends_with("//") || !prose && part[..login].contains(':'))
        {
            hide(begin..begin + login);
        }
        begin += part.len();
    }
}

/// What follows the name of a scheme; none is a parameter of a challenge (`Basic realm="…"`).
fn search_schemes(text: &str, prose: bool, hide: &mut dyn FnMut(Range<usize>)) {
    let mut done = 0;
    for at in memchr::memchr3_iter(b' ', b'\t', b'+', text.as_bytes()) {
        let name = trailing(&text[done.min(at)..at], |c| c.is_ascii_alphanumeric());
        if at < done || !is_one(name, SCHEMES) {
            continue;
        }
        let value = text[at..].trim_start_matches([' ', '\t', '+']);
        let begin = text.len() - value.len();
        let length = until(value, |c| c.is_whitespace() || ",;&#\"'<>\\".contains(c));
        let challenge = value[..length].ends_with('=') && value[length..].starts_with('"');
        let credential = match prose {
            true => length >= 16 || length >= 6 && value[..length].contains(|c: char| c.is_ascii_digit()),
            false => !challenge,
        };
        if credential && length > 0 {
            hide(begin..begin + length);
        }
        if credential || challenge {
            done = begin + length;
        }
    }
}

/// The value behind a name and its sign.
fn assigned(text: &str, from: usize, sign: &str, quoted: bool, prose: bool) -> Range<usize> {
    let rest = text[from..].trim_start_matches(|c: char| c.is_whitespace() || "=>:".contains(c));
    let opened = rest.trim_start_matches('\\');
    let begin = text.len() - opened.len();
    let range = match opened.chars().next() {
        Some(mark @ ('"' | '\'' | '`')) => {
            let escaped = opened.len() < rest.len();
            let length = match escaped {
                true => until(&opened[1..], |c| c == mark),
                false => closing(&opened[1..], mark),
            };
            begin + 1..begin + 1 + length
        }
        Some('{' | '[') => begin..begin + container(opened),
        _ => {
            let begin = text.len() - rest.len();
            let length = match sign {
                "=" => value_length(rest, prose),
                _ if quoted => until(rest, |c| c.is_whitespace() || ",}]".contains(c)),
                // Whatever comes: it may be of several words.
                _ => until(rest, |c| "\r\n".contains(c)),
            };
            return begin..begin + length;
        }
    };
    // In a query, a mark that closes ends nothing.
    let closed = range.end + text[range.end..].starts_with(['"', '\'', '`']) as usize;
    match prose || sign != "=" {
        true => range,
        false => match value_length(&text[closed..], prose) {
            0 => range,
            more => begin..closed + more,
        },
    }
}

/// How long the value behind `=` is; among other words a quotation mark or an angle bracket ends it, too.
fn value_length(rest: &str, prose: bool) -> usize {
    let ends = |(at, c): &(usize, char)| match c {
        '&' | '#' => true,
        '"' | '<' | '>' => prose,
        // Perhaps a part of the value, unless another one follows.
        ';' | ',' => {
            let next = &rest[at + 1..];
            let part = &next[..until(next, |c| c.is_whitespace() || "&#;,".contains(c))];
            next.is_empty() || next.starts_with(char::is_whitespace) || part.contains('=')
        }
        c => c.is_whitespace(),
    };
    rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at)
}

/// How long a container is; to the end of the text when it is not closed.
fn container(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut mark = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (c, mark) {
            _ if escaped => escaped = false,
            ('\\', _) => escaped = true,
            (c, Some(open)) if c == open => mark = None,
            (_, Some(_)) => {}
            ('"', None) => mark = Some(c),
            ('{' | '[', None) => depth += 1,
            ('}' | ']', None) => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// `http://auth:8080/`: a host that is called like a name, and its port.
fn is_port(before: &str, name: &str, sign: &str, text: &str) -> bool {
    let digits = until(text, |c| !c.is_ascii_digit());
    sign == ":"
        && before
            .strip_suffix(name)
            .is_some_and(|rest| rest.ends_with("//") || rest.ends_with('@'))
        && (1..=5).contains(&digits)
        && (digits == text.len() || text[digits..].starts_with(['/', '?', '#', '"', ' ', ',']))
}

const fn is_of_name(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | '[' | ']' | '~' | '$' | '0'..='9' | 'a'..='z' | 'A'..='Z') || !c.is_ascii()
}

/// Whether a word is one of these, in any case.
pub(super) fn is_one(word: &str, known: &[&str]) -> bool {
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The end of what the inside of a string of JSON says, so long as a name may be.
fn resolved(raw: &str) -> Cow<'_, str> {
    match Text::Json(raw).as_plain() {
        Some(plain) => trailing(plain, |_| true).into(),
        None => {
            let name: String = Text::Json(raw).chars().collect();
            trailing(&name, |_| true).to_owned().into()
        }
    }
}

fn line_end(text: &str, from: usize) -> usize {
    from + until(&text[from..], |c| "\r\n".contains(c))
}

fn until(text: &str, ends: impl Fn(char) -> bool) -> usize {
    text.find(ends).unwrap_or(text.len())
}

/// The end of a text that is made of such characters, so long as a name may be.
fn trailing(text: &str, fits: impl Fn(char) -> bool) -> &str {
    let fitting = text.chars().rev().take(MAX_NAME).take_while(|c| fits(*c));
    &text[text.len() - fitting.map(char::len_utf8).sum::<usize>()..]
}

/// Where the string ends that `mark` closes, if it does.
fn closing(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return at,
            _ => {}
        }
    }
    text.len()
}

/// What may stand between a name and its value, or before a name, and where.
fn signs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter_map(move |(at, byte)| match byte {
        b'=' | b':' | b'>' | b',' | b'/' => Some((at, &text[at..=at])),
        // As wide as a letter of Chinese.
        0xef if text[at..].starts_with(['\u{ff1a}', '\u{ff1d}']) => Some((at, &text[at..at + 3])),
        _ => None,
    })
}

/// Whether a name ends with `known`, which is of letters and digits in lower case: what is none does not count in the name, but before it
/// another word has to end (`user_password`, `userPassword`).
pub(super) fn ends_with_name(name: &str, known: &str) -> bool {
    let mut chars = name.chars().rev();
    let mut first = None;
    for letter in known.chars().rev() {
        first = chars.find(|c| c.is_alphanumeric());
        if !first.is_some_and(|c| is_letter(c, letter)) {
            return false;
        }
    }
    let Some(first) = first else { return false };
    chars.next().is_none_or(|before| {
        // Scripts that put no blanks between words change where one ends, if anything does.
        let other = !first.is_ascii() || !before.is_ascii();
        !before.is_alphanumeric() || before.is_lowercase() && first.is_uppercase() || other
    })
}

fn is_letter(c: char, lower: char) -> bool {
    match c.is_ascii() {
        true => c.to_ascii_lowercase() == lower,
        false => c.to_lowercase().eq([lower]),
    }
}

/// The documents of JSON in a text: it may be one, or hold one a line or record, each perhaps behind a prefix.
pub(super) fn documents(text: &str) -> Vec<Range<usize>> {
    if let Some(one) = document(text, 0..text.len()) {
        return vec![one];
    }
    let mut found = Vec::new();
    let mut at = 0;
    for record in text.split_inclusive(['\n', '\u{1e}', '\0']) {
        let content = record.trim_end_matches(['\n', '\u{1e}', '\0']);
        found.extend(document(text, at..at + content.len()));
        at += record.len();
    }
    found
}

fn document(text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let begin = text[part.clone()].find(['{', '[']).filter(|begin| *begin <= PREFIX)?;
    let document = part.start + begin..part.end;
    scan(&text[document.clone()], |_, _| ()).ok()?;
    Some(document)
}
