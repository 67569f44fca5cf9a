//! Answering one conversation.

use sanbao_contract::Message;
use sanbao_models::Decoder;
use sanbao_text::{ChatOptions, Tokenizer};

use crate::error::Error;
use crate::generate::{Flow, Generated, generate};
use crate::sampling::Sampling;

/// The tokens that a conversation is to the model, up to where its answer begins.
///
/// # Errors
/// When the chat template refuses the conversation.
pub fn chat_prompt(tokenizer: &Tokenizer, messages: &[Message]) -> Result<Vec<u32>, Error> {
    let options = ChatOptions { add_generation_prompt: true, ..ChatOptions::default() };
    Ok(tokenizer.encode_chat(messages, &options)?.ids)
}

/// The model's next turn in a conversation, without streaming.
///
/// # Errors
/// When the chat template refuses the conversation, the conversation is longer than the
/// model's context, or as [`generate`].
pub fn answer(
    model: &Decoder,
    tokenizer: &Tokenizer,
    messages: &[Message],
    sampling: &Sampling,
) -> Result<Generated, Error> {
    let prompt = chat_prompt(tokenizer, messages)?;
    let (tokens, limit) = (prompt.len(), model.spec.max_position_embeddings);
    if tokens >= limit {
        return Err(Error::TooLong { index: 0, tokens, limit });
    }
    let budget = tokens + sampling.max_new_tokens;
    let prompts = [prompt];
    let mut answers =
        generate(model, tokenizer, &prompts, sampling, budget, &mut |_, _| Flow::Continue)?;
    answers.pop().ok_or(Error::Empty { index: 0 })
}
