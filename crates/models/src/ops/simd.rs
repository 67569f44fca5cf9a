//! Scalar functions written so that the compiler turns loops over them into vector code.

/// `e^x` with a relative error below 2e-7 for |x| ≤ 87, clamped outside (Cephes' `expf`
/// polynomial; the exponent is assembled by the magic-number method, without a conversion).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4_f32;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    let power = shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(power)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent, absolute error below 2e-7.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// Sum of a slice in eight lanes: the same order of additions on every machine.
#[inline(always)]
pub fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// Inner product in eight lanes.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f32>()
}

/// Largest value, eight lanes.
#[inline(always)]
pub fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    rest.iter().chain(&lanes).copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Replaces scores by `e^(score − max)` and returns `(max, sum)`.
#[inline(always)]
pub fn exp_in_place(values: &mut [f32]) -> (f32, f32) {
    let top = max(values);
    for value in values.iter_mut() {
        *value = exp(*value - top);
    }
    (top, sum(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_float_rounding() {
        let mut worst = 0.0_f64;
        for i in -8600..8700 {
            let x = i as f32 / 100.0;
            let truth = f64::from(x).exp();
            worst = worst.max(((f64::from(exp(x)) - truth) / truth).abs());
        }
        assert!(worst < 2e-7, "{worst}");
    }

    #[test]
    fn tanh_and_sigmoid_follow_std() {
        for i in -400..400 {
            let x = i as f32 / 40.0;
            assert!((tanh(x) - x.tanh()).abs() < 3e-7);
            assert!((sigmoid(x) - 1.0 / (1.0 + (-x).exp())).abs() < 3e-7);
        }
    }

    #[test]
    fn reductions_cover_the_tail() {
        let values: Vec<f32> = (0..19).map(|i| i as f32).collect();
        assert_eq!(sum(&values), 171.0);
        assert_eq!(dot(&values, &values), (0..19).map(|i| (i * i) as f32).sum::<f32>());
        assert_eq!(max(&values), 18.0);
    }
}
