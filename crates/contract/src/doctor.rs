//! Whether a reward model can be trusted.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Text;
use crate::feedback::Share;
use crate::verdict::Estimate;

/// What was found of a reward model on pairs that it has not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Examined {
    /// The step whose model was examined.
    #[ts(type = "number")]
    pub step: u64,
    /// What to make of it, one sentence.
    pub advice: Text,
    /// How often it prefers what people preferred.
    pub agreement: Share,
    /// How often people preferred the longer answer (of pairs that differ in length): what always
    /// preferring the longer one would reach.
    pub longer_wins: Share,
    /// How often the untuned model finds the preferred answer the likelier one.
    pub untuned: Share,
    /// Pearson correlation of scores with lengths in tokens.
    pub length_correlation: f64,
    /// How sure it is against how often it is right, the least sure first.
    pub calibration: Vec<CalibrationBin>,
    /// Accuracy on the validation pairs while it saw the training pairs for the first time.
    pub learning_curve: Vec<LearningPoint>,
    /// Whether more votes would help.
    pub more_votes: MoreVotes,
    /// Pairs on which it is most surely wrong, the worst first.
    pub disagreements: Vec<Disagreement>,
}

/// Pairs on which it is about equally sure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct CalibrationBin {
    /// Mean probability that it gives the answer it prefers.
    pub confidence: f64,
    /// How often that one was preferred.
    pub right: f64,
    /// Pairs.
    #[ts(type = "number")]
    pub pairs: u64,
}

/// A point of the learning curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct LearningPoint {
    /// Different pairs seen.
    #[ts(type = "number")]
    pub pairs: u64,
    /// Share of validation pairs that it had right.
    pub accuracy: f64,
}

/// Where the learning curve goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// It still rises.
    Rising,
    /// It has become flat.
    Flat,
    /// The pairs are too few to tell.
    Unclear,
}

/// What more votes would bring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MoreVotes {
    /// Where the learning curve goes.
    pub trend: Trend,
    /// What twice as many votes would add to its accuracy (a share) if the curve went on as it
    /// ends; `None` when it was measured too rarely.
    pub doubling: Option<Estimate>,
    /// What to make of it, one sentence.
    pub advice: Text,
}

/// A pair that it has the wrong way round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Disagreement {
    /// The question.
    pub prompt: String,
    /// The answer that was preferred.
    pub chosen: String,
    /// The other.
    pub rejected: String,
    /// Score of the preferred answer.
    pub chosen_score: f64,
    /// Score of the other.
    pub rejected_score: f64,
}
