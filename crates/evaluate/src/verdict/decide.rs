//! Better, worse, or not to be told.

use std::collections::BTreeMap;

use sanbao_contract::data::Task;
use sanbao_contract::verdict::{Comparison, Outcome};

use super::VerdictInput;
use super::sentences::{fixed, percent, places_for, points, quotable, signed_fixed};
use crate::Error;
use crate::statistics::{SIGNIFICANCE, mcnemar};

/// An interval of accuracy within so much of 0 means that nothing worth having changed.
const SAME_ACCURACY: f64 = 0.03;
/// The same for loss and perplexity, as a share of the figure before.
const SAME_SHARE: f64 = 0.02;
/// The same for chrF.
const SAME_CHRF: f64 = 2.0;

/// What was decided, and what the sentence is built from.
pub(super) struct Decision {
    pub outcome: Outcome,
    pub metric: &'static str,
    pub code: &'static str,
    pub params: BTreeMap<String, String>,
}

/// The metric that decides.
pub(super) fn deciding_metric(input: &VerdictInput) -> &'static str {
    if input.is_rewarded() {
        return "reward";
    }
    match input.task {
        Task::PromptOnly => "reward",
        Task::Classify | Task::Preference | Task::Unpaired => "accuracy",
        Task::Prose => "perplexity",
        Task::Instruct => "loss",
    }
}

/// Accuracy, on the held-out rows, of always answering the most frequent training label.
pub(super) fn majority_accuracy(input: &VerdictInput) -> Option<f64> {
    if input.task != Task::Classify {
        return None;
    }
    let label = input.majority_label.as_ref()?;
    let right = answered(input).filter(|row| row.reference == *label).count();
    let rows = answered(input).count();
    (rows > 0).then(|| right as f64 / rows as f64)
}

/// Answered rows whose answers differ.
pub(super) fn answers_changed(input: &VerdictInput) -> Option<u64> {
    let changed = answered(input).filter(|row| row.before.text != row.after.text).count();
    (input.task != Task::Prose).then_some(changed as u64)
}

fn answered(input: &VerdictInput) -> impl Iterator<Item = &sanbao_contract::verdict::Compared> {
    let rows = input.rows.iter().enumerate();
    rows.filter(|(index, _)| input.is_answered(*index)).map(|(_, row)| row)
}

/// Which way a metric went, beyond chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Better,
    Unclear,
    Worse,
}

impl Change {
    fn of(comparison: &Comparison) -> Self {
        let convincing = comparison.p_value.is_none_or(|p| p < SIGNIFICANCE);
        let up = comparison.difference.low > 0.0;
        let down = comparison.difference.high < 0.0;
        match (convincing && (up || down), up == comparison.higher_is_better) {
            (false, _) => Self::Unclear,
            (true, true) => Self::Better,
            (true, false) => Self::Worse,
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Better => Outcome::Better,
            Self::Unclear => Outcome::CannotTell,
            Self::Worse => Outcome::Worse,
        }
    }
}

/// Whether the whole interval of the difference lies within so much of 0.
fn is_within(comparison: &Comparison, reach: f64) -> bool {
    comparison.difference.low >= -reach && comparison.difference.high <= reach
}

/// Decides by the comparisons.
pub(super) fn decide(input: &VerdictInput, comparisons: &[Comparison]) -> Result<Decision, Error> {
    let metric = deciding_metric(input);
    let find = |name: &str| comparisons.iter().find(|one| one.metric == name);
    let Some(deciding) = find(metric) else {
        return Err(Error::NoRows);
    };
    if metric == "reward" {
        return Ok(reward(input, deciding));
    }
    Ok(match input.task {
        Task::PromptOnly => reward(input, deciding),
        Task::Classify => classify(input, deciding),
        Task::Prose => prose(input, deciding),
        Task::Preference | Task::Unpaired => preference(input, deciding),
        Task::Instruct => instruct(input, deciding, find("chrf")),
    })
}

