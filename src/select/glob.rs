//! Patterns with `*` and `?`, as shells have them, but that `*` crosses `/`.

use regex::{Regex, RegexBuilder};

/// A pattern for a whole name.
#[derive(Debug, Clone)]
pub struct Glob {
    pattern: String,
    regex: Regex,
}

impl Glob {
    /// `*` stands for any characters, `?` for one; everything else for itself. None: it is too long.
    pub fn new(pattern: &str) -> Option<Self> {
        Self::build(pattern, false)
    }

    /// The same, where letters of both cases are one (names of hosts, RFC 4343).
    pub fn ignoring_case(pattern: &str) -> Option<Self> {
        Self::build(pattern, true)
    }

    fn build(pattern: &str, ignore_case: bool) -> Option<Self> {
        let mut regex = String::from("^");
        let mut letter = [0; 4];
        for ch in pattern.chars() {
            match ch {
                '*' => regex.push_str(".*"),
                '?' => regex.push('.'),
                ch => regex.push_str(&regex::escape(ch.encode_utf8(&mut letter))),
            }
        }
        regex.push('$');
        let regex = RegexBuilder::new(&regex)
            .case_insensitive(ignore_case)
            .dot_matches_new_line(true)
            .build();
        Some(Self {
            pattern: pattern.to_owned(),
            regex: regex.ok()?,
        })
    }

    /// Whether all of `name` fits.
    pub fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }

    /// As it was typed.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_cross_slashes_and_the_rest_stands_for_itself() {
        let fits = |pattern: &str, name: &str| Glob::new(pattern).unwrap().matches(name);
        assert!(fits("/api/*", "/api/v1/ws") && fits("*", "") && fits("/a?c", "/abc"));
        assert!(!fits("/api", "/api/v1") && !fits("/a?c", "/ac") && !fits("/a.c", "/abc") && !fits("/A", "/a"));
        assert!(fits("(*[x]+", "(anything[x]+"));
        assert!(Glob::ignoring_case("*.Example.com").unwrap().matches("WS.example.COM"));
    }
}
