//! What the window shows: projects, models, rows, recipes, runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Fault;
use crate::data::{DataReport, Mapping, Origin, Part, Recognition};
use crate::model::ModelCard;
use crate::reward::Reward;
use crate::train::{Dial, RunEvent, StepMetrics};
use crate::verdict::Outcome;

/// How far a project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProjectState {
    /// Base model or data is missing.
    Empty,
    /// A run could be started.
    Ready,
    /// A run is active.
    Training,
    /// The last run was stopped or broke; it can go on.
    Stopped,
    /// The last run has its verdict.
    Judged,
    /// It cannot be opened; `fault` says why.
    Unreadable,
}

/// A project at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ProjectSummary {
    /// Id: the name of its folder.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Name of its base model.
    pub base: Option<String>,
    /// Names of its files.
    pub files: Vec<String>,
    /// Rows of its files.
    #[ts(type = "number")]
    pub rows: u64,
    /// How far it is.
    pub state: ProjectState,
    /// Verdict of its last judged run.
    pub outcome: Option<Outcome>,
    /// When it was last changed, milliseconds since 1970 (UTC).
    #[ts(type = "number")]
    pub changed: u64,
    /// Why it cannot be opened.
    pub fault: Option<Fault>,
}

/// Everything about a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Project {
    /// At a glance.
    pub summary: ProjectSummary,
    /// Its folder.
    pub folder: String,
    /// Its base model.
    pub base: Option<BaseChoice>,
    /// Its files.
    pub files: Vec<ProjectFile>,
    /// What was chosen for the next run.
    pub recipe: RecipeChoice,
    /// Its runs, the latest first.
    pub runs: Vec<RunSummary>,
}

/// The base model of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BaseChoice {
    /// Id in the list of models.
    pub model: String,
    /// What is known about it; `None` when it is no longer where it was.
    pub card: Option<ModelCard>,
}

/// A file of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ProjectFile {
    /// Name.
    pub name: String,
    /// Bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// Rows that are left out.
    #[ts(type = "number")]
    pub excluded: u64,
    /// Rows that were changed.
    #[ts(type = "number")]
    pub edited: u64,
    /// What was recognised.
    pub recognition: Recognition,
    /// What the person says instead.
    pub mapping: Option<Mapping>,
}

/// Which rows to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those left out.
    Excluded,
    /// Those changed.
    Edited,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Row {
    /// 1-based number in the file.
    #[ts(type = "number")]
    pub row: u64,
    /// A value for each column.
    pub values: Vec<String>,
    /// Whether it is left out.
    pub excluded: bool,
    /// Whether it was changed.
    pub edited: bool,
}

/// Some rows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RowPage {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
    /// Rows that match in all.
    #[ts(type = "number")]
    pub total: u64,
}

/// A token, or several that make up one character, as a person reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShownToken {
    /// The text.
    pub text: String,
    /// Whether it is learnt.
    pub trained: bool,
}

/// A row as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShownRow {
    /// Where it stands.
    pub origin: Origin,
    /// The part it is in.
    pub part: Part,
    /// Its tokens.
    pub tokens: Vec<ShownToken>,
    /// Tokens that the model gets.
    #[ts(type = "number")]
    pub length: u64,
    /// Tokens that there would be without a maximum length.
    #[ts(type = "number")]
    pub whole_length: u64,
}

/// What the checks found, and what the model will see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct DataView {
    /// What the checks found.
    pub report: DataReport,
    /// The first rows as the model sees them.
    pub rows: Vec<ShownRow>,
    /// Rows by their length in tokens: `(upper end of the bin, rows)`.
    pub lengths: Vec<(u32, u32)>,
}

/// Where a base model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ModelSource {
    /// It comes with Sanbao.
    Starter,
    /// The catalogue of models that can be fetched.
    Catalogue,
    /// A folder or file of this machine.
    Local,
}

/// Whether a model fits this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Fits {
    /// To answer.
    pub run: bool,
    /// To LoRA-tune.
    pub lora: bool,
    /// To tune every weight.
    pub full: bool,
}

/// A base model in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelEntry {
    /// Id: `starter`, the hub's `owner/name`, or the path.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Where it comes from.
    pub source: ModelSource,
    /// Whether it is on this machine.
    pub installed: bool,
    /// Parameters.
    #[ts(type = "number")]
    pub parameters: u64,
    /// Bytes on disk, or to fetch.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Languages (BCP 47).
    pub languages: Vec<String>,
    /// Whether it follows instructions as it is.
    pub instruct: bool,
    /// Whether fetching it needs an access token.
    pub gated: bool,
    /// Licence.
    pub licence: crate::model::Licence,
    /// Whether it fits this machine.
    pub fits: Fits,
    /// All that is known, when it is on this machine.
    pub card: Option<ModelCard>,
    /// What it is good for, one sentence, by language (`en`, `zh`).
    pub summary: BTreeMap<String, String>,
    /// A download that was begun.
    pub download: Option<Download>,
}

/// How fetching a model goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Download {
    /// Model.
    pub model: String,
    /// Bytes that are there.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes in all.
    #[ts(type = "number | null")]
    pub total: Option<u64>,
    /// Seconds left.
    pub eta_seconds: Option<f64>,
    /// Whether it is going on.
    pub active: bool,
    /// Why it stopped.
    pub fault: Option<Fault>,
}

/// What was chosen for the next run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct RecipeChoice {
    /// Name of the recipe; the recommended one when `None`.
    pub recipe: Option<String>,
    /// The one dial.
    pub dial: Dial,
    /// `auto` when `None`.
    pub device: Option<String>,
    /// Hyper-parameters that the person set.
    #[ts(type = "Record<string, unknown>")]
    pub chosen: BTreeMap<String, serde_json::Value>,
    /// What answers are rewarded for, for a recipe that learns from rewards.
    #[serde(default)]
    pub reward: Option<Reward>,
}

