//! Direct preference optimisation and its relatives (TRL's `DPOTrainer._compute_loss`).
//!
//! What all have in common: the log-ratio of an answer is its log-probability under the policy
//! less that under the reference model (summed over tokens, nats), and a loss of the two
//! log-ratios of a pair is averaged over pairs. Rewards for the log are `beta` times log-ratios.

use super::logistic::{log_sigmoid, sigmoid, sigmoid_slope};
use super::pair::{self, Curve};
use super::preference::{expect, pair_metrics};
use super::{
    Error, FDivergence, LossValue, PreferenceBatch, PreferenceLoss, PreferenceSettings, TokenRows,
};

const DEFAULT: PreferenceSettings = PreferenceSettings::DEFAULT;

/// Log-ratios through a logistic function: `-log sigmoid(beta (chosen - rejected))`.
///
/// With `label_smoothing` conservative DPO, as TRL had it up to 0.2x; TRL 1.16 does not look at
/// `label_smoothing` here.
pub static SIGMOID: PreferenceLoss = paired(
    "sigmoid",
    "DPO, arXiv 2305.18290, eq. 7; cDPO, Mitchell 2023, eq. 3; TRL DPOTrainer",
    DEFAULT,
    |batch, settings| {
        by_pair(batch, settings, |pair, s| {
            pair.of_delta(s.beta, |x| pair::smoothed_sigmoid(x, s.label_smoothing))
        })
    },
);

/// Unbiased under labels that are wrong with probability `label_smoothing`.
pub static ROBUST: PreferenceLoss = paired(
    "robust",
    "rDPO, arXiv 2403.00409, eq. 7; TRL DPOTrainer",
    PreferenceSettings { label_smoothing: 0.1, ..DEFAULT },
    |batch, settings| {
        by_pair(batch, settings, |pair, s| {
            pair.of_delta(s.beta, |x| pair::robust(x, s.label_smoothing))
        })
    },
);

/// Squared distance to a margin of `1 / (2 beta)` nats per token: log-ratios are divided by the
/// number of completion tokens, TRL's choice.
pub static IPO: PreferenceLoss = paired(
    "ipo",
    "IPO, arXiv 2310.12036, eq. 17; TRL DPOTrainer (log-ratios divided by lengths)",
    DEFAULT,
    |batch, settings| {
        by_pair(batch, settings, |pair, s| {
            pair.per_token().of_delta(1.0, |x| pair::squared(x, s.beta))
        })
    },
);

/// Squared distance to a margin of `1 / (2 beta)` nats per answer, as the paper writes it.
pub static IPO_SUM: PreferenceLoss = paired(
    "ipo_sum",
    "IPO, arXiv 2310.12036, eq. 17 (summed log-ratios; not in TRL)",
    DEFAULT,
    |batch, settings| {
        by_pair(batch, settings, |pair, s| pair.of_delta(1.0, |x| pair::squared(x, s.beta)))
    },
);

/// Nothing more to gain once the margin is `1 / beta` nats.
pub static HINGE: PreferenceLoss = paired(
    "hinge",
    "SLiC-HF, arXiv 2305.10425, eq. 1, as in RSO, arXiv 2309.06657; TRL DPOTrainer",
    DEFAULT,
    |batch, settings| by_pair(batch, settings, |pair, s| pair.of_delta(s.beta, pair::hinge)),
);

/// DPO with log-ratios divided by the number of completion tokens.
pub static SIGMOID_NORM: PreferenceLoss =
    paired("sigmoid_norm", "length-normalised DPO; TRL DPOTrainer", DEFAULT, |batch, settings| {
        by_pair(batch, settings, |pair, s| {
            pair.per_token().of_delta(s.beta, |x| pair::smoothed_sigmoid(x, 0.0))
        })
    });

