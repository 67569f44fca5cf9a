//! What a run is to do, written once before it starts.

use std::path::PathBuf;

use sanbao_contract::data::Mapping;
use sanbao_contract::train::{Dial, Plan};
use sanbao_data::Part;
use sanbao_train::TrainSettings;
use serde::{Deserialize, Serialize};

/// Version of the file's layout.
pub const RUN_SPEC_FORMAT: u32 = 1;

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

/// `plan.json` of a run folder: enough to start, resume, evaluate and repeat the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// Version of the layout.
    pub format: u32,
    /// Base model: folder or GGUF file.
    pub model: PathBuf,
    /// Device id.
    pub device: String,
    /// Examples.
    pub sources: Vec<SourceSpec>,
    /// The one dial.
    pub dial: Dial,
    /// What was shown to the person.
    pub plan: Plan,
    /// Every number.
    pub settings: TrainSettings,
    /// The most frequent training label (classify).
    pub majority_label: Option<String>,
}
