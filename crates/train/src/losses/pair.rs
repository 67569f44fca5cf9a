//! Losses of one number: how much better the chosen answer of a pair scores than the rejected.

use super::logistic::{log_sigmoid, sigmoid, sigmoid_slope};

/// A loss and its derivative by the difference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    pub(super) loss: f64,
    pub(super) slope: f64,
}

/// `-log sigmoid(x)`, mixed with that of the pair turned round: DPO and, with smoothing,
/// conservative DPO (Mitchell 2023, "A note on DPO with noisy preferences", eq. 3).
pub(super) fn smoothed_sigmoid(x: f64, smoothing: f64) -> Curve {
    Curve {
        loss: -(1.0 - smoothing) * log_sigmoid(x) - smoothing * log_sigmoid(-x),
        slope: -(1.0 - smoothing) * sigmoid(-x) + smoothing * sigmoid(x),
    }
}

/// The loss whose mean over pairs that are turned round with the given probability is that of
/// clean pairs (rDPO, arXiv 2403.00409, eq. 7).
pub(super) fn robust(x: f64, smoothing: f64) -> Curve {
    let scale = 1.0 - 2.0 * smoothing;
    Curve {
        loss: (-(1.0 - smoothing) * log_sigmoid(x) + smoothing * log_sigmoid(-x)) / scale,
        slope: (-(1.0 - smoothing) * sigmoid(-x) - smoothing * sigmoid(x)) / scale,
    }
}

/// `max(0, 1 - x)` (SLiC-HF, arXiv 2305.10425, eq. 1).
pub(super) fn hinge(x: f64) -> Curve {
    if x < 1.0 { Curve { loss: 1.0 - x, slope: -1.0 } } else { Curve { loss: 0.0, slope: 0.0 } }
}

/// Squared distance of x from `1 / (2 beta)` (IPO, arXiv 2310.12036, eq. 17).
pub(super) fn squared(x: f64, beta: f64) -> Curve {
    let error = x - 0.5 / beta;
    Curve { loss: error * error, slope: 2.0 * error }
}

/// Reverse KL from the policy's preference to the smoothed label (EXO, arXiv 2402.00856, eq. 16).
/// Needs a smoothing above 0.
pub(super) fn exo(x: f64, smoothing: f64) -> Curve {
    let chosen = log_sigmoid(x) - (-smoothing).ln_1p();
    let rejected = log_sigmoid(-x) - smoothing.ln();
    Curve {
        loss: sigmoid(x) * chosen + sigmoid(-x) * rejected,
        slope: sigmoid_slope(x) * (chosen - rejected),
    }
}

/// The logistic loss for negative x, changing over to the exponential one (DiscoPOP,
/// arXiv 2406.08414, eq. 5).
pub(super) fn discopop(x: f64, tau: f64) -> Curve {
    let logistic = -log_sigmoid(x);
    // Not e^-x times its share: for a very negative x that is infinity times nothing.
    let exponential = (log_sigmoid(x / tau) - x).exp();
    let (stays, turns) = (sigmoid(-x / tau), sigmoid_slope(x / tau) / tau);
    Curve {
        loss: logistic * stays + exponential,
        slope: -sigmoid(-x) * stays - logistic * turns - exponential * (1.0 - stays / tau),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_derivatives_and_extremes_are_finite() {
        type Named = (&'static str, fn(f64) -> Curve);
        let curves: [Named; 6] = [
            ("sigmoid", |x| smoothed_sigmoid(x, 0.2)),
            ("robust", |x| robust(x, 0.3)),
            ("hinge", hinge),
            ("squared", |x| squared(x, 0.3)),
            ("exo", |x| exo(x, 0.1)),
            ("discopop", |x| discopop(x, 0.05)),
        ];
        for (name, curve) in curves {
            for x in [-3.1, -0.4, -0.02, 0.0, 0.07, 0.9, 2.3] {
                let h = 1e-6;
                let expected = (curve(x + h).loss - curve(x - h).loss) / (2.0 * h);
                let found = curve(x).slope;
                assert!((found - expected).abs() < 1e-7, "{name} at {x}: {found} {expected}");
            }
            for x in [-2000.0, 2000.0] {
                let Curve { loss, slope } = curve(x);
                assert!(loss.is_finite() && slope.is_finite(), "{name} at {x}: {loss} {slope}");
            }
        }
    }
}
