//! What answers are rewarded for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::app::ParameterInfo;

/// What answers are rewarded for: the sum of its parts, each a score times its weight.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Reward {
    /// Rules.
    #[serde(default)]
    pub cards: Vec<Card>,
    /// A trained reward model.
    #[serde(default)]
    pub model: Option<RewardModelPart>,
}

/// A rule with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Card {
    /// Name in the registry of cards: `contains`, `json`, `length`, …
    pub card: String,
    /// Factor of its score (0 to 1) in the sum; negative to punish.
    pub weight: f64,
    /// Its settings; defaults for what is left out.
    #[serde(default)]
    #[ts(type = "Record<string, unknown>")]
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// A reward model as a part of a reward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RewardModelPart {
    /// The run that trained it: its id in the window, its folder elsewhere.
    pub run: String,
    /// Factor of its score in the sum.
    pub weight: f64,
}

/// A card in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CardInfo {
    /// Name.
    pub name: String,
    /// Name for people, by language.
    pub title: BTreeMap<String, String>,
    /// What it rewards, by language.
    pub help: BTreeMap<String, String>,
    /// Its settings.
    pub parameters: Vec<ParameterInfo>,
    /// Default of each setting.
    #[ts(type = "Record<string, unknown>")]
    pub defaults: BTreeMap<String, serde_json::Value>,
    /// Whether it compares with the data's own answer.
    pub needs_reference: bool,
    /// Whether a model answers its question.
    pub needs_judge: bool,
}

/// An answer with what each part of a reward gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Scored {
    /// What was asked.
    pub prompt: String,
    /// The answer.
    pub answer: String,
    /// The sum.
    pub reward: f64,
    /// Score of each part before its weight: the cards in their order, then the reward model.
    /// `None` for a part that a model has to judge and that was not asked.
    pub parts: Vec<Option<f64>>,
}
