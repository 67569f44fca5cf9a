//! What an answer is rewarded for, chosen from cards instead of being programmed.
//!
//! A card is a rule with settings that gives an answer a score from 0 to 1. A reward is some cards
//! with weights, and perhaps a trained reward model, which other crates run. Pure computation: no
//! model, no device and no file is touched here; where a card needs a model's judgement it puts a
//! question, and the caller says how likely the answer "Yes" is.
//!
//! - [`cards`]: one file per card and the registry [`CARDS`].
//! - [`Rewarder`]: the cards of a reward, checked and ready to score.
//! - [`weighted`]: scores and weights to one number.
//!
//! The same answer gets the same scores on every machine: nothing is drawn at random.

pub mod cards;
mod error;
mod json_schema;
mod refusals;
mod rewarder;
mod settings;
mod text;

pub use cards::{CARDS, CardKind, Rule, card, infos};
pub use error::Error;
pub use rewarder::{Answered, ByRules, JUDGE_ANSWERS, Judge, Rewarder, share_of_yes, weighted};
pub use settings::{Kind, Parameter, Settings};
