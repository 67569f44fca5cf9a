//! The cards of a reward, checked once and ready to score.

use sanbao_contract::reward::Reward;

use crate::Error;
use crate::cards::{CardKind, Rule, card};
use crate::settings::Settings;

/// The two answers that a question to a judge has, for its first token.
pub const JUDGE_ANSWERS: [&str; 2] = ["Yes", "No"];

/// P(yes) / (P(yes) + P(no)), from the log-probabilities (nats) of the two [`JUDGE_ANSWERS`]: the
/// score of a judged rule, whatever else the model might have said. NaN when neither is possible.
pub fn share_of_yes(log_yes: f64, log_no: f64) -> f64 {
    1.0 / (1.0 + (log_no - log_yes).exp())
}

/// An answer to be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered<'a> {
    /// What was asked.
    pub prompt: &'a str,
    /// What was answered.
    pub answer: &'a str,
    /// The answer that the data has for this prompt; a blank one counts as none.
    pub reference: Option<&'a str>,
}

/// Who answers questions: [`share_of_yes`] for each, in their order.
pub type Judge<'a, E> = dyn FnMut(&[String]) -> Result<Vec<f64>, E> + 'a;

/// What the rules alone say of answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ByRules {
    /// Scores, `[answers][cards]`; `None` where a judge has to be asked.
    pub scores: Vec<Vec<Option<f64>>>,
    /// The question of each such gap, answer by answer and card by card.
    pub questions: Vec<String>,
}

struct Part {
    kind: &'static CardKind,
    rule: Rule,
}

/// A reward's cards, ready to score, and the weights of all its parts.
pub struct Rewarder {
    parts: Vec<Part>,
    weights: Vec<f64>,
}

impl Rewarder {
    /// Checks a reward and gets its cards ready. The reward model itself is the caller's; its
    /// weight is checked and kept here.
    ///
    /// # Errors
    /// No part at all, a weight that is no finite number, all weights 0, an unknown card, and
    /// whatever the settings of a card are refused for.
    pub fn new(reward: &Reward) -> Result<Self, Error> {
        let mut parts = Vec::with_capacity(reward.cards.len());
        let mut weights = Vec::with_capacity(reward.cards.len() + 1);
        for (at, chosen) in reward.cards.iter().enumerate() {
            let kind = card(&chosen.card)?;
            let settings = Settings::resolve(kind, &chosen.settings)?;
            weights
                .push(finite_weight(chosen.weight, || format!("card {} ({})", at + 1, kind.name))?);
            parts.push(Part { kind, rule: (kind.build)(&settings)? });
        }
        if let Some(model) = &reward.model {
            weights.push(finite_weight(model.weight, || "the reward model".to_owned())?);
        }
        if weights.is_empty() {
            return Err(Error::NoParts);
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(Error::NoWeight);
        }
        Ok(Self { parts, weights })
    }

    /// Weights of all parts: the cards in their order, then the reward model when there is one.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Whether a card compares with the data's own answer.
    pub fn needs_reference(&self) -> bool {
        self.parts.iter().any(|part| part.kind.needs_reference)
    }

    /// Whether a model has to answer a card's question.
    pub fn needs_judge(&self) -> bool {
        self.parts.iter().any(|part| part.kind.needs_judge)
    }