fn params<const N: usize>(values: [(&str, String); N]) -> BTreeMap<String, String> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Decimals that suit both figures of a comparison.
fn places(comparison: &Comparison) -> usize {
    places_for(comparison.before.value.abs().max(comparison.after.value.abs()))
}

fn classify(input: &VerdictInput, accuracy: &Comparison) -> Decision {
    let change = Change::of(accuracy);
    let mut params = params([
        ("rows", accuracy.rows.to_string()),
        ("before", percent(accuracy.before.value)),
        ("after", percent(accuracy.after.value)),
        ("low", points(accuracy.difference.low)),
        ("high", points(accuracy.difference.high)),
    ]);
    let unbeaten = majority_accuracy(input).filter(|_| !beats_majority(input));
    let code = match change {
        Change::Better => match (unbeaten, &input.majority_label) {
            (Some(majority), Some(label)) => {
                params.insert("majority".to_owned(), percent(majority));
                params.insert("majority_label".to_owned(), quotable(label));
                "classify.better_not_above_majority"
            }
            _ => "classify.better",
        },
        Change::Worse => "classify.worse",
        Change::Unclear if answers_changed(input) == Some(0) => "classify.no_change",
        Change::Unclear if is_within(accuracy, SAME_ACCURACY) => "classify.same",
        Change::Unclear => "classify.cannot_tell",
    };
    Decision { outcome: change.outcome(), metric: "accuracy", code, params }
}

fn preference(input: &VerdictInput, accuracy: &Comparison) -> Decision {
    let change = Change::of(accuracy);
    let params = params([
        ("rows", accuracy.rows.to_string()),
        ("before", percent(accuracy.before.value)),
        ("after", percent(accuracy.after.value)),
        ("low", points(accuracy.difference.low)),
        ("high", points(accuracy.difference.high)),
    ]);
    let is_same = is_within(accuracy, SAME_ACCURACY);
    let code = match (change, input.is_reward_model) {
        (Change::Better, false) => "preference.better",
        (Change::Better, true) => "reward_model.better",
        (Change::Worse, false) => "preference.worse",
        (Change::Worse, true) => "reward_model.worse",
        (Change::Unclear, false) if answers_changed(input) == Some(0) => "preference.no_change",
        (Change::Unclear, true) if answers_changed(input) == Some(0) => "reward_model.no_change",
        (Change::Unclear, false) if is_same => "preference.same",
        (Change::Unclear, true) if is_same => "reward_model.same",
        (Change::Unclear, false) => "preference.cannot_tell",
        (Change::Unclear, true) => "reward_model.cannot_tell",
    };
    Decision { outcome: change.outcome(), metric: "accuracy", code, params }
}

fn reward(input: &VerdictInput, reward: &Comparison) -> Decision {
    let change = Change::of(reward);
    let places = places(reward);
    let (mut wins, mut rows) = (0.0, 0.0);
    for row in answered(input) {
        if let (Some(before), Some(after)) = (row.before.reward, row.after.reward) {
            rows += 1.0;
            wins += if after > before {
                1.0
            } else if after == before {
                0.5
            } else {
                0.0
            };
        }
    }
    let params = params([
        ("rows", reward.rows.to_string()),
        ("metric_before", fixed(reward.before.value, places)),
        ("metric_after", fixed(reward.after.value, places)),
        ("low", signed_fixed(reward.difference.low, places)),
        ("high", signed_fixed(reward.difference.high, places)),
        ("win_rate", percent(wins / f64::max(rows, 1.0))),
    ]);
    let code = match change {
        Change::Better => "reward.better",
        Change::Worse => "reward.worse",
        Change::Unclear if answers_changed(input) == Some(0) => "reward.nothing_changed",
        Change::Unclear => "reward.unclear",
    };
    Decision { outcome: change.outcome(), metric: "reward", code, params }
}

