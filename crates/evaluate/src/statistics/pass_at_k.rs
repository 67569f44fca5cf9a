//! Chance that one of k samples is right.

/// Unbiased pass@k from `right` of `samples` (Chen et al., arXiv 2107.03374, eq. 1): the chance
/// that `k` drawn without replacement hold a right one. `None` when `k` is 0 or more than there are.
pub fn pass_at_k(samples: u64, right: u64, k: u64) -> Option<f64> {
    if k == 0 || k > samples || right > samples {
        return None;
    }
    if samples - right < k {
        return Some(1.0);
    }
    let all_wrong: f64 =
        (samples - right + 1..=samples).map(|i| 1.0 - k as f64 / i as f64).product();
    Some(1.0 - all_wrong)
}
