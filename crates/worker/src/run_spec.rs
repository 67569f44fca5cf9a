//! What a run is to do, written once before it starts.

use std::path::PathBuf;

use sanbao_contract::train::{Dial, Plan};
use sanbao_contract::worker::SourceSpec;
use sanbao_train::TrainSettings;
use serde::{Deserialize, Serialize};

/// Version of the file's layout.
pub const RUN_SPEC_FORMAT: u32 = 1;

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
