//! Loss of a reward model (TRL's `RewardTrainer.compute_loss`).

use super::logistic::{log_sigmoid, sigmoid};
use super::preference::expect;
use super::rows::{expect_count, finite, mean};
use super::{Error, Metrics, expect_finite};

/// The loss of a reward model on some pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct RewardLoss {
    /// The loss.
    pub loss: f64,
    /// Derivative by the score of each chosen answer.
    pub chosen_gradient: Vec<f64>,
    /// Derivative by the score of each rejected answer.
    pub rejected_gradient: Vec<f64>,
    /// `min_reward`, `mean_reward`, `max_reward`, `accuracy`, `margin`.
    pub metrics: Metrics,
}

/// Bradley-Terry: `-log sigmoid(chosen - rejected - margin)`, averaged over pairs (InstructGPT,
/// arXiv 2203.02155, eq. 1; margins: Llama 2, arXiv 2307.09288, eq. 2), plus
/// `center_rewards_coefficient` times the mean of `(chosen + rejected)^2`, which keeps scores
/// around 0 (arXiv 2312.09244, eq. 2).
///
/// Takes one score for each answer; `chosen[i]` and `rejected[i]` are a pair. A margin says by how
/// much the chosen answer was found better.
///
/// # Errors
/// When there are no pairs, counts differ, a number is not finite, the coefficient is negative or
/// the result is beyond f64.
pub fn bradley_terry<T: Copy + Into<f64>>(
    chosen: &[T],
    rejected: &[T],
    margins: Option<&[T]>,
    center_rewards_coefficient: Option<f64>,
) -> Result<RewardLoss, Error> {
    if chosen.is_empty() {
        return Err(Error::NoRows);
    }
    let center = center_rewards_coefficient.unwrap_or(0.0);
    expect(center >= 0.0, "center_rewards_coefficient", center, "at least 0")?;
    let chosen = finite("the scores of chosen answers", chosen)?;
    let rejected = finite("the scores of rejected answers", rejected)?;
    expect_count("the scores of rejected answers", rejected.len(), chosen.len())?;
    let margins = match margins {
        Some(margins) => finite("the margins", margins)?,
        None => vec![0.0; chosen.len()],
    };
    expect_count("the margins", margins.len(), chosen.len())?;

    let pairs = chosen.len() as f64;
    let (mut loss, mut right, mut margin_sum) = (0.0, 0, 0.0);
    let (mut chosen_gradient, mut rejected_gradient) = (Vec::new(), Vec::new());
    for ((chosen, rejected), margin) in chosen.iter().zip(&rejected).zip(&margins) {
        let difference = chosen - rejected;
        let sum = chosen + rejected;
        loss += -log_sigmoid(difference - margin) + center * sum * sum;
        let slope = -sigmoid(margin - difference);
        chosen_gradient.push((slope + 2.0 * center * sum) / pairs);
        rejected_gradient.push((-slope + 2.0 * center * sum) / pairs);
        right += usize::from(difference > 0.0);
        margin_sum += difference;
    }
    let loss = loss / pairs;

    let all = || chosen.iter().chain(&rejected).copied();
    let metrics = Metrics::from([
        ("min_reward", all().fold(f64::INFINITY, f64::min)),
        ("mean_reward", (mean(&chosen) + mean(&rejected)) / 2.0),
        ("max_reward", all().fold(f64::NEG_INFINITY, f64::max)),
        ("accuracy", right as f64 / pairs),
        ("margin", margin_sum / pairs),
    ]);
    let gradients = chosen_gradient.iter().chain(&rejected_gradient);
    expect_finite(gradients.chain(metrics.values()).chain([&loss]))?;
    Ok(RewardLoss { loss, chosen_gradient, rejected_gradient, metrics })
}
