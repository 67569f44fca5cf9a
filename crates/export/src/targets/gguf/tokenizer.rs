//! The tokenizer in a GGUF file's metadata: the inverse of `sanbao_text::gguf_tokenizer`.

use std::collections::HashMap;

use sanbao_models::weights::{Gguf, GgufWriter, MetaArray, MetaValue};
use sanbao_text::{GgufTokenizer, Tokenizer, gguf_tokenizer};
use serde_json::Value;

use crate::Error;
use crate::job::Job;
use crate::parity::same_tokens;
use crate::tokenizer_files::{adds_bos, adds_eos, chat_template};

/// Names of ways of splitting text, each the usual one of its kind.
const PRE: &[&str] = &[
    "gpt-2",
    "smollm",
    "llama-bpe",
    "smaug-bpe",
    "qwen2",
    "qwen35",
    "tekken",
    "gpt-4o",
    "deepseek-v3",
    "deepseek-coder",
];

/// Kinds of tokens, as GGUF numbers them.
mod kind {
    pub(super) const NORMAL: i32 = 1;
    pub(super) const UNKNOWN: i32 = 2;
    pub(super) const CONTROL: i32 = 3;
    pub(super) const USER_DEFINED: i32 = 4;
    pub(super) const UNUSED: i32 = 5;
    pub(super) const BYTE: i32 = 6;
}

/// The `tokenizer.*` keys of the file.
pub(super) type Entries = Vec<(String, MetaValue)>;

/// Describes the base's tokenizer as GGUF does.
///
/// One that came from a GGUF file is handed on as it was. Otherwise the description is built,
/// and checked by building a tokenizer from it that has to split a test text alike.
///
/// # Errors
/// [`Error::NotRepresentable`] when GGUF has no name for this kind of tokenizer.
pub(super) fn describe(job: &Job) -> Result<Entries, Error> {
    let base = job.source.base;
    let template = chat_template(&base.tokenizer, job.source.card.task);
    if base.path.is_file() {
        return from_gguf(&Gguf::open(&base.path)?, template);
    }
    let mut description = from_files(&base.tokenizer, base.spec.vocab_size)?;
    description.chat_template = template;
    let again = Tokenizer::new(gguf_tokenizer(&description)?)?;
    same_tokens(&base.tokenizer, &again).map_err(|error| match error {
        Error::Changed { what } => refuse(format!("as GGUF describes it, {what}")),
        other => other,
    })?;
    Ok(entries(description))
}

/// Writes the keys.
pub(super) fn set(writer: &mut GgufWriter, entries: Entries) {
    for (key, value) in entries {
        writer.set(&key, value);
    }
}

fn refuse(reason: String) -> Error {
    Error::NotRepresentable {
        format: "GGUF",
        reason: format!("its tokenizer has no place there: {reason}; export as hf instead"),
    }
}

fn from_gguf(gguf: &Gguf, template: Option<String>) -> Result<Entries, Error> {
    const TEMPLATE: &str = "tokenizer.chat_template";
    let kept =
        gguf.metadata().iter().filter(|(key, _)| key.starts_with("tokenizer.") && *key != TEMPLATE);
    let mut entries: Entries = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    entries.extend(template.map(|template| (TEMPLATE.to_owned(), MetaValue::String(template))));
    Ok(entries)
}

fn from_files(tokenizer: &Tokenizer, vocab_size: usize) -> Result<GgufTokenizer, Error> {
    let json: Value = serde_json::from_str(&tokenizer.files().tokenizer_json)
        .map_err(|error| refuse(format!("its tokenizer.json cannot be read ({error})")))?;
    let model = &json["model"];
    // Files of before 2021 leave the type out and are BPE when they have merges.
    if !matches!(model["type"].as_str(), Some("BPE") | None) || !model["merges"].is_array() {
        return Err(refuse(format!(
            "it is of the kind {}, and only BPE is written",
            model["type"]
        )));
    }
    let byte_fallback = model["byte_fallback"] == true;
    let (tokens, token_types) = vocabulary(&json, tokenizer, vocab_size)?;
    let merges = merges(model)?;
    let mut description = GgufTokenizer {
        bos: tokenizer.bos(),
        eos: tokenizer.eos(),
        pad: tokenizer.pad(),
        unk: unknown(model, tokenizer),
        add_bos: Some(adds_bos(tokenizer)),
        add_eos: Some(adds_eos(tokenizer)),
        ..GgufTokenizer::default()
    };
    if byte_fallback {
        description.model = "llama".to_owned();
        description.pre = Some("default".to_owned());
        description.scores = Some(scores(&tokens, &token_types, &merges));
        description.add_space_prefix = Some(begins_with_space(&json));
    } else {
        description.model = "gpt2".to_owned();
        description.pre = Some(pre(&json)?.to_owned());
        description.merges = Some(spaced(&merges)?);
    }
    description.tokens = tokens;
    description.token_types = Some(token_types);
    Ok(description)
}

