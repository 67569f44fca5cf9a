//! Examining a reward model on answers that it has not seen: the reward model's doctor.

use std::path::Path;

use sanbao_contract::data::{Content, Example};
use sanbao_contract::doctor::{CalibrationBin, Disagreement, Examined, LearningPoint};
use sanbao_contract::feedback::Share;
use sanbao_contract::worker::Progress;
use sanbao_contract::{Fault, Message as Turn, Text};
use sanbao_data::{Part, Prepared, Sequence};
use sanbao_evaluate::statistics::wilson;
use sanbao_project::{MetricsLog, Pointer};
use sanbao_train::reward_model::scores;
use sanbao_train::scored::{Reads, find};

use super::export::not_trained;
use super::more_votes::more_votes;
use super::{Opened, PORTION, open, trained};
use crate::Error;

/// Answers after which it tells how far it is.
const TOGETHER: usize = 32;
/// Disagreements that are listed.
const LISTED: usize = 10;
/// Bins of the calibration.
const BINS: [(f64, f64); 4] = [(0.5, 0.65), (0.65, 0.8), (0.8, 0.9), (0.9, 1.000_001)];

/// Examines the reward model of a run on its held-out pairs, and writes `doctor.json`.
///
/// # Errors
/// When the run is no reward model, is not trained, or has no held-out pairs.
pub fn examine(run: &Path, tell: &mut dyn FnMut(Progress)) -> Result<Examined, Error> {
    let Opened { folder, spec, base, device } = open(run)?;
    if !spec.settings.learns.is_reward_model() {
        return Err(refused("worker.not_a_reward_model", run, "is no reward model"));
    }
    let step = folder.pointed(Pointer::Best)?.ok_or_else(|| not_trained(run))?;
    let data = Prepared::open(&folder.prepared())?;
    let store = data.part(Part::Test);
    let pairs: Vec<Sequence> = (0..store.len()).map(|at| store.sequence(at)).collect();
    if pairs.is_empty() {
        return Err(refused("worker.no_held_out", run, "has no held-out pairs to examine it on"));
    }
    tell(Progress { stage: "loading".to_owned(), done: 0, total: 0 });
    let mut model = base.load(&device.device)?;
    let likelihoods = by_parts(&pairs, "before", tell, |part| {
        let found = find(&model, part, Reads::LogProbabilities, PORTION)?;
        Ok(found.log_probabilities.iter().map(|row| mean(row)).collect())
    })?;
    trained(&folder, None, &mut model)?;
    let scores = by_parts(&pairs, "after", tell, |part| Ok(scores(&model, part, PORTION)?))?;
    let lengths: Vec<f64> = pairs.iter().map(|pair| pair.trained_tokens() as f64).collect();

    let examples = data.examples(Part::Test)?;
    let metrics = MetricsLog::read(&folder.metrics_path())?;
    let seen = |step: u64| step * spec.settings.batch_size as u64;
    let learning_curve: Vec<LearningPoint> = metrics
        .iter()
        .filter(|step| step.epoch <= 1.0 + 1e-9)
        .filter_map(|step| {
            let accuracy = *step.figures.get("eval_accuracy")?;
            Some(LearningPoint { pairs: seen(step.step).min(spec.plan.rows), accuracy })
        })
        .collect();
    let watched = data.part(Part::Validation).len() as u64 / 2;
    let (agreement, longer_wins) = (wins(&scores), wins(&lengths));
    let length_correlation = correlation(&scores, &lengths);
    let examined = Examined {
        step,
        advice: advice(&agreement, &longer_wins, length_correlation),
        agreement,
        longer_wins,
        untuned: wins(&likelihoods),
        length_correlation,
        calibration: calibration(&scores),
        more_votes: more_votes(&learning_curve, watched),
        learning_curve,
        disagreements: disagreements(&scores, &examples),
    };
    sanbao_project::write_json(&folder.doctor_path(), &examined)?;
    Ok(examined)
}

