//! The verdict: which rows, which metrics, which decision, which words.

use sanbao_contract::data::Task;
use sanbao_contract::verdict::{Compared, Comparison, Forgetting, Verdict};

use crate::Error;
use crate::metrics::{Answers, METRICS, Metric, Place, Row};

mod check;
mod compare;
mod confusion;
mod decide;
mod sentences;
mod side_by_side;
mod words;

pub use compare::compare;
pub(crate) use sentences::{
    decimals, fill, fixed, percent, places_for, quotable, signed, signed_fixed,
};
pub use sentences::{forgetting_sentence, sentence_in};

/// What a verdict is made from.
#[derive(Debug, Clone)]
pub struct VerdictInput {
    /// What was learnt.
    pub task: Task,
    /// Labels of the run (classify); empty otherwise.
    pub labels: Vec<String>,
    /// The most frequent label among the training rows (classify).
    pub majority_label: Option<String>,
    /// The held-out rows. For classification `reference` and the answers' `text` are labels and
    /// `probabilities` are in the order of `labels`.
    pub rows: Vec<Compared>,
    /// For each row whether both models answered it; rows without an answer count for the loss
    /// alone. `None` when every row was answered.
    pub answered: Option<Vec<bool>>,
    /// Whether what was trained is a reward model: it scores answers, and the untrained model, which
    /// has no scores, is asked which answer it finds likelier.
    pub is_reward_model: bool,
    /// Perplexity on a general text.
    pub forgetting: Option<Forgetting>,
    /// Seed of the resampling.
    pub seed: u64,
}

impl VerdictInput {
    /// Whether every answer of both models was rewarded.
    fn is_rewarded(&self) -> bool {
        let rewarded = |row: &Compared| row.before.reward.is_some() && row.after.reward.is_some();
        let answered = (0..self.rows.len()).filter(|row| self.is_answered(*row));
        let mut answered = answered.map(|row| rewarded(&self.rows[row])).peekable();
        answered.peek().is_some() && answered.all(|rewarded| rewarded)
    }

    fn is_answered(&self, row: usize) -> bool {
        self.task != Task::Prose && self.answered.as_ref().is_none_or(|answered| answered[row])
    }

    /// What each model did with the rows of a kind.
    fn answers(&self, with_text: bool) -> (Answers<'_>, Answers<'_>) {
        let rows = || {
            let kept = |(row, _): &(usize, &Compared)| !with_text || self.is_answered(*row);
            self.rows.iter().enumerate().filter(kept).map(|(_, row)| row)
        };
        let side = |answer: fn(&Compared) -> &sanbao_contract::verdict::Answer| Answers {
            labels: &self.labels,
            rows: rows()
                .map(|row| Row {
                    reference: &row.reference,
                    answer: &answer(row).text,
                    probabilities: &answer(row).probabilities,
                    loss_sum: answer(row).loss_sum,
                    loss_tokens: answer(row).loss_tokens,
                    reward: answer(row).reward,
                })
                .collect(),
        };
        (side(|row| &row.before), side(|row| &row.after))
    }
}

/// Compares the tuned model with the untuned one and says what came of it.
///
/// - Classification is decided by accuracy (exact McNemar test).
/// - Instruction tuning is decided by the loss of the reference answers, which uses every token of
///   every row and so tells soonest; chrF of the models' own answers must not contradict it.
/// - Prose is decided by perplexity.
/// - Preferences are decided by accuracy: how often the preferred answer is the likelier one. Labels
///   are `chosen` and `rejected`, and `chosen` is the reference of every row.
///
/// - Answers that were rewarded are decided by the reward, whatever the task was.
/// - Single answers that were liked or not are put as pairs, and so decided as preferences.
///
/// A decision needs both a 95 % bootstrap interval of the difference that leaves out 0 and a test
/// with p < 0.05 (McNemar, or a paired randomisation), so a handful of rows never decides.
///
/// # Errors
/// When there are no rows, and when a row's labels, probabilities or losses cannot be used.
pub fn verdict(input: &VerdictInput) -> Result<Verdict, Error> {
    check::check(input)?;
    let comparisons = comparisons(input);
    let decision = decide::decide(input, &comparisons)?;
    let (side_by_side, picks) = side_by_side::pick(input);
    let (confusion_before, confusion_after) = match input.task {
        Task::Classify => {
            let (before, after) = confusion::confusions(input);
            (Some(before), Some(after))
        }
        Task::Instruct | Task::PromptOnly | Task::Prose | Task::Preference | Task::Unpaired => {
            (None, None)
        }
    };
    let (sentence_code, sentence_params) = (decision.code.to_owned(), decision.params);
    Ok(Verdict {
        task: input.task,
        rows: input.rows.len() as u64,
        outcome: decision.outcome,
        deciding_metric: decision.metric.to_owned(),
        sentence: sentences::render(&sentence_code, &sentence_params, crate::Language::En),
        sentence_code,
        sentence_params,
        comparisons,
        majority_accuracy: decide::majority_accuracy(input),
        majority_label: input.majority_label.clone(),
        answers_changed: decide::answers_changed(input),
        confusion_before,
        confusion_after,
        forgetting: input.forgetting,
        side_by_side,
        picks,
        seed: input.seed,
    })
}

/// The metrics of the task, the deciding one first.
fn comparisons(input: &VerdictInput) -> Vec<Comparison> {
    let shown = |needs_answer: bool| -> Vec<&'static dyn Metric> {
        let wanted = |metric: &&dyn Metric| {
            let about = metric.about();
            let place = about.place(input.task);
            about.needs_answer == needs_answer
                && place.is_some_and(|place| place != Place::OnRequest)
        };
        METRICS.iter().copied().filter(wanted).collect()
    };
    let (before, after) = input.answers(false);
    let mut comparisons = compare(&shown(false), &before, &after, input.seed);
    let (before, after) = input.answers(true);
    comparisons.extend(compare(&shown(true), &before, &after, input.seed));
    let deciding = decide::deciding_metric(input);
    let order = |name: &str| METRICS.iter().position(|metric| metric.about().name == name);
    comparisons.sort_by_key(|one| (one.metric != deciding, order(&one.metric)));
    comparisons
}
