//! How far the policy is from the reference model: estimates from sampled tokens, and a
//! controller that keeps the distance near a target.

use serde::{Deserialize, Serialize};

use super::preference::expect;
use super::{Error, TokenRows, expect_finite};

/// An estimate of KL(policy, reference) from one sampled token (Schulman 2020, "Approximating KL
/// divergence"; TRL's `kl_estimator`). With d = reference - policy log-probability:
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KlEstimator {
    /// `-d`: unbiased, may be negative.
    #[default]
    K1,
    /// `d^2 / 2`: biased, never negative.
    K2,
    /// `e^d - 1 - d`: unbiased, never negative.
    K3,
}

impl KlEstimator {
    /// The estimate (nats) from a token's log-probabilities under policy and reference model.
    pub fn estimate(self, policy: f64, reference: f64) -> f64 {
        let d = reference - policy;
        match self {
            Self::K1 => -d,
            Self::K2 => 0.5 * d * d,
            Self::K3 => d.exp_m1() - d,
        }
    }

    /// Derivative of the estimate by the policy's log-probability.
    pub fn slope(self, policy: f64, reference: f64) -> f64 {
        let d = reference - policy;
        match self {
            Self::K1 => 1.0,
            Self::K2 => -d,
            Self::K3 => -d.exp_m1(),
        }
    }

    /// The estimate of each token, in the shape of the policy's rows.
    ///
    /// # Errors
    /// When the rows differ in shape or an estimate is beyond f64.
    pub fn estimates(self, policy: &TokenRows, reference: &TokenRows) -> Result<TokenRows, Error> {
        reference.expect_shape_of(policy, "the reference model")?;
        let estimates = policy.combine(reference, |p, r| self.estimate(p, r));
        expect_finite(estimates.flat())?;
        Ok(estimates)
    }
}

/// Adjusts the weight of the KL penalty until the measured divergence is near a target (Ziegler
/// et al. 2019, arXiv 1909.08593, section 2.2; TRL's former `AdaptiveKLController`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveKl {
    /// The weight now; what tokens are penalised with.
    pub kl_coef: f64,
    /// Divergence to aim at (nats for a whole completion).
    pub target: f64,
    /// Completions over which the weight follows an error; 10000 in the paper.
    pub horizon: f64,
}

impl AdaptiveKl {
    /// A controller that has seen nothing yet.
    ///
    /// # Errors
    /// When a setting is not above 0.
    pub fn new(kl_coef: f64, target: f64, horizon: f64) -> Result<Self, Error> {
        for (name, value) in [("kl_coef", kl_coef), ("target", target), ("horizon", horizon)] {
            expect(value > 0.0, name, value, "above 0")?;
        }
        Ok(Self { kl_coef, target, horizon })
    }

    /// Takes in a step: the mean divergence of its completions (nats for a whole completion) and
    /// how many there were. The relative error counts at most a fifth, so that one odd batch does
    /// not turn the weight over.
    ///
    /// # Errors
    /// When the divergence is not finite.
    pub fn update(&mut self, kl: f64, completions: usize) -> Result<(), Error> {
        expect(true, "kl", kl, "a finite number")?;
        let error = (kl / self.target - 1.0).clamp(-0.2, 0.2);
        // A step of more completions than five horizons would make the weight negative.
        let factor = 1.0 + error * completions as f64 / self.horizon;
        self.kl_coef *= factor.max(0.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn slopes_are_derivatives() {
        for estimator in [KlEstimator::K1, KlEstimator::K2, KlEstimator::K3] {
            for (policy, reference) in [(-1.0, -1.3), (-0.2, -2.5), (-3.0, -0.1), (-1.0, -1.0)] {
                let h = 1e-6;
                let at = |x| estimator.estimate(x, reference);
                let expected = (at(policy + h) - at(policy - h)) / (2.0 * h);
                assert!((estimator.slope(policy, reference) - expected).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn k1_and_k3_agree_on_average() {
        let (policy, reference) = ([0.5_f64, 0.3, 0.2], [0.2_f64, 0.45, 0.35]);
        let average = |estimator: KlEstimator| -> f64 {
            let tokens = policy.iter().zip(&reference);
            tokens.map(|(p, r)| p * estimator.estimate(p.ln(), r.ln())).sum()
        };
        assert!((average(KlEstimator::K1) - average(KlEstimator::K3)).abs() < 1e-12);
        assert!(average(KlEstimator::K2) > 0.0);
    }

    #[test]
    fn the_controller_follows_the_error_and_caps_it() {
        let mut kl = AdaptiveKl::new(0.2, 6.0, 10_000.0).unwrap();
        kl.update(6.6, 256).unwrap();
        assert!((kl.kl_coef - 0.2 * (1.0 + 0.1 * 0.0256)).abs() < 1e-15);
        let before = kl.kl_coef;
        kl.update(600.0, 256).unwrap();
        assert!((kl.kl_coef - before * (1.0 + 0.2 * 0.0256)).abs() < 1e-15);
        let before = kl.kl_coef;
        kl.update(-600.0, 256).unwrap();
        assert!((kl.kl_coef - before * (1.0 - 0.2 * 0.0256)).abs() < 1e-15);
        assert!(kl.update(f64::NAN, 1).is_err());
        assert!(AdaptiveKl::new(0.2, 0.0, 1.0).is_err());
    }
}
