//! What the tests share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use sanbao_text::Tokenizer;

/// A file among the fixtures of the whole project.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures")).join(name)
}

/// A small tokenizer with a ChatML template (400 tokens, falls back to bytes).
pub(crate) fn tokenizer() -> Tokenizer {
    Tokenizer::from_folder(&fixture("goldens/models/llama_gqa_tied")).unwrap()
}
