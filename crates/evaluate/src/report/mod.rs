//! The verdict as a page and as text.

use sanbao_contract::data::DataReport;
use sanbao_contract::model::ModelCard;
use sanbao_contract::train::{Plan, StepMetrics};

use crate::Language;

mod confusion;
mod format;
mod loss_curve;
mod messages;
mod page;
mod rows;
mod terminal;
mod whiskers;
mod words;

pub use page::report_html;
pub use terminal::verdict_text;

/// A file by name and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// Name for people.
    pub name: String,
    /// Hash with its kind in front: `blake3:…`, `sha256:…`.
    pub hash: String,
}

/// What is needed to do a run again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Provenance {
    /// When the run ended, as it should be shown.
    pub created: String,
    /// How long training took.
    pub seconds: Option<f64>,
    /// Seed of the run.
    pub seed: u64,
    /// Files that went in: base model, data.
    pub inputs: Vec<Hashed>,
    /// Programs and libraries with their versions.
    pub versions: Vec<(String, String)>,
}

/// What the report tells besides the verdict.
#[derive(Debug, Clone)]
pub struct ReportContext {
    /// Language of the page. Sentences that came ready-made (findings of the check) stay in the
    /// language that they were written in.
    pub language: Language,
    /// Name of the run.
    pub title: String,
    /// What was trained.
    pub plan: Plan,
    /// What it was trained on.
    pub data: DataReport,
    /// The base model, where its card is known.
    pub model: Option<ModelCard>,
    /// The run's metrics, in the order of the steps.
    pub steps: Vec<StepMetrics>,
    /// Step of the checkpoint that was kept as the best.
    pub best_step: Option<u64>,
    /// Hashes, versions, seed.
    pub provenance: Provenance,
}
