//! Tokens for people to look at.

use crate::Tokenizer;

/// A token as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownToken {
    /// Its id.
    pub id: u32,
    /// Its text ([`Tokenizer::token_text`]).
    pub text: String,
    /// Whether it is learnt.
    pub trained: bool,
    /// Whether it is a special token.
    pub special: bool,
}

impl Tokenizer {
    /// Lists tokens for display. `trained` says for each whether it is learnt; tokens beyond its
    /// end are not.
    pub fn show(&self, ids: &[u32], trained: &[bool]) -> Vec<ShownToken> {
        let flags = trained.iter().copied().chain(std::iter::repeat(false));
        ids.iter()
            .zip(flags)
            .map(|(&id, trained)| ShownToken {
                id,
                text: self.token_text(id),
                trained,
                special: self.is_special(id),
            })
            .collect()
    }
}
