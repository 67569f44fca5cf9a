//! Which ballots ask the same.

use sanbao_contract::Message;
use sanbao_contract::feedback::Ballot;
use serde_json::Value;

/// What two ballots that ask the same have in common: the conversation, and the texts of the
/// answers in whatever order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Question<'a> {
    prompt: Vec<Turn<'a>>,
    /// Sorted.
    answers: Vec<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Turn<'a> {
    role: &'a str,
    content: Option<&'a str>,
    /// Every other key as JSON; empty without any.
    extra: String,
}

impl<'a> Question<'a> {
    pub(crate) fn of(ballot: &'a Ballot) -> Self {
        let mut answers: Vec<&str> =
            ballot.answers.iter().map(|answer| answer.text.as_str()).collect();
        answers.sort_unstable();
        Self { prompt: ballot.prompt.iter().map(Turn::of).collect(), answers }
    }

    /// The texts of the answers, each once, in an order that no vote has an influence on.
    pub(crate) fn texts(&self) -> Vec<&'a str> {
        let mut texts = self.answers.clone();
        texts.dedup();
        texts
    }
}

impl<'a> Turn<'a> {
    fn of(message: &'a Message) -> Self {
        let extra = match message.extra.is_empty() {
            true => String::new(),
            false => Value::Object(message.extra.clone()).to_string(),
        };
        Self { role: &message.role, content: message.content.as_deref(), extra }
    }
}
