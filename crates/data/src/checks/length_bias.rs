use std::cmp::Ordering;

use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, finding};
use crate::survey::Survey;
use crate::tally::Concerned;

/// Pairs of different length below which a share says nothing.
const FEWEST_PAIRS: u64 = 20;

/// Share of pairs above which length may be what is learnt.
const BIASED: f64 = 0.7;

/// Probability below which a share is not taken for chance.
const CHANCE: f64 = 0.01;

/// The better answer is nearly always the longer one, so that length is what is learnt (Singhal et
/// al. 2023, arXiv 2310.03716).
pub(super) struct LengthBias;

impl Check for LengthBias {
    fn code(&self) -> &'static str {
        "length_bias"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let pairs = |longer| survey.kept().filter(|(_, row)| row.longer == longer).count() as u64;
        let (longer, shorter) = (pairs(Ordering::Greater), pairs(Ordering::Less));
        let all = longer + shorter;
        let share = longer as f64 / all.max(1) as f64;
        if all < FEWEST_PAIRS || share <= BIASED || at_least(longer, all) >= CHANCE {
            return None;
        }
        let percent = (100.0 * share).floor();
        let message = Text::new(
            format!(
                "In {percent} % of the {all} pairs whose answers differ in length the better one is the longer one, so that the model may learn to write more instead of better; add pairs whose better answer is the shorter one."
            ),
            format!(
                "在 {all} 对长短不同的回答中，有 {percent} % 是较长的更好，模型可能学成写得更长而不是更好；请添加一些较短的回答更好的数据。"
            ),
        );
        let concerned = Concerned { rows: longer, examples: Vec::new() };
        Some(finding(self.code(), Severity::Warning, concerned, message))
    }
}

/// Probability of at least `successes` (more than half) in `trials` throws of a fair coin: the
/// one-sided binomial test against one half.
fn at_least(successes: u64, trials: u64) -> f64 {
    // The first term by its logarithm, which does not underflow; the others by their ratio to it.
    let fewer = trials.saturating_sub(successes);
    let ways: f64 = (1..=fewer).map(|at| ((successes + at) as f64 / at as f64).ln()).sum();
    let first = (ways - trials as f64 * std::f64::consts::LN_2).exp();
    let (mut term, mut sum) = (1.0, 0.0);
    for at in successes..=trials {
        sum += term;
        term *= (trials - at) as f64 / (at + 1) as f64;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    first * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_test_gives_known_probabilities() {
        // Exact: sums of binomial coefficients over powers of two.
        for (successes, trials, expected) in [
            (15, 20, 21_700.0 / 1_048_576.0),
            (16, 20, 6_196.0 / 1_048_576.0),
            (20, 20, 1.0 / 1_048_576.0),
            (6, 10, 386.0 / 1024.0),
            (3, 3, 0.125),
        ] {
            let got = at_least(successes, trials);
            assert!((got - expected).abs() < 1e-12, "{successes} of {trials}: {got}");
        }
        assert!(at_least(710_000, 1_000_000) < 1e-300);
    }

    proptest! {
        #[test]
        fn more_is_less_likely(trials in 20_u64..400, share in 0.55..0.95_f64) {
            let successes = (trials as f64 * share) as u64;
            let (some, more) = (at_least(successes, trials), at_least(successes + 1, trials));
            prop_assert!(more < some && (0.0..=1.0).contains(&some));
        }
    }
}
