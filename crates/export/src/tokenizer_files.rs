//! The tokenizer's files in a Hugging Face folder.

use std::path::Path;

use sanbao_contract::data::Task;
use sanbao_project::{write_atomic, write_json};
use sanbao_text::Tokenizer;
use serde_json::{Map, Value, json};

use crate::Error;

/// Special tokens that `special_tokens_map.json` and `tokenizer_config.json` name.
const NAMED: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// Writes `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json`,
/// `chat_template.jinja` and `generation_config.json`, as the base model brought them. What it
/// did not bring (a GGUF file has no such files) is made from what its tokenizer knows.
pub(crate) fn write(tokenizer: &Tokenizer, task: Option<Task>, folder: &Path) -> Result<(), Error> {
    let files = tokenizer.files();
    write_text(&folder.join("tokenizer.json"), &files.tokenizer_json)?;
    let template = chat_template(tokenizer, task);
    let config = tokenizer_config(tokenizer, template.is_some());
    json_file(&folder.join("tokenizer_config.json"), &config)?;
    let map = match &files.special_tokens_map {
        Value::Null => Value::Object(named_tokens(tokenizer)),
        map => map.clone(),
    };
    json_file(&folder.join("special_tokens_map.json"), &map)?;
    if let Some(template) = template {
        write_text(&folder.join("chat_template.jinja"), &template)?;
    }
    json_file(&folder.join("generation_config.json"), &generation_config(tokenizer))
}

/// The template that conversations are laid out with. A base model without one was taught with
/// the built-in layout, which then belongs to the new model; one that only read prose has none.
pub(crate) fn chat_template(tokenizer: &Tokenizer, task: Option<Task>) -> Option<String> {
    let template = tokenizer.chat_template();
    if !template.is_builtin() {
        return Some(template.source().to_owned());
    }
    if task == Some(Task::Prose) {
        return None;
    }
    // The built-in template asks what the tokenizer does; in a file of its own it has to know.
    let begins = if adds_bos(tokenizer) { "true" } else { "false" };
    Some(format!("{{%- set begins_with_bos = {begins} -%}}\n{}", template.source()))
}

/// Whether every text begins with the beginning-of-sequence token.
pub(crate) fn adds_bos(tokenizer: &Tokenizer) -> bool {
    added(tokenizer, tokenizer.bos(), |ids| ids.first().copied())
}

/// Whether every text ends with the end-of-sequence token.
pub(crate) fn adds_eos(tokenizer: &Tokenizer) -> bool {
    added(tokenizer, tokenizer.eos(), |ids| ids.last().copied())
}

fn added(tokenizer: &Tokenizer, token: Option<u32>, end: impl Fn(&[u32]) -> Option<u32>) -> bool {
    let ids = |special| tokenizer.encode("a", special).unwrap_or_default();
    token.is_some() && end(&ids(true)) == token && end(&ids(false)) != token
}

fn named_tokens(tokenizer: &Tokenizer) -> Map<String, Value> {
    let special = tokenizer.special_tokens();
    NAMED.iter().filter_map(|name| Some(((*name).to_owned(), json!(special.get(name)?)))).collect()
}

fn tokenizer_config(tokenizer: &Tokenizer, has_template_file: bool) -> Value {
    let mut config = match &tokenizer.files().tokenizer_config {
        Value::Object(config) => config.clone(),
        _ => {
            let mut config = named_tokens(tokenizer);
            config.insert("tokenizer_class".into(), json!("PreTrainedTokenizerFast"));
            config.insert("clean_up_tokenization_spaces".into(), json!(false));
            config
        }
    };
    // A single template stands in a file of its own; a list of named ones stays.
    if has_template_file && config.get("chat_template").is_some_and(Value::is_string) {
        config.shift_remove("chat_template");
    }
    // Code of a stranger's is never asked for.
    config.shift_remove("auto_map");
    Value::Object(config)
}

fn generation_config(tokenizer: &Tokenizer) -> Value {
    let mut config = match &tokenizer.files().generation_config {
        Value::Object(config) => config.clone(),
        _ => Map::new(),
    };
    for (name, id) in [("bos_token_id", tokenizer.bos()), ("pad_token_id", tokenizer.pad())] {
        if let (Some(id), false) = (id, config.contains_key(name)) {
            config.insert(name.into(), json!(id));
        }
    }
    // Every token that the model was taught to stop at.
    match tokenizer.stop_ids() {
        [] => {}
        [id] => drop(config.insert("eos_token_id".into(), json!(id))),
        ids => drop(config.insert("eos_token_id".into(), json!(ids))),
    }
    Value::Object(config)
}

pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), Error> {
    write_atomic(path, |file| std::io::Write::write_all(file, text.as_bytes()))
        .map_err(Error::io(path))
}

pub(crate) fn json_file(path: &Path, value: &Value) -> Result<(), Error> {
    write_json(path, value).map_err(Error::io(path))
}
