//! The logistic function and its relatives, precise where the plain formulas overflow or cancel.

use std::f64::consts::LN_2;

/// `1 / (1 + e^-x)`.
pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Derivative of [`sigmoid`]. Two sigmoids instead of `s (1 - s)`, which is 0 for a large x.
pub(super) fn sigmoid_slope(x: f64) -> f64 {
    sigmoid(x) * sigmoid(-x)
}

/// `log sigmoid(x)`; its derivative is `sigmoid(-x)`.
pub(super) fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// `log(1 - e^x)` for a negative x (Mächler 2012, "Accurately computing log(1 - exp(-|a|))",
/// eq. 7).
pub(super) fn log1mexp(x: f64) -> f64 {
    if x < -LN_2 { (-x.exp()).ln_1p() } else { (-x.exp_m1()).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_from_zero_nothing_overflows_or_vanishes() {
        assert_eq!((sigmoid(-1e4), sigmoid(1e4)), (0.0, 1.0));
        assert_eq!((log_sigmoid(-1e4), log_sigmoid(1e4)), (-1e4, 0.0));
        assert!((log_sigmoid(40.0) / -(-40.0_f64).exp() - 1.0).abs() < 1e-12);
        assert!((sigmoid_slope(50.0) / (-50.0_f64).exp() - 1.0).abs() < 1e-12);
        assert!((log1mexp(-1e-12) - 1e-12_f64.ln()).abs() < 1e-9);
        assert!((log1mexp(-60.0) / -(-60.0_f64).exp() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_branches_meet() {
        for x in [-LN_2 - 1e-9, -LN_2 + 1e-9, -0.3, -2.0] {
            assert!((log1mexp(x) - (1.0 - x.exp()).ln()).abs() < 1e-12);
        }
        for x in [-1e-9, 0.0, 1e-9, -3.0, 3.0] {
            assert!((log_sigmoid(x) - sigmoid(x).ln()).abs() < 1e-12);
        }
    }
}
