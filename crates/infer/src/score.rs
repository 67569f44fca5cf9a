//! How likely a model finds labels and texts.

use std::collections::{BTreeMap, BTreeSet};

use sanbao_models::ops::Layout;
use sanbao_models::{Decoder, Targets};

use crate::cache::{Cache, SequenceId, check_tokens};
use crate::error::Error;
use crate::logits::log_probabilities;
use crate::prefill::{Beginning, PASS_TOKENS};

/// Natural logarithm of each label's probability as the continuation of each prompt:
/// `[prompts][labels]`, the sum over the label's tokens.
///
/// A label should include the token that ends a turn, or a label that begins another one wins
/// by being shorter. Prompts are read once, in packed passes, and what they all begin with only
/// once; all labels of all prompts of a pass are then read in one further pass, without their
/// last tokens, which are only predicted. A label of one token needs no further pass.
///
/// # Errors
/// When there is no label, a prompt or label is empty or holds unknown tokens, or both
/// together exceed the model's context; indices count prompts, then labels.
pub fn label_log_probabilities(
    model: &Decoder,
    prompts: &[Vec<u32>],
    labels: &[Vec<u32>],
) -> Result<Vec<Vec<f64>>, Error> {
    let longest = labels.iter().map(Vec::len).max().ok_or(Error::NoLabels)?;
    let limit = model.spec.max_position_embeddings;
    for (index, ids) in prompts.iter().chain(labels).enumerate() {
        if ids.is_empty() {
            return Err(Error::Empty { index });
        }
        check_tokens(model, index, ids)?;
        // The last token of a label is predicted, not read.
        let tokens = ids.len() + longest - 1;
        if index < prompts.len() && tokens > limit {
            return Err(Error::TooLong { index, tokens, limit });
        }
    }
    let stems = Stems::new(labels);
    let mut cache = Cache::new(model);
    let all: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let beginning = Beginning::read(&mut cache, &all)?;
    let mut scores = Vec::with_capacity(prompts.len());
    let mut rest = all.as_slice();
    while !rest.is_empty() {
        let mut tokens = 0;
        let fits = |prompt: &&&[u32]| {
            tokens += prompt.len() + stems.tokens;
            tokens <= PASS_TOKENS
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (batch, later) = rest.split_at(count);
        scores.extend(score_batch(&mut cache, &beginning, batch, labels, &stems)?);
        rest = later;
    }
    Ok(scores)
}

/// What of the labels must be read: each label without its last token, and no stem that
/// another one begins with.
struct Stems<'a> {
    list: Vec<&'a [u32]>,
    tokens: usize,
}

impl<'a> Stems<'a> {
    fn new(labels: &'a [Vec<u32>]) -> Self {
        let distinct: BTreeSet<&[u32]> =
            labels.iter().map(|label| &label[..label.len().saturating_sub(1)]).collect();
        // In this order a stem stands right before those that begin with it.
        let sorted: Vec<&[u32]> = distinct.into_iter().collect();
        let covered = |at: usize| {
            sorted[at].is_empty()
                || sorted.get(at + 1).is_some_and(|next| next.starts_with(sorted[at]))
        };
        let list: Vec<&[u32]> =
            (0..sorted.len()).filter(|at| !covered(*at)).map(|at| sorted[at]).collect();
        let tokens = list.iter().map(|stem| stem.len()).sum();
        Self { list, tokens }
    }

    /// Row of the hidden state that follows `stem` (not empty), among those of one prompt.
    fn row(&self, stem: &[u32]) -> usize {
        let mut row = 0;
        for whole in &self.list {
            if whole.starts_with(stem) {
                return row + stem.len() - 1;
            }
            row += whole.len();
        }
        row
    }
}

fn score_batch(
    cache: &mut Cache,
    beginning: &Beginning,
    prompts: &[&[u32]],
    labels: &[Vec<u32>],
    stems: &Stems,
) -> Result<Vec<Vec<f64>>, Error> {
    let model = cache.model();
    let read = beginning.prefill(cache, prompts)?;

    // What each row of hidden states is to predict.
    let firsts: Vec<u32> = labels.iter().map(|label| label[0]).collect();
    let wanted = vec![firsts; read.hidden.dims()[0]];
    let first = log_probabilities(model, &read.hidden, &wanted)?;
    let mut scores: Vec<Vec<f64>> = read.rows.iter().map(|row| first[*row].clone()).collect();

    if stems.tokens > 0 {
        let feeds: Vec<(SequenceId, Vec<&[u32]>)> =
            read.sequences.iter().map(|sequence| (*sequence, stems.list.clone())).collect();
        let hidden = cache.peek(&feeds)?;
        let mut targets: BTreeMap<usize, Vec<(usize, u32)>> = BTreeMap::new();
        for (label, ids) in labels.iter().enumerate() {
            for length in 1..ids.len() {
                let row = stems.row(&ids[..length]);
                targets.entry(row).or_default().push((label, ids[length]));
            }
        }
        let wanted: Vec<Vec<u32>> = (0..prompts.len() * stems.tokens)
            .map(|row| {
                let targets = targets.get(&(row % stems.tokens));
                targets.into_iter().flatten().map(|(_, token)| *token).collect()
            })
            .collect();
        let found = log_probabilities(model, &hidden, &wanted)?;
        for (row, values) in found.iter().enumerate() {
            let targets = targets.get(&(row % stems.tokens)).into_iter().flatten();
            for ((label, _), value) in targets.zip(values) {
                scores[row / stems.tokens][*label] += value;
            }
        }
    }
    let longest = stems.list.iter().map(|stem| stem.len()).max().unwrap_or(0);
    for ((prompt, sequence), scores) in prompts.iter().zip(&read.sequences).zip(&mut scores) {
        cache.remove(*sequence);
        if cache.changes_beginning(prompt.len(), prompt.len() + longest) {
            for (label, score) in labels.iter().zip(scores) {
                *score = score_alone(cache, prompt, label)?;
            }
        }
    }
    Ok(scores)
}

