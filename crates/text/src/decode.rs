//! Decoding a stream of tokens.

use crate::Tokenizer;

/// Tokens after which bytes that still form no character are taken as broken.
const PATIENCE: usize = 16;
/// A UTF-8 character has at most four bytes and so at most four tokens.
const CHARACTER: usize = 4;

/// Turns tokens into text as they come.
///
/// Text is held back until its last character is whole. All pieces together, with the one from
/// [`StreamDecoder::finish`], equal [`Tokenizer::decode`] of all tokens (before the tidying that
/// some WordPiece tokenizers ask for). A token that the tokenizer's decoder fails on is shown as
/// the vocabulary has it.
#[derive(Debug, Clone)]
pub struct StreamDecoder {
    tokenizer: Tokenizer,
    skip_special: bool,
    /// Tokens kept: first those already given, as context (a decoder may treat the first token
    /// of a text in a way of its own), then those held back.
    ids: Vec<u32>,
    given: usize,
}

impl StreamDecoder {
    pub(crate) fn new(tokenizer: Tokenizer, skip_special: bool) -> Self {
        Self { tokenizer, skip_special, ids: Vec::new(), given: 0 }
    }

    /// Takes the next token; gives the text that is now certain, if any.
    pub fn push(&mut self, id: u32) -> Option<String> {
        if self.skip_special && self.tokenizer.is_special(id) {
            return None;
        }
        self.ids.push(id);
        let whole = self.text(self.ids.len());
        if !whole.ends_with('\u{fffd}') {
            return self.give(&whole);
        }
        if self.ids.len() - self.given < PATIENCE {
            return None;
        }
        // Broken bytes: give what cannot belong to a character that is still to come.
        let tail = self.ids.split_off(self.ids.len() - CHARACTER);
        let text = self.give(&self.text(self.ids.len()));
        self.ids.extend(tail);
        text
    }

    /// The text that is still held back at the end; the decoder is then as new.
    pub fn finish(&mut self) -> Option<String> {
        let text = self.give(&self.text(self.ids.len()));
        self.ids.clear();
        self.given = 0;
        text
    }

    /// The part of `whole` (all kept tokens, decoded) that was not given before; it counts as
    /// given from here on.
    fn give(&mut self, whole: &str) -> Option<String> {
        let new = whole.get(self.text(self.given).len()..).unwrap_or_default().to_owned();
        if new.is_empty() {
            // A token may show only together with the next one (a space at the start).
            return None;
        }
        self.ids.drain(..self.given);
        self.given = self.ids.len();
        Some(new)
    }

    fn text(&self, count: usize) -> String {
        let ids = self.ids.get(..count).unwrap_or_default();
        self.tokenizer
            .decode_untidied(ids, self.skip_special)
            .unwrap_or_else(|_| ids.iter().map(|&id| self.tokenizer.token_text(id)).collect())
    }
}
