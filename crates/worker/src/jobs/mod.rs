//! What a worker can do.

mod answer;
mod batch;
mod choices;
mod evaluate;
mod examine;
mod export;
mod more_votes;
mod plan;
mod proposed;
mod rewards;
mod score;
mod train;

use std::path::Path;

use sanbao_contract::data::DataReport;
use sanbao_models::BaseModel;
use sanbao_project::RunFolder;

pub use answer::{Voice, answer, scores_only};
pub use batch::batch;
pub use choices::labels_of;
pub use evaluate::evaluate;
pub use examine::examine;
pub use export::{export, trained};
pub use plan::{plan, prepare_options, reading, sources};
pub use proposed::{Proposed, propose};
pub use rewards::{reward_model, rewards};
pub use score::{ScoredFile, score_file};
pub use train::train;

use crate::{Error, RunSpec, devices};

/// Tokens that are scored at once.
const PORTION: usize = 1024;

/// The parts that every job on a run begins with.
pub struct Opened {
    /// Its folder, locked.
    pub folder: RunFolder,
    /// What it is to do.
    pub spec: RunSpec,
    /// Its base model.
    pub base: BaseModel,
    /// The device.
    pub device: devices::Opened,
}

/// Opens a run and what it needs.
///
/// # Errors
/// When the folder is not a run or in use, or the model or the device is not there.
pub fn open(run: &Path) -> Result<Opened, Error> {
    let folder = RunFolder::open(run)?;
    let spec = RunSpec::read(&folder)?;
    let base = BaseModel::open(&spec.model)?;
    let device = devices::open(&spec.device)?;
    Ok(Opened { folder, spec, base, device })
}

/// What is known of the rows that a run learns from, whoever holds its folder.
fn report(folder: &RunFolder) -> Result<DataReport, Error> {
    Ok(sanbao_project::read_json(&folder.prepared().join("report.json"))?)
}
