//! Shares with an interval, and whether wins against losses are more than chance.

use sanbao_contract::feedback::Share;
use statrs::function::beta::beta_reg;

/// The normal quantile of 97.5 %: two-sided 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// `successes` of `of` with Wilson's 95 % score interval (Wilson 1927,
/// doi:10.1080/01621459.1927.10502953). `successes`, from 0 to `of`, may be a fraction: a tie
/// counts half a win. `None` of nothing.
pub fn wilson(successes: f64, of: u64) -> Option<Share> {
    if of == 0 {
        return None;
    }
    let n = of as f64;
    let value = successes / n;
    let z_squared = Z_95 * Z_95;
    let centre = (value + z_squared / (2.0 * n)) / (1.0 + z_squared / n);
    let half = Z_95 / (1.0 + z_squared / n)
        * (value * (1.0 - value) / n + z_squared / (4.0 * n * n)).sqrt();
    // On paper the ends at none and all are 0 and 1.
    let low = if value == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if value == 1.0 { 1.0 } else { (centre + half).min(1.0) };
    Some(Share { value, low, high, of })
}

/// Exact two-sided p value of the sign test: the probability that a fair coin splits
/// `wins + losses` throws at least as unevenly. Ties are left out; 1 without a throw.
///
/// The binomial tail is an incomplete beta function (Abramowitz and Stegun, 26.5.24).
pub fn sign_test(wins: u64, losses: u64) -> f64 {
    if wins == losses {
        return 1.0;
    }
    let (fewer, more) = (wins.min(losses) as f64, wins.max(losses) as f64);
    (2.0 * beta_reg(more, fewer + 1.0, 0.5)).min(1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    /// Newcombe 1998 (doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E),
    /// table I, method 3.
    #[test]
    fn intervals_are_the_published_ones() {
        let published = [
            (81.0, 263, 0.2553, 0.3662),
            (15.0, 148, 0.0624, 0.1605),
            (0.0, 20, 0.0, 0.1611),
            (1.0, 29, 0.0061, 0.1718),
        ];
        for (successes, of, low, high) in published {
            let share = wilson(successes, of).unwrap();
            let rounded = |end: f64| (end * 1e4).round() / 1e4;
            assert_eq!((rounded(share.low), rounded(share.high)), (low, high), "{successes}/{of}");
        }
        assert_eq!(wilson(0.0, 0), None);
        assert_eq!(wilson(7.0, 7).unwrap().high, 1.0);
    }

    #[test]
    fn p_values_are_those_of_a_coin() {
        // Counted by hand: 2·(1 + 10 + 45)/2^10, 2/2^6, 2·(1 + 5)/2^5.
        let expected =
            [(8, 2, 0.109_375), (0, 6, 0.031_25), (4, 1, 0.375), (3, 3, 1.0), (0, 0, 1.0)];
        for (wins, losses, p) in expected {
            assert!((sign_test(wins, losses) - p).abs() < 1e-12, "{wins} to {losses}");
        }
        // 2·Σ C(1000, k) / 2^1000 for k up to 450, in whole numbers.
        assert!((sign_test(550, 450) - 0.001_730_536_084_976_316).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_tail_is_the_sum_of_its_terms(wins in 0..40u64, losses in 0..40u64) {
            let n = wins + losses;
            let mut term = 0.5_f64.powi(n as i32);
            let mut tail = 0.0;
            for k in 0..=wins.min(losses) {
                tail += term;
                term *= (n - k) as f64 / (k + 1) as f64;
            }
            prop_assert!((sign_test(wins, losses) - (2.0 * tail).min(1.0)).abs() < 1e-10);
            prop_assert_eq!(sign_test(wins, losses), sign_test(losses, wins));
        }

        #[test]
        fn the_share_is_inside_its_interval(halves in 0..200u64, more in 0..200u64) {
            let of = halves.div_ceil(2) + more;
            if let Some(share) = wilson(halves as f64 / 2.0, of) {
                prop_assert!(0.0 <= share.low && share.low <= share.value);
                prop_assert!(share.value <= share.high && share.high <= 1.0);
            }
        }
    }
}
