//! Rotary position embeddings (Su et al. 2021) and the ways of stretching them.
//!
//! Frequencies follow `transformers/modeling_rope_utils.py`.

use std::f64::consts::PI;

/// How the frequencies are stretched beyond the context that was trained on.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    Default,
    /// Positions divided by `factor`.
    Linear {
        /// Divisor.
        factor: f64,
    },
    /// Llama 3.1: long wavelengths divided by `factor`, a smooth ramp between.
    Llama3 {
        /// Divisor of long wavelengths.
        factor: f64,
        /// Wavelengths above `original / low` are stretched fully.
        low_freq_factor: f64,
        /// Wavelengths below `original / high` are kept.
        high_freq_factor: f64,
        /// Context trained on.
        original: f64,
    },
    /// YaRN (Peng et al. 2023).
    Yarn {
        /// Stretch.
        factor: f64,
        /// Rotations above which a dimension is kept.
        beta_fast: f64,
        /// Rotations below which a dimension is stretched fully.
        beta_slow: f64,
        /// Context trained on.
        original: f64,
        /// Factor on cos and sin.
        attention_factor: f64,
        /// Whether the ramp's ends are rounded to whole dimensions.
        truncate: bool,
    },
    /// LongRoPE (Ding et al. 2024), as Phi-3 uses it.
    LongRope {
        /// Divisor of each frequency up to the original context.
        short: Vec<f64>,
        /// Divisor of each frequency beyond it.
        long: Vec<f64>,
        /// Context trained on.
        original: usize,
        /// Factor on cos and sin.
        attention_factor: f64,
    },
}

/// One rotary embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// Base of the geometric sequence of wavelengths.
    pub theta: f64,
    /// Leading dimensions of each head that are rotated; even.
    pub rotary_dim: usize,
    /// Stretching.
    pub scaling: RopeScaling,
}

impl Rope {
    /// Radians per position of each pair of dimensions, length `rotary_dim / 2`, for texts
    /// whose last position is below `length`.
    pub fn inverse_frequencies(&self, length: usize) -> Vec<f64> {
        let dim = self.rotary_dim as f64;
        let plain = (0..self.rotary_dim / 2).map(|i| self.theta.powf(-2.0 * i as f64 / dim));
        match &self.scaling {
            RopeScaling::Default => plain.collect(),
            RopeScaling::Linear { factor } => plain.map(|f| f / factor).collect(),
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original } => plain
                .map(|f| {
                    let wavelength = 2.0 * PI / f;
                    if wavelength < original / high_freq_factor {
                        f
                    } else if wavelength > original / low_freq_factor {
                        f / factor
                    } else {
                        let smooth = (original / wavelength - low_freq_factor)
                            / (high_freq_factor - low_freq_factor);
                        (1.0 - smooth) * f / factor + smooth * f
                    }
                })
                .collect(),
            RopeScaling::Yarn { factor, beta_fast, beta_slow, original, truncate, .. } => {
                let dimension_at = |rotations: f64| {
                    dim * (original / (rotations * 2.0 * PI)).ln() / (2.0 * self.theta.ln())
                };
                let (mut low, mut high) = (dimension_at(*beta_fast), dimension_at(*beta_slow));
                if *truncate {
                    (low, high) = (low.floor(), high.ceil());
                }
                let low = low.max(0.0);
                let high = high.min(dim - 1.0);
                let span = if high == low { 0.001 } else { high - low };
                plain
                    .enumerate()
                    .map(|(i, f)| {
                        let stretched = ((i as f64 - low) / span).clamp(0.0, 1.0);
                        f / factor * stretched + f * (1.0 - stretched)
                    })
                    .collect()
            }
            RopeScaling::LongRope { short, long, original, .. } => {
                let divisors = if length > *original { long } else { short };
                plain.zip(divisors).map(|(f, divisor)| f / divisor).collect()
            }
        }
    }

    /// Factor on cos and sin.
    fn attention_factor(&self) -> f64 {
        match &self.scaling {
            RopeScaling::Yarn { attention_factor, .. }
            | RopeScaling::LongRope { attention_factor, .. } => *attention_factor,
            _ => 1.0,
        }
    }

    /// Cosines and sines for the given positions, each `[positions, rotary_dim / 2]` row-major.
    ///
    /// Angles are formed in float32 from float32 frequencies, as the reference does.
    pub fn table(&self, positions: &[u32]) -> RopeTable {
        let length = positions.iter().max().map_or(0, |p| *p as usize + 1);
        let frequencies: Vec<f32> =
            self.inverse_frequencies(length).into_iter().map(|f| f as f32).collect();
        let factor = self.attention_factor() as f32;
        let mut cos = Vec::with_capacity(positions.len() * frequencies.len());
        let mut sin = Vec::with_capacity(positions.len() * frequencies.len());
        for position in positions {
            for frequency in &frequencies {
                let angle = f64::from(*position as f32 * frequency);
                cos.push(angle.cos() as f32 * factor);
                sin.push(angle.sin() as f32 * factor);
            }
        }
        RopeTable { cos, sin, half: frequencies.len() }
    }
}

/// Cosines and sines of a batch of positions.
#[derive(Debug, Clone)]
pub struct RopeTable {
    /// `[positions, half]`, row-major.
    pub cos: Vec<f32>,
    /// `[positions, half]`, row-major.
    pub sin: Vec<f32>,
    /// Half of the rotated dimensions.
    pub half: usize,
}

/// YaRN's factor on cos and sin for a given stretch (Peng et al. 2023, eq. 22).
pub fn yarn_attention_factor(factor: f64, mscale: Option<f64>, mscale_all_dim: Option<f64>) -> f64 {
    let get =
        |scale: f64, mscale: f64| if scale <= 1.0 { 1.0 } else { 0.1 * mscale * scale.ln() + 1.0 };
    match (mscale, mscale_all_dim) {
        (Some(mscale), Some(all)) if mscale != 0.0 && all != 0.0 => {
            get(factor, mscale) / get(factor, all)
        }
        _ => get(factor, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rope(scaling: RopeScaling) -> Rope {
        Rope { theta: 10_000.0, rotary_dim: 16, scaling }
    }

    #[test]
    fn linear_scaling_divides_positions() {
        let plain = rope(RopeScaling::Default).table(&[3]);
        let scaled = rope(RopeScaling::Linear { factor: 2.0 }).table(&[6]);
        for (a, b) in plain.cos.iter().zip(&scaled.cos) {
            assert!((a - b).abs() < 1e-6);
        }
    }

    #[test]
    fn yarn_keeps_fast_dimensions_and_stretches_slow_ones() {
        let yarn = rope(RopeScaling::Yarn {
            factor: 4.0,
            beta_fast: 32.0,
            beta_slow: 1.0,
            original: 2048.0,
            attention_factor: yarn_attention_factor(4.0, None, None),
            truncate: true,
        });
        let plain = rope(RopeScaling::Default).inverse_frequencies(1);
        let stretched = yarn.inverse_frequencies(1);
        assert_eq!(plain[0], stretched[0]);
        assert!((stretched[7] - plain[7] / 4.0).abs() < 1e-15);
        assert!((yarn.attention_factor() - (0.1 * 4f64.ln() + 1.0)).abs() < 1e-12);
    }

    #[test]
    fn longrope_switches_at_the_original_context() {
        let long = rope(RopeScaling::LongRope {
            short: vec![1.0; 8],
            long: vec![2.0; 8],
            original: 100,
            attention_factor: 1.0,
        });
        assert_eq!(long.inverse_frequencies(100)[0], 1.0);
        assert_eq!(long.inverse_frequencies(101)[0], 0.5);
    }
}
