//! Reads conditions.

use std::fmt;

use regex::Regex;

use super::{Condition, Literal, Node, Operator, Step, Subject};
use crate::base::Text;

/// How deep parentheses and `not` may be nested.
const MAX_DEPTH: usize = 100;

/// Where a condition stops being one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The character there, counted from 1.
    pub column: usize,
    /// What would be right.
    pub expected: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: expected {}", self.column, self.expected)
    }
}

impl std::error::Error for Misread {}

impl Condition {
    /// Reads a condition: comparisons of fields (`.name`, `.list[0]`, `."any name"`, `opcode`, `length`, `direction`) with
    /// strings, numbers, `true`, `false` or `null` (`== != < <= > >=`), with regular expressions (`~`), and `exists`; joined by
    /// `and`, `or`, `not` and parentheses.
    ///
    /// # Errors
    ///
    /// It is none; the error says where.
    pub fn parse(text: &str) -> Result<Self, Misread> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let node = parser.any()?;
        parser.blanks();
        if parser.at < text.len() {
            return Err(parser.expected("`and`, `or` or the end"));
        }
        Ok(Self(node))
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Node, Misread> {
        let mut nodes = vec![self.all()?];
        while self.word("or") {
            nodes.push(self.all()?);
        }
        Ok(one_or(nodes, Node::Any))
    }

    fn all(&mut self) -> Result<Node, Misread> {
        let mut nodes = vec![self.one()?];
        while self.word("and") {
            nodes.push(self.one()?);
        }
        Ok(one_or(nodes, Node::All))
    }

