//! Intervals and tests.
//!
//! Everything random here is drawn from ChaCha8 with the seed given, so the same rows and the same
//! seed always give the same figures.

mod bootstrap;
mod mcnemar;
mod pass_at_k;
mod randomization;
mod sign_test;
mod wilson;

pub use bootstrap::{PairedBootstrap, Resampler, paired_bootstrap, percentile_interval};
pub use mcnemar::{McNemar, mcnemar};
pub use pass_at_k::pass_at_k;
pub use randomization::paired_randomization;
pub use sign_test::{sign_test, win_rate};
pub use wilson::wilson;

/// The normal quantile of 97.5 %: two-sided 95 %.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// Largest p value that counts as more than chance.
pub const SIGNIFICANCE: f64 = 0.05;
