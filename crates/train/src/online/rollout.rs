//! Answering prompts with the model as it is.

use sanbao_contract::Message;
use sanbao_data::Sequence;
use sanbao_infer::{DEFAULT_TOKEN_BUDGET, FinishReason, Flow, Sampling, generate};
use sanbao_models::Decoder;
use sanbao_text::{ChatOptions, Tokenizer};

use super::rewards::{Earned, Rewarded, Rewards};
use crate::Error;
use crate::losses::Metrics;

/// A question of the data, with the answer that the data has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prompt {
    /// As the model reads it, up to where its answer begins.
    pub ids: Vec<u32>,
    /// As text.
    pub text: String,
    /// The data's answer as text.
    pub reference: String,
}

impl Prompt {
    fn known_answer(&self) -> Option<&str> {
        (!self.reference.is_empty()).then_some(self.reference.as_str())
    }
}

/// Reads questions off rows of the data.
pub struct Questions<'a> {
    tokenizer: &'a Tokenizer,
    /// What the chat template puts before and behind a question, as text.
    frame: (String, String),
}

impl<'a> Questions<'a> {
    /// For rows that were made with this tokenizer.
    ///
    /// # Errors
    /// When the chat template fails on a question.
    pub fn new(tokenizer: &'a Tokenizer) -> Result<Self, Error> {
        const MARK: &str = "QUESTION";
        let turns = [Message::new("user", MARK)];
        let options = ChatOptions { add_generation_prompt: true, ..ChatOptions::default() };
        let ids = tokenizer.encode_chat(&turns, &options)?.ids;
        let text = tokenizer.decode(&ids, true)?;
        let (before, behind) = text.split_once(MARK).unwrap_or_default();
        Ok(Self { tokenizer, frame: (before.to_owned(), behind.to_owned()) })
    }

    /// A row's last turn to learn is the answer, what comes before is the question; without one,
    /// the whole row is.
    ///
    /// # Errors
    /// When the tokens are not those of the tokenizer.
    pub fn read(&self, row: &Sequence) -> Result<Prompt, Error> {
        let learnt = row.trained.iter().rposition(|trained| *trained);
        let end = learnt.map_or(row.ids.len(), |at| at + 1);
        let start = row.trained[..end].iter().rposition(|trained| !trained).map_or(0, |at| at + 1);
        let text = self.tokenizer.decode(&row.ids[..start], true)?;
        let reference = self.tokenizer.decode(&row.ids[start..end], true)?;
        let (before, behind) = &self.frame;
        let text = text.strip_prefix(before.as_str()).unwrap_or(&text);
        let text = text.strip_suffix(behind.as_str()).unwrap_or(text);
        Ok(Prompt {
            ids: row.ids[..start].to_vec(),
            text: text.trim().to_owned(),
            reference: reference.trim().to_owned(),
        })
    }
}

/// An answer with what it earned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rolled {
    /// Question and answer; the answer's tokens are those to learn.
    pub sequence: Sequence,
    /// The answer as text.
    pub text: String,
    /// Whether the model ended it.
    pub ended: bool,
    /// What it earned.
    pub earned: Earned,
}

/// How prompts are answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawing {
    /// Answers for each prompt.
    pub answers: usize,
    /// Longest answer in tokens.
    pub max_completion_length: usize,
    /// 1 samples as the model is; 0 takes the likeliest tokens.
    pub temperature: f64,
    /// Start of the random choices.
    pub seed: u64,
}

/// Answers to prompts, those to the same prompt one after the other. An answer without tokens,
/// where the context is full, is left out together with the others of its prompt.
///
/// # Errors
/// When the model computes what are no numbers, or a reward cannot be given.
pub fn roll(
    model: &Decoder,
    tokenizer: &Tokenizer,
    prompts: &[&Prompt],
    rewards: &Rewards<'_>,
    drawing: Drawing,
) -> Result<Vec<Rolled>, Error> {
    let each = drawing.answers.max(1);
    let asked: Vec<Vec<u32>> =
        prompts.iter().flat_map(|prompt| std::iter::repeat_n(prompt.ids.clone(), each)).collect();
    let sampling = Sampling {
        temperature: drawing.temperature,
        top_p: 1.0,
        top_k: 0,
        max_new_tokens: drawing.max_completion_length.max(1),
        seed: drawing.seed,
        ..Sampling::default()
    };
    let generated =
        generate(model, tokenizer, &asked, &sampling, DEFAULT_TOKEN_BUDGET, &mut |_, _| {
            Flow::Continue
        })?;
    let mut rolled = Vec::with_capacity(asked.len());
    let mut asked_of = Vec::with_capacity(asked.len());
    for (prompt, group) in prompts.iter().zip(generated.chunks(each)) {
        if group.iter().any(|answer| answer.ids.is_empty()) {
            continue;
        }
        for answer in group {
            let trained = [vec![false; prompt.ids.len()], vec![true; answer.ids.len()]].concat();
            let ids = [prompt.ids.as_slice(), answer.ids.as_slice()].concat();
            rolled.push(Rolled {
                sequence: Sequence { ids, trained },
                text: answer.text.clone(),
                ended: answer.finish == FinishReason::Stop,
                earned: Earned::default(),
            });
            asked_of.push(*prompt);
        }
    }
    let answers: Vec<Rewarded<'_>> = rolled
        .iter()
        .zip(&asked_of)
        .map(|(rolled, prompt)| Rewarded {
            prompt: &prompt.text,
            answer: &rolled.text,
            reference: prompt.known_answer(),
            sequence: &rolled.sequence,
        })
        .collect();
    let earned = rewards.give(&answers)?;
    for (rolled, earned) in rolled.iter_mut().zip(earned) {
        rolled.earned = earned;
    }
    Ok(rolled)
}

/// Figures of answers, in TRL's names where it has them: `completions/mean_length`,
/// `completions/clipped_ratio` (the share that reached the longest length), `distinct_2` (different
/// pairs of neighbouring tokens among all: low means that answers repeat themselves or each other).
pub fn figures(rolled: &[Rolled]) -> Metrics {
    let count = rolled.len().max(1) as f64;
    let lengths = rolled.iter().map(|answer| answer.sequence.trained_tokens() as f64);
    let cut = rolled.iter().filter(|answer| !answer.ended).count() as f64;
    let answer_ids = |answer: &Rolled| -> Vec<u32> {
        let tokens = answer.sequence.ids.iter().zip(&answer.sequence.trained);
        tokens.filter(|(_, trained)| **trained).map(|(id, _)| *id).collect()
    };
    let pairs: Vec<[u32; 2]> = rolled
        .iter()
        .flat_map(|answer| {
            let ids = answer_ids(answer);
            ids.windows(2).map(|pair| [pair[0], pair[1]]).collect::<Vec<_>>()
        })
        .collect();
    let different: std::collections::HashSet<&[u32; 2]> = pairs.iter().collect();
    let distinct = different.len() as f64 / pairs.len().max(1) as f64;
    Metrics::from([
        ("completions/mean_length", lengths.sum::<f64>() / count),
        ("completions/clipped_ratio", cut / count),
        ("distinct_2", distinct),
    ])
}
