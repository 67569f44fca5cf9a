//! What a run is to do, written once before it starts.

use std::path::{Path, PathBuf};

use sanbao_contract::train::{Dial, Plan};
use sanbao_contract::worker::SourceSpec;
use sanbao_project::RunFolder;
use sanbao_train::TrainSettings;
use serde::{Deserialize, Serialize};

use crate::Error;

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

impl RunSpec {
    /// What a run is to do. A base model that is not where it was is looked for where it would be
    /// after the project was moved: beside the run, and among the models of this machine.
    ///
    /// # Errors
    /// When the file is missing or cannot be understood.
    pub fn read(folder: &RunFolder) -> Result<Self, Error> {
        let mut spec: Self = sanbao_project::read_json(&folder.plan_path())?;
        if !spec.model.exists() {
            let models = sanbao_project::data_dir().ok().map(|home| home.join("models"));
            spec.model = moved(&spec.model, folder.root(), models.as_deref()).unwrap_or(spec.model);
        }
        Ok(spec)
    }
}

/// Where a model is that was called so in another place, perhaps by another system.
fn moved(model: &Path, run: &Path, models: Option<&Path>) -> Option<PathBuf> {
    let written = model.to_string_lossy().replace('\\', "/");
    let parts: Vec<&str> = written.split('/').collect();
    let inside = |folder: &str| -> Option<PathBuf> {
        let at = parts.iter().rposition(|part| *part == folder)?;
        let rest = &parts[at + 1..];
        (!rest.is_empty() && !rest.contains(&"..")).then(|| rest.iter().collect())
    };
    let beside = inside("runs").and_then(|rest| Some(run.parent()?.join(rest)));
    let kept = inside("models").and_then(|rest| Some(models?.join(rest)));
    [beside, kept].into_iter().flatten().find(|place| place.exists())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_model_is_found_again_where_a_moved_project_has_it() {
        let here = tempfile::tempdir().unwrap();
        let (runs, models) = (here.path().join("p/runs"), here.path().join("models"));
        let (merged, starter) = (runs.join("sft/merged"), models.join("hub/starter"));
        std::fs::create_dir_all(&merged).unwrap();
        std::fs::create_dir_all(&starter).unwrap();
        let find = |path: &str| moved(Path::new(path), &runs.join("dpo"), Some(&models));
        assert_eq!(find("/home/ann/sanbao/models/hub/starter"), Some(starter.clone()));
        assert_eq!(find(r"C:\Users\Ann\sanbao\models\hub\starter"), Some(starter));
        assert_eq!(find("/home/ann/sanbao/projects/p/runs/sft/merged"), Some(merged));
        assert_eq!(find("/home/ann/sanbao/models/hub/other"), None);
        assert_eq!(find("/home/ann/sanbao/models/../../p"), None);
        assert_eq!(find("/home/ann/models"), None);
    }
}
