//! Ten rows to read with one's own eyes.

use sanbao_contract::data::Task;
use sanbao_contract::verdict::{Answer, Compared, Pick, Score, Why};

use super::VerdictInput;
use crate::metrics::chrf;

/// Rows shown.
const SHOWN: usize = 10;
/// Of these at most so many that gained most.
const GAINS: usize = 4;
/// And at most so many that lost most.
const REGRESSIONS: usize = 3;

struct Candidate {
    row: usize,
    before: f64,
    after: f64,
    /// How much better the row became; larger is better whatever the score.
    gain: f64,
}

/// The rows that gained most, some from the middle, and those that lost most, with what they were
/// chosen by. Ties go to the earlier row, so the choice is the same every time.
pub(super) fn pick(input: &VerdictInput) -> (Vec<Compared>, Vec<Pick>) {
    let score = match input.task {
        _ if input.is_rewarded() => Score::Reward,
        Task::PromptOnly => Score::Reward,
        Task::Classify | Task::Preference | Task::Unpaired => Score::Probability,
        Task::Prose => Score::Perplexity,
        Task::Instruct => Score::Chrf,
    };
    let mut candidates: Vec<Candidate> = input
        .rows
        .iter()
        .enumerate()
        .filter(|(row, _)| input.task == Task::Prose || input.is_answered(*row))
        .filter_map(|(index, row)| candidate(input, index, row))
        .collect();
    candidates.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.row.cmp(&b.row)));
    let gains = candidates.iter().take(GAINS).take_while(|one| one.gain > 0.0).count();
    let losses = candidates
        .iter()
        .skip(gains)
        .rev()
        .take(REGRESSIONS)
        .take_while(|one| one.gain < 0.0)
        .count();
    let middle = gains..candidates.len() - losses;
    let typical = SHOWN.saturating_sub(gains + losses).min(middle.len());
    let start = window_around_median(&candidates, middle, typical);
    let chosen = (0..gains)
        .map(|at| (at, Why::Gain))
        .chain((start..start + typical).map(|at| (at, Why::Typical)))
        .chain((candidates.len() - losses..candidates.len()).rev().map(|at| (at, Why::Regression)));
    chosen
        .map(|(at, why)| {
            let Candidate { row, before, after, .. } = candidates[at];
            let pick = Pick { row: row as u64 + 1, why, score, before, after };
            (input.rows[row].clone(), pick)
        })
        .unzip()
}

/// Start of the `length` neighbours, inside `middle`, whose gains are nearest to the median row's.
fn window_around_median(
    candidates: &[Candidate],
    middle: std::ops::Range<usize>,
    length: usize,
) -> usize {
    let median = candidates.len() / 2;
    median.saturating_sub(length / 2).clamp(middle.start, middle.end - length)
}

fn candidate(input: &VerdictInput, index: usize, row: &Compared) -> Option<Candidate> {
    let (before, after, gain) = match input.task {
        _ if input.is_rewarded() => {
            let (before, after) = (row.before.reward?, row.after.reward?);
            (before, after, after - before)
        }
        Task::PromptOnly => return None,
        Task::Classify | Task::Preference | Task::Unpaired => {
            let truth = input.labels.iter().position(|label| *label == row.reference)?;
            let probability = |answer: &Answer| answer.probabilities.get(truth).copied();
            let right = |answer: &Answer| f64::from(u8::from(answer.text == row.reference));
            let (before, after) = (probability(&row.before)?, probability(&row.after)?);
            // A changed verdict on the row outweighs any change of certainty.
            (before, after, 2.0 * (right(&row.after) - right(&row.before)) + after - before)
        }
        Task::Prose => {
            let mean = |answer: &Answer| answer.loss_sum / answer.loss_tokens as f64;
            if row.before.loss_tokens == 0 {
                return None;
            }
            let (before, after) = (mean(&row.before), mean(&row.after));
            (before.exp(), after.exp(), before - after)
        }
        Task::Instruct => {
            let closeness =
                |answer: &Answer| chrf::score(&chrf::counts(&answer.text, &row.reference, 0));
            let (before, after) = (closeness(&row.before), closeness(&row.after));
            (before, after, after - before)
        }
    };
    Some(Candidate { row: index, before, after, gain })
}