/// A hyper-parameter or an option, as a form shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ParameterInfo {
    /// Standard name.
    pub name: String,
    /// What values it takes.
    pub kind: ParameterKind,
    /// One sentence of help, by language.
    pub help: BTreeMap<String, String>,
}

/// What values a parameter takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ParameterKind {
    /// A whole number.
    Integer {
        /// Smallest.
        #[ts(type = "number")]
        low: i64,
        /// Largest.
        #[ts(type = "number")]
        high: i64,
    },
    /// A number.
    Number {
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// Yes or no.
    Flag,
    /// One of some.
    Choice {
        /// Which.
        choices: Vec<String>,
    },
    /// Names separated by commas.
    Names,
    /// A text.
    Text,
    /// Texts, one a line.
    Lines,
}

/// A recipe in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RecipeInfo {
    /// Name.
    pub name: String,
    /// `prompt`, `fine_tune` or `reward`.
    pub treasure: String,
    /// Name for people, by language.
    pub title: BTreeMap<String, String>,
    /// When to use it, by language.
    pub summary: BTreeMap<String, String>,
    /// Whether it can learn from the project's data.
    pub fits: bool,
    /// Why it is recommended, or what data it would need, by language; empty where neither is to
    /// be said.
    pub reason: BTreeMap<String, String>,
    /// Whether it needs a [`Reward`].
    pub needs_reward: bool,
    /// Its hyper-parameters.
    pub parameters: Vec<ParameterInfo>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It waits for the run before it.
    Waiting,
    /// It trains.
    Training,
    /// It is being judged.
    Judging,
    /// It was stopped and can go on.
    Stopped,
    /// It has its verdict.
    Judged,
    /// It broke; `fault` says why. It can go on.
    Failed,
}

/// A run at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RunSummary {
    /// Id: the name of its folder.
    pub id: String,
    /// Recipe.
    pub recipe: String,
    /// Dial.
    pub dial: Dial,
    /// Device.
    pub device: String,
    /// Base model's name.
    pub base: String,
    /// How far it is.
    pub state: RunState,
    /// Steps done.
    #[ts(type = "number")]
    pub step: u64,
    /// Steps in all.
    #[ts(type = "number")]
    pub steps: u64,
    /// Lowest validation loss so far.
    pub best_loss: Option<f64>,
    /// Epoch snapshots that can be tried.
    #[ts(type = "number[]")]
    pub epochs: Vec<u64>,
    /// Verdict.
    pub outcome: Option<Outcome>,
    /// When it was created, milliseconds since 1970 (UTC).
    #[ts(type = "number")]
    pub created: u64,
    /// Why it broke.
    pub fault: Option<Fault>,
}

/// What was measured during a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct RunMetrics {
    /// Every step.
    pub steps: Vec<StepMetrics>,
    /// What else happened: sample answers, epochs, an early end.
    pub events: Vec<RunEvent>,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChatModel {
    /// The project's base model.
    Base,
    /// What a run made of it.
    Run {
        /// Run.
        run: String,
        /// An epoch's snapshot; the best when `None`.
        #[ts(type = "number | null")]
        epoch: Option<u64>,
    },
}

/// How answers are drawn; names as in transformers' `GenerationConfig`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Sampling {
    /// 0 always takes the likeliest token.
    pub temperature: f64,
    /// 1 keeps all.
    pub top_p: f64,
    /// 0 keeps all.
    #[ts(type = "number")]
    pub top_k: u64,
    /// 0 keeps all.
    pub min_p: f64,
    /// 1 changes nothing.
    pub repetition_penalty: f64,
    /// An answer ends after this many tokens.
    #[ts(type = "number")]
    pub max_new_tokens: u64,
    /// An answer ends where one of these texts would begin.
    #[serde(default)]
    pub stop: Vec<String>,
    /// The same seed gives the same answer.
    #[ts(type = "number")]
    pub seed: u64,
}

/// A way of exporting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TargetInfo {
    /// Name.
    pub name: String,
    /// Name for people, by language.
    pub title: BTreeMap<String, String>,
    /// What it is good for, by language.
    pub help: BTreeMap<String, String>,
    /// What can be chosen.
    pub options: Vec<ParameterInfo>,
    /// Whether it can hold a reward model.
    pub holds_scores: bool,
}

/// A finished export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Exported {
    /// Folder.
    pub folder: String,
    /// Files in it.
    pub files: Vec<String>,
    /// Bytes of all files.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Largest difference between a logit of the export and of the trained model.
    pub max_logit_difference: f64,
    /// Largest difference allowed.
    pub tolerance: f64,
    /// What to know, plain sentences.
    pub notes: Vec<String>,
}

/// The OpenAI-compatible server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Serving {
    /// Project.
    pub project: String,
    /// Run.
    pub run: String,
    /// `http://127.0.0.1:PORT/v1`.
    pub address: String,
    /// Key that requests have to carry.
    pub key: String,
    /// Model name that requests have to carry.
    pub model: String,
}

/// How busy the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct MachineLoad {
    /// Share of all processor cores in use, 0 to 1.
    pub cpu: f64,
    /// Bytes of main memory in use.
    #[ts(type = "number")]
    pub memory_used: u64,
    /// Bytes of main memory.
    #[ts(type = "number")]
    pub memory_total: u64,
}

/// What was set for the whole program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Settings {
    /// Address that models are fetched from instead of the Hugging Face hub.
    pub hub_mirror: Option<String>,
    /// Whether an access token is kept.
    pub has_hub_token: bool,
}