fn unknown(model: &Value, tokenizer: &Tokenizer) -> Option<u32> {
    let named =
        model["unk_token"].as_str().or_else(|| tokenizer.special_tokens().get("unk_token"))?;
    tokenizer.token_id(named)
}

/// Tokens by id and their kinds, filled up to the rows of the embeddings as llama.cpp asks.
fn vocabulary(
    json: &Value,
    tokenizer: &Tokenizer,
    vocab_size: usize,
) -> Result<(Vec<String>, Vec<i32>), Error> {
    let mut tokens: Vec<Option<String>> = vec![None; vocab_size];
    let mut types = vec![kind::UNUSED; vocab_size];
    let mut place = |token: &str, id: Option<u64>, kind: i32| -> Result<(), Error> {
        let id = id.and_then(|id| usize::try_from(id).ok()).filter(|id| *id < vocab_size);
        let id = id
            .ok_or_else(|| refuse(format!("the token \"{token}\" has no row in the embeddings")))?;
        tokens[id] = Some(token.to_owned());
        types[id] = kind;
        Ok(())
    };
    let byte_fallback = json["model"]["byte_fallback"] == true;
    let unknown = json["model"]["unk_token"].as_str();
    for (token, id) in json["model"]["vocab"].as_object().into_iter().flatten() {
        let kind = match token.as_str() {
            token if Some(token) == unknown => kind::UNKNOWN,
            token if byte_fallback && is_byte(token) => kind::BYTE,
            _ => kind::NORMAL,
        };
        place(token, id.as_u64(), kind)?;
    }
    for added in json["added_tokens"].as_array().into_iter().flatten() {
        let Some(token) = added["content"].as_str() else { continue };
        let kind = match added["special"] == true {
            true if Some(token) == unknown => kind::UNKNOWN,
            true => kind::CONTROL,
            false => kind::USER_DEFINED,
        };
        place(token, added["id"].as_u64(), kind)?;
    }
    // Tokens that only tokenizer_config.json adds.
    for token in tokenizer.special_tokens().control() {
        if let Some(id) =
            tokenizer.token_id(token).filter(|id| types.get(*id as usize) == Some(&kind::UNUSED))
        {
            tokens[id as usize] = Some(token.clone());
            types[id as usize] = kind::CONTROL;
        }
    }
    let filled = tokens
        .into_iter()
        .enumerate()
        .map(|(id, token)| token.unwrap_or_else(|| format!("[PAD{id}]")));
    Ok((filled.collect(), types))
}

