//! `llama`: SentencePiece BPE. Files bring scores instead of merges; any two neighbours whose
//! concatenation is a token may merge, the best score first.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::byte_level::pairs;
use super::{GgufTokenizer, Parts, Vocabulary, damaged, kind};
use crate::Error;

/// Longest token in bytes that merges are made for; SentencePiece itself stops at far less.
const LONGEST: usize = 512;

pub(super) fn parts(metadata: &GgufTokenizer, vocabulary: &Vocabulary) -> Result<Parts, Error> {
    let merges = match &metadata.merges {
        Some(merges) => pairs(merges, vocabulary)?,
        None => merges(metadata, vocabulary)?,
    };
    let prefix = metadata.add_space_prefix.unwrap_or(true);
    let spaces = json!({"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"});
    // The space goes before every piece of text between special tokens, as SentencePiece and
    // llama.cpp have it and the tokenizer.json of Llama 2, Mistral and Phi 3.
    let normalizer = if prefix {
        json!({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u{2581}"}, spaces]})
    } else {
        spaces
    };
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "\u{2581}"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if prefix {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    Ok(Parts {
        normalizer,
        pre_tokenizer: Value::Null,
        decoder: json!({"type": "Sequence", "decoders": decoders}),
        model: json!({
            "type": "BPE",
            "dropout": null,
            "unk_token": vocabulary.token("unk_token"),
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": true,
            "byte_fallback": true,
            "ignore_merges": false,
            "vocab": vocabulary.json(),
            "merges": merges,
        }),
        add_bos: true,
    })
}

/// A way to make a token out of two.
struct Merge<'a> {
    left: &'a str,
    right: &'a str,
    /// User-defined tokens are never cut, so their merges come first, in order of ids.
    user_defined: Option<u32>,
    score: f32,
    lengths: (usize, usize),
}

impl Merge<'_> {
    /// Order of merging: transformers' `generate_merges`, by score and then by length.
    fn order(&self, other: &Self) -> Ordering {
        match (self.user_defined, other.user_defined) {
            (Some(own), Some(other)) if own != other => return own.cmp(&other),
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) if self.score != other.score => return other.score.total_cmp(&self.score),
            _ => {}
        }
        other.lengths.cmp(&self.lengths)
    }
}

/// The merges that a vocabulary with scores stands for.
fn merges(metadata: &GgufTokenizer, vocabulary: &Vocabulary) -> Result<Vec<Value>, Error> {
    let scores = metadata.scores.as_deref().ok_or_else(|| {
        damaged("it has neither tokenizer.ggml.scores nor tokenizer.ggml.merges".to_owned())
    })?;
    let part = |token: &str| {
        let id = *vocabulary.ids.get(token)?;
        let kind = vocabulary.kinds.get(id as usize)?;
        (!matches!(*kind, kind::CONTROL | kind::UNKNOWN | kind::BYTE)).then_some(id)
    };
    let mut merges = Vec::new();
    for (id, token) in (0_u32..).zip(&vocabulary.tokens) {
        let score = scores[id as usize];
        if !score.is_finite() {
            return Err(damaged(format!("the score of token {id} is not a number")));
        }
        if part(token).is_none() || token.len() > LONGEST {
            continue;
        }
        let user_defined = (vocabulary.kinds[id as usize] == kind::USER_DEFINED).then_some(id);
        let length = token.chars().count();
        let mut found: Vec<((u32, u32), Merge)> = token
            .char_indices()
            .enumerate()
            .skip(1)
            .filter_map(|(place, (cut, _))| {
                let (left, right) = token.split_at(cut);
                let ids = (part(left)?, part(right)?);
                Some((
                    ids,
                    Merge { left, right, user_defined, score, lengths: (place, length - place) },
                ))
            })
            .collect();
        found.sort_by_key(|(ids, _)| *ids);
        merges.extend(found.into_iter().map(|(_, merge)| merge));
    }
    merges.sort_by(Merge::order);
    Ok(merges.into_iter().map(|merge| json!([merge.left, merge.right])).collect())
}