    fn one(&mut self) -> Result<Node, Misread> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.expected(&format!("no more than {MAX_DEPTH} levels")));
        }
        let node = if self.word("not") {
            Node::Not(Box::new(self.one()?))
        } else if self.eat("(") {
            let inner = self.any()?;
            if !self.eat(")") {
                return Err(self.expected("`)`"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn comparison(&mut self) -> Result<Node, Misread> {
        let subject = self.subject()?;
        if self.word("exists") {
            return Ok(Node::Exists(subject));
        }
        if self.eat("~") {
            return self.pattern().map(|pattern| Node::Fits(subject, pattern));
        }
        // The longer ones first.
        let operators = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let Some((_, operator)) = operators.into_iter().find(|(sign, _)| self.eat(sign)) else {
            return Err(self.expected("`==`, `!=`, `<`, `<=`, `>`, `>=`, `~` or `exists`"));
        };
        let literal = self.literal()?;
        Ok(Node::Compare(subject, operator, literal))
    }

    fn subject(&mut self) -> Result<Subject, Misread> {
        for (name, subject) in [
            ("opcode", Subject::Opcode),
            ("length", Subject::Length),
            ("direction", Subject::Direction),
        ] {
            if self.word(name) {
                return Ok(subject);
            }
        }
        self.blanks();
        if !self.rest().starts_with('.') {
            return Err(self.expected("a field such as `.type`, `opcode`, `length` or `direction`, `not` or `(`"));
        }
        let mut steps = Vec::new();
        loop {
            if self.rest().starts_with("[") || steps.is_empty() && self.rest().starts_with(".[") {
                self.at += self.rest().find('[').unwrap_or(0) + 1;
                steps.push(self.bracket()?);
            } else if self.rest().starts_with('.') {
                self.at += 1;
                match self.member()? {
                    Some(step) => steps.push(step),
                    // `.` alone is the whole document.
                    None if steps.is_empty() => return Ok(Subject::Path(steps)),
                    None => return Err(self.expected("a name")),
                }
            } else {
                return Ok(Subject::Path(steps));
            }
        }
    }

    /// Behind a point.
    fn member(&mut self) -> Result<Option<Step>, Misread> {
        if self.rest().starts_with('"') {
            return self.string().map(|name| Some(Step::Member(name)));
        }
        let rest = self.rest();
        let length = rest
            .find(|ch: char| !(ch.is_alphanumeric() || matches!(ch, '_' | '-' | '$' | '@')))
            .unwrap_or(rest.len());
        self.at += length;
        Ok((length > 0).then(|| Step::Member(rest[..length].to_owned())))
    }

    /// Behind an opening bracket.
    fn bracket(&mut self) -> Result<Step, Misread> {
        self.blanks();
        let step = if self.rest().starts_with('"') {
            Step::Member(self.string()?)
        } else {
            let rest = self.rest();
            let length = rest.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(rest.len());
            match rest[..length].parse() {
                Ok(index) => {
                    self.at += length;
                    Step::Item(index)
                }
                Err(_) => return Err(self.expected("the number of an item, from 0, or a name in quotation marks")),
            }
        };
        if !self.eat("]") {
            return Err(self.expected("`]`"));
        }
        Ok(step)
    }

    fn literal(&mut self) -> Result<Literal, Misread> {
        self.blanks();
        for word in ["true", "false", "null"] {
            if self.word(word) {
                return Ok(Literal::Word(word));
            }
        }
        if self.rest().starts_with('"') {
            return self.string().map(Literal::Text);
        }
        let rest = self.rest();
        let length = rest
            .find(|ch: char| !matches!(ch, '0'..='9' | '.' | '-' | '+' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let number = &rest[..length];
        if super::decimal::compare(number, "0").is_none() {
            return Err(self.expected("a string in quotation marks, a number, `true`, `false` or `null`"));
        }
        self.at += length;
        Ok(Literal::Number(number.to_owned()))
    }

    fn pattern(&mut self) -> Result<Regex, Misread> {
        self.blanks();
        if !self.rest().starts_with('"') {
            return Err(self.expected("a regular expression in quotation marks"));
        }
        let begin = self.at;
        // Backslashes are the expression's own, but before a quotation mark.
        let raw = self.quoted()?;
        Regex::new(&raw.replace("\\\"", "\"")).map_err(|error| {
            let reason = crate::select::reason(&error);
            self.at = begin;
            self.expected(&format!("a regular expression ({reason})"))
        })
    }

    /// At a quotation mark: what the string says, its escapes (RFC 8259 §7) resolved.
    fn string(&mut self) -> Result<String, Misread> {
        Ok(Text::Json(self.quoted()?).chars().collect())
    }

    /// At a quotation mark: what stands up to the next one that no backslash precedes.
    fn quoted(&mut self) -> Result<&'a str, Misread> {
        let inside = &self.rest()[1..];
        let mut escaped = false;
        let end = inside.find(|ch| {
            let ends = ch == '"' && !escaped;
            escaped = ch == '\\' && !escaped;
            ends
        });
        match end {
            Some(end) => {
                self.at += end + 2;
                Ok(&inside[..end])
            }
            None => {
                self.at = self.text.len();
                Err(self.expected("`\"`"))
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, sign: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        let ends = |rest: &str| !rest.starts_with(|ch: char| ch.is_alphanumeric() || ch == '_');
        let found = self.rest().strip_prefix(word).is_some_and(ends);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn expected(&mut self, what: &str) -> Misread {
        self.blanks();
        Misread {
            column: self.text[..self.at].chars().count() + 1,
            expected: what.to_owned(),
        }
    }
}

fn one_or(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_error_names_the_place() {
        for (text, column, part) in [
            ("", 1, "field"),
            (".type", 6, "`==`"),
            (".type==", 8, "string"),
            (".type=\"say\"", 6, "`==`"),
            (".type==\"say", 12, "`\"`"),
            (".a==1 and", 10, "field"),
            ("(.a==1", 7, "`)`"),
            (".a==1 .b==2", 7, "`and`"),
            (".a[x]==1", 4, "item"),
            (".a[0==1", 5, "`]`"),
            (".a ~ \"(\"", 6, "regular expression"),
            (".猪==1 &", 7, "`and`"),
            ("size > 3", 1, "`opcode`"),
            (".a == 1.2.3", 7, "number"),
        ] {
            let error = Condition::parse(text).unwrap_err();
            assert!(
                error.column == column && error.expected.contains(part),
                "{text}: {error}"
            );
        }
        assert!(Condition::parse(&"not ".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[.a-c0-9\\[\\]\"\\\\=!<>~() not]{0,40}|.*") {
            let _ = Condition::parse(&text);
        }
    }
}
