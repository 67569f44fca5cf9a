//! Text to token ids and back.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::Value;
use tokenizers::{AddedToken, DecoderWrapper, ModelWrapper};

use crate::chat::ChatTemplate;
use crate::isolate::isolated;
use crate::special::{Configured, SpecialTokens, configured};
use crate::{Error, StreamDecoder, TokenizerFiles};

const FILE: &str = "tokenizer.json";
/// Longest that reading a tokenizer may take; the largest known takes about two seconds.
const READ_LIMIT: Duration = Duration::from_secs(120);

/// A model's tokenizer with its special tokens and chat template.
///
/// Ids, offsets and decoded text equal those of transformers 5 (`AutoTokenizer` over a
/// `tokenizer.json`). Truncation and padding that the file asks for are left out: a caller
/// always gets the whole text. Cloning is cheap.
#[derive(Clone)]
pub struct Tokenizer {
    inner: Arc<Inner>,
}

struct Inner {
    files: TokenizerFiles,
    tokenizer: tokenizers::Tokenizer,
    special: SpecialTokens,
    chat: ChatTemplate,
    bos: Option<u32>,
    eos: Option<u32>,
    pad: Option<u32>,
    stop_ids: Vec<u32>,
    /// Whether decoded text is tidied as for WordPiece (`clean_up_tokenization_spaces`).
    tidy: bool,
    byte_level: bool,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tokenizer")
            .field("vocabulary_size", &self.vocabulary_size())
            .field("special", &self.inner.special)
            .finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Builds a tokenizer from a model's files.
    ///
    /// Special tokens are read as by transformers 5; where a file names no `bos_token`,
    /// `eos_token` or `pad_token`, the id in `generation_config.json` counts. With a
    /// `tokenizer.json`, `add_bos_token` and `add_eos_token` of the configuration do not
    /// count (transformers 5 drops them): its post-processor decides.
    ///
    /// # Errors
    /// [`Error::BadFile`] for files that do not describe a tokenizer, and the template errors
    /// of [`ChatTemplate::new`].
    pub fn new(files: TokenizerFiles) -> Result<Self, Error> {
        let Configured { tokens: mut special, added } =
            configured(&files.tokenizer_config, &files.special_tokens_map)?;
        let json = files.tokenizer_json.clone();
        let mut tokenizer = isolated(READ_LIMIT, move || {
            // The library stumbles over JSON that breaks off.
            serde_json::from_str::<IgnoredAny>(&json).map_err(|error| error.to_string())?;
            json.parse::<tokenizers::Tokenizer>().map_err(|error| error.to_string())
        })
        .map_err(|interrupted| Error::bad_file(FILE, interrupted.detail()))?
        .map_err(|detail| Error::bad_file(FILE, detail))?;
        tokenizer.with_truncation(None).map_err(|error| Error::bad_file(FILE, error))?;
        tokenizer.with_padding(None);
        add_missing(&mut tokenizer, added)?;
        fill_from_generation_config(&mut special, &tokenizer, &files.generation_config);
        special.set_control(
            tokenizer
                .get_added_tokens_decoder()
                .into_values()
                .filter(|token| token.special)
                .map(|token| token.content),
        );

        let id =
            |attribute: &str| special.get(attribute).and_then(|token| tokenizer.token_to_id(token));
        let (bos, eos, pad) = (id("bos_token"), id("eos_token"), id("pad_token"));
        let chat = match ChatTemplate::from_files(&files, &special)? {
            Some(chat) => chat,
            None => ChatTemplate::plain(&special, begins_with(&tokenizer, bos)?)?,
        };
        let stop_ids = stop_ids(&files, &tokenizer, &chat, eos);
        let tidy =
            files.tokenizer_config.get("clean_up_tokenization_spaces").and_then(Value::as_bool)
                == Some(true)
                && !matches!(tokenizer.get_model(), ModelWrapper::BPE(_));
        let byte_level = tokenizer.get_decoder().is_some_and(has_byte_level);
        let inner =
            Inner { files, tokenizer, special, chat, bos, eos, pad, stop_ids, tidy, byte_level };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Builds the tokenizer of a folder in Hugging Face layout.
    ///
    /// # Errors
    /// Those of [`TokenizerFiles::from_folder`] and [`Tokenizer::new`].
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        Self::new(TokenizerFiles::from_folder(folder)?)
    }

