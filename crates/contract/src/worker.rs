//! What parent and worker say to each other, one JSON object a line.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Fault;
use crate::train::RunEvent;
use crate::verdict::Verdict;

/// What a worker is started for; its first line on standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "job")]
pub enum Job {
    /// Train the run in this folder, from its last checkpoint if it has one.
    Train {
        /// The run's folder.
        run: String,
        /// Tokens computed at once, when less than planned.
        #[ts(type = "number | null")]
        micro_batch_tokens: Option<u64>,
    },
    /// Compare the run's result with its base model.
    Evaluate {
        /// The run's folder.
        run: String,
    },
}

/// What the parent may say afterwards. The end of standard input means the same as `Stop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Write a checkpoint and end.
    Stop,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Progress {
    /// `loading`, `before`, `after`, `forgetting`.
    pub stage: String,
    /// Done.
    #[ts(type = "number")]
    pub done: u64,
    /// Of.
    #[ts(type = "number")]
    pub total: u64,
}

/// What a worker says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "message")]
pub enum Message {
    /// Something happened in the run.
    Run(RunEvent),
    /// A step of a longer job is done.
    Progress(Progress),
    /// Training ended.
    Trained {
        /// Whether it was the end, not a stop.
        finished: bool,
        /// The last step.
        #[ts(type = "number")]
        last_step: u64,
        /// The step that is kept.
        #[ts(type = "number")]
        best_step: u64,
        /// Its validation loss.
        best_loss: Option<f64>,
        /// Highest resident memory of the worker, bytes.
        #[ts(type = "number")]
        peak_memory: u64,
    },
    /// The comparison is done.
    Verdict(Box<Verdict>),
    /// The job cannot go on.
    Failed(Fault),
}
