//! The tokenizer inside a GGUF file's metadata, as the files of a Hugging Face folder.
//!
//! GGUF stores a vocabulary, merges or scores, kinds of tokens, and the name of a way of splitting
//! text. llama.cpp (`llama-vocab.cpp`) says what they mean; transformers 5
//! (`integrations/gguf/gguf_tokenizer_mapping.py`) how they become a `tokenizer.json`.

mod byte_level;
mod pre;
mod sentencepiece;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{Error, TokenizerFiles};

/// More tokens than any vocabulary has.
const MOST_TOKENS: usize = 4_000_000;

/// The `tokenizer.*` metadata of a GGUF file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GgufTokenizer {
    /// `tokenizer.ggml.model`: `gpt2` (byte-level BPE) or `llama` (SentencePiece BPE).
    pub model: String,
    /// `tokenizer.ggml.pre`: how text is split, for `gpt2`.
    pub pre: Option<String>,
    /// `tokenizer.ggml.tokens`; a token's position is its id.
    pub tokens: Vec<String>,
    /// `tokenizer.ggml.scores`, one for each token.
    pub scores: Option<Vec<f32>>,
    /// `tokenizer.ggml.token_type`, one for each token: 1 normal, 2 unknown, 3 control,
    /// 4 user-defined, 5 unused, 6 byte.
    pub token_types: Option<Vec<i32>>,
    /// `tokenizer.ggml.merges`, two tokens separated by a space each.
    pub merges: Option<Vec<String>>,
    /// `tokenizer.ggml.bos_token_id`.
    pub bos: Option<u32>,
    /// `tokenizer.ggml.eos_token_id`.
    pub eos: Option<u32>,
    /// `tokenizer.ggml.padding_token_id`.
    pub pad: Option<u32>,
    /// `tokenizer.ggml.unknown_token_id`.
    pub unk: Option<u32>,
    /// `tokenizer.ggml.add_bos_token`.
    pub add_bos: Option<bool>,
    /// `tokenizer.ggml.add_eos_token`.
    pub add_eos: Option<bool>,
    /// `tokenizer.ggml.add_space_prefix`.
    pub add_space_prefix: Option<bool>,
    /// `tokenizer.chat_template`.
    pub chat_template: Option<String>,
}

/// Kinds of tokens, as GGUF numbers them.
mod kind {
    pub(super) const NORMAL: i32 = 1;
    pub(super) const UNKNOWN: i32 = 2;
    pub(super) const CONTROL: i32 = 3;
    pub(super) const USER_DEFINED: i32 = 4;
    pub(super) const BYTE: i32 = 6;
}

/// What is different between the kinds of tokenizers: the parts of a `tokenizer.json`.
struct Parts {
    normalizer: Value,
    pre_tokenizer: Value,
    decoder: Value,
    model: Value,
    /// Whether the kind adds the beginning-of-sequence token when the file does not say.
    add_bos: bool,
}

/// Builds the tokenizer files that a GGUF file's metadata describes.
///
/// # Errors
/// [`Error::GgufModel`] and [`Error::GgufPre`] for kinds that are not supported, with the list of
/// those that are; [`Error::GgufVocabulary`] when lists do not fit together.
pub fn gguf_tokenizer(metadata: &GgufTokenizer) -> Result<TokenizerFiles, Error> {
    let vocabulary = Vocabulary::new(metadata)?;
    let parts = match metadata.model.as_str() {
        "gpt2" => byte_level::parts(metadata, &vocabulary)?,
        "llama" => sentencepiece::parts(metadata, &vocabulary)?,
        _ => {
            return Err(Error::GgufModel {
                model: metadata.model.clone(),
                supported: "gpt2, llama".to_owned(),
            });
        }
    };
    let named = vocabulary
        .named
        .iter()
        .map(|&(name, id)| (name.to_owned(), json!(vocabulary.tokens[id as usize])));
    let named: Map<String, Value> = named.collect();
    let added = vocabulary.added();
    let tokenizer_json = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": parts.normalizer,
        "pre_tokenizer": parts.pre_tokenizer,
        "post_processor": post_processor(metadata, &vocabulary, parts.add_bos)?,
        "decoder": parts.decoder,
        "model": parts.model,
    });
    let decoder: Map<String, Value> = added.into_iter().filter_map(numbered).collect();
    let mut config = named.clone();
    config.insert("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast"));
    config.insert("clean_up_tokenization_spaces".to_owned(), json!(false));
    config.insert("added_tokens_decoder".to_owned(), Value::Object(decoder));
    Ok(TokenizerFiles {
        tokenizer_json: tokenizer_json.to_string(),
        tokenizer_config: Value::Object(config),
        special_tokens_map: Value::Object(named),
        chat_template: metadata.chat_template.clone(),
        generation_config: Value::Null,
        added_eos: Vec::new(),
    })
}

/// An added token as `added_tokens_decoder` has it: under its id.
fn numbered(token: Value) -> Option<(String, Value)> {
    let Value::Object(mut fields) = token else { return None };
    let id = fields.shift_remove("id")?;
    Some((id.to_string(), Value::Object(fields)))
}

