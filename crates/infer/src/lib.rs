//! Answering with a model: key-value cache, sampling, streaming, scoring.
//!
//! [`generate`] answers a batch of prompts, [`answer`] one conversation,
//! [`label_log_probabilities`] says how likely each of a few labels is after a prompt, and
//! [`sequence_losses`] how well a model predicts texts that are known.

mod answer;
pub mod cache;
mod error;
mod generate;
mod logits;
mod prefill;
pub mod sampling;
mod score;
mod stop;
#[cfg(test)]
mod testing;

pub use answer::{answer, chat_prompt};
pub use cache::{Cache, SequenceId};
pub use error::Error;
pub use generate::{DEFAULT_TOKEN_BUDGET, FinishReason, Flow, Generated, Piece, generate};
pub use sampling::{Sampler, Sampling};
pub use score::{
    ScoredSequence, SequenceLoss, label_log_probabilities, probabilities, sequence_losses,
};