/// Reverse KL to the smoothed label; needs a `label_smoothing` above 0.
pub static EXO_PAIR: PreferenceLoss = paired(
    "exo_pair",
    "EXO, arXiv 2402.00856, eq. 16; TRL DPOTrainer",
    PreferenceSettings { label_smoothing: 1e-3, ..DEFAULT },
    |batch, settings| {
        let smoothing = settings.label_smoothing;
        expect(smoothing > 0.0, "label_smoothing", smoothing, "above 0 and below 0.5")?;
        by_pair(batch, settings, |pair, s| {
            pair.of_delta(s.beta, |x| pair::exo(x, s.label_smoothing))
        })
    },
);

/// Noise-contrastive: raises the chosen answer and keeps both from drifting.
pub static NCA_PAIR: PreferenceLoss =
    paired("nca_pair", "NCA, arXiv 2402.05369; TRL DPOTrainer", DEFAULT, |batch, settings| {
        by_pair(batch, settings, nca)
    });

/// Each answer against the reference model on its own (no running shift of rewards).
pub static BCO_PAIR: PreferenceLoss =
    paired("bco_pair", "BCO, arXiv 2404.04656; TRL DPOTrainer", DEFAULT, |batch, settings| {
        by_pair(batch, settings, bco)
    });

/// Self-play with certain preferences: `1 / (2 beta)` nats up for the chosen answer, as much down
/// for the rejected.
pub static SPPO_HARD: PreferenceLoss = paired(
    "sppo_hard",
    "SPPO, arXiv 2405.00675, eq. 4.7; TRL DPOTrainer",
    DEFAULT,
    |batch, settings| by_pair(batch, settings, sppo),
);

/// For chosen answers that are better than the model's own: up with them, down with the others.
pub static APO_ZERO: PreferenceLoss = paired(
    "apo_zero",
    "APO, arXiv 2408.06266, eq. 7; TRL DPOTrainer",
    DEFAULT,
    |batch, settings| by_pair(batch, settings, apo_zero),
);

/// For chosen answers that are worse than the model's own: down with both, the rejected further.
pub static APO_DOWN: PreferenceLoss = paired(
    "apo_down",
    "APO, arXiv 2408.06266, eq. 8; TRL DPOTrainer",
    DEFAULT,
    |batch, settings| by_pair(batch, settings, apo_down),
);

/// Logistic loss for pairs that are the wrong way round, exponential for the others.
pub static DISCOPOP: PreferenceLoss = paired(
    "discopop",
    "DiscoPOP, arXiv 2406.08414, eq. 5; TRL DPOTrainer",
    DEFAULT,
    |batch, settings| {
        by_pair(batch, settings, |pair, s| {
            pair.of_delta(s.beta, |x| pair::discopop(x, s.discopop_tau))
        })
    },
);

/// Mean negative log-probability of the chosen answers' tokens, all tokens of the batch alike;
/// the reference model serves the log only.
pub static SFT: PreferenceLoss =
    paired("sft", "TRL DPOTrainer loss_type 'sft'", DEFAULT, log_likelihood);