/// Whether a token stands for one byte: `<0x0A>`.
fn is_byte(token: &str) -> bool {
    let digits = token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    digits.is_some_and(|digits| {
        digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Merges as pairs; files spell them `"a b"` or `["a", "b"]`.
fn merges(model: &Value) -> Result<Vec<(String, String)>, Error> {
    let pair = |merge: &Value| -> Option<(String, String)> {
        match merge {
            Value::String(text) => {
                text.split_once(' ').map(|(left, right)| (left.to_owned(), right.to_owned()))
            }
            Value::Array(parts) => match parts.as_slice() {
                [left, right] => Some((left.as_str()?.to_owned(), right.as_str()?.to_owned())),
                _ => None,
            },
            _ => None,
        }
    };
    let list = model["merges"].as_array().into_iter().flatten();
    list.map(|merge| {
        pair(merge).ok_or_else(|| refuse(format!("the merge {merge} does not name two tokens")))
    })
    .collect()
}

fn spaced(merges: &[(String, String)]) -> Result<Vec<String>, Error> {
    let join = |(left, right): &(String, String)| {
        if left.contains(' ') || right.contains(' ') {
            return Err(refuse(format!("the merge of \"{left}\" and \"{right}\" holds a space")));
        }
        Ok(format!("{left} {right}"))
    };
    merges.iter().map(join).collect()
}

/// SentencePiece's scores: the earlier a token is merged, the higher; tokens that no merge makes
/// come last, special ones have 0.
fn scores(tokens: &[String], types: &[i32], merges: &[(String, String)]) -> Vec<f32> {
    let mut ranks: HashMap<String, usize> = HashMap::with_capacity(merges.len());
    for (left, right) in merges {
        let next = ranks.len();
        ranks.entry(format!("{left}{right}")).or_insert(next);
    }
    let mut last = ranks.len();
    let score = |(token, kind): (&String, &i32)| {
        if *kind != kind::NORMAL {
            return 0.0;
        }
        let rank = ranks.get(token).copied().unwrap_or_else(|| {
            last += 1;
            last
        });
        -(rank as f32)
    };
    tokens.iter().zip(types).map(score).collect()
}

/// Whether a text is read with a space before it.
fn begins_with_space(json: &Value) -> bool {
    let prepends =
        parts(&json["normalizer"], "normalizers").iter().any(|part| part["type"] == "Prepend");
    let metaspace = parts(&json["pre_tokenizer"], "pretokenizers")
        .into_iter()
        .find(|part| part["type"] == "Metaspace");
    prepends
        || metaspace.is_some_and(|part| match part["prepend_scheme"].as_str() {
            Some(scheme) => scheme != "never",
            None => part["add_prefix_space"] != false,
        })
}

/// The steps of a sequence, or the one step there is.
fn parts<'a>(step: &'a Value, list: &str) -> Vec<&'a Value> {
    match step[list].as_array() {
        Some(steps) if step["type"] == "Sequence" => {
            steps.iter().flat_map(|step| parts(step, list)).collect()
        }
        _ if step.is_null() => Vec::new(),
        _ => vec![step],
    }
}

/// One step of splitting, without what makes no difference.
#[derive(Debug, PartialEq)]
enum Step {
    Digits,
    Gpt2,
    Pattern(String),
    Other(Value),
}

fn steps(json: &Value) -> Vec<Step> {
    let step = |part: &Value| match part["type"].as_str() {
        Some("Digits") if part["individual_digits"] == true => Some(Step::Digits),
        Some("ByteLevel") if part["add_prefix_space"] != true => {
            (part["use_regex"] != false).then_some(Step::Gpt2)
        }
        Some("Split") if part["behavior"] == "Isolated" && part["invert"] != true => {
            let pattern = part["pattern"]["Regex"].as_str();
            Some(pattern.map_or_else(
                || Step::Other(part.clone()),
                |pattern| Step::Pattern(pattern.to_owned()),
            ))
        }
        _ => Some(Step::Other(part.clone())),
    };
    parts(&json["pre_tokenizer"], "pretokenizers").into_iter().filter_map(step).collect()
}

/// The name of the way in which a byte-level tokenizer splits text.
fn pre(json: &Value) -> Result<&'static str, Error> {
    let wanted = (steps(json), json["model"]["ignore_merges"] == true);
    let by_flag = |exact: bool| {
        PRE.iter().copied().find(|name| {
            let known = GgufTokenizer {
                model: "gpt2".to_owned(),
                pre: Some((*name).to_owned()),
                tokens: vec!["a".to_owned()],
                merges: Some(Vec::new()),
                add_bos: Some(false),
                ..GgufTokenizer::default()
            };
            let files = gguf_tokenizer(&known).ok();
            let known: Option<Value> =
                files.and_then(|files| serde_json::from_str(&files.tokenizer_json).ok());
            known.is_some_and(|known| {
                steps(&known) == wanted.0
                    && (!exact || (known["model"]["ignore_merges"] == true) == wanted.1)
            })
        })
    };
    // Few vocabularies have words that their merges do not make, so the other flag may do; the
    // test text decides.
    by_flag(true)
        .or_else(|| by_flag(false))
        .ok_or_else(|| refuse("there is no name for the way in which it splits text".to_owned()))
}

/// The keys and values of a description.
fn entries(description: GgufTokenizer) -> Entries {
    let texts = |list: Vec<String>| MetaValue::Array(MetaArray::String(list));
    let ggml = [
        ("model", Some(MetaValue::String(description.model))),
        ("pre", description.pre.map(MetaValue::String)),
        ("tokens", Some(texts(description.tokens))),
        ("scores", description.scores.map(|scores| MetaValue::Array(MetaArray::F32(scores)))),
        (
            "token_type",
            description.token_types.map(|types| MetaValue::Array(MetaArray::I32(types))),
        ),
        ("merges", description.merges.map(texts)),
        ("bos_token_id", description.bos.map(MetaValue::U32)),
        ("eos_token_id", description.eos.map(MetaValue::U32)),
        ("unknown_token_id", description.unk.map(MetaValue::U32)),
        ("padding_token_id", description.pad.map(MetaValue::U32)),
        ("add_bos_token", description.add_bos.map(MetaValue::Bool)),
        ("add_eos_token", description.add_eos.map(MetaValue::Bool)),
        ("add_space_prefix", description.add_space_prefix.map(MetaValue::Bool)),
    ];
    let ggml =
        ggml.into_iter().filter_map(|(key, value)| Some((format!("tokenizer.ggml.{key}"), value?)));
    let template = description
        .chat_template
        .map(|template| ("tokenizer.chat_template".to_owned(), MetaValue::String(template)));
    ggml.chain(template).collect()
}
