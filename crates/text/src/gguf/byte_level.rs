//! `gpt2`: byte-level BPE with merges in the file.

use serde_json::{Value, json};

use super::pre::splitting;
use super::{GgufTokenizer, Parts, Vocabulary, damaged};
use crate::Error;

pub(super) fn parts(metadata: &GgufTokenizer, vocabulary: &Vocabulary) -> Result<Parts, Error> {
    let splitting = splitting(metadata.pre.as_deref())?;
    let merges = metadata
        .merges
        .as_deref()
        .ok_or_else(|| damaged("it has no tokenizer.ggml.merges".to_owned()))?;
    Ok(Parts {
        normalizer: splitting.normalizer(),
        pre_tokenizer: splitting.json(),
        decoder: json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
        model: json!({
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": splitting.ignore_merges,
            "vocab": vocabulary.json(),
            "merges": pairs(merges, vocabulary)?,
        }),
        add_bos: splitting.add_bos,
    })
}

/// Merges as pairs. A token may hold a space only as its first character, so the first space
/// after that separates the two.
pub(super) fn pairs(merges: &[String], vocabulary: &Vocabulary) -> Result<Vec<Value>, Error> {
    let mut pairs = Vec::with_capacity(merges.len());
    for (number, merge) in (1..).zip(merges) {
        let bad = |reason: &str| {
            damaged(format!("merge {number} of tokenizer.ggml.merges, \"{merge}\", {reason}"))
        };
        let first = merge.chars().next().map_or(0, char::len_utf8);
        let cut = merge[first..]
            .find(' ')
            .map(|at| first + at)
            .ok_or_else(|| bad("does not name two tokens"))?;
        let (left, right) = (&merge[..cut], &merge[cut + 1..]);
        let known = |token: &str| vocabulary.ids.contains_key(token);
        if !known(left) || !known(right) || !known(&format!("{left}{right}")) {
            return Err(bad("uses a token that the vocabulary lacks"));
        }
        pairs.push(json!([left, right]));
    }
    Ok(pairs)
}
