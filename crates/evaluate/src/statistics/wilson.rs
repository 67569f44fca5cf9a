//! Interval of a proportion.

use super::Z_95;

/// Wilson's 95 % score interval for `successes` of `n` (Wilson 1927,
/// doi:10.1080/01621459.1927.10502953); the whole of 0 to 1 for `n = 0`.
///
/// Unlike the textbook interval it stays inside 0 to 1 and is not empty at 0 or `n` successes.
pub fn wilson(successes: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, successes) = (n as f64, successes.min(n) as f64);
    let share = successes / n;
    let z_squared = Z_95 * Z_95;
    let centre = (share + z_squared / (2.0 * n)) / (1.0 + z_squared / n);
    let half = Z_95 / (1.0 + z_squared / n)
        * (share * (1.0 - share) / n + z_squared / (4.0 * n * n)).sqrt();
    let low = if successes == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes == n { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}
