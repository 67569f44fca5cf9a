//! Cards: rules with settings, one file each, one line in [`CARDS`].

mod contains;
mod does_not_contain;
mod exact_answer;
mod forbidden_words;
mod has_refusal;
mod json;
mod judge;
mod language;
mod length;
mod near_answer;
mod no_refusal;
mod readability;
mod regex;
mod repetition;
mod similarity;

use std::collections::BTreeMap;

use sanbao_contract::reward::CardInfo;
use sanbao_evaluate::Phrase;

use crate::Error;
use crate::settings::{Parameter, Settings};

/// Score of an answer.
pub type Score = Box<dyn Fn(&str) -> f64 + Send + Sync>;
/// Score of an answer beside its reference.
pub type Comparison = Box<dyn Fn(&str, &str) -> f64 + Send + Sync>;
/// Question about a prompt and its answer.
pub type Question = Box<dyn Fn(&str, &str) -> String + Send + Sync>;

/// A card with its settings, ready to score. Scores are from 0 to 1 whatever the texts are, and
/// the same for the same texts.
pub enum Rule {
    /// Score of an answer.
    Answer(Score),
    /// Score of an answer beside a reference that is not blank.
    Reference(Comparison),
    /// Question to a judge about a prompt and its answer; the score is the judge's.
    Question(Question),
}

/// A card of the registry.
pub struct CardKind {
    /// Name, as a reward has it.
    pub name: &'static str,
    /// Name for people.
    pub title: Phrase,
    /// What it rewards, one sentence.
    pub help: Phrase,
    /// Its settings.
    pub parameters: &'static [Parameter],
    /// Whether it compares with the data's own answer.
    pub needs_reference: bool,
    /// Whether a model answers its question.
    pub needs_judge: bool,
    /// The rule that checked settings make.
    ///
    /// # Errors
    /// A setting that is of the right type and still cannot be used.
    pub build: fn(&Settings) -> Result<Rule, Error>,
}

/// Every card, in the order in which they are shown.
pub static CARDS: &[&CardKind] = &[
    &contains::CONTAINS,
    &does_not_contain::DOES_NOT_CONTAIN,
    &forbidden_words::FORBIDDEN_WORDS,
    &regex::REGEX,
    &exact_answer::EXACT_ANSWER,
    &near_answer::NEAR_ANSWER,
    &similarity::SIMILARITY,
    &json::JSON,
    &length::LENGTH,
    &language::LANGUAGE,
    &readability::READABILITY,
    &repetition::REPETITION,
    &no_refusal::NO_REFUSAL,
    &has_refusal::HAS_REFUSAL,
    &judge::JUDGE,
];

/// The card of a name.
///
/// # Errors
/// When there is none of that name.
pub fn card(name: &str) -> Result<&'static CardKind, Error> {
    CARDS.iter().find(|card| card.name == name).copied().ok_or_else(|| {
        let known: Vec<&str> = CARDS.iter().map(|card| card.name).collect();
        Error::UnknownCard { found: name.to_owned(), known: known.join(", ") }
    })
}

/// Every card as a form shows it, in order.
pub fn infos() -> Vec<CardInfo> {
    let info = |card: &&CardKind| CardInfo {
        name: card.name.to_owned(),
        title: by_language(card.title),
        help: by_language(card.help),
        parameters: card.parameters.iter().map(Parameter::info).collect(),
        defaults: card
            .parameters
            .iter()
            .map(|parameter| (parameter.name.to_owned(), parameter.default_value()))
            .collect(),
        needs_reference: card.needs_reference,
        needs_judge: card.needs_judge,
    };
    CARDS.iter().map(info).collect()
}

/// A text by language.
pub(crate) fn by_language(phrase: Phrase) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("en".to_owned(), phrase.en.to_owned()),
        ("zh".to_owned(), phrase.zh.to_owned()),
    ])
}

#[cfg(test)]
pub(crate) mod testing {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;

    /// The rule of a card with these settings, an object.
    pub(crate) fn rule(name: &str, settings: Value) -> Result<Rule, Error> {
        let kind = card(name)?;
        let given = settings.as_object().unwrap().clone().into_iter().collect();
        (kind.build)(&Settings::resolve(kind, &given)?)
    }

    /// What a card gives an answer.
    pub(crate) fn score(name: &str, settings: Value, answer: &str) -> f64 {
        match rule(name, settings).unwrap() {
            Rule::Answer(score) => score(answer),
            _ => panic!("{name} looks at more than the answer"),
        }
    }

    /// What a card gives an answer beside a reference.
    pub(crate) fn score_beside(name: &str, settings: Value, answer: &str, reference: &str) -> f64 {
        match rule(name, settings).unwrap() {
            Rule::Reference(score) => score(answer, reference),
            _ => panic!("{name} does not compare"),
        }
    }

    /// Why settings are refused.
    pub(crate) fn refused(name: &str, settings: Value) -> String {
        let error = rule(name, settings).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "reward.bad_setting");
        error.to_string()
    }
}