/// The token lists, checked.
struct Vocabulary {
    tokens: Vec<String>,
    ids: HashMap<String, u32>,
    kinds: Vec<i32>,
    named: Vec<(&'static str, u32)>,
}

impl Vocabulary {
    fn new(metadata: &GgufTokenizer) -> Result<Self, Error> {
        let count = metadata.tokens.len();
        if count == 0 || count > MOST_TOKENS {
            return Err(damaged(format!("tokenizer.ggml.tokens lists {count} tokens")));
        }
        check_length("scores", metadata.scores.as_ref().map(Vec::len), count)?;
        check_length("token_type", metadata.token_types.as_ref().map(Vec::len), count)?;
        let sentencepiece = metadata.model == "llama";
        let mut tokens = Vec::with_capacity(count);
        let mut ids = HashMap::with_capacity(count);
        for (id, token) in (0..).zip(&metadata.tokens) {
            let token = spelled(token, id, sentencepiece, &metadata.tokens);
            if let Some(other) = ids.insert(token.clone(), id) {
                return Err(damaged(format!(
                    "the token \"{token}\" has two ids, {other} and {id}"
                )));
            }
            tokens.push(token);
        }
        let kinds = metadata.token_types.clone().unwrap_or_else(|| vec![kind::NORMAL; count]);
        let default = |id: Option<u32>, default: u32| {
            id.or((sentencepiece && (default as usize) < count).then_some(default))
        };
        let mut named = Vec::new();
        for (name, id) in [
            ("bos_token", default(metadata.bos, 1)),
            ("eos_token", default(metadata.eos, 2)),
            ("unk_token", default(metadata.unk, 0)),
            ("pad_token", metadata.pad),
        ] {
            let Some(id) = id else { continue };
            if id as usize >= count {
                return Err(damaged(format!(
                    "the {name} has the id {id}, but there are {count} tokens"
                )));
            }
            named.push((name, id));
        }
        Ok(Self { tokens, ids, kinds, named })
    }

    fn id(&self, name: &str) -> Option<u32> {
        self.named.iter().find(|(known, _)| *known == name).map(|&(_, id)| id)
    }

    fn token(&self, name: &str) -> Option<&str> {
        self.id(name).map(|id| self.tokens[id as usize].as_str())
    }

    fn json(&self) -> Value {
        Value::Object(
            (0_u32..).zip(&self.tokens).map(|(id, token)| (token.clone(), json!(id))).collect(),
        )
    }

    /// Tokens that are found whole in a text before it is split: control tokens, those named, and
    /// user-defined ones.
    fn added(&self) -> Vec<Value> {
        let mut added = Vec::new();
        for (id, (token, &kind)) in (0_u32..).zip(self.tokens.iter().zip(&self.kinds)) {
            let special = kind == kind::CONTROL || self.named.iter().any(|&(_, named)| named == id);
            // Runs of spaces are respelled and so never found in a text; merges make them.
            let whole = kind == kind::USER_DEFINED && !token.starts_with('\u{2581}');
            if special || whole {
                added.push(json!({
                    "id": id,
                    "content": token,
                    "single_word": false,
                    "lstrip": false,
                    "rstrip": false,
                    "normalized": false,
                    "special": special,
                }));
            }
        }
        added
    }
}

fn check_length(name: &str, length: Option<usize>, count: usize) -> Result<(), Error> {
    match length {
        Some(length) if length != count => {
            Err(damaged(format!("tokenizer.ggml.{name} has {length} entries for {count} tokens")))
        }
        _ => Ok(()),
    }
}

/// A token as the vocabulary is to have it. llama.cpp names empty tokens; SentencePiece files
/// write runs of spaces as spaces, while text is looked up with `▁`.
fn spelled(token: &str, id: u32, sentencepiece: bool, tokens: &[String]) -> String {
    if token.is_empty() {
        return format!("[EMPTY_{id}]");
    }
    if sentencepiece && token.bytes().all(|byte| byte == b' ') {
        let respelled = token.replace(' ', "\u{2581}");
        if !tokens.contains(&respelled) {
            return respelled;
        }
    }
    token.to_owned()
}

/// Adds the beginning- and end-of-sequence tokens that the file asks for.
fn post_processor(
    metadata: &GgufTokenizer,
    vocabulary: &Vocabulary,
    add_bos: bool,
) -> Result<Value, Error> {
    let wanted = |wanted: bool, name: &str| -> Result<Option<(String, u32)>, Error> {
        if !wanted {
            return Ok(None);
        }
        match (vocabulary.token(name), vocabulary.id(name)) {
            (Some(token), Some(id)) => Ok(Some((token.to_owned(), id))),
            _ => Err(damaged(format!(
                "the file asks to add the {name} to texts but does not say which it is"
            ))),
        }
    };
    let bos = wanted(metadata.add_bos.unwrap_or(add_bos), "bos_token")?;
    let eos = wanted(metadata.add_eos.unwrap_or(false), "eos_token")?;
    if bos.is_none() && eos.is_none() {
        return Ok(Value::Null);
    }
    let special = |token: &Option<(String, u32)>, sequence: u32| {
        token.as_ref().map(|(token, _)| json!({"SpecialToken": {"id": token, "type_id": sequence}}))
    };
    let side = |name: &str, sequence: u32| -> Vec<Value> {
        let text = json!({"Sequence": {"id": name, "type_id": sequence}});
        special(&bos, sequence).into_iter().chain([text]).chain(special(&eos, sequence)).collect()
    };
    let tokens: Map<String, Value> = [&bos, &eos]
        .into_iter()
        .flatten()
        .map(|(token, id)| (token.clone(), json!({"id": token, "ids": [id], "tokens": [token]})))
        .collect();
    let pair = [side("A", 0), side("B", 1)].concat();
    Ok(json!({
        "type": "TemplateProcessing",
        "single": side("A", 0),
        "pair": pair,
        "special_tokens": tokens,
    }))
}

fn damaged(detail: String) -> Error {
    Error::GgufVocabulary { detail }
}
