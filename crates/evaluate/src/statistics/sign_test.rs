//! Wins, ties and losses.

use super::mcnemar::two_sided_half;

/// Exact two-sided sign test of wins against losses; ties are left out.
pub fn sign_test(wins: u64, losses: u64) -> f64 {
    two_sided_half(wins, losses)
}

/// Share of wins, a tie counting half; `None` without a comparison.
pub fn win_rate(wins: u64, ties: u64, losses: u64) -> Option<f64> {
    let all = wins + ties + losses;
    (all > 0).then(|| (wins as f64 + 0.5 * ties as f64) / all as f64)
}
