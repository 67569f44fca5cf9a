//! Whether more votes would help a reward model, read off the end of its learning curve.
//!
//! Accuracy is taken to grow by the same step with each doubling of the pairs, which fits learning
//! curves well over a short stretch; only the last two doublings count, as curves flatten. The curve
//! is that of one run in its first epoch, which stands in for runs on fewer pairs.

use sanbao_contract::Text;
use sanbao_contract::doctor::{LearningPoint, MoreVotes, Trend};
use sanbao_contract::verdict::Estimate;
use sanbao_evaluate::statistics::Z_95;

/// The part of the curve that counts begins at this share of the pairs.
const LAST_PART: f64 = 0.25;
/// A doubling that brings less than this is not worth the votes.
const WORTH: f64 = 0.03;

/// What more votes would bring by a learning curve that was measured on `watched` pairs.
pub fn more_votes(curve: &[LearningPoint], watched: u64) -> MoreVotes {
    let doubling = doubling(curve, watched);
    let trend = match doubling {
        Some(doubling) if doubling.high < WORTH => Trend::Flat,
        Some(doubling) if doubling.low > 0.0 => Trend::Rising,
        _ => Trend::Unclear,
    };
    MoreVotes { trend, doubling, advice: advice(trend, doubling, watched) }
}

fn advice(trend: Trend, doubling: Option<Estimate>, watched: u64) -> Text {
    let Some(doubling) = doubling else {
        return Text::new(
            "It cannot be told whether more votes would help: it was measured too rarely while it learnt.",
            "看不出更多投票有没有用：学习过程中测量的次数太少。",
        );
    };
    let [value, low, high, worth] =
        [doubling.value, doubling.low, doubling.high, WORTH].map(points);
    match trend {
        Trend::Rising => Text::new(
            format!(
                "More votes help: it was still getting better, and twice as many may well make it agree with people about {value} points more often ({low} to {high})."
            ),
            format!(
                "更多投票有用：它还在进步，投票数翻倍后，与人一致的比例大约还能提高 {value} 个百分点（{low} 到 {high}）。"
            ),
        ),
        Trend::Flat => Text::new(
            format!(
                "More of the same votes will hardly help: it had stopped getting better, and twice as many would add less than {worth} points. Votes on other questions may help."
            ),
            format!(
                "再多同样的投票用处不大：它已经不再进步，投票数翻倍也提高不了 {worth} 个百分点。换些别的问题来投票，或许有用。"
            ),
        ),
        Trend::Unclear => Text::new(
            format!(
                "It cannot be told yet whether more votes would help: twice as many may change its agreement by anything from {low} to {high} points, as it was watched on only {watched} pairs."
            ),
            format!(
                "还看不出更多投票有没有用：用来观察它的只有 {watched} 对答案，投票数翻倍后，一致的比例可能变化 {low} 到 {high} 个百分点。"
            ),
        ),
    }
}

/// A share as whole points, with a proper minus sign.
fn points(share: f64) -> String {
    // Adding zero takes the sign off a negative zero.
    let rounded = (100.0 * share).round() + 0.0;
    format!("{rounded}").replace('-', "\u{2212}")
}

/// How much a doubling of the pairs adds to the accuracy: the slope of a least-squares line over the
/// logarithm to base 2 of the pairs, with its 95 % interval. `None` unless two different numbers of
/// pairs count.
///
/// The interval takes the measurements as independent samples of `watched` pairs. They are over the
/// same pairs, so that the truth is narrower: this says too rarely, never too often, that it knows.
fn doubling(curve: &[LearningPoint], watched: u64) -> Option<Estimate> {
    let most = curve.iter().map(|point| point.pairs).max()? as f64;
    let end: Vec<(f64, f64)> = curve
        .iter()
        .filter(|point| point.pairs > 0 && point.pairs as f64 >= LAST_PART * most)
        .map(|point| ((point.pairs as f64).log2(), point.accuracy))
        .collect();
    let middle = end.iter().map(|(x, _)| x).sum::<f64>() / end.len() as f64;
    let spread: f64 = end.iter().map(|(x, _)| (x - middle).powi(2)).sum();
    if spread <= 0.0 || watched == 0 {
        return None;
    }
    let watched = watched as f64;
    let (mut slope, mut variance) = (0.0, 0.0);
    for (x, accuracy) in end {
        let weight = (x - middle) / spread;
        // Laplace's estimate: nothing is certain because few pairs were all right.
        let share = (accuracy * watched + 1.0) / (watched + 2.0);
        slope += weight * accuracy;
        variance += weight * weight * share * (1.0 - share) / watched;
    }
    let half = Z_95 * variance.sqrt();
    Some(Estimate { value: slope, low: slope - half, high: slope + half })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn curve(points: &[(u64, f64)]) -> Vec<LearningPoint> {
        points
            .iter()
            .map(|(pairs, accuracy)| LearningPoint { pairs: *pairs, accuracy: *accuracy })
            .collect()
    }

    #[test]
    fn the_slope_is_that_of_the_last_doubling_with_the_spread_of_two_shares() {
        let found = more_votes(&curve(&[(100, 0.6), (200, 0.7)]), 100).doubling.unwrap();
        assert!((found.value - 0.1).abs() < 1e-12);
        // 1.96 times the root of (61·41 + 71·31) / 102² / 100.
        assert!((found.high - found.value - 0.131_758).abs() < 1e-5, "{found:?}");
        assert!((found.high + found.low - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_curve_that_rises_asks_for_more_votes() {
        let found = more_votes(&curve(&[(100, 0.6), (200, 0.68), (400, 0.76)]), 400);
        assert_eq!(found.trend, Trend::Rising);
        assert!((found.doubling.unwrap().value - 0.08).abs() < 1e-12);
        assert!(
            found.advice.en.contains("about 8 points more often (5 to 11)"),
            "{}",
            found.advice
        );
        assert!(found.advice.zh.contains("8 个百分点"), "{}", found.advice.zh);
    }

    #[test]
    fn a_curve_is_flat_when_its_end_is_however_it_began() {
        let found = more_votes(
            &curve(&[(10, 0.5), (40, 0.7), (150, 0.81), (300, 0.8), (600, 0.805)]),
            2000,
        );
        assert_eq!(found.trend, Trend::Flat, "{found:?}");
        assert!(found.advice.en.contains("less than 3 points"), "{}", found.advice);
    }

    #[test]
    fn few_pairs_tell_nothing_even_if_all_are_right() {
        for points in [[(100, 0.8), (200, 0.85)], [(100, 1.0), (200, 1.0)]] {
            let found = more_votes(&curve(&points), 20);
            assert_eq!(found.trend, Trend::Unclear, "{found:?}");
            assert!(found.advice.en.contains("only 20 pairs"), "{}", found.advice);
        }
    }

    #[test]
    fn a_curve_without_two_points_at_its_end_is_none() {
        for points in [&[][..], &[(200, 0.9)], &[(200, 0.9), (200, 0.8)], &[(1, 0.5), (200, 0.9)]] {
            let found = more_votes(&curve(points), 100);
            assert_eq!((found.trend, found.doubling), (Trend::Unclear, None), "{points:?}");
        }
        assert_eq!(more_votes(&curve(&[(1, 0.5), (2, 0.9)]), 0).doubling, None);
        assert_eq!(more_votes(&curve(&[(0, 0.5), (0, 0.9)]), 10).doubling, None);
    }

    #[test]
    fn points_have_a_proper_sign() {
        assert_eq!([-0.031, -0.001, 0.0, 0.05].map(points), ["\u{2212}3", "0", "0", "5"]);
    }
}
