//! Targets: ways of handing a model on, one folder or file each, one line here.

mod gguf;
mod hf;
mod ollama;
mod peft;

use std::path::Path;

use sanbao_train::recipes::{Parameter, Words};

use crate::Error;
use crate::job::{Job, Written};

/// A way of handing a model on.
pub struct Target {
    /// Name, as `--target` takes it.
    pub name: &'static str,
    /// Name for people.
    pub title: Words,
    /// What it is good for, one sentence.
    pub help: Words,
    /// What can be chosen.
    pub options: &'static [&'static Parameter],
    /// How to load it: the words before the code, and the code (`{name}` and `{file}` are
    /// replaced by the model's name and its file).
    pub(crate) usage: &'static str,
    /// The same for a reward model; `None` when the format has no place for a score head.
    pub(crate) scoring_usage: Option<&'static str>,
    /// `library_name` of its card.
    pub(crate) library: &'static str,
    /// Writes it into an empty folder.
    pub(crate) write: fn(&Job, &Path) -> Result<Written, Error>,
}

impl Target {
    /// Whether it can hold a reward model.
    pub fn holds_scores(&self) -> bool {
        self.scoring_usage.is_some()
    }
}

/// Every target, in the order they are shown.
pub static TARGETS: &[&Target] = &[&hf::HF, &peft::PEFT, &gguf::GGUF, &ollama::OLLAMA];

/// Finds a target.
///
/// # Errors
/// When there is none of that name.
pub fn target(name: &str) -> Result<&'static Target, Error> {
    TARGETS.iter().find(|target| target.name == name).copied().ok_or_else(|| {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        Error::UnknownTarget { found: name.to_owned(), known: known.join(", ") }
    })
}
