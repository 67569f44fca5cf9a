//! What parent and worker say to each other, one JSON object a line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::app::{Exported, Sampling};
use crate::data::{Mapping, Part, Task};
use crate::doctor::Examined;
use crate::model::DeviceReport;
use crate::reward::Reward;
use crate::train::{Dial, Plan, RunEvent};
use crate::verdict::Verdict;
use crate::{Fault, Message as Turn};

/// One file of examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// Where it is.
    pub path: PathBuf,
    /// How its rows read; found by looking when not given.
    pub mapping: Option<Mapping>,
    /// What all its rows are for; split when not given.
    pub part: Option<Part>,
}

/// What a person wants of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// Base model: folder or GGUF file.
    pub model: PathBuf,
    /// Examples.
    pub sources: Vec<SourceSpec>,
    /// What to learn from them, when not the usual.
    pub task: Option<Task>,
    /// Recipe; the one that fits the task when not given.
    pub recipe: Option<String>,
    /// The one dial.
    pub dial: Dial,
    /// Device id, or `auto`.
    pub device: String,
    /// Hyper-parameters that the person set.
    pub chosen: BTreeMap<String, Value>,
    /// What answers are rewarded for, for a recipe that learns from rewards.
    #[serde(default)]
    pub reward: Option<Reward>,
    /// Start of every random choice.
    pub seed: u64,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Answerer {
    /// A base model: folder or GGUF file.
    Base {
        /// Where it lies.
        model: PathBuf,
        /// The labels that it is to choose among, beside a run that learnt them; empty when it
        /// answers freely.
        labels: Vec<String>,
    },
    /// What a run made of its base model.
    Run {
        /// The run's folder.
        run: PathBuf,
        /// The model after this epoch; the best when `None`.
        epoch: Option<u64>,
    },
}

/// What a worker is started for; its first line on standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "job")]
pub enum Job {
    /// Prepare the data of a run in a new folder, plan it, and measure how long it will take.
    Plan {
        /// What is wanted.
        request: Box<PlanRequest>,
        /// The run's folder.
        run: PathBuf,
    },
    /// Train the run in this folder, from its last checkpoint if it has one.
    Train {
        /// The run's folder.
        run: PathBuf,
        /// Tokens computed at once, when less than planned.
        micro_batch_tokens: Option<u64>,
    },
    /// Compare the run's result with its base model.
    Evaluate {
        /// The run's folder.
        run: PathBuf,
    },
    /// Examine the reward model of the run on its held-out pairs.
    Examine {
        /// The run's folder.
        run: PathBuf,
    },
    /// Write the run's model for other programs.
    Export {
        /// The run's folder.
        run: PathBuf,
        /// Name of the target.
        target: String,
        /// The target's options.
        options: BTreeMap<String, Value>,
        /// The model after this epoch; the best when `None`.
        epoch: Option<u64>,
        /// Folder to write into, new or empty.
        folder: PathBuf,
    },
    /// Answer every row of a file.
    Batch(Box<Batch>),
    /// Check and measure every device.
    Devices,
    /// Load a model and answer what is asked ([`Command::Ask`]).
    Answer {
        /// Who answers.
        answerer: Answerer,
        /// Device id, or `auto`.
        device: String,
    },
}

/// A file whose rows are to be answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Who answers.
    pub answerer: Answerer,
    /// Device id, or `auto`.
    pub device: String,
    /// The file.
    pub data: PathBuf,
    /// What is asked: a template over its columns; the only column when `None`.
    pub prompt: Option<String>,
    /// The answer that a reward model scores, a template as well; all others write one.
    pub answer: Option<String>,
    /// Said before each question.
    pub system: Option<String>,
    /// How answers are drawn.
    pub sampling: Sampling,
    /// The CSV file to write: the columns, and `answer` (for labels with its `probability`) or
    /// `score`.
    pub out: PathBuf,
}

/// What the parent may say afterwards. The end of standard input means the same as `Stop`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// End; while training, write a checkpoint first.
    Stop,
    /// Answer a conversation.
    Ask {
        /// To tell answers apart.
        chat: String,
        /// The conversation; its last turn is the user's.
        messages: Vec<Turn>,
        /// How the answer is drawn.
        sampling: Sampling,
    },
    /// End an answer early.
    Hush {
        /// Which.
        chat: String,
    },
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Progress {
    /// `reading`, `tokenising`, `measuring`, `loading`, `before`, `after`, `forgetting`, `writing`,
    /// `reading_back`, `answering`.
    pub stage: String,
    /// Done.
    #[ts(type = "number")]
    pub done: u64,
    /// Of; 0 when it cannot be known.
    #[ts(type = "number")]
    pub total: u64,
}

/// What a worker says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "message")]
pub enum Message {
    /// Something happened in the run.
    Run(RunEvent),
    /// A step of a longer job is done.
    Progress(Progress),
    /// The run is ready to be started.
    Planned {
        /// What it would do.
        plan: Box<Plan>,
    },
    /// Training ended.
    Trained {
        /// Whether it was the end, not a stop.
        finished: bool,
        /// The last step.
        last_step: u64,
        /// The step that is kept.
        best_step: u64,
        /// Its validation loss.
        best_loss: Option<f64>,
        /// Highest resident memory of the worker, bytes.
        peak_memory: u64,
    },
    /// The comparison is done.
    Verdict(Box<Verdict>),
    /// The reward model is examined.
    Examined(Box<Examined>),
    /// The export is written and read back.
    Exported(Exported),
    /// The file is answered.
    Batched {
        /// Rows answered.
        rows: u64,
    },
    /// The devices, measured.
    Devices {
        /// The CPU first.
        devices: Vec<DeviceReport>,
    },
    /// The model is loaded and can be asked.
    Ready,
    /// The next words of an answer.
    Piece {
        /// Which answer.
        chat: String,
        /// The words.
        text: String,
    },
    /// An answer is complete.
    Answered {
        /// Which answer.
        chat: String,
        /// Tokens of it.
        tokens: u64,
        /// Tokens of the conversation that was answered.
        prompt_tokens: u64,
        /// Seconds from the question.
        seconds: f64,
        /// Why it ended, as OpenAI says it: `stop` or `length`.
        finish: String,
        /// What went wrong, if something did.
        fault: Option<Fault>,
    },
    /// The job cannot go on.
    Failed {
        /// Why.
        fault: Fault,
    },
}

impl Message {
    /// Whether it is a job's result.
    pub fn is_result(&self) -> bool {
        matches!(
            self,
            Self::Planned { .. }
                | Self::Trained { .. }
                | Self::Verdict(_)
                | Self::Examined(_)
                | Self::Exported(_)
                | Self::Batched { .. }
                | Self::Devices { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let chat = || "1".to_owned();
        for message in [
            Message::Failed { fault: Fault::new("a.b", "no").with("c", 1) },
            Message::Run(RunEvent::Checkpoint { step: 3 }),
            Message::Ready,
            Message::Piece { chat: chat(), text: "x".to_owned() },
            Message::Devices { devices: Vec::new() },
            Message::Exported(Exported {
                folder: "f".to_owned(),
                files: Vec::new(),
                bytes: 1,
                max_logit_difference: 0.0,
                tolerance: 1e-3,
                notes: Vec::new(),
            }),
        ] {
            let line = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Message>(&line).unwrap(), message, "{line}");
        }
    }
}
