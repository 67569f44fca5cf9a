//! Names of models, and the folders that they are kept in.

use std::path::{Path, PathBuf};

use crate::Error;

/// What a folder's name ends with until everything is there.
const INCOMPLETE: &str = ".incomplete";
const LONGEST: usize = 96;

/// The name of a model on the hub, `owner/name`, which is safe as a part of an address and of
/// a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelId(String);

impl ModelId {
    /// Keeps to the hub's own rules: letters, digits, `-`, `_` and `.`, but no `--` and no `..`.
    ///
    /// # Errors
    /// [`Error::BadName`].
    pub(crate) fn parse(value: &str) -> Result<Self, Error> {
        let id = value.trim();
        let good = id
            .split_once('/')
            .is_some_and(|(owner, name)| is_part(owner) && is_part(name) && !ends_badly(name));
        if good { Ok(Self(id.to_owned())) } else { Err(Error::BadName { value: value.to_owned() }) }
    }

    /// The model that a folder holds, if it is one's final name.
    pub(crate) fn of_folder(name: &str) -> Option<Self> {
        let (owner, name) = name.split_once("--")?;
        Self::parse(&format!("{owner}/{name}")).ok()
    }

    /// The model that a folder will hold when everything is there.
    pub(crate) fn of_incomplete_folder(name: &str) -> Option<Self> {
        Self::of_folder(name.strip_suffix(INCOMPLETE)?)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the whole model is kept.
    pub(crate) fn folder(&self, models_dir: &Path) -> PathBuf {
        hub_folder(models_dir).join(self.0.replace('/', "--"))
    }

    /// Where it is kept until it is whole.
    pub(crate) fn incomplete_folder(&self, models_dir: &Path) -> PathBuf {
        hub_folder(models_dir).join(format!("{}{INCOMPLETE}", self.0.replace('/', "--")))
    }
}

/// Where models from the hub are kept in the folder of the models.
pub(crate) fn hub_folder(models_dir: &Path) -> PathBuf {
    models_dir.join("hub")
}

fn is_part(part: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST).contains(&part.len())
        && part.bytes().all(is_good)
        && !part.contains("--")
        && !part.contains("..")
        && !part.starts_with(['-', '.'])
        && !part.ends_with(['-', '.'])
}

/// Whether the folder's name would be taken for something else.
fn ends_badly(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".git") || name.ends_with(INCOMPLETE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_name_is_an_owner_and_a_name() {
        let models = Path::new("models");
        for id in ["Qwen/Qwen3-0.6B", "a/b", "HuggingFaceTB/SmolLM2-135M", "o_1/n.2-x_3"] {
            let parsed = ModelId::parse(&format!(" {id}\n")).unwrap();
            assert_eq!(parsed.as_str(), id);
            let folder = parsed.folder(models);
            let name = folder.file_name().unwrap().to_str().unwrap();
            assert_eq!(ModelId::of_folder(name).unwrap(), parsed);
            let begun = parsed.incomplete_folder(models);
            let name = begun.file_name().unwrap().to_str().unwrap();
            assert_eq!(ModelId::of_folder(name), None, "{name}");
            assert_eq!(ModelId::of_incomplete_folder(name).unwrap(), parsed);
        }
        assert_eq!(
            ModelId::parse("Qwen/Qwen3-0.6B").unwrap().folder(models),
            Path::new("models/hub/Qwen--Qwen3-0.6B")
        );
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_name() {
        let long = format!("a/{}", "b".repeat(97));
        for value in [
            "",
            "/",
            "gpt2",
            "a/",
            "/b",
            "a/b/c",
            "../b",
            "a/..",
            "a/.",
            "./b",
            "a/b..c",
            "a/-b",
            "a/b-",
            "a/.b",
            "a--b/c",
            "a/b--c",
            "a b/c",
            "a/b?c",
            "a/b#c",
            "a/b%2fc",
            "a\\b/c",
            "模型/名",
            "a/b.git",
            "a/b.incomplete",
            "C:/b",
            "a/b\0",
            &long,
        ] {
            assert_eq!(ModelId::parse(value).unwrap_err().code(), "hub.bad_name", "{value}");
        }
        for folder in ["hub", "a-b", "a--", "--b", ".lock", "a--b.incomplete", "..--.."] {
            assert_eq!(ModelId::of_folder(folder), None, "{folder}");
        }
    }
}
