//! What the losses of preference tuning are given.

use serde::{Deserialize, Serialize};

use super::rows::{expect_count, mean};
use super::{Error, Metrics, TokenRows};

/// Rows of preference data, as log-probabilities (nats) of completion tokens, the end token
/// included.
#[derive(Debug, Clone, Copy)]
pub struct PreferenceBatch<'a> {
    /// Under the policy. For paired losses the chosen rows 0..N come first, then the rejected
    /// rows N..2N in the same order.
    pub policy: &'a TokenRows,
    /// Under the reference model, in the same shape.
    pub reference: Option<&'a TokenRows>,
    /// Under the policy, the prompt tokens before each chosen completion (all but the first,
    /// which nothing predicts): N rows. A row may be without tokens.
    pub prompts: Option<&'a TokenRows>,
    /// Unpaired losses: whether each row is a good answer.
    pub desirable: Option<&'a [bool]>,
    /// KTO's reference point (nats), see [`reference_point`](super::kto::reference_point).
    pub kl: Option<f64>,
}

impl<'a> PreferenceBatch<'a> {
    /// A batch that has only the policy's log-probabilities.
    pub fn new(policy: &'a TokenRows) -> Self {
        Self { policy, reference: None, prompts: None, desirable: None, kl: None }
    }

    /// Number of pairs.
    pub(super) fn pairs(&self) -> Result<usize, Error> {
        self.policy.expect_tokens("the policy")?;
        let rows = self.policy.len();
        if rows.is_multiple_of(2) { Ok(rows / 2) } else { Err(Error::NotPairs { rows }) }
    }

    /// The reference model's log-probabilities.
    pub(super) fn reference(&self) -> Result<&'a TokenRows, Error> {
        let what = "the reference model";
        let reference = self
            .reference
            .ok_or(Error::Missing { what: "the log-probabilities of the reference model" })?;
        reference.expect_shape_of(self.policy, what)?;
        Ok(reference)
    }

    /// The log-probabilities of the prompts of `pairs` chosen rows.
    pub(super) fn prompts(&self, pairs: usize) -> Result<&'a TokenRows, Error> {
        let prompts =
            self.prompts.ok_or(Error::Missing { what: "the log-probabilities of the prompts" })?;
        expect_count("the prompts of the chosen rows", prompts.len(), pairs)?;
        Ok(prompts)
    }
}

/// What the score of an answer is made of in the DPO family: `f'` of an f-divergence between
/// policy and reference model, as a function of their log-ratio (f-DPO, arXiv 2309.16240,
/// table 1; TRL's `f_divergence_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FDivergence {
    /// The log-ratio itself: DPO as it was published.
    #[default]
    ReverseKl,
    /// `-exp(-log-ratio)`.
    ForwardKl,
    /// `log sigmoid(log-ratio)`.
    JsDivergence,
}

/// Settings of the preference losses, in TRL's names. Each loss reads those it has a use for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PreferenceSettings {
    /// Strength of the pull towards the reference model (per nat), above 0. For `ipo` the
    /// paper's tau; for `orpo` the weight of the odds ratio; for `simpo` the scale of rewards.
    pub beta: f64,
    /// Share of pairs that are thought to be labelled the wrong way round, at least 0 and below
    /// 0.5. `sigmoid`, `robust`, `exo_pair` (above 0), `cpo_sigmoid`, `simpo`.
    pub label_smoothing: f64,
    /// What scores are made of. DPO family.
    pub f_divergence_type: FDivergence,
    /// Weight, 0 to 1, of the tokens by which the longer answer of a pair is longer (LD-DPO,
    /// arXiv 2409.06411); `None` and 1 leave them as they are. DPO family but `sft`.
    pub ld_alpha: Option<f64>,
    /// How quickly `discopop` changes over between its two losses, above 0.
    pub discopop_tau: f64,
    /// Weight of good answers, at least 0. `kto`.
    pub desirable_weight: f64,
    /// Weight of bad answers, at least 0. `kto`.
    pub undesirable_weight: f64,
    /// Weight of the chosen answers' negative log-likelihood, at least 0. `cpo_*`, `simpo`.
    pub cpo_alpha: f64,
    /// The margin by which a chosen answer is to be better (scaled rewards). `simpo`.
    pub simpo_gamma: f64,
}

impl PreferenceSettings {
    /// The defaults of TRL's `DPOConfig`, `KTOConfig` and `ORPOConfig`.
    pub const DEFAULT: Self = Self {
        beta: 0.1,
        label_smoothing: 0.0,
        f_divergence_type: FDivergence::ReverseKl,
        ld_alpha: None,
        discopop_tau: 0.05,
        desirable_weight: 1.0,
        undesirable_weight: 1.0,
        cpo_alpha: 0.0,
        simpo_gamma: 0.0,
    };

    /// Refuses what is outside its range.
    ///
    /// # Errors
    /// Names the first setting that is.
    pub fn check(&self) -> Result<(), Error> {
        expect(self.beta > 0.0, "beta", self.beta, "above 0")?;
        let (smoothing, range) = (self.label_smoothing, "at least 0 and below 0.5");
        expect((0.0..0.5).contains(&smoothing), "label_smoothing", smoothing, range)?;
        if let Some(alpha) = self.ld_alpha {
            expect((0.0..=1.0).contains(&alpha), "ld_alpha", alpha, "from 0 to 1")?;
        }
        expect(self.discopop_tau > 0.0, "discopop_tau", self.discopop_tau, "above 0")?;
        for (name, value) in [
            ("desirable_weight", self.desirable_weight),
            ("undesirable_weight", self.undesirable_weight),
            ("cpo_alpha", self.cpo_alpha),
        ] {
            expect(value >= 0.0, name, value, "at least 0")?;
        }
        expect(true, "simpo_gamma", self.simpo_gamma, "a number")
    }
}

/// Refuses a setting that is not finite, or not what it has to be.
pub(super) fn expect(
    fits: bool,
    name: &'static str,
    value: f64,
    expected: &'static str,
) -> Result<(), Error> {
    if fits && value.is_finite() {
        Ok(())
    } else {
        Err(Error::BadSetting { name, value, expected })
    }
}

/// TRL's figures about pairs, from the reward and log-probability (nats) of each answer.
pub(super) fn pair_metrics(
    chosen_rewards: &[f64],
    rejected_rewards: &[f64],
    chosen_logps: &[f64],
    rejected_logps: &[f64],
) -> Metrics {
    let pairs = chosen_rewards.len() as f64;
    let right = chosen_rewards.iter().zip(rejected_rewards).filter(|(c, r)| c > r).count();
    Metrics::from([
        ("rewards/chosen", mean(chosen_rewards)),
        ("rewards/rejected", mean(rejected_rewards)),
        ("rewards/accuracies", right as f64 / pairs),
        ("rewards/margins", mean(chosen_rewards) - mean(rejected_rewards)),
        ("logps/chosen", mean(chosen_logps)),
        ("logps/rejected", mean(rejected_logps)),
    ])
}
