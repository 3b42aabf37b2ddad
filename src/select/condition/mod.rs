//! `--where`: a condition on a message and the JSON in it, such as `.type=="say" and .params[0].price > 100`.

mod decimal;
mod eval;
mod parse;

use regex::Regex;

pub use parse::Misread;

/// A condition. What it is about is looked up in the message as it was sent; nothing of it is built.
#[derive(Debug, Clone)]
pub struct Condition(Node);

#[derive(Debug, Clone)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Exists(Subject),
    Compare(Subject, Operator, Literal),
    Fits(Subject, Regex),
}

/// What is compared.
#[derive(Debug, Clone)]
enum Subject {
    /// A value in the JSON of the message.
    Path(Vec<Step>),
    /// The kind of the message, as the views name it.
    Opcode,
    /// Application bytes.
    Length,
    /// `client-to-server` or `server-to-client`.
    Direction,
}

/// A step from a JSON value to one in it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
enum Literal {
    Text(String),
    /// As it was typed: it is compared as the decimal that it is, however long.
    Number(String),
    /// `true`, `false` or `null`.
    Word(&'static str),
}
