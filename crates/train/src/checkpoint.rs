//! Checkpoints: everything that the next step depends on.
//!
//! A checkpoint is a folder that appears whole or not at all. The order of rows and the
//! dropout masks are functions of the seed and the step, so the step number stands for every
//! random stream and for the position in the data.

use std::path::Path;

use sanbao_models::host::{from_vec, to_vec};
use sanbao_models::weights::{SafetensorsFile, WeightSource};
use sanbao_models::{Decoder, ParameterMut, SCORE, Trainable};
use sanbao_project::{write_folder_atomic, write_json};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::lora::{NamedTensors, collect, load_adapter, save_adapter, write_tensors};
use crate::online::watch::Watch;
use crate::optimizer::{AdamW, Moments};
use crate::reward_model::attach_zero_score;
use crate::settings::TrainSettings;

/// What a checkpoint remembers besides tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Optimizer steps done.
    pub step: u64,
    /// Settings of the run; a checkpoint of another run is refused.
    pub settings: TrainSettings,
    /// Hash of the training tokens.
    pub data: String,
    /// Lowest validation loss so far, and its step.
    pub best: Option<(f64, u64)>,
    /// Validations since then.
    pub evaluations_without_improvement: u32,
    /// Seconds trained so far.
    pub seconds: f64,
    /// What was seen of held-out questions (runs that learn from rewards).
    #[serde(default)]
    pub watch: Watch,
}

const STATE: &str = "state.json";
const OPTIMIZER: &str = "optimizer.safetensors";
const WEIGHTS: &str = "model.safetensors";

/// Writes a checkpoint.
///
/// # Errors
/// When the disk refuses or the device does not deliver.
pub fn save(
    folder: &Path,
    model: &mut Decoder,
    optimizer: &AdamW,
    state: &State,
    base_model: &str,
) -> Result<(), Error> {
    write_folder_atomic(folder, |unfinished| {
        save_weights(unfinished, model, &state.settings, base_model)?;
        let mut moments = NamedTensors::new();
        for (name, Moments { mean, square }) in &optimizer.moments {
            let shape = mean.dims().to_vec();
            moments.insert(format!("exp_avg.{name}"), (shape.clone(), to_vec(mean.clone())?));
            moments.insert(format!("exp_avg_sq.{name}"), (shape, to_vec(square.clone())?));
        }
        write_tensors(&unfinished.join(OPTIMIZER), moments)?;
        write_json(&unfinished.join(STATE), state)?;
        Ok(())
    })
}

/// Writes the trained weights alone (an epoch's snapshot).
///
/// # Errors
/// When the disk refuses or the device does not deliver.
pub fn save_snapshot(
    folder: &Path,
    model: &mut Decoder,
    settings: &TrainSettings,
    base_model: &str,
) -> Result<(), Error> {
    write_folder_atomic(folder, |unfinished| save_weights(unfinished, model, settings, base_model))
}

fn save_weights(
    folder: &Path,
    model: &mut Decoder,
    settings: &TrainSettings,
    base_model: &str,
) -> Result<(), Error> {
    match &settings.lora {
        Some(config) => save_adapter(model, config, base_model, folder),
        None => write_tensors(&folder.join(WEIGHTS), collect(model, Trainable::Everything)?),
    }
}

/// Puts the trained weights of a checkpoint or snapshot onto its base model.
///
/// # Errors
/// When a file is missing, damaged or does not fit.
pub fn load_weights(folder: &Path, model: &mut Decoder) -> Result<(), Error> {
    if !folder.join(WEIGHTS).is_file() {
        load_adapter(model, folder)?;
        return Ok(());
    }
    let file = SafetensorsFile::open(&folder.join(WEIGHTS)).map_err(sanbao_models::Error::from)?;
    let device = model.device();
    if file.info(SCORE).is_some() {
        // Its place; the numbers follow with all others.
        attach_zero_score(model);
    }
    let mut failed = None;
    model.visit_trained(Trainable::Everything, &mut |name, parameter| {
        let result = match parameter {
            ParameterMut::Vector(tensor) => read(&file, folder, name, &tensor.dims())
                .map(|values: Vec<f32>| *tensor = from_vec(values, tensor.dims(), &device)),
            ParameterMut::Matrix(tensor) => read(&file, folder, name, &tensor.dims())
                .map(|values: Vec<f32>| *tensor = from_vec(values, tensor.dims(), &device)),
        };
        if let Err(error) = result {
            failed = Some(error);
        }
    });
    failed.map_or(Ok(()), Err)
}

fn read(
    file: &SafetensorsFile,
    folder: &Path,
    name: &str,
    shape: &[usize],
) -> Result<Vec<f32>, Error> {
    match file.info(name) {
        Some(info) if info.shape == shape => {
            Ok(file.read_f32(name).map_err(sanbao_models::Error::from)?)
        }
        Some(info) => Err(bad(
            folder,
            format!("holds '{name}' with shape {:?} instead of {shape:?}", info.shape),
        )),
        None => Err(bad(folder, format!("lacks '{name}'"))),
    }
}

/// Reads a checkpoint onto its base model.
///
/// # Errors
/// When it is damaged, or was written by a run with other settings or other data.
pub fn load(
    folder: &Path,
    model: &mut Decoder,
    settings: &TrainSettings,
    data: &str,
) -> Result<(AdamW, State), Error> {
    let state: State = sanbao_project::read_json(&folder.join(STATE))?;
    let same = TrainSettings {
        // How much is computed at once may change between sessions; the sums stay the same.
        micro_batch_tokens: settings.micro_batch_tokens,
        gradient_checkpointing: settings.gradient_checkpointing,
        ..state.settings.clone()
    };
    if same != *settings {
        return Err(bad(
            folder,
            "was written with other settings; start a new run for these".into(),
        ));
    }
    if state.data != data {
        return Err(bad(folder, "was written for other data; start a new run for this".into()));
    }
    load_weights(folder, model)?;
    let file =
        SafetensorsFile::open(&folder.join(OPTIMIZER)).map_err(sanbao_models::Error::from)?;
    let mut optimizer = AdamW::new(settings.adamw);
    optimizer.steps = state.step * settings.optimizer_steps_per_step();
    let device = model.device();
    for name in file.names() {
        let Some(parameter) = name.strip_prefix("exp_avg.") else { continue };
        let load = |name: &str| -> Result<_, Error> {
            let values = file.read_f32(name).map_err(sanbao_models::Error::from)?;
            let count = values.len();
            Ok(from_vec::<1>(values, [count], &device))
        };
        let moments =
            Moments { mean: load(name)?, square: load(&format!("exp_avg_sq.{parameter}"))? };
        optimizer.moments.insert(parameter.to_owned(), moments);
    }
    Ok((optimizer, state))
}

fn bad(folder: &Path, problem: String) -> Error {
    Error::BadCheckpoint { path: folder.display().to_string(), problem }
}