/// Whether the tuned model is right more often than always answering the most frequent label,
/// beyond chance.
fn beats_majority(input: &VerdictInput) -> bool {
    let Some(label) = &input.majority_label else { return true };
    let pairs =
        answered(input).map(|row| (row.after.text == row.reference, row.reference == *label));
    let test = mcnemar(pairs);
    test.only_first > test.only_second && test.exact_p < SIGNIFICANCE
}

fn prose(input: &VerdictInput, perplexity: &Comparison) -> Decision {
    let change = Change::of(perplexity);
    let places = places(perplexity);
    let mut params = params([
        ("rows", perplexity.rows.to_string()),
        ("before", fixed(perplexity.before.value, places)),
        ("after", fixed(perplexity.after.value, places)),
        ("low", signed_fixed(perplexity.difference.low, places)),
        ("high", signed_fixed(perplexity.difference.high, places)),
    ]);
    let code = match change {
        Change::Better => "prose.better",
        Change::Worse => "prose.worse",
        Change::Unclear if unmoved(input) => "prose.no_change",
        Change::Unclear if is_within(perplexity, SAME_SHARE * perplexity.before.value) => {
            "prose.same"
        }
        Change::Unclear => "prose.cannot_tell",
    };
    if code == "prose.no_change" {
        params.retain(|name, _| name == "rows" || name == "after");
    }
    Decision { outcome: change.outcome(), metric: "perplexity", code, params }
}

/// No row's loss and no answer changed.
fn unmoved(input: &VerdictInput) -> bool {
    input.rows.iter().all(|row| row.before.loss_sum == row.after.loss_sum)
        && answers_changed(input).unwrap_or(0) == 0
}

fn instruct(input: &VerdictInput, loss: &Comparison, chrf: Option<&Comparison>) -> Decision {
    let by_loss = Change::of(loss);
    let mut params = params([
        ("rows", loss.rows.to_string()),
        ("loss_before", fixed(loss.before.value, places(loss))),
        ("loss_after", fixed(loss.after.value, places(loss))),
    ]);
    let by_answers = chrf.map(|chrf| {
        params.insert("answered".to_owned(), chrf.rows.to_string());
        params.insert("chrf_before".to_owned(), fixed(chrf.before.value, 1));
        params.insert("chrf_after".to_owned(), fixed(chrf.after.value, 1));
        Change::of(chrf)
    });
    let same = is_within(loss, SAME_SHARE * loss.before.value)
        && chrf.is_none_or(|chrf| is_within(chrf, SAME_CHRF));
    let (outcome, code) = if unmoved(input) {
        (Outcome::CannotTell, "instruct.no_change")
    } else if same && by_loss == Change::Unclear && by_answers != Some(Change::Worse) {
        (Outcome::CannotTell, "instruct.same")
    } else {
        combine(by_loss, by_answers)
    };
    Decision { outcome, metric: "loss", code, params }
}

/// The loss decides, unless the answers go the other way.
fn combine(loss: Change, answers: Option<Change>) -> (Outcome, &'static str) {
    use Change::{Better, Unclear, Worse};
    let code = match (loss, answers) {
        (Better, Some(Better)) => "instruct.better",
        (Better, Some(Unclear)) => "instruct.better_by_loss",
        (Better, Some(Worse)) => return (Outcome::CannotTell, "instruct.mixed_answers_worse"),
        (Better, None) => "instruct.better_unanswered",
        (Unclear, Some(Better)) => "instruct.cannot_tell_answers_better",
        (Unclear, Some(Unclear)) => "instruct.cannot_tell",
        (Unclear, Some(Worse)) => "instruct.cannot_tell_answers_worse",
        (Unclear, None) => "instruct.cannot_tell_unanswered",
        (Worse, Some(Better)) => return (Outcome::CannotTell, "instruct.mixed_answers_better"),
        (Worse, Some(Unclear)) => "instruct.worse_by_loss",
        (Worse, Some(Worse)) => "instruct.worse",
        (Worse, None) => "instruct.worse_unanswered",
    };
    (loss.outcome(), code)
}