    /// Scores of every answer by every card, `[answers][cards]`, each from 0 to 1 and before its
    /// weight. The score of a reward model is for the caller to add at the end.
    ///
    /// `judge` gets all questions in one call, those about one answer beside each other, and gives
    /// [`share_of_yes`] for each. It is asked last, and only when there is a question.
    ///
    /// # Errors
    /// A row without a reference where a card needs one; what the judge fails with; a judge that
    /// gives too few or too many numbers, or one that is no probability.
    pub fn score_all<E: From<Error>>(
        &self,
        answers: &[Answered<'_>],
        judge: &mut Judge<'_, E>,
    ) -> Result<Vec<Vec<f64>>, E> {
        let ByRules { scores, questions } = self.score_by_rules(answers)?;
        let expected = questions.len();
        let judged = if expected == 0 { Vec::new() } else { judge(&questions)? };
        let miscounted = Error::JudgeCount { found: judged.len(), expected };
        if judged.len() != expected {
            return Err(miscounted.into());
        }
        let is_bad = |(_, value): &(usize, &f64)| !(0.0..=1.0).contains(*value);
        if let Some((at, value)) = judged.iter().enumerate().find(is_bad) {
            return Err(Error::JudgeValue { question: at + 1, value: *value }.into());
        }
        let mut judged = judged.into_iter();
        let mut filled = |score: Option<f64>| score.or_else(|| judged.next());
        let whole = |of_answer: Vec<Option<f64>>| of_answer.into_iter().map(&mut filled).collect();
        let scores: Option<Vec<Vec<f64>>> = scores.into_iter().map(whole).collect();
        scores.ok_or_else(|| miscounted.into())
    }

    /// The same without asking a judge.
    ///
    /// # Errors
    /// A row without a reference where a card needs one.
    pub fn score_by_rules(&self, answers: &[Answered<'_>]) -> Result<ByRules, Error> {
        let mut questions = Vec::new();
        let mut scores = Vec::with_capacity(answers.len());
        for (at, answered) in answers.iter().enumerate() {
            let mut of_answer = Vec::with_capacity(self.parts.len());
            for part in &self.parts {
                of_answer.push(match &part.rule {
                    Rule::Answer(score) => Some(score(answered.answer)),
                    Rule::Reference(score) => {
                        let reference = answered.reference.filter(|text| !text.trim().is_empty());
                        let missing = Error::NoReference { card: part.kind.name, row: at + 1 };
                        Some(score(answered.answer, reference.ok_or(missing)?))
                    }
                    Rule::Question(question) => {
                        questions.push(question(answered.prompt, answered.answer));
                        None
                    }
                });
            }
            scores.push(of_answer);
        }
        Ok(ByRules { scores, questions })
    }
}

fn finite_weight(weight: f64, part: impl FnOnce() -> String) -> Result<f64, Error> {
    if weight.is_finite() { Ok(weight) } else { Err(Error::BadWeight { part: part(), weight }) }
}

/// The reward of an answer: the sum of its scores, each times its weight.
///
/// # Errors
/// Not one score for each weight, a score that is no finite number, or a sum beyond f64.
pub fn weighted(scores: &[f64], weights: &[f64]) -> Result<f64, Error> {
    if scores.len() != weights.len() {
        return Err(Error::Parts { found: scores.len(), expected: weights.len() });
    }
    if let Some((at, value)) = scores.iter().enumerate().find(|(_, score)| !score.is_finite()) {
        return Err(Error::NotFinite {
            what: format!("The score of part {}", at + 1),
            value: *value,
        });
    }
    let sum: f64 = scores.iter().zip(weights).map(|(score, weight)| score * weight).sum();
    if sum.is_finite() {
        Ok(sum)
    } else {
        Err(Error::NotFinite { what: "The sum of the scores".to_owned(), value: sum })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use sanbao_contract::reward::{Card, RewardModelPart};
    use serde_json::json;

    use super::*;

    fn chosen(name: &str, weight: f64) -> Card {
        Card { card: name.to_owned(), weight, settings: BTreeMap::new() }
    }

    fn cards(cards: Vec<Card>) -> Result<Rewarder, Error> {
        Rewarder::new(&Reward { cards, model: None })
    }

    fn refused(cards: Result<Rewarder, Error>) -> Error {
        cards.map(|_| ()).unwrap_err()
    }

    fn answered<'a>(answer: &'a str, reference: Option<&'a str>) -> Answered<'a> {
        Answered { prompt: "Ask.", answer, reference }
    }

    fn no_judge(_: &[String]) -> Result<Vec<f64>, Error> {
        panic!("nobody is to be asked")
    }

    #[test]
    fn a_reward_that_says_nothing_is_refused() {
        assert_eq!(refused(Rewarder::new(&Reward::default())), Error::NoParts);
        assert_eq!(
            refused(cards(vec![chosen("json", 0.0), chosen("regex", -0.0)])),
            Error::NoWeight
        );
        assert!(cards(vec![chosen("json", 0.0), chosen("regex", -1.0)]).is_ok());
    }

    #[test]
    fn weights_are_finite_numbers() {
        for weight in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = refused(cards(vec![chosen("regex", 1.0), chosen("json", weight)]));
            assert_eq!(error.code(), "reward.bad_weight");
            assert!(error.to_string().contains("card 2 (json)"), "{error}");
            let model = Some(RewardModelPart { run: "r".to_owned(), weight });
            let error = refused(Rewarder::new(&Reward { cards: Vec::new(), model }));
            assert!(error.to_string().contains("the reward model"), "{error}");
        }
    }

    #[test]
    fn a_reward_model_alone_is_a_reward() {
        let model = Some(RewardModelPart { run: "r".to_owned(), weight: 2.0 });
        let rewarder = Rewarder::new(&Reward { cards: Vec::new(), model }).unwrap();
        assert_eq!(rewarder.weights(), [2.0]);
        let scores = rewarder.score_all(&[answered("", None)], &mut no_judge).unwrap();
        assert_eq!(scores, [Vec::<f64>::new()]);
    }

    #[test]
    fn an_unknown_card_names_those_there_are() {
        let error = refused(cards(vec![chosen("wit", 1.0)]));
        assert_eq!(error.code(), "reward.unknown_card");
        assert!(error.to_string().contains("'wit'") && error.to_string().contains("length"));
    }

    #[test]
    fn a_missing_reference_names_card_and_row() {
        let rewarder = cards(vec![chosen("exact_answer", 1.0)]).unwrap();
        for none in [None, Some(" \n")] {
            let rows = [answered("4", Some("4")), answered("4", none)];
            let error = rewarder.score_all(&rows, &mut no_judge).unwrap_err();
            assert_eq!(error, Error::NoReference { card: "exact_answer", row: 2 });
        }
    }

    #[test]
    fn judged_scores_get_to_their_places() {
        let own = |text: &str| Card {
            settings: BTreeMap::from([
                ("rule".into(), json!("own")),
                ("own_rule".into(), json!(text)),
            ]),
            ..chosen("judge", 1.0)
        };
        let rewarder = cards(vec![own("first"), chosen("regex", 1.0), own("second")]).unwrap();
        let mut judge = |questions: &[String]| -> Result<Vec<f64>, Error> {
            let value = |question: &String| {
                let of_answer = if question.contains("| b1") { 0.5 } else { 0.0 };
                of_answer + if question.contains("second") { 0.25 } else { 0.125 }
            };
            Ok(questions.iter().map(value).collect())
        };
        let rows = [answered("a", None), answered("b1", None)];
        let scores = rewarder.score_all(&rows, &mut judge).unwrap();
        assert_eq!(scores, [[0.125, 0.0, 0.25], [0.625, 1.0, 0.75]]);
        let ByRules { scores: unjudged, questions } = rewarder.score_by_rules(&rows).unwrap();
        assert_eq!(unjudged, [[None, Some(0.0), None], [None, Some(1.0), None]]);
        assert_eq!(questions.len(), 4);
    }

    #[test]
    fn a_judge_that_misbehaves_is_told() {
        let rewarder = cards(vec![chosen("judge", 1.0)]).unwrap();
        let rows = [answered("a", None), answered("b", None)];
        let ask = |judged: Vec<f64>| {
            rewarder.score_all(&rows, &mut |_| Ok::<_, Error>(judged.clone())).unwrap_err()
        };
        assert_eq!(ask(vec![0.5]), Error::JudgeCount { found: 1, expected: 2 });
        assert_eq!(ask(vec![0.5; 3]), Error::JudgeCount { found: 3, expected: 2 });
        assert_eq!(ask(vec![0.5, 1.5]), Error::JudgeValue { question: 2, value: 1.5 });
        assert_eq!(ask(vec![f64::NAN, 0.5]).code(), "reward.judge_value");
        let failed = rewarder.score_all(&rows, &mut |_| Err(Error::NoParts)).unwrap_err();
        assert_eq!(failed, Error::NoParts, "the judge's own error comes through");
    }

    #[test]
    fn a_weighted_sum_is_a_sum() {
        assert_eq!(weighted(&[1.0, 0.5], &[2.0, -1.0]).unwrap(), 1.5);
        assert_eq!(weighted(&[1.0], &[]).unwrap_err(), Error::Parts { found: 1, expected: 0 });
        assert_eq!(weighted(&[f64::NAN], &[0.0]).unwrap_err().code(), "reward.not_finite");
        assert_eq!(weighted(&[1.0, 1.0], &[f64::MAX; 2]).unwrap_err().code(), "reward.not_finite");
    }

    #[test]
    fn yes_and_no_share_what_is_theirs() {
        let (yes, no) = (0.06_f64, 0.02_f64);
        assert!((share_of_yes(yes.ln(), no.ln()) - 0.75).abs() < 1e-12);
        assert_eq!(share_of_yes(-1e9, -2e9), 1.0);
        assert_eq!(share_of_yes(-2e9, -1e9), 0.0);
        assert_eq!(share_of_yes(f64::NEG_INFINITY, -1.0), 0.0);
        assert!(share_of_yes(f64::NEG_INFINITY, f64::NEG_INFINITY).is_nan());
    }
}
