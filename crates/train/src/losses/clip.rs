//! The clipped policy objective that PPO, GRPO and RLOO share.

use super::Error;
use super::preference::expect;

/// How far a probability ratio may go before it stops to matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clip {
    pub(super) low: f64,
    pub(super) high: f64,
    /// A ratio above this counts as this, whatever the advantage.
    pub(super) cap: Option<f64>,
}

/// A term of the objective.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clipped {
    /// `-min(r A, clip(r, 1 - low, 1 + high) A)`.
    pub(super) loss: f64,
    /// Derivative by the logarithm of the ratio.
    pub(super) slope: f64,
    pub(super) ratio: f64,
    /// Whether the ratio fell out of the range below, where that is what counts.
    pub(super) is_low: bool,
    /// The same above.
    pub(super) is_high: bool,
}

impl Clip {
    pub(super) fn check(self) -> Result<Self, Error> {
        expect((0.0..1.0).contains(&self.low), "epsilon_low", self.low, "at least 0 and below 1")?;
        expect(self.high >= 0.0, "epsilon_high", self.high, "at least 0")?;
        if let Some(cap) = self.cap {
            expect(cap > 0.0, "delta", cap, "above 0")?;
        }
        Ok(self)
    }

    /// PPO, arXiv 1707.06347, eq. 7, for minimising; the cap is INTELLECT-2's `delta`,
    /// arXiv 2505.07291.
    pub(super) fn of(self, log_ratio: f64, advantage: f64) -> Clipped {
        let ratio = log_ratio.exp();
        let free = self.cap.map_or(ratio, |cap| ratio.min(cap));
        let bounded = ratio.clamp(1.0 - self.low, 1.0 + self.high);
        let taken = if free * advantage <= bounded * advantage { free } else { bounded };
        Clipped {
            loss: -taken * advantage,
            slope: if taken == ratio { -ratio * advantage } else { 0.0 },
            ratio,
            is_low: free < 1.0 - self.low && advantage < 0.0,
            is_high: free > 1.0 + self.high && advantage > 0.0,
        }
    }
}
