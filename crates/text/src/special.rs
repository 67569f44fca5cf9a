//! Special tokens: what `tokenizer_config.json` and `special_tokens_map.json` say.

use serde_json::{Map, Value};
use tokenizers::AddedToken;

use crate::Error;

/// Attributes that every tokenizer of transformers knows, in its order
/// (`PreTrainedTokenizerBase.SPECIAL_TOKENS_ATTRIBUTES`).
const ATTRIBUTES: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// The special tokens of a model by attribute (`eos_token`, …), as a chat template sees them.
///
/// Only tokens that the tokenizer has are present.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpecialTokens {
    named: Vec<(String, String)>,
    control: Vec<String>,
}

impl SpecialTokens {
    /// From attribute and token pairs; an attribute given twice takes the later token.
    pub fn new<'a>(named: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tokens = Self::default();
        for (attribute, token) in named {
            tokens.set(attribute, token);
        }
        tokens
    }

    /// The token of an attribute.
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.named.iter().find(|(name, _)| name == attribute).map(|(_, token)| token.as_str())
    }

    /// Attributes and tokens.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named.iter().map(|(name, token)| (name.as_str(), token.as_str()))
    }

    /// Every special token of the vocabulary by its text, named or not.
    pub fn control(&self) -> &[String] {
        &self.control
    }

    pub(crate) fn set(&mut self, attribute: &str, token: &str) {
        match self.named.iter_mut().find(|(name, _)| name == attribute) {
            Some(entry) => entry.1 = token.to_owned(),
            None => self.named.push((attribute.to_owned(), token.to_owned())),
        }
    }

    /// Sets the list of control tokens, longest first so that the first match is the longest.
    pub(crate) fn set_control(&mut self, tokens: impl IntoIterator<Item = String>) {
        self.control = tokens.into_iter().filter(|token| !token.is_empty()).collect();
        self.control.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.control.dedup();
    }
}

/// What the configuration says about special tokens, before a tokenizer is asked.
pub(crate) struct Configured {
    pub tokens: SpecialTokens,
    /// Tokens to add to the tokenizer where it lacks them, in order.
    pub added: Vec<AddedToken>,
}

/// Reads the special tokens as transformers 5 does (`_from_pretrained`):
/// `special_tokens_map.json` counts only where `tokenizer_config.json` has no
/// `added_tokens_decoder`, and then it wins.
pub(crate) fn configured(config: &Value, map: &Value) -> Result<Configured, Error> {
    const CONFIG: &str = "tokenizer_config.json";
    const MAP: &str = "special_tokens_map.json";
    let empty = Map::new();
    let config = config.as_object().unwrap_or(&empty);
    let mut named: Vec<(String, AddedToken)> = Vec::new();
    let mut extra: Vec<AddedToken> = Vec::new();
    collect(config, CONFIG, &mut named, &mut extra)?;
    let mut added = Vec::new();
    match config.get("added_tokens_decoder") {
        None | Some(Value::Null) => {
            collect(map.as_object().unwrap_or(&empty), MAP, &mut named, &mut extra)?;
        }
        Some(Value::Object(entries)) => {
            let mut numbered = Vec::with_capacity(entries.len());
            for (id, entry) in entries {
                let number: u32 = id.parse().map_err(|_| {
                    Error::bad_file(
                        CONFIG,
                        format!("added_tokens_decoder has the key \"{id}\", which is no id"),
                    )
                })?;
                numbered.push((number, added_token(entry, CONFIG, "added_tokens_decoder")?));
            }
            numbered.sort_by_key(|(number, _)| *number);
            added.extend(numbered.into_iter().map(|(_, token)| token));
        }
        Some(_) => return Err(Error::bad_file(CONFIG, "added_tokens_decoder is not an object")),
    }
    let mut tokens = SpecialTokens::default();
    for attribute in ATTRIBUTES {
        if let Some((_, token)) = named.iter().find(|(name, _)| name == attribute) {
            tokens.set(attribute, &token.content);
        }
    }
    for (attribute, token) in &named {
        tokens.set(attribute, &token.content);
    }
    for token in named.into_iter().map(|(_, token)| token).chain(extra) {
        if !added.iter().any(|known: &AddedToken| known.content == token.content) {
            added.push(token.special(true).normalized(false));
        }
    }
    Ok(Configured { tokens, added })
}

