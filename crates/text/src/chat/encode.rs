//! A conversation as tokens.

use std::ops::Range;

use sanbao_contract::Message;
use serde_json::{Map, Value};

use super::{ChatOptions, Rendered};
use crate::{Error, Tokenizer};

/// A rendered conversation as tokens, with what of it is learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizedChat {
    /// Token ids.
    pub ids: Vec<u32>,
    /// For each token, whether it belongs to an assistant turn, the token that ends the turn
    /// included. A token that lies across the edge of a turn belongs to it.
    pub trained: Vec<bool>,
    /// The text that the tokens stand for.
    pub text: String,
    /// Byte ranges of `text` that are assistant turns.
    pub spans: Vec<Range<usize>>,
}

impl TokenizedChat {
    /// Whether each assistant turn ends with a token at which an answer stops, so that the model
    /// learns to stop. `stop_ids` as from [`Tokenizer::stop_ids`].
    pub fn learns_to_stop(&self, stop_ids: &[u32]) -> bool {
        let ends = (0..self.ids.len())
            .filter(|&at| self.trained[at] && !self.trained.get(at + 1).copied().unwrap_or(false));
        let mut count = 0;
        for end in ends {
            count += 1;
            if !stop_ids.contains(&self.ids[end]) {
                return false;
            }
        }
        count > 0
    }
}

impl Tokenizer {
    /// Renders and tokenizes a conversation; the template writes the special tokens, so none are
    /// added (as `apply_chat_template(tokenize=True, return_assistant_tokens_mask=True)`).
    ///
    /// # Errors
    /// Those of [`crate::ChatTemplate::render_with_spans`] and [`Tokenizer::encode`].
    pub fn encode_chat(
        &self,
        messages: &[Message],
        options: &ChatOptions,
    ) -> Result<TokenizedChat, Error> {
        self.tokenized(self.chat_template().render_with_spans(messages, options)?)
    }

    /// As [`Tokenizer::encode_chat`], for messages whose content is not a text.
    ///
    /// # Errors
    /// As [`Tokenizer::encode_chat`].
    pub fn encode_turns(
        &self,
        messages: Vec<Map<String, Value>>,
        options: &ChatOptions,
    ) -> Result<TokenizedChat, Error> {
        self.tokenized(self.chat_template().render_turns_with_spans(messages, options)?)
    }

    fn tokenized(&self, rendered: Rendered) -> Result<TokenizedChat, Error> {
        let Rendered { text, mut spans } = rendered;
        let (ids, offsets) = self.encode_with_offsets(&text, false)?;
        self.include_stops(&mut spans, &ids, &offsets);
        let mut covered = 0;
        let trained = offsets
            .iter()
            .map(|token| {
                // Some tokenizers leave the whitespace out of the range that they give.
                let start = token.start.min(covered);
                covered = covered.max(token.end);
                spans.iter().any(|span| start < span.end && token.end > span.start)
            })
            .collect();
        Ok(TokenizedChat { ids, trained, text, spans })
    }

    /// Takes into a turn the token right after it at which an answer stops, where the turn has
    /// none of its own: some templates close a turn with the header of the next one.
    fn include_stops(&self, spans: &mut [Range<usize>], ids: &[u32], offsets: &[Range<usize>]) {
        let stops = |at: usize| ids.get(at).is_some_and(|id| self.stop_ids().contains(id));
        for span in spans {
            let next = offsets.partition_point(|token| token.start < span.end);
            let begins = offsets.get(next).filter(|token| token.start == span.end);
            if let Some(token) = begins
                && stops(next)
                && !next.checked_sub(1).is_some_and(stops)
            {
                span.end = token.end;
            }
        }
    }
}
