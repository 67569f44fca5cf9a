//! Learning-rate schedules, equal to `transformers.get_scheduler`.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// How the learning rate moves over a run, in the names of transformers' `SchedulerType`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Schedule {
    /// Straight down to 0.
    Linear,
    /// Half a cosine down to 0.
    Cosine,
    /// Always the same, without warm-up.
    Constant,
    /// Always the same after the warm-up.
    ConstantWithWarmup,
    /// Several half cosines, jumping back up.
    CosineWithRestarts {
        /// How many.
        num_cycles: u32,
    },
    /// A power of the share left, down to `lr_end`.
    Polynomial {
        /// The power.
        power: f64,
        /// Learning rate at the end.
        lr_end: f64,
    },
    /// One over the square root of the step.
    InverseSqrt,
    /// Half a cosine down to a share of the peak.
    CosineWithMinLr {
        /// The share.
        min_lr_rate: f64,
    },
    /// Up, level, then half a cosine down to a share of the peak.
    WarmupStableDecay {
        /// Steps of the way down.
        num_decay_steps: u64,
        /// The share.
        min_lr_ratio: f64,
    },
}

impl Schedule {
    /// Learning rate of optimizer step `step` (from 1) of `total`, `peak` being the largest.
    pub fn learning_rate(self, step: u64, total: u64, warmup: u64, peak: f64) -> f64 {
        let done = step.saturating_sub(1);
        let (at, warm, all) = (done as f64, warmup as f64, total as f64);
        let progress = (at - warm) / (all - warm).max(1.0);
        let rising = done < warmup;
        let share = match self {
            Self::Constant => 1.0,
            Self::WarmupStableDecay { num_decay_steps, min_lr_ratio } => {
                let decay = num_decay_steps as f64;
                let stable_end = all - decay;
                if rising {
                    (at / warm.max(1.0)) * (1.0 - min_lr_ratio) + min_lr_ratio
                } else if at < stable_end {
                    1.0
                } else if at < all {
                    let down = 0.5 * (1.0 + (PI * (at - stable_end) / decay.max(1.0)).cos());
                    down * (1.0 - min_lr_ratio) + min_lr_ratio
                } else {
                    min_lr_ratio
                }
            }
            _ if rising => at / warm.max(1.0),
            Self::Linear => ((all - at) / (all - warm).max(1.0)).max(0.0),
            Self::Cosine => (0.5 * (1.0 + (PI * progress).cos())).max(0.0),
            Self::ConstantWithWarmup => 1.0,
            Self::CosineWithRestarts { num_cycles } => {
                if progress >= 1.0 {
                    0.0
                } else {
                    0.5 * (1.0 + (PI * ((f64::from(num_cycles) * progress) % 1.0)).cos())
                }
            }
            Self::Polynomial { power, lr_end } => {
                if at > all {
                    lr_end / peak
                } else {
                    ((peak - lr_end) * (1.0 - progress).powf(power) + lr_end) / peak
                }
            }
            Self::InverseSqrt => {
                let timescale = if warmup == 0 { 10_000.0 } else { warm };
                let shift = timescale - warm;
                1.0 / ((at + shift) / timescale).sqrt()
            }
            Self::CosineWithMinLr { min_lr_rate } => {
                let factor = 0.5 * (1.0 + (PI * progress).cos());
                (factor * (1.0 - min_lr_rate) + min_lr_rate).max(0.0)
            }
        };
        peak * share
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn equal_to_transformers() {
        let text = include_str!("../../../tests/fixtures/goldens/training/schedules.json");
        let golden: serde_json::Value = serde_json::from_str(text).unwrap();
        let number = |key: &str| golden[key].as_f64().unwrap();
        let (peak, warmup, total) =
            (number("base_lr"), number("warmup_steps") as u64, number("total_steps") as u64);
        let all = [
            ("linear", Schedule::Linear),
            ("cosine", Schedule::Cosine),
            ("constant", Schedule::Constant),
            ("constant_with_warmup", Schedule::ConstantWithWarmup),
            ("cosine_with_restarts", Schedule::CosineWithRestarts { num_cycles: 3 }),
            ("polynomial", Schedule::Polynomial { power: 2.0, lr_end: 1e-7 }),
            ("inverse_sqrt", Schedule::InverseSqrt),
            ("cosine_with_min_lr", Schedule::CosineWithMinLr { min_lr_rate: 0.1 }),
            (
                "warmup_stable_decay",
                Schedule::WarmupStableDecay { num_decay_steps: 6, min_lr_ratio: 0.05 },
            ),
        ];
        let schedules = golden["schedules"].as_object().unwrap();
        assert_eq!(schedules.len(), all.len());
        for (name, schedule) in all {
            let expected = schedules[name]["lr_used_at_step_1_to_20"].as_array().unwrap();
            for (index, expected) in expected.iter().enumerate() {
                let found = schedule.learning_rate(index as u64 + 1, total, warmup, peak);
                let expected = expected.as_f64().unwrap();
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{name} step {}: {found} {expected}",
                    index + 1
                );
            }
        }
    }
}
