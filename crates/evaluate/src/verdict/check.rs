//! Rows that a verdict can be built on.

use std::collections::HashSet;

use sanbao_contract::data::Task;
use sanbao_contract::verdict::Answer;

use super::VerdictInput;
use crate::Error;

/// Nats per token beyond which perplexity no longer fits a 64-bit float; no working model is near.
const LARGEST_LOSS: f64 = 700.0;
/// How far probabilities computed in 32-bit floats may add up beside 1.
const PROBABILITY_SLACK: f64 = 1e-3;

pub(super) fn check(input: &VerdictInput) -> Result<(), Error> {
    if input.rows.is_empty() {
        return Err(Error::NoRows);
    }
    if let Some(found) = input.answered.as_ref().map(Vec::len).filter(|n| *n != input.rows.len()) {
        return Err(Error::AnsweredRows { found, rows: input.rows.len() });
    }
    if matches!(input.task, Task::Classify | Task::Preference | Task::Unpaired) {
        check_labels(input)?;
    }
    check_losses(input)?;
    for (index, row) in input.rows.iter().enumerate() {
        let rewards = [row.before.reward, row.after.reward];
        if let Some(reward) = rewards.into_iter().flatten().find(|reward| !reward.is_finite()) {
            return Err(Error::Reward { row: index + 1, reward });
        }
    }
    match input.forgetting {
        Some(forgetting)
            if !is_perplexity(forgetting.before) || !is_perplexity(forgetting.after) =>
        {
            Err(Error::Forgetting { before: forgetting.before, after: forgetting.after })
        }
        _ => Ok(()),
    }
}

fn is_perplexity(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn check_labels(input: &VerdictInput) -> Result<(), Error> {
    let known: HashSet<&str> = input.labels.iter().map(String::as_str).collect();
    if known.len() < 2 {
        return Err(Error::TooFewLabels { found: known.len() });
    }
    if let Some(label) =
        input.majority_label.as_ref().filter(|label| !known.contains(label.as_str()))
    {
        return Err(Error::UnknownMajority { label: label.clone() });
    }
    for (index, row) in input.rows.iter().enumerate() {
        let mut labels = vec![("reference", &row.reference)];
        if input.is_answered(index) {
            labels.push(("answer before training", &row.before.text));
            labels.push(("answer after training", &row.after.text));
        }
        for (which, label) in labels {
            if !known.contains(label.as_str()) {
                return Err(Error::UnknownLabel { row: index + 1, which, label: label.clone() });
            }
        }
        if input.is_answered(index) {
            for (when, answer) in [("before", &row.before), ("after", &row.after)] {
                if !is_distribution(answer, input.labels.len()) {
                    let labels = input.labels.len();
                    return Err(Error::Probabilities { row: index + 1, when, labels });
                }
            }
        }
    }
    Ok(())
}

fn is_distribution(answer: &Answer, labels: usize) -> bool {
    let within = |p: &f64| (0.0..=1.0 + PROBABILITY_SLACK).contains(p);
    let sum: f64 = answer.probabilities.iter().sum();
    answer.probabilities.len() == labels
        && answer.probabilities.iter().all(within)
        && (sum - 1.0).abs() <= PROBABILITY_SLACK
}

fn check_losses(input: &VerdictInput) -> Result<(), Error> {
    for (index, row) in input.rows.iter().enumerate() {
        for (when, answer) in [("before", &row.before), ("after", &row.after)] {
            let limit = LARGEST_LOSS * answer.loss_tokens as f64;
            // Rounding may leave a perfectly foreseen answer a hair below zero.
            if !(-1e-3..=limit.max(1e-3)).contains(&answer.loss_sum) {
                return Err(Error::Loss { row: index + 1, when, loss: answer.loss_sum });
            }
        }
        let (before, after) = (row.before.loss_tokens, row.after.loss_tokens);
        if before != after {
            return Err(Error::TokensDiffer { row: index + 1, before, after });
        }
    }
    let decides_by_loss = matches!(input.task, Task::Instruct | Task::Prose);
    if decides_by_loss && input.rows.iter().all(|row| row.before.loss_tokens == 0) {
        return Err(Error::NoTokens { rows: input.rows.len() });
    }
    Ok(())
}
