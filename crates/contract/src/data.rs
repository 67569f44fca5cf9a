//! What is known about a person's file of examples.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Text;

/// What one row of a file is, in the field's standard terms (TRL's dataset formats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A text and the class it belongs to: `text`, `label`.
    TextLabel,
    /// `instruction`, optional `input`, `output`, optional `system`.
    Instruction,
    /// `prompt`, `completion`.
    PromptCompletion,
    /// `context`, `question`, `answer`.
    QuestionAnswer,
    /// `messages`: a conversation (OpenAI's or ShareGPT's spelling).
    Messages,
    /// `prompt`, `chosen`, `rejected`.
    Preference,
    /// `prompt`, `response_a`, `response_b`, and which is better: `winner`, or `rating_a` and
    /// `rating_b`.
    Comparison,
    /// `prompt`, `completions`: a list of answers with a rating each.
    Ratings,
    /// `prompt`, `completion`, `rating`: one answer with a number in each row, and several rows to
    /// a prompt.
    RatedAnswer,
    /// `prompt`, `completion`, `label` (good or bad).
    Unpaired,
    /// `prompt`, without an answer.
    PromptOnly,
    /// Running prose: `text`.
    Prose,
}

/// How rows become examples: for each field of the shape, a template over column names,
/// such as `{{title}}: {{text}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Mapping {
    /// The shape that the fields below fill.
    pub shape: Shape,
    /// Field of the shape and its template over columns, in the order given.
    pub fields: Vec<(String, String)>,
}

impl Mapping {
    /// The template of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, template)| template.as_str())
    }
}

/// What was found by looking at a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Recognition {
    /// Name of the file format in the registry: `csv`, `jsonl`, `json`, `text`.
    pub format: String,
    /// Character encoding (WHATWG name), with `BOM` noted in the reason.
    pub encoding: String,
    /// Field separator, for delimited formats.
    pub delimiter: Option<char>,
    /// Columns (or top-level keys) in the order of the file.
    pub columns: Vec<String>,
    /// Proposed mapping.
    pub mapping: Mapping,
    /// Why this shape and mapping, in one sentence.
    pub reason: Text,
}

/// Where an example comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct Origin {
    /// File name (without folder).
    pub file: String,
    /// 1-based number of the row among the file's data rows.
    #[ts(type = "number")]
    pub row: u64,
    /// 1-based line where the row starts, where the format has lines.
    #[ts(type = "number | null")]
    pub line: Option<u64>,
}

/// What the row teaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Content {
    /// A text and its class.
    Classify {
        /// The text to judge.
        text: String,
        /// Its class.
        label: String,
    },
    /// A conversation whose assistant turns are learnt.
    Instruct {
        /// The turns.
        messages: Vec<crate::Message>,
    },
    /// What is asked; the answers are the model's own, and rewards judge them.
    Prompt {
        /// The turns before the answer.
        messages: Vec<crate::Message>,
    },
    /// Running prose, every token learnt.
    Prose {
        /// The text.
        text: String,
    },
    /// Two answers to a prompt, one liked better.
    Preference {
        /// The turns before the answer.
        prompt: Vec<crate::Message>,
        /// The better answer.
        chosen: Vec<crate::Message>,
        /// The worse answer.
        rejected: Vec<crate::Message>,
        /// By how much the one is better, in scores of a reward model (TRL's `margin`), when the
        /// row says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        margin: Option<f64>,
    },
    /// One answer to a prompt, liked or not.
    Unpaired {
        /// The turns before the answer.
        prompt: Vec<crate::Message>,
        /// The answer.
        completion: Vec<crate::Message>,
        /// Whether it was liked.
        label: bool,
    },
}

/// One row, understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Example {
    /// Where it comes from.
    pub origin: Origin,
    /// What it teaches.
    pub content: Content,
}

/// What training does with rows of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Answer with one of the labels.
    Classify,
    /// Answer a prompt.
    Instruct,
    /// Answer a prompt that has no answer to learn from.
    PromptOnly,
    /// Continue prose.
    Prose,
    /// Prefer one answer over another.
    Preference,
    /// Give answers like those that were liked, not like those that were not.
    Unpaired,
}

impl Task {
    /// Name, as it is serialised.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classify => "classify",
            Self::Instruct => "instruct",
            Self::PromptOnly => "prompt_only",
            Self::Prose => "prose",
            Self::Preference => "preference",
            Self::Unpaired => "unpaired",
        }
    }
}

/// A part of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Learnt.
    Train,
    /// Steers the run: early stopping, best checkpoint.
    Validation,
    /// Kept for the verdict.
    Test,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Name, as in the files' names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Training works but the result suffers.
    Warning,
    /// The rows concerned are left out.
    Dropped,
    /// Training cannot start.
    Error,
}

/// Something the pre-flight found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Finding {
    /// Stable code: `empty`, `duplicate`, `contradiction`, `truncated`, `rare_class`, `leakage`, …
    pub code: String,
    /// How serious.
    pub severity: Severity,
    /// How many rows it concerns.
    #[ts(type = "number")]
    pub rows: u64,
    /// The first few rows concerned.
    pub examples: Vec<Origin>,
    /// One plain sentence with the remedy.
    pub message: Text,
}

/// Rows, tokens and classes of one part of the split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct PartReport {
    /// Rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// Tokens.
    #[ts(type = "number")]
    pub tokens: u64,
    /// Tokens that carry loss.
    #[ts(type = "number")]
    pub trained_tokens: u64,
    /// Longest row in tokens.
    #[ts(type = "number")]
    pub longest: u64,
}

/// The result of reading, checking, splitting and tokenising a person's files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct DataReport {
    /// What was found about each file.
    pub files: Vec<Recognition>,
    /// What will be learnt.
    pub task: Task,
    /// Rows read.
    #[ts(type = "number")]
    pub rows_read: u64,
    /// Rows left out, after which the parts below remain.
    #[ts(type = "number")]
    pub rows_dropped: u64,
    /// Labels with the number of rows of each, most frequent first (classify).
    pub labels: Vec<(String, u64)>,
    /// Part used to learn.
    pub train: PartReport,
    /// Part used during the run (early stopping, best checkpoint).
    pub validation: PartReport,
    /// Part never seen until the verdict.
    pub test: PartReport,
    /// What the pre-flight found, most serious first.
    pub findings: Vec<Finding>,
}