    /// The files that it was built from.
    pub fn files(&self) -> &TokenizerFiles {
        &self.inner.files
    }

    /// Token ids of a text; with `add_special_tokens`, the tokens that the model expects around
    /// a text (such as the beginning-of-sequence token) are added.
    ///
    /// # Errors
    /// [`Error::Encode`] when the tokenizer has no token for a part of the text.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, Error> {
        let encoding = self.guarded(|tokenizer| tokenizer.encode_fast(text, add_special_tokens))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids and, for each, the byte range of `text` that it stands for. Added special tokens
    /// have the range `0..0`; tokens that share one character have the same range.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_with_offsets(
        &self,
        text: &str,
        add_special_tokens: bool,
    ) -> Result<(Vec<u32>, Vec<Range<usize>>), Error> {
        let encoding = self.guarded(|tokenizer| tokenizer.encode(text, add_special_tokens))?;
        let offsets = encoding.get_offsets().iter().map(|&(start, end)| start..end).collect();
        Ok((encoding.get_ids().to_vec(), offsets))
    }

    fn guarded<T>(
        &self,
        encode: impl FnOnce(&tokenizers::Tokenizer) -> tokenizers::Result<T>,
    ) -> Result<T, Error> {
        // The parts of a tokenizer.json come from a stranger and can be put together in ways
        // that the library does not foresee.
        match catch_unwind(AssertUnwindSafe(|| encode(&self.inner.tokenizer))) {
            Ok(result) => result.map_err(|error| Error::Encode { detail: error.to_string() }),
            Err(_) => Err(Error::Encode { detail: "its parts do not fit together".to_owned() }),
        }
    }

    /// The text of token ids. Ids outside the vocabulary stand for nothing.
    ///
    /// # Errors
    /// [`Error::Decode`] when the tokenizer's decoder fails.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, Error> {
        let text = self.decode_untidied(ids, skip_special_tokens)?;
        Ok(if self.inner.tidy { tidied(&text) } else { text })
    }

    /// As [`Tokenizer::decode`] without the tidying of WordPiece text, which looks ahead.
    pub(crate) fn decode_untidied(
        &self,
        ids: &[u32],
        skip_special_tokens: bool,
    ) -> Result<String, Error> {
        match catch_unwind(AssertUnwindSafe(|| {
            self.inner.tokenizer.decode(ids, skip_special_tokens)
        })) {
            Ok(result) => result.map_err(|error| Error::Decode { detail: error.to_string() }),
            Err(_) => Err(Error::Decode { detail: "its parts do not fit together".to_owned() }),
        }
    }

    /// A token as a person would read it: the spaces that the vocabulary writes as `Ġ` or `▁`
    /// shown as spaces, everything else as the vocabulary has it; `[id]` for an id outside it.
    pub fn token_text(&self, id: u32) -> String {
        let Some(piece) = self.inner.tokenizer.id_to_token(id) else {
            return format!("[{id}]");
        };
        if self.is_added(id) {
            return piece;
        }
        if self.inner.byte_level {
            let bytes: Option<Vec<u8>> = piece.chars().map(crate::byte_level::byte_of).collect();
            return bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(piece);
        }
        piece.replace('\u{2581}', " ")
    }

    fn is_added(&self, id: u32) -> bool {
        self.inner.tokenizer.get_added_vocabulary().get_added_tokens_decoder().contains_key(&id)
    }

    /// Whether a token is a special one (added by the tokenizer or a chat template, never prose).
    pub fn is_special(&self, id: u32) -> bool {
        let added = self.inner.tokenizer.get_added_vocabulary().get_added_tokens_decoder();
        added.get(&id).is_some_and(|token| token.special)
    }

    /// The id of a token given as the vocabulary has it.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.tokenizer.token_to_id(token)
    }

    /// Beginning-of-sequence token.
    pub fn bos(&self) -> Option<u32> {
        self.inner.bos
    }

    /// End-of-sequence token.
    pub fn eos(&self) -> Option<u32> {
        self.inner.eos
    }

    /// Padding token; `None` when the model names none.
    pub fn pad(&self) -> Option<u32> {
        self.inner.pad
    }

    /// Tokens that end an answer: `eos`, those in `generation_config.json`, those in
    /// [`TokenizerFiles::added_eos`], and the token that ends a turn in the chat template.
    pub fn stop_ids(&self) -> &[u32] {
        &self.inner.stop_ids
    }

    /// Number of tokens, added ones included. The model's embedding may have more rows.
    pub fn vocabulary_size(&self) -> usize {
        self.inner.tokenizer.get_vocab_size(true)
    }

    /// The special tokens by name.
    pub fn special_tokens(&self) -> &SpecialTokens {
        &self.inner.special
    }

    /// The model's own chat template, or the plain built-in one
    /// ([`ChatTemplate::is_builtin`] tells).
    pub fn chat_template(&self) -> &ChatTemplate {
        &self.inner.chat
    }

    /// Decodes tokens as they come, without ever giving half a character.
    pub fn decoder(&self, skip_special: bool) -> StreamDecoder {
        StreamDecoder::new(self.clone(), skip_special)
    }
}

