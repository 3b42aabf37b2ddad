//! From requests to their answers, by method.

use std::collections::BTreeMap;

use super::times::Times;
use crate::record::{Action, Answers, Interpretation, ShortText, UnansweredRequest};

/// Methods that are told apart; strangers may make up any number of them.
const MAX_METHODS: usize = 64;

/// What is known of each method.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    methods: BTreeMap<Method, Latency>,
    /// Of all methods that there was no room for.
    others: Latency,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Method {
    pub(super) protocol: &'static str,
    /// What it is called, if it has a name.
    name: Name,
    /// It is a ping.
    pub(super) is_ping: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    None,
    /// What it does.
    Action(&'static str),
    Label(ShortText),
}

/// How it was answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Latency {
    pub(super) times: Times,
    /// Answers that say that something failed.
    pub(super) errors: u64,
    /// Answers to what was answered already.
    pub(super) twice: u64,
    /// Requests without an answer.
    pub(super) never: u64,
}

impl Latencies {
    /// A message answers something.
    pub(super) fn answered(&mut self, read: &Interpretation<'_>, answers: &Answers) {
        let latency = self.of(Method::new(read.protocol, answers.action, answers.label));
        if answers.again {
            latency.twice += 1;
        } else {
            latency.times.add(answers.after);
            latency.errors += u64::from(read.action == Action::Error);
        }
    }

    /// Something was never answered.
    pub(super) fn unanswered(&mut self, request: &UnansweredRequest) {
        self.of(Method::new(request.protocol, request.action, request.label))
            .never += 1;
    }

    fn of(&mut self, method: Method) -> &mut Latency {
        if self.methods.len() >= MAX_METHODS && !self.methods.contains_key(&method) {
            return &mut self.others;
        }
        self.methods.entry(method).or_default()
    }

    /// All of them by protocol and name, and behind them what the others have in common.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Option<&Method>, &Latency)> {
        let others = self.others.is_something().then_some((None, &self.others));
        let methods = self.methods.iter().map(|(method, latency)| (Some(method), latency));
        methods.chain(others)
    }
}

impl Latency {
    fn is_something(&self) -> bool {
        self.times.count + self.twice + self.never > 0
    }
}

impl Method {
    fn new(protocol: &'static str, action: Action, label: ShortText) -> Self {
        Self {
            protocol,
            name: match action {
                _ if !label.as_str().is_empty() => Name::Label(label),
                Action::Ping | Action::Named(_) => Name::Action(action.name()),
                _ => Name::None,
            },
            is_ping: action == Action::Ping,
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.name {
            Name::None => None,
            Name::Action(name) => Some(name),
            Name::Label(label) => Some(label.as_str()),
        }
    }
}