/// The same for one prompt and label in one pass, where the prompt's keys are of no use.
fn score_alone(cache: &mut Cache, prompt: &[u32], label: &[u32]) -> Result<f64, Error> {
    let sequence = cache.begin();
    let ids = [prompt, &label[..label.len() - 1]].concat();
    let hidden = cache.extend(&[(sequence, &ids)])?.slice_dim(0, prompt.len() - 1..ids.len());
    cache.remove(sequence);
    let wanted: Vec<Vec<u32>> = label.iter().map(|token| vec![*token]).collect();
    let found = log_probabilities(cache.model(), &hidden, &wanted)?;
    Ok(found.iter().flatten().sum())
}

/// Probabilities of labels among each other: the softmax of their log-probabilities.
pub fn probabilities(log_probabilities: &[f64]) -> Vec<f64> {
    let top = log_probabilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exps: Vec<f64> = log_probabilities.iter().map(|value| (value - top).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|exp| exp / sum).collect()
}

/// A text whose prediction is judged.
#[derive(Debug, Clone, Copy)]
pub struct ScoredSequence<'a> {
    /// Its tokens.
    pub ids: &'a [u32],
    /// Which of them count; as long as `ids`. The first token is never predicted.
    pub trained: &'a [bool],
}

/// How well a text was predicted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SequenceLoss {
    /// Negative log-likelihood in nats, summed over the tokens that count.
    pub sum: f64,
    /// How many tokens count.
    pub tokens: usize,
}

/// How well a model predicts each text, in packed passes of at most `token_budget` tokens (a
/// longer text has a pass of its own).
///
/// # Errors
/// When a text is longer than the model's context, holds unknown tokens or a mask of another
/// length, or the model computes numbers that are not finite.
pub fn sequence_losses(
    model: &Decoder,
    sequences: &[ScoredSequence],
    token_budget: usize,
) -> Result<Vec<SequenceLoss>, Error> {
    let limit = model.spec.max_position_embeddings;
    for (index, ScoredSequence { ids, trained }) in sequences.iter().enumerate() {
        let (tokens, marks) = (ids.len(), trained.len());
        if tokens != marks {
            return Err(Error::Marks { index, tokens, marks });
        }
        if tokens > limit {
            return Err(Error::TooLong { index, tokens, limit });
        }
        check_tokens(model, index, ids)?;
    }
    let mut results = Vec::with_capacity(sequences.len());
    let mut rest = sequences;
    while !rest.is_empty() {
        let mut tokens = 0;
        let fits = |sequence: &&ScoredSequence| {
            tokens += sequence.ids.len();
            tokens <= token_budget
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (batch, later) = rest.split_at(count);
        results.extend(losses_of_pass(model, batch)?);
        rest = later;
    }
    Ok(results)
}

fn losses_of_pass(model: &Decoder, batch: &[ScoredSequence]) -> Result<Vec<SequenceLoss>, Error> {
    let mut results = vec![SequenceLoss::default(); batch.len()];
    let (mut ids, mut targets, mut owners) = (Vec::new(), Targets::default(), Vec::new());
    for (owner, sequence) in batch.iter().enumerate() {
        let start = ids.len();
        for at in (1..sequence.ids.len()).filter(|at| sequence.trained[*at]) {
            targets.rows.push((start + at - 1) as u32);
            targets.tokens.push(sequence.ids[at]);
            targets.weights.push(1.0);
            owners.push(owner);
        }
        ids.extend_from_slice(sequence.ids);
    }
    if owners.is_empty() {
        return Ok(results);
    }
    let lengths = batch.iter().map(|sequence| sequence.ids.len()).filter(|length| *length > 0);
    let losses = model.losses(&ids, &Layout::packed(lengths), &targets)?;
    for (owner, loss) in owners.into_iter().zip(losses) {
        if !loss.is_finite() {
            return Err(Error::NotFinite);
        }
        results[owner].sum += f64::from(loss);
        results[owner].tokens += 1;
    }
    Ok(results)
}

#[cfg(test)]
mod tests;