fn collect(
    object: &Map<String, Value>,
    file: &str,
    named: &mut Vec<(String, AddedToken)>,
    extra: &mut Vec<AddedToken>,
) -> Result<(), Error> {
    for (key, value) in object {
        let standard = ATTRIBUTES.contains(&key.as_str());
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("extra_special_tokens" | "additional_special_tokens", Value::Array(tokens)) => {
                for token in tokens {
                    extra.push(added_token(token, file, key)?);
                }
            }
            ("extra_special_tokens", Value::Object(tokens)) => {
                for (name, token) in tokens {
                    replace(named, name, added_token(token, file, key)?);
                }
            }
            _ if standard => replace(named, key, added_token(value, file, key)?),
            // Tokens of one family, such as `image_token`.
            (_, Value::String(token)) if key.ends_with("_token") => {
                replace(named, key, AddedToken::from(token.as_str(), true));
            }
            _ => {}
        }
    }
    Ok(())
}

fn replace(named: &mut Vec<(String, AddedToken)>, name: &str, token: AddedToken) {
    named.retain(|(known, _)| known != name);
    named.push((name.to_owned(), token));
}

/// A token written as text or as an object with `content` and flags.
fn added_token(value: &Value, file: &str, key: &str) -> Result<AddedToken, Error> {
    let bad =
        || Error::bad_file(file, format!("{key} is neither a text nor an object with content"));
    match value {
        Value::String(content) => Ok(AddedToken::from(content.as_str(), true).normalized(false)),
        Value::Object(fields) => {
            let content = fields.get("content").and_then(Value::as_str).ok_or_else(bad)?;
            let flag = |name: &str, default: bool| {
                fields.get(name).and_then(Value::as_bool).unwrap_or(default)
            };
            Ok(AddedToken::from(content, flag("special", false))
                .lstrip(flag("lstrip", false))
                .rstrip(flag("rstrip", false))
                .single_word(flag("single_word", false))
                .normalized(flag("normalized", !flag("special", false))))
        }
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_may_be_texts_or_objects() {
        let config = json!({
            "bos_token": {"content": "<s>", "lstrip": true},
            "eos_token": "</s>",
            "pad_token": null,
            "image_token": "<image>",
            "added_tokens_decoder": {"2": {"content": "b"}, "1": {"content": "a", "special": true}},
        });
        let Configured { tokens, added } = configured(&config, &Value::Null).unwrap();
        assert_eq!(tokens.get("bos_token"), Some("<s>"));
        assert_eq!(tokens.get("eos_token"), Some("</s>"));
        assert_eq!(tokens.get("pad_token"), None);
        assert_eq!(tokens.get("image_token"), Some("<image>"));
        let contents: Vec<_> =
            added.iter().map(|token| (token.content.as_str(), token.special)).collect();
        assert_eq!(contents[..2], [("a", true), ("b", false)]);
        assert!(contents.contains(&("<s>", true)));
    }

    #[test]
    fn the_map_counts_only_without_added_tokens_decoder() {
        let map = json!({"eos_token": {"content": "<end>"}, "additional_special_tokens": ["<x>"]});
        let old = configured(&json!({"eos_token": "</s>"}), &map).unwrap();
        assert_eq!(old.tokens.get("eos_token"), Some("<end>"));
        assert!(old.added.iter().any(|token| token.content == "<x>" && token.special));
        let new =
            configured(&json!({"eos_token": "</s>", "added_tokens_decoder": {}}), &map).unwrap();
        assert_eq!(new.tokens.get("eos_token"), Some("</s>"));
    }

    #[test]
    fn damaged_entries_are_named() {
        for (config, word) in [
            (json!({"eos_token": 7}), "eos_token"),
            (json!({"eos_token": {"text": "x"}}), "eos_token"),
            (json!({"added_tokens_decoder": []}), "added_tokens_decoder"),
            (json!({"added_tokens_decoder": {"x": "a"}}), "\"x\""),
        ] {
            let error = configured(&config, &Value::Null).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
