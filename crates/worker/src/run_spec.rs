//! What a run is to do, written once before it starts.

use std::path::{Path, PathBuf};

use sanbao_contract::train::{Dial, Plan};
use sanbao_contract::worker::SourceSpec;
use sanbao_project::{Manifest, RunFolder, hash_file, hash_folder, read_json};
use sanbao_train::TrainSettings;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Version of the file's layout.
pub const RUN_SPEC_FORMAT: u32 = 1;

/// Name of the base model among the inputs of a run's manifest.
pub(crate) const MODEL: &str = "model";

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
    /// What a run is to do. The base model of a finished run that is not where it was is looked for
    /// where it would be after the project was moved: beside the run, and among the models of this
    /// machine. It has to be the very same, by its hash in the run's manifest.
    ///
    /// # Errors
    /// When a file is missing or cannot be understood.
    pub fn read(folder: &RunFolder) -> Result<Self, Error> {
        let mut spec: Self = read_json(&folder.plan_path())?;
        if spec.model.exists() || !folder.manifest_path().exists() {
            return Ok(spec);
        }
        let models = sanbao_project::data_dir().ok().map(|home| home.join("models"));
        if let Some(found) = moved(&spec.model, folder.root(), models.as_deref()) {
            let manifest = Manifest::read(&folder.manifest_path())?;
            if manifest.inputs.get(MODEL) == Some(&hash_model(&found)?) {
                spec.model = found;
            }
        }
        Ok(spec)
    }
}

/// The hash of a model's file, or of all that is in its folder.
///
/// # Errors
/// When something of it cannot be read.
pub(crate) fn hash_model(model: &Path) -> Result<String, Error> {
    Ok(if model.is_file() { hash_file(model)? } else { hash_folder(model)? })
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
