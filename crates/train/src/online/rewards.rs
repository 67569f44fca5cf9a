//! What answers earn: rules, a reward model, a judge.

use sanbao_contract::reward::Reward;
use sanbao_data::Sequence;
use sanbao_infer::label_log_probabilities;
use sanbao_models::Decoder;
use sanbao_reward::{Answered, JUDGE_ANSWERS, Rewarder, share_of_yes, weighted};
use sanbao_text::{ChatOptions, Tokenizer};

use crate::Error;
use crate::reward_model;

/// Tokens that a reward model reads at once.
const PORTION: usize = 1024;

/// An answer that is to be rewarded.
pub struct Rewarded<'a> {
    /// The question, as text.
    pub prompt: &'a str,
    /// The answer, as text.
    pub answer: &'a str,
    /// The answer that the data has, where it has one.
    pub reference: Option<&'a str>,
    /// Question and answer as the model reads them.
    pub sequence: &'a Sequence,
}

/// What an answer earned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earned {
    /// The sum.
    pub reward: f64,
    /// Score of each part before its weight: the cards in their order, then the reward model.
    pub parts: Vec<f64>,
}

/// A reward, ready to be given.
pub struct Rewards<'a> {
    rewarder: Rewarder,
    names: Vec<String>,
    tokenizer: &'a Tokenizer,
    /// The reward model: the base model's weights with adapters and a score head of its own.
    model: Option<Decoder>,
    /// Who answers the questions of cards: the base model.
    judge: Option<Decoder>,
}

impl<'a> Rewards<'a> {
    /// Gets a reward ready. `base` is the base model without adapters, whose weights are shared;
    /// `model` is the reward model when the reward has one.
    ///
    /// # Errors
    /// When a card's settings are refused, or the reward model is missing.
    pub fn new(
        reward: &Reward,
        tokenizer: &'a Tokenizer,
        base: &Decoder,
        model: Option<Decoder>,
    ) -> Result<Self, Error> {
        let rewarder = Rewarder::new(reward)?;
        if reward.model.is_some() && model.as_ref().is_none_or(|model| model.score.is_none()) {
            return Err(Error::NoRewardModel);
        }
        let mut names: Vec<String> = reward.cards.iter().map(|card| card.card.clone()).collect();
        names.extend(model.is_some().then(|| "reward_model".to_owned()));
        let judge = rewarder.needs_judge().then(|| base.clone());
        Ok(Self { rewarder, names, tokenizer, model, judge })
    }

    /// Names of the parts.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a card compares with the data's own answer.
    pub fn needs_reference(&self) -> bool {
        self.rewarder.needs_reference()
    }

    /// What each answer earns.
    ///
    /// # Errors
    /// When a card needs an answer of the data where there is none, a model fails, or a reward is
    /// no finite number.
    pub fn give(&self, answers: &[Rewarded<'_>]) -> Result<Vec<Earned>, Error> {
        let answered: Vec<Answered<'_>> = answers
            .iter()
            .map(|of| Answered { prompt: of.prompt, answer: of.answer, reference: of.reference })
            .collect();
        let mut parts = self
            .rewarder
            .score_all(&answered, &mut |questions: &[String]| self.judge(questions))?;
        if let Some(model) = &self.model {
            let sequences: Vec<Sequence> =
                answers.iter().map(|answer| answer.sequence.clone()).collect();
            let scores = reward_model::scores(model, &sequences, PORTION)?;
            for (parts, score) in parts.iter_mut().zip(scores) {
                parts.push(score);
            }
        }
        let sum = |parts: Vec<f64>| {
            let reward = weighted(&parts, self.rewarder.weights())?;
            Ok(Earned { reward, parts })
        };
        parts.into_iter().map(sum).collect()
    }

    /// How likely the judge answers each question with yes rather than no.
    fn judge(&self, questions: &[String]) -> Result<Vec<f64>, Error> {
        let Some(model) = &self.judge else { return Ok(Vec::new()) };
        let options = ChatOptions { add_generation_prompt: true, ..ChatOptions::default() };
        let mut prompts = Vec::with_capacity(questions.len());
        for question in questions {
            let turns = [sanbao_contract::Message::new("user", question.clone())];
            prompts.push(self.tokenizer.encode_chat(&turns, &options)?.ids);
        }
        let mut labels = Vec::new();
        for answer in JUDGE_ANSWERS {
            labels.push(self.tokenizer.encode(answer, false)?);
        }
        let found = label_log_probabilities(model, &prompts, &labels)?;
        Ok(found.iter().map(|row| share_of_yes(row[0], row[1])).collect())
    }
}