/// Adds tokens that the configuration names and the tokenizer lacks.
fn add_missing(tokenizer: &mut tokenizers::Tokenizer, added: Vec<AddedToken>) -> Result<(), Error> {
    let known = tokenizer.get_added_tokens_decoder();
    let missing: Vec<AddedToken> = added
        .into_iter()
        .filter(|token| !known.values().any(|other| other.content == token.content))
        .collect();
    if !missing.is_empty() {
        tokenizer
            .add_tokens(missing)
            .map_err(|error| Error::bad_file("tokenizer_config.json", error))?;
    }
    Ok(())
}

fn fill_from_generation_config(
    special: &mut SpecialTokens,
    tokenizer: &tokenizers::Tokenizer,
    config: &Value,
) {
    for (attribute, key) in [
        ("bos_token", "bos_token_id"),
        ("eos_token", "eos_token_id"),
        ("pad_token", "pad_token_id"),
    ] {
        if special.get(attribute).is_none()
            && let Some(&id) = ids(config.get(key)).first()
            && let Some(token) = tokenizer.id_to_token(id)
        {
            special.set(attribute, &token);
        }
    }
}

/// One id or a list of ids.
fn ids(value: Option<&Value>) -> Vec<u32> {
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(id).collect(),
        Some(value) => id(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn stop_ids(
    files: &TokenizerFiles,
    tokenizer: &tokenizers::Tokenizer,
    chat: &ChatTemplate,
    eos: Option<u32>,
) -> Vec<u32> {
    let mut stops: Vec<u32> = eos.into_iter().collect();
    stops.extend(ids(files.generation_config.get("eos_token_id")));
    stops.extend(files.added_eos.iter().filter_map(|token| tokenizer.token_to_id(token)));
    stops.extend(chat.end_of_turn().and_then(|token| tokenizer.token_to_id(token)));
    let size = tokenizer.get_vocab_size(true);
    let mut unique = Vec::with_capacity(stops.len());
    for id in stops {
        if (id as usize) < size && !unique.contains(&id) {
            unique.push(id);
        }
    }
    unique
}

/// Whether the tokenizer puts the beginning-of-sequence token before every text.
fn begins_with(tokenizer: &tokenizers::Tokenizer, bos: Option<u32>) -> Result<bool, Error> {
    let Some(bos) = bos else { return Ok(false) };
    let encoding = catch_unwind(AssertUnwindSafe(|| tokenizer.encode_fast("", true)))
        .map_err(|_| Error::bad_file(FILE, "its parts do not fit together"))?
        .map_err(|error| Error::bad_file(FILE, error))?;
    Ok(encoding.get_ids().first() == Some(&bos))
}

fn has_byte_level(decoder: &DecoderWrapper) -> bool {
    match decoder {
        DecoderWrapper::ByteLevel(_) => true,
        DecoderWrapper::Sequence(sequence) => sequence.get_decoders().iter().any(has_byte_level),
        _ => false,
    }
}

/// transformers' `clean_up_tokenization`.
fn tidied(text: &str) -> String {
    const REPLACEMENTS: [(&str, &str); 10] = [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];
    REPLACEMENTS.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
