//! Examining a reward model on answers that it has not seen: the reward model's doctor.

use std::path::Path;

use sanbao_contract::data::Content;
use sanbao_contract::feedback::Share;
use sanbao_contract::{Fault, Message as Turn};
use sanbao_data::{Part, Prepared, Sequence};
use sanbao_evaluate::statistics::wilson;
use sanbao_project::MetricsLog;
use sanbao_train::Learns;
use sanbao_train::reward_model::scores;
use sanbao_train::scored::{Reads, find};
use serde::{Deserialize, Serialize};

use super::{Opened, open, trained};
use crate::Error;

/// Tokens that are scored at once.
const PORTION: usize = 1024;
/// Disagreements that are listed.
const LISTED: usize = 10;
/// Bins of the calibration.
const BINS: [(f64, f64); 4] = [(0.5, 0.65), (0.65, 0.8), (0.8, 0.9), (0.9, 1.000_001)];

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Examined {
    /// How often it prefers what people preferred.
    pub agreement: Share,
    /// How often people preferred the longer answer (of pairs that differ in length): what always
    /// preferring the longer one would reach.
    pub longer_wins: Share,
    /// How often the untuned model finds the preferred answer the likelier one.
    pub untuned: Share,
    /// Pearson correlation of scores with lengths in tokens.
    pub length_correlation: f64,
    /// How sure it is against how often it is right.
    pub calibration: Vec<Bin>,
    /// Accuracy on the validation pairs while it saw the training pairs for the first time.
    pub learning_curve: Vec<Point>,
    /// Pairs on which it is most surely wrong.
    pub disagreements: Vec<Disagreement>,
}

/// Pairs on which it is about equally sure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Mean probability that it gives the answer it prefers.
    pub confidence: f64,
    /// How often that one was preferred.
    pub right: f64,
    /// Pairs.
    pub pairs: u64,
}

/// A point of the learning curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Different pairs seen.
    pub pairs: u64,
    /// Share of validation pairs that it had right.
    pub accuracy: f64,
}

/// A pair that it has the wrong way round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The question.
    pub prompt: String,
    /// The answer that was preferred.
    pub chosen: String,
    /// The other.
    pub rejected: String,
    /// Score of the preferred answer.
    pub chosen_score: f64,
    /// Score of the other.
    pub rejected_score: f64,
}

impl Examined {
    /// What to make of it, one sentence.
    pub fn advice(&self) -> &'static str {
        if self.agreement.low <= 0.5 {
            "It cannot be told from guessing: collect more votes before anything learns from it."
        } else if self.agreement.value <= self.longer_wins.value.max(1.0 - self.longer_wins.value) {
            "Looking at the length alone would do as well: add pairs whose better answer is the shorter one."
        } else if self.length_correlation.abs() > 0.6 {
            "It judges mostly by length: watch the length of answers that learn from it."
        } else {
            "It has learnt more than length; learn from it with an eye on held-out votes."
        }
    }
}

/// Examines the reward model of a run on its held-out pairs.
///
/// # Errors
/// When the run is no reward model, is not trained, or has no held-out pairs.
pub fn examine(run: &Path) -> Result<Examined, Error> {
    let Opened { folder, spec, base, device } = open(run)?;
    if !matches!(spec.settings.learns, Learns::RewardModel(_)) {
        return Err(refused("worker.not_a_reward_model", run, "is no reward model"));
    }
    let data = Prepared::open(&folder.prepared())?;
    let store = data.part(Part::Test);
    let pairs: Vec<Sequence> = (0..store.len()).map(|at| store.sequence(at)).collect();
    if pairs.is_empty() {
        return Err(refused("worker.no_held_out", run, "has no held-out pairs to examine it on"));
    }
    let mut model = base.load(&device.device)?;
    let likelihoods = find(&model, &pairs, Reads::LogProbabilities, PORTION)?;
    let likelihoods: Vec<f64> = likelihoods.log_probabilities.iter().map(|row| mean(row)).collect();
    trained(&folder, None, &mut model)?;
    let scores = scores(&model, &pairs, PORTION)?;
    let lengths: Vec<f64> = pairs.iter().map(|pair| pair.trained_tokens() as f64).collect();

    let wins = |figures: &[f64]| {
        let all = figures.chunks_exact(2).filter(|pair| pair[0] != pair[1]);
        let (mut won, mut of) = (0, 0);
        for pair in all {
            won += u64::from(pair[0] > pair[1]);
            of += 1;
        }
        share(won, of)
    };
    let examples = data.examples(Part::Test)?;
    let metrics = MetricsLog::read(&folder.metrics_path())?;
    let seen = |step: u64| step * spec.settings.batch_size as u64;
    Ok(Examined {
        agreement: wins(&scores),
        longer_wins: wins(&lengths),
        untuned: wins(&likelihoods),
        length_correlation: correlation(&scores, &lengths),
        calibration: calibration(&scores),
        learning_curve: metrics
            .iter()
            .filter(|step| step.epoch <= 1.0 + 1e-9)
            .filter_map(|step| {
                let accuracy = *step.figures.get("eval_accuracy")?;
                Some(Point { pairs: seen(step.step).min(spec.plan.rows), accuracy })
            })
            .collect(),
        disagreements: disagreements(&scores, &examples),
    })
}