/// An entry of the DPO family.
const fn paired(
    name: &'static str,
    source: &'static str,
    defaults: PreferenceSettings,
    compute: fn(&PreferenceBatch<'_>, &PreferenceSettings) -> Result<LossValue, Error>,
) -> PreferenceLoss {
    PreferenceLoss {
        name,
        source,
        paired: true,
        needs_reference: true,
        needs_prompts: false,
        defaults,
        compute,
    }
}

/// An answer of a pair.
#[derive(Debug, Clone, Copy)]
struct Answer {
    /// Log-probability under the policy (nats).
    logp: f64,
    /// That less the reference model's.
    ratio: f64,
    /// What the f-divergence makes of the log-ratio.
    score: f64,
    /// Derivative of the score by the log-ratio.
    score_slope: f64,
    /// Completion tokens.
    tokens: f64,
}

#[derive(Debug, Clone, Copy)]
struct Pair {
    chosen: Answer,
    rejected: Answer,
}

/// Loss of a pair, and its derivatives by the two log-ratios.
#[derive(Debug, Clone, Copy)]
struct Term {
    loss: f64,
    chosen: f64,
    rejected: f64,
}

impl Pair {
    /// A loss of the scaled difference of scores.
    fn of_delta(&self, scale: f64, curve: impl FnOnce(f64) -> Curve) -> Term {
        let Curve { loss, slope } = curve(scale * (self.chosen.score - self.rejected.score));
        self.of_scores(loss, scale * slope, -scale * slope)
    }

    /// A loss with its derivatives by the two scores.
    fn of_scores(&self, loss: f64, chosen: f64, rejected: f64) -> Term {
        Term {
            loss,
            chosen: chosen * self.chosen.score_slope,
            rejected: rejected * self.rejected.score_slope,
        }
    }

    /// The same pair with scores divided by the number of tokens.
    fn per_token(mut self) -> Self {
        for answer in [&mut self.chosen, &mut self.rejected] {
            answer.score /= answer.tokens;
            answer.score_slope /= answer.tokens;
        }
        self
    }
}

fn nca(pair: &Pair, settings: &PreferenceSettings) -> Term {
    let beta = settings.beta;
    let (chosen, rejected) = (beta * pair.chosen.score, beta * pair.rejected.score);
    let loss = -log_sigmoid(chosen) - 0.5 * log_sigmoid(-chosen) - 0.5 * log_sigmoid(-rejected);
    let chosen_slope = -sigmoid(-chosen) + 0.5 * sigmoid(chosen);
    pair.of_scores(loss, beta * chosen_slope, beta * 0.5 * sigmoid(rejected))
}

fn bco(pair: &Pair, settings: &PreferenceSettings) -> Term {
    let beta = settings.beta;
    let (chosen, rejected) = (beta * pair.chosen.score, beta * pair.rejected.score);
    let loss = -log_sigmoid(chosen) - log_sigmoid(-rejected);
    pair.of_scores(loss, -beta * sigmoid(-chosen), beta * sigmoid(rejected))
}

fn sppo(pair: &Pair, settings: &PreferenceSettings) -> Term {
    let target = 0.5 / settings.beta;
    let (chosen, rejected) = (pair.chosen.score - target, pair.rejected.score + target);
    pair.of_scores(chosen * chosen + rejected * rejected, 2.0 * chosen, 2.0 * rejected)
}

/// Takes log-ratios and not scores, whatever the f-divergence, as TRL does.
fn apo_zero(pair: &Pair, settings: &PreferenceSettings) -> Term {
    let beta = settings.beta;
    let (chosen, rejected) = (beta * pair.chosen.ratio, beta * pair.rejected.ratio);
    Term {
        loss: sigmoid(-chosen) + sigmoid(rejected),
        chosen: -beta * sigmoid_slope(chosen),
        rejected: beta * sigmoid_slope(rejected),
    }
}

/// Takes the chosen log-ratio, but the difference of scores, as TRL does.
fn apo_down(pair: &Pair, settings: &PreferenceSettings) -> Term {
    let beta = settings.beta;
    let chosen = beta * pair.chosen.ratio;
    let margin = pair.of_delta(beta, |x| Curve { loss: sigmoid(-x), slope: -sigmoid_slope(x) });
    Term {
        loss: sigmoid(chosen) + margin.loss,
        chosen: beta * sigmoid_slope(chosen) + margin.chosen,
        rejected: margin.rejected,
    }
}

fn log_likelihood(
    batch: &PreferenceBatch<'_>,
    settings: &PreferenceSettings,
) -> Result<LossValue, Error> {
    settings.check()?;
    let pairs = batch.pairs()?;
    let tokens: usize = batch.policy.iter().take(pairs).map(<[f64]>::len).sum();
    let share = pairs as f64 / tokens as f64;
    // No weights for the longer answer: nothing is compared here.
    let settings = PreferenceSettings {
        ld_alpha: None,
        f_divergence_type: FDivergence::ReverseKl,
        ..*settings
    };
    by_pair(batch, &settings, |pair, _| Term {
        loss: -share * pair.chosen.logp,
        chosen: -share,
        rejected: 0.0,
    })
}

/// The mean over pairs of a loss of each.
fn by_pair(
    batch: &PreferenceBatch<'_>,
    settings: &PreferenceSettings,
    term: impl Fn(&Pair, &PreferenceSettings) -> Term,
) -> Result<LossValue, Error> {
    settings.check()?;
    let count = batch.pairs()?;
    let reference = batch.reference()?;
    let rows: Vec<&[f64]> = batch.policy.iter().collect();
    let reference_rows: Vec<&[f64]> = reference.iter().collect();
    let tail = settings.ld_alpha.unwrap_or(1.0);

    let mut pairs = Vec::with_capacity(count);
    let mut per_example = Vec::with_capacity(count);
    let mut slopes = vec![0.0; 2 * count];
    for index in 0..count {
        let shared = rows[index].len().min(rows[count + index].len());
        let answer = |row: usize| {
            let logp = weighted_sum(rows[row], shared, tail);
            let ratio = logp - weighted_sum(reference_rows[row], shared, tail);
            let (score, score_slope) = score(settings.f_divergence_type, ratio);
            Answer { logp, ratio, score, score_slope, tokens: rows[row].len() as f64 }
        };
        let pair = Pair { chosen: answer(index), rejected: answer(count + index) };
        let Term { loss, chosen, rejected } = term(&pair, settings);
        per_example.push(loss);
        slopes[index] = chosen / count as f64;
        slopes[count + index] = rejected / count as f64;
        pairs.push(pair);
    }

    let of = |field: fn(&Pair) -> f64| -> Vec<f64> { pairs.iter().map(field).collect() };
    let rewards = |ratios: Vec<f64>| -> Vec<f64> {
        ratios.into_iter().map(|ratio| settings.beta * ratio).collect()
    };
    LossValue {
        loss: per_example.iter().sum::<f64>() / count as f64,
        per_example,
        gradient: gradient(batch.policy, &slopes, tail),
        prompt_gradient: None,
        metrics: pair_metrics(
            &rewards(of(|pair| pair.chosen.ratio)),
            &rewards(of(|pair| pair.rejected.ratio)),
            &of(|pair| pair.chosen.logp),
            &of(|pair| pair.rejected.logp),
        ),
    }
    .checked()
}

/// Sum of a row in which the tokens after the first `shared` count `tail` each.
fn weighted_sum(row: &[f64], shared: usize, tail: f64) -> f64 {
    let (head, rest) = row.split_at(shared.min(row.len()));
    head.iter().sum::<f64>() + tail * rest.iter().sum::<f64>()
}

/// Derivatives by tokens, from those by the weighted sums of rows.
fn gradient(policy: &TokenRows, slopes: &[f64], tail: f64) -> TokenRows {
    let lengths: Vec<usize> = policy.iter().map(<[f64]>::len).collect();
    let pairs = lengths.len() / 2;
    let mut values = Vec::with_capacity(policy.tokens());
    for (row, slope) in slopes.iter().enumerate() {
        let shared = lengths[row].min(lengths[(row + pairs) % lengths.len()]);
        values.extend((0..lengths[row]).map(|t| if t < shared { *slope } else { tail * slope }));
    }
    policy.with_values(values)
}

/// The score of a log-ratio, and its derivative.
fn score(divergence: FDivergence, ratio: f64) -> (f64, f64) {
    match divergence {
        FDivergence::ReverseKl => (ratio, 1.0),
        FDivergence::ForwardKl => (-(-ratio).exp(), (-ratio).exp()),
        FDivergence::JsDivergence => (log_sigmoid(ratio), sigmoid(-ratio)),
    }
}
