//! Two models, each right or wrong on the same rows.

use statrs::function::erf::erfc;
use statrs::function::gamma::ln_gamma;

/// McNemar's test (1947, doi:10.1007/BF02295996).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Rows that only the first is right on.
    pub only_first: u64,
    /// Rows that only the second is right on.
    pub only_second: u64,
    /// Exact two-sided p value: binomial with one half.
    pub exact_p: f64,
    /// Chi-squared with one degree of freedom, continuity corrected.
    pub corrected: f64,
    /// p value of `corrected`.
    pub corrected_p: f64,
    /// Chi-squared without the correction.
    pub uncorrected: f64,
}

/// The test over pairs of "first is right", "second is right".
pub fn mcnemar(pairs: impl IntoIterator<Item = (bool, bool)>) -> McNemar {
    let (mut only_first, mut only_second) = (0_u64, 0_u64);
    for pair in pairs {
        match pair {
            (true, false) => only_first += 1,
            (false, true) => only_second += 1,
            _ => {}
        }
    }
    let (gap, discordant) =
        (only_first.abs_diff(only_second) as f64, (only_first + only_second) as f64);
    let (corrected, uncorrected) = if discordant == 0.0 {
        (0.0, 0.0)
    } else {
        ((gap - 1.0).max(0.0).powi(2) / discordant, gap * gap / discordant)
    };
    McNemar {
        only_first,
        only_second,
        exact_p: two_sided_half(only_first, only_second),
        corrected,
        corrected_p: erfc((corrected / 2.0).sqrt()),
        uncorrected,
    }
}

/// Probability that a fair coin splits `a + b` throws at least as unevenly as `a` to `b`.
pub(super) fn two_sided_half(a: u64, b: u64) -> f64 {
    let (throws, fewer) = (a + b, a.min(b));
    if a == b {
        return 1.0;
    }
    let n = throws as f64;
    let log_share = |k: f64| {
        ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0) - n * std::f64::consts::LN_2
    };
    // From the largest term down each is the one above times k / (n - k + 1), so the sum ends
    // where terms no longer matter.
    let mut term = log_share(fewer as f64).exp();
    let (mut tail, mut k) = (term, fewer as f64);
    while k > 0.0 && term > tail * 1e-17 {
        term *= k / (n - k + 1.0);
        tail += term;
        k -= 1.0;
    }
    (2.0 * tail).min(1.0)
}
