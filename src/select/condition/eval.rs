//! Whether a message fits a condition.

use std::cell::OnceCell;
use std::cmp::Ordering;

use serde_json::value::RawValue;

use super::{Condition, Literal, Node, Operator, Step, Subject, decimal};
use crate::base::Text;
use crate::dissect::json::{Value, items, members};
use crate::record::Message;

impl Condition {
    /// Whether `message` fits. Where it holds several documents, one that fits is enough.
    pub fn holds(&self, message: &Message<'_>) -> bool {
        let text = message.text.unwrap_or_default();
        let mut documents = message.meaning.iter().filter_map(|read| read.document).peekable();
        if documents.peek().is_none() {
            return self.0.holds(message, &Document::new(text));
        }
        documents.any(|(offset, length)| {
            let document = text.get(offset..offset + length).unwrap_or_default();
            self.0.holds(message, &Document::new(document))
        })
    }
}

/// JSON text, or what may be some.
struct Document<'a> {
    text: &'a str,
    is_json: OnceCell<bool>,
}

impl<'a> Document<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            is_json: OnceCell::new(),
        }
    }

    /// Half a document holds no values. Looked at only when a value in it would fit: looking for values reads no further than these.
    fn is_json(&self) -> bool {
        *self
            .is_json
            .get_or_init(|| serde_json::from_str::<&RawValue>(self.text).is_ok())
    }

    fn find(&self, path: &[Step]) -> Option<Value<'a>> {
        let text = self.text.trim_ascii();
        let mut value = match text.as_bytes().first()? {
            b'{' => Value::Object(text),
            b'[' => Value::Array(text),
            _ => return None,
        };
        for step in path {
            value = match (step, value) {
                // Of several of one name the last counts, as to most readers of JSON.
                (Step::Member(name), Value::Object(object)) => {
                    members(object).filter(|(key, _)| key.is(name)).last()?.1
                }
                (Step::Item(index), Value::Array(array)) => items(array).nth(*index)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

impl Node {
    fn holds(&self, message: &Message<'_>, document: &Document<'_>) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.holds(message, document)),
            Node::Any(nodes) => nodes.iter().any(|node| node.holds(message, document)),
            Node::Not(node) => !node.holds(message, document),
            Node::Exists(subject) => of(subject, message, document, |_| true),
            Node::Compare(subject, operator, literal) => {
                of(subject, message, document, |value| compares(value, *operator, literal))
            }
            Node::Fits(subject, pattern) => of(subject, message, document, |value| match value {
                Value::String(text) => match text.as_plain() {
                    Some(plain) => pattern.is_match(plain),
                    None => pattern.is_match(&text.chars().collect::<String>()),
                },
                _ => false,
            }),
        }
    }
}

/// Whether there is such a value, and it fits.
fn of(subject: &Subject, message: &Message<'_>, document: &Document<'_>, fits: impl Fn(Value<'_>) -> bool) -> bool {
    match subject {
        Subject::Path(path) => document.find(path).is_some_and(&fits) && document.is_json(),
        Subject::Opcode => fits(Value::String(Text::Plain(message.opcode.name()))),
        Subject::Length => fits(Value::Number(&message.payload.length().to_string())),
        Subject::Direction => fits(Value::String(Text::Plain(message.direction.name()))),
    }
}

/// What is of another type compares in no way, not even as unequal.
fn compares(value: Value<'_>, operator: Operator, literal: &Literal) -> bool {
    let order = match (value, literal) {
        (Value::String(text), Literal::Text(wanted)) => Some(text.chars().cmp(wanted.chars())),
        (Value::Number(number), Literal::Number(wanted)) => decimal::compare(number, wanted),
        (Value::Literal(word), Literal::Word(wanted)) => {
            // Words have no order, and only true and false are of one type.
            let one_type = (word == "null") == (*wanted == "null");
            let same = word == *wanted;
            return one_type
                && match operator {
                    Operator::Equal => same,
                    Operator::NotEqual => !same,
                    _ => false,
                };
        }
        _ => None,
    };
    order.is_some_and(|order| match operator {
        Operator::Equal => order == Ordering::Equal,
        Operator::NotEqual => order != Ordering::Equal,
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        Operator::GreaterOrEqual => order != Ordering::Less,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Interpretation, Opcode};
    use crate::select::testing::text;

    fn holds(condition: &str, json: &str) -> bool {
        Condition::parse(condition).unwrap().holds(&text(json))
    }

    #[test]
    fn fields_are_compared_with_values_of_their_type() {
        let say =
            r#" {"type":"say","to_uid":"\u0061ll","params":[{"price":100.5},7],"error":null,"ok":true,"a b":{"c":1}} "#;
        for condition in [
            r#".type=="say" and .to_uid=="all""#,
            ".params[0].price > 100",
            ".params[0].price == 1.005e2",
            ".params[1] <= 7 and not .params[2] exists",
            ".error exists",
            ".error == null",
            ".ok == true and .ok != false",
            r#".type ~ "^s.y$" and opcode == "text""#,
            r#"."a b".c == 1 and .["a b"]["c"] == 1"#,
            "length > 10 and length != 1000",
            r#"(.type == "login" or .type == "say") and not (.ok == false)"#,
            r#".type < "sayz" and .type >= "say""#,
            r#"direction == "client-to-server""#,
        ] {
            assert!(holds(condition, say), "{condition}");
        }
        for condition in [
            r#".absent != "x""#,
            r#".ok != "x""#,
            ".type == 1",
            ".type != 1",
            ".error != 1",
            ".ok != null",
            ".params == 1",
            ".params.price > 1",
            ".type[0] exists",
            r#".ok ~ "true""#,
            ".ok < true",
        ] {
            assert!(!holds(condition, say), "{condition}");
        }
    }

    #[test]
    fn of_repeated_names_the_last_counts() {
        assert!(holds(".a == 2", r#"{"a":1,"\u0061":2}"#) && !holds(".a == 1", r#"{"a":1,"a":2}"#));
    }

    #[test]
    fn what_is_not_json_has_no_fields() {
        for text in [r#"{"a":1"#, r#"{"a":1} x"#, "", "a", r#"42["a"]"#, "1", r#""a""#] {
            assert!(
                !holds(".a == 1", text) && !holds(". exists", text) && holds("not .a exists", text),
                "{text}"
            );
        }
        assert!(holds(".[1] == 2", "[1,2]") && holds(". exists", "[]"));
    }

    #[test]
    fn one_document_of_several_is_enough_and_they_are_not_mixed() {
        let read = |offset, length| Interpretation {
            document: Some((offset, length)),
            ..Interpretation::new("JSON", crate::record::Action::Other)
        };
        let meaning = [read(0, 7), read(8, 7)];
        let message = Message {
            meaning: &meaning,
            ..text("{\"a\":1}\n{\"b\":2}")
        };
        let holds = |condition: &str| Condition::parse(condition).unwrap().holds(&message);
        assert!(holds(".a == 1") && holds(".b == 2") && !holds(".a == 1 and .b == 2"));
        assert_eq!(message.opcode, Opcode::Text);
    }
}
