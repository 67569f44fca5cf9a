//! Answering a batch of prompts.
//!
//! Decoding is continuous: an answer that is finished leaves the batch, and the next prompt
//! takes its place.

mod batch;
mod live;

use sanbao_models::Decoder;
use sanbao_text::Tokenizer;
use serde::{Deserialize, Serialize};

use crate::cache::check_tokens;
use crate::error::Error;
use crate::sampling::Sampling;
use batch::Batch;

/// A token budget that fits models of a few hundred million parameters into ordinary memory:
/// keys and values of SmolLM2-135M take 46 KB a token, so 380 MB in all.
pub const DEFAULT_TOKEN_BUDGET: usize = 8192;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended it, or a stop text came.
    Stop,
    /// `max_new_tokens` is reached.
    Length,
    /// The model's context is full.
    Context,
    /// The caller asked to stop.
    Cancelled,
}

/// What the caller wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End all answers now, with [`FinishReason::Cancelled`].
    Stop,
}

/// News of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Text that follows what came before; empty while a character or a possible stop text is
    /// incomplete.
    pub text: String,
    /// Set in an answer's last piece.
    pub finish: Option<FinishReason>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    /// Tokens of the answer, including the one that ended it.
    pub ids: Vec<u32>,
    /// Its text: without special tokens, and without the stop text.
    pub text: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Seconds from when its prompt was taken up.
    pub seconds: f64,
}

impl Generated {
    /// Tokens that this answer gained in a second, reading the prompt included.
    pub fn tokens_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.ids.len() as f64 / self.seconds } else { 0.0 }
    }
}

/// Answers each prompt (token ids as the model is to read them).
///
/// `token_budget` bounds the batch: prompts wait until their tokens and those that they may
/// gain fit in it ([`DEFAULT_TOKEN_BUDGET`]); one that does not fit at all is answered alone.
/// Prompt `i` draws from stream `i` of the seed, so that equal prompts get different answers
/// when sampling; an equal prompt is read once.
///
/// `on_piece` is called with the prompt's index after every token. When it answers
/// [`Flow::Stop`], all answers end as they are.
///
/// # Errors
/// When a setting is outside its range, a prompt is empty or holds unknown tokens, or the
/// model computes numbers that are not finite. A prompt that fills the context is no error:
/// its answer is empty, with [`FinishReason::Context`].
pub fn generate(
    model: &Decoder,
    tokenizer: &Tokenizer,
    prompts: &[Vec<u32>],
    sampling: &Sampling,
    token_budget: usize,
    on_piece: &mut dyn FnMut(usize, Piece) -> Flow,
) -> Result<Vec<Generated>, Error> {
    let job =
        Job { model, tokenizer, prompts, sampling, token_budget, stop_ids: tokenizer.stop_ids() };
    job.run(on_piece)
}

/// What is asked for.
struct Job<'a> {
    model: &'a Decoder,
    tokenizer: &'a Tokenizer,
    prompts: &'a [Vec<u32>],
    sampling: &'a Sampling,
    token_budget: usize,
    stop_ids: &'a [u32],
}

impl Job<'_> {
    fn run(&self, on_piece: &mut dyn FnMut(usize, Piece) -> Flow) -> Result<Vec<Generated>, Error> {
        self.sampling.validate()?;
        for (index, prompt) in self.prompts.iter().enumerate() {
            if prompt.is_empty() {
                return Err(Error::Empty { index });
            }
            check_tokens(self.model, index, prompt)?;
        }
        let mut batch = Batch::new(self);
        let mut flow = batch.refuse_long(on_piece);
        while flow == Flow::Continue && batch.has_work() {
            flow = batch.step(on_piece)?;
        }
        Ok(batch.finish())
    }
}

#[cfg(test)]
mod tests;