/// What `read` makes of all answers, a part at a time.
fn by_parts(
    pairs: &[Sequence],
    stage: &str,
    tell: &mut dyn FnMut(Progress),
    read: impl Fn(&[Sequence]) -> Result<Vec<f64>, Error>,
) -> Result<Vec<f64>, Error> {
    let total = pairs.len() as u64 / 2;
    let mut figures = Vec::with_capacity(pairs.len());
    for part in pairs.chunks(TOGETHER) {
        tell(Progress { stage: stage.to_owned(), done: figures.len() as u64 / 2, total });
        figures.extend(read(part)?);
    }
    tell(Progress { stage: stage.to_owned(), done: total, total });
    Ok(figures)
}

/// What to make of it.
fn advice(agreement: &Share, longer_wins: &Share, length_correlation: f64) -> Text {
    let by_length = match longer_wins.of {
        0 => 0.5,
        _ => longer_wins.value.max(1.0 - longer_wins.value),
    };
    if agreement.low <= 0.5 {
        Text::new(
            "It cannot be told from guessing: collect more votes before anything learns from it.",
            "还看不出它比瞎猜强：先收集更多投票，再让模型向它学习。",
        )
    } else if agreement.value <= by_length {
        Text::new(
            "Looking at the length alone would do as well: add pairs whose better answer is the shorter one.",
            "只看长短也能判断得这么准：请加入一些较短的回答更好的答案对。",
        )
    } else if length_correlation.abs() > 0.6 {
        Text::new(
            "It judges mostly by length: watch the length of answers that learn from it.",
            "它主要按长短评判：让模型向它学习时，请留意回答的长度。",
        )
    } else {
        Text::new(
            "It has learnt more than length; learn from it with an eye on held-out votes.",
            "它学到的不只是长短：可以让模型向它学习，同时用留出的投票盯着。",
        )
    }
}

fn refused(code: &'static str, run: &Path, why: &str) -> Error {
    Error::Reported(Fault::new(code, format!("{} {why}", run.display())))
}

/// How often the first figure of a pair is the larger one; equal ones do not count.
fn wins(figures: &[f64]) -> Share {
    let (mut won, mut of) = (0, 0);
    for pair in figures.chunks_exact(2).filter(|pair| pair[0] != pair[1]) {
        won += u64::from(pair[0] > pair[1]);
        of += 1;
    }
    share(won, of)
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

fn calibration(scores: &[f64]) -> Vec<CalibrationBin> {
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
            (!inside.is_empty()).then(|| CalibrationBin {
                confidence: inside.iter().map(|(p, _)| p).sum::<f64>() / count,
                right: inside.iter().filter(|(_, right)| *right).count() as f64 / count,
                pairs: inside.len() as u64,
            })
        })
        .collect()
}

fn disagreements(scores: &[f64], examples: &[Example]) -> Vec<Disagreement> {
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
            let Content::Preference { prompt, chosen, rejected, .. } =
                &examples.get(2 * pair)?.content
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
    fn it_is_held_against_guessing_and_against_length() {
        let said = |agreed, longer: (u64, u64), correlation| {
            advice(&share(agreed, 100), &share(longer.0, longer.1), correlation)
        };
        let cases = [
            (said(55, (50, 100), 0.0), "guessing"),
            (said(80, (85, 100), 0.0), "length alone"),
            (said(80, (15, 100), 0.0), "length alone"),
            (said(80, (60, 100), -0.7), "mostly by length"),
            (said(80, (60, 100), 0.3), "more than length"),
            // Answers that are all equally long say nothing about length.
            (said(80, (0, 0), 0.0), "more than length"),
        ];
        for (text, part) in cases {
            assert!(text.en.contains(part) && text.zh != text.en, "{part}: {text:?}");
        }
    }

    #[test]
    fn equal_figures_are_no_win() {
        let found = wins(&[2.0, 1.0, 1.0, 1.0, 0.0, 3.0]);
        assert_eq!((found.value, found.of), (0.5, 2));
    }

    #[test]
    fn a_score_that_is_the_length_correlates_with_it() {
        assert!((correlation(&[1.0, 2.0, 4.0], &[10.0, 20.0, 40.0]) - 1.0).abs() < 1e-12);
        assert_eq!(correlation(&[1.0, 1.0], &[3.0, 4.0]), 0.0);
    }
}