fn refused(code: &'static str, run: &Path, why: &str) -> Error {
    Error::Reported(Fault::new(code, format!("{} {why}", run.display())))
}

fn share(won: u64, of: u64) -> Share {
    let (low, high) = wilson(won, of);
    Share { value: won as f64 / of.max(1) as f64, low, high, of }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Pearson's; 0 where one of the two does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (center_a, center_b) = (mean(a), mean(b));
    let (mut product, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - center_a, b - center_b);
        product += a * b;
        square_a += a * a;
        square_b += b * b;
    }
    let spread = (square_a * square_b).sqrt();
    if spread > 0.0 { product / spread } else { 0.0 }
}

fn calibration(scores: &[f64]) -> Vec<Bin> {
    let sure: Vec<(f64, bool)> = scores
        .chunks_exact(2)
        .map(|pair| {
            let chosen = 1.0 / (1.0 + (pair[1] - pair[0]).exp());
            (chosen.max(1.0 - chosen), chosen > 0.5)
        })
        .collect();
    BINS.iter()
        .filter_map(|(from, to)| {
            let inside: Vec<_> = sure.iter().filter(|(p, _)| (from..to).contains(&p)).collect();
            let count = inside.len() as f64;
            (!inside.is_empty()).then(|| Bin {
                confidence: inside.iter().map(|(p, _)| p).sum::<f64>() / count,
                right: inside.iter().filter(|(_, right)| *right).count() as f64 / count,
                pairs: inside.len() as u64,
            })
        })
        .collect()
}

fn disagreements(scores: &[f64], examples: &[sanbao_contract::data::Example]) -> Vec<Disagreement> {
    let mut wrong: Vec<(usize, f64)> = scores
        .chunks_exact(2)
        .enumerate()
        .map(|(pair, scores)| (pair, scores[1] - scores[0]))
        .filter(|(_, by)| *by > 0.0)
        .collect();
    wrong.sort_by(|a, b| b.1.total_cmp(&a.1));
    let text = |turns: &[Turn]| turns.iter().map(Turn::text).collect::<Vec<_>>().join("\n");
    wrong
        .into_iter()
        .take(LISTED)
        .filter_map(|(pair, _)| {
            let Content::Preference { prompt, chosen, rejected } = &examples.get(2 * pair)?.content
            else {
                return None;
            };
            Some(Disagreement {
                prompt: text(prompt),
                chosen: text(chosen),
                rejected: text(rejected),
                chosen_score: scores[2 * pair],
                rejected_score: scores[2 * pair + 1],
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sureness_is_held_against_being_right() {
        let bins = calibration(&[2.0, 0.0, 0.0, 2.0, 0.1, 0.0, 5.0, 0.0]);
        let pairs: Vec<u64> = bins.iter().map(|bin| bin.pairs).collect();
        assert_eq!(pairs, [1, 2, 1]);
        assert!((bins[1].confidence - 0.8808).abs() < 1e-4 && bins[1].right == 0.5);
    }

    #[test]
    fn a_score_that_is_the_length_correlates_with_it() {
        assert!((correlation(&[1.0, 2.0, 4.0], &[10.0, 20.0, 40.0]) - 1.0).abs() < 1e-12);
        assert_eq!(correlation(&[1.0, 1.0], &[3.0, 4.0]), 0.0);
    }
}
