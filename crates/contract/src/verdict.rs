//! Whether it got better.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::data::Task;

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// One metric before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Comparison {
    /// Name in the registry: `accuracy`, `macro_f1`, `rouge_l`, `chrf`, `loss`, …
    pub metric: String,
    /// Whether a larger figure is better.
    pub higher_is_better: bool,
    /// The untuned model.
    pub before: Estimate,
    /// The tuned model.
    pub after: Estimate,
    /// After minus before, on the same rows (paired).
    pub difference: Estimate,
    /// Two-sided p value of the test named in `test`, where one applies.
    pub p_value: Option<f64>,
    /// `mcnemar`, `paired_randomization`, `paired_bootstrap`.
    pub test: String,
    /// Held-out rows that the figures are over.
    #[serde(default)]
    #[ts(type = "number")]
    pub rows: u64,
}

/// What to tell the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Better, beyond chance.
    Better,
    /// Worse, beyond chance.
    Worse,
    /// The rows are too few, or the difference too small, to tell.
    CannotTell,
}

/// Rows are true labels, columns are answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Confusion {
    /// Labels, in order of rows and columns.
    pub labels: Vec<String>,
    /// `counts[truth][answer]`.
    #[ts(type = "number[][]")]
    pub counts: Vec<Vec<u64>>,
}

/// What a model did with one held-out row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Answer {
    /// The answer: a label, or generated text; empty for prose.
    pub text: String,
    /// Probability of each label (classify), in the order of the run's labels.
    pub probabilities: Vec<f64>,
    /// Sum of the reference answer's token losses (nats).
    pub loss_sum: f64,
    /// Tokens that the sum is over.
    #[ts(type = "number")]
    pub loss_tokens: u64,
    /// Its reward, where the run learnt from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
}

/// One held-out row with both answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Compared {
    /// What the model was asked, as a person would read it.
    pub prompt: String,
    /// What it should have answered.
    pub reference: String,
    /// The untuned model.
    pub before: Answer,
    /// The tuned model.
    pub after: Answer,
}

/// The forgetting check: perplexity on a general text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Forgetting {
    /// Perplexity of the untuned model.
    pub before: f64,
    /// Perplexity of the tuned model.
    pub after: f64,
    /// Tokens that it was measured on.
    #[ts(type = "number")]
    pub tokens: u64,
}

/// Why a row stands in the side-by-side list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Among the rows that gained most.
    Gain,
    /// Among the rows that lost most.
    Regression,
    /// Close to the middle of all rows.
    Typical,
}

/// How a row of the side-by-side list was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Pick {
    /// 1-based number of the row among the held-out rows.
    #[ts(type = "number")]
    pub row: u64,
    /// Why it was chosen.
    pub why: Why,
    /// What it was chosen by.
    pub score: Score,
    /// That score of the untuned model.
    pub before: f64,
    /// That score of the tuned model.
    pub after: f64,
}

/// What the rows of the side-by-side list were ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// Probability of the right label.
    Probability,
    /// Closeness of the answer to the reference, 0 to 100.
    Chrf,
    /// Perplexity of the reference.
    Perplexity,
    /// Reward of the answer.
    Reward,
}

/// Before and after, on rows never trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Verdict {
    /// What was learnt.
    pub task: Task,
    /// Held-out rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// The answer to "did it get better?".
    pub outcome: Outcome,
    /// The metric that decides.
    pub deciding_metric: String,
    /// The verdict in one plain English sentence.
    pub sentence: String,
    /// Stable code of that sentence, `task.case`, for a translation.
    #[serde(default)]
    pub sentence_code: String,
    /// What the sentence was built from: bare numbers and labels, no units.
    #[serde(default)]
    pub sentence_params: BTreeMap<String, String>,
    /// Every metric.
    pub comparisons: Vec<Comparison>,
    /// Accuracy of always answering the most frequent training label (classify).
    pub majority_accuracy: Option<f64>,
    /// The most frequent training label (classify).
    #[serde(default)]
    pub majority_label: Option<String>,
    /// Rows whose answer differs between the two models; `None` where no answers were asked for.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub answers_changed: Option<u64>,
    /// Confusion before (classify).
    pub confusion_before: Option<Confusion>,
    /// Confusion after (classify).
    pub confusion_after: Option<Confusion>,
    /// Forgetting check.
    pub forgetting: Option<Forgetting>,
    /// Rows to look at side by side, worst regressions and best gains among them.
    pub side_by_side: Vec<Compared>,
    /// How each row of `side_by_side` was chosen, in the same order.
    #[serde(default)]
    pub picks: Vec<Pick>,
    /// Seed of the resampling behind the intervals.
    #[serde(default)]
    #[ts(type = "number")]
    pub seed: u64,
}
