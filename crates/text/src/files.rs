//! What a model folder or a GGUF file brings about its tokenizer.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::Error;

/// Largest `tokenizer.json` read; the largest known is about 35 MB.
const TOKENIZER_LIMIT: u64 = 256 << 20;
/// Largest of the small files read.
const SMALL_LIMIT: u64 = 16 << 20;

/// The tokenizer files of a model, as text and JSON.
///
/// Kept whole, so that an export can write what the base model brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenizerFiles {
    /// `tokenizer.json` of the `tokenizers` library.
    pub tokenizer_json: String,
    /// `tokenizer_config.json`; `Null` when absent.
    pub tokenizer_config: Value,
    /// `special_tokens_map.json`; `Null` when absent.
    pub special_tokens_map: Value,
    /// The chat template from a file of its own (`chat_template.jinja`, `chat_template.json`) or
    /// from GGUF metadata. A template inside `tokenizer_config` stays there.
    pub chat_template: Option<String>,
    /// `generation_config.json`; `Null` when absent.
    pub generation_config: Value,
    /// Further tokens that end an answer, by their text.
    pub added_eos: Vec<String>,
}

impl TokenizerFiles {
    /// Reads `tokenizer.json` (required), `tokenizer_config.json`, `special_tokens_map.json`,
    /// `chat_template.jinja` or `chat_template.json`, and `generation_config.json` of a folder in
    /// Hugging Face layout.
    ///
    /// # Errors
    /// [`Error::NoTokenizer`] without a `tokenizer.json`; [`Error::File`],
    /// [`Error::FileTooLarge`] or [`Error::BadFile`] for a file that cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        let tokenizer_json = read_text(&folder.join("tokenizer.json"), TOKENIZER_LIMIT)?
            .ok_or_else(|| Error::NoTokenizer { folder: folder.to_owned() })?;
        let chat_template = match read_text(&folder.join("chat_template.jinja"), SMALL_LIMIT)? {
            Some(template) => Some(template),
            None => template_from_json(&read_json(folder, "chat_template.json")?)?,
        };
        Ok(Self {
            tokenizer_json,
            tokenizer_config: read_json(folder, "tokenizer_config.json")?,
            special_tokens_map: read_json(folder, "special_tokens_map.json")?,
            chat_template,
            generation_config: read_json(folder, "generation_config.json")?,
            added_eos: Vec::new(),
        })
    }
}

fn template_from_json(file: &Value) -> Result<Option<String>, Error> {
    match file {
        Value::Null => Ok(None),
        _ => match file.get("chat_template") {
            Some(Value::String(template)) => Ok(Some(template.clone())),
            _ => Err(Error::bad_file(
                "chat_template.json",
                "it has no text under the key chat_template",
            )),
        },
    }
}

fn read_json(folder: &Path, name: &str) -> Result<Value, Error> {
    let Some(text) = read_text(&folder.join(name), SMALL_LIMIT)? else {
        return Ok(Value::Null);
    };
    let value: Value = serde_json::from_str(&text).map_err(|error| Error::bad_file(name, error))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Error::bad_file(name, "it is not a JSON object"))
    }
}

/// The text of a file, `None` when there is no such file.
fn read_text(path: &Path, limit: u64) -> Result<Option<String>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes > limit {
        return Err(Error::FileTooLarge { path: path.to_owned(), bytes, limit });
    }
    let mut text = String::new();
    // The size may be a lie (a pipe, a growing file), hence the second guard.
    file.take(limit).read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn reads_what_is_there() {
        let folder = folder(&[
            ("tokenizer.json", "{}"),
            ("tokenizer_config.json", r#"{"eos_token": "</s>"}"#),
            ("chat_template.json", r#"{"chat_template": "hello"}"#),
        ]);
        let files = TokenizerFiles::from_folder(folder.path()).unwrap();
        assert_eq!(files.tokenizer_json, "{}");
        assert_eq!(files.tokenizer_config["eos_token"], "</s>");
        assert_eq!(files.chat_template.as_deref(), Some("hello"));
        assert!(files.special_tokens_map.is_null() && files.generation_config.is_null());
    }

    #[test]
    fn a_jinja_file_comes_before_a_json_file() {
        let folder = folder(&[
            ("tokenizer.json", "{}"),
            ("chat_template.jinja", "from jinja"),
            ("chat_template.json", r#"{"chat_template": "from json"}"#),
        ]);
        let files = TokenizerFiles::from_folder(folder.path()).unwrap();
        assert_eq!(files.chat_template.as_deref(), Some("from jinja"));
    }

    #[test]
    fn says_what_is_missing_or_damaged() {
        let empty = folder(&[]);
        let error = TokenizerFiles::from_folder(empty.path()).unwrap_err();
        assert_eq!(error.code(), "text.no_tokenizer");
        for (name, text) in [
            ("tokenizer_config.json", "{"),
            ("special_tokens_map.json", "[1]"),
            ("generation_config.json", "nul"),
            ("chat_template.json", "{}"),
        ] {
            let damaged = folder(&[("tokenizer.json", "{}"), (name, text)]);
            let error = TokenizerFiles::from_folder(damaged.path()).unwrap_err();
            assert_eq!(error.code(), "text.bad_file");
            assert!(error.to_string().contains(name), "{error}");
        }
        let binary = folder(&[]);
        std::fs::write(binary.path().join("tokenizer.json"), [0xff, 0xfe, 0x00]).unwrap();
        assert_eq!(TokenizerFiles::from_folder(binary.path()).unwrap_err().code(), "text.file");
    }
}
