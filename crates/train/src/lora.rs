//! Low-rank adapters: attaching them to a model, and PEFT's adapter folders.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Tensor;
use indexmap::IndexMap;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sanbao_models::host::{from_vec, to_vec};
use sanbao_models::names::parameters;
use sanbao_models::spec::{Spec, WeightLayout};
use sanbao_models::weights::{
    SafetensorsFile, StoredType, TensorToWrite, WeightSource, write_safetensors,
};
use sanbao_models::{Adapter, Decoder, ParameterMut, SCORE_WITH_ADAPTERS, Trainable};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Error;

/// What an adapter looks like, in PEFT's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoraConfig {
    /// Rank.
    pub r: usize,
    /// The update is scaled by `lora_alpha / r`.
    pub lora_alpha: f64,
    /// Probability that an input of the update is dropped while training.
    pub lora_dropout: f64,
    /// Scale by `lora_alpha / sqrt(r)` instead (rsLoRA, Kalajdzievski 2023).
    pub use_rslora: bool,
    /// Train magnitude and direction apart (DoRA, Liu et al. 2024).
    pub use_dora: bool,
    /// Last parts of the names of the layers that are adapted, or `all-linear`.
    pub target_modules: Vec<String>,
}

impl Default for LoraConfig {
    fn default() -> Self {
        Self {
            r: 16,
            lora_alpha: 32.0,
            lora_dropout: 0.0,
            use_rslora: false,
            use_dora: false,
            target_modules: vec![ALL_LINEAR.to_owned()],
        }
    }
}

/// Stands for every linear layer but the head.
pub const ALL_LINEAR: &str = "all-linear";

const CONFIG_FILE: &str = "adapter_config.json";
const WEIGHTS_FILE: &str = "adapter_model.safetensors";

impl LoraConfig {
    /// Factor on the update.
    pub fn scale(&self) -> f32 {
        let r = self.r as f64;
        (self.lora_alpha / if self.use_rslora { r.sqrt() } else { r }) as f32
    }

    fn targets(&self, module: &str) -> bool {
        let last = module.rsplit('.').next().unwrap_or(module);
        self.target_modules.iter().any(|target| {
            target == ALL_LINEAR || target == last || module.ends_with(&format!(".{target}"))
        })
    }
}

/// Puts fresh adapters on a model: A uniform in ±1/√in (Kaiming with a = √5, as PEFT), B zero,
/// so that the model's answers are unchanged until the first step.
///
/// # Errors
/// When no layer has one of the target names.
pub fn attach(model: &mut Decoder, config: &LoraConfig, seed: u64) -> Result<(), Error> {
    let device = model.device();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let known: Vec<String> = model.linears().map(|linear| linear.name.clone()).collect();
    let mut attached = 0;
    for linear in model.linears_mut().filter(|linear| config.targets(&linear.name)) {
        let [out, input] = linear.matrix().dims();
        let bound = 1.0 / (input as f32).sqrt();
        let a = (0..config.r * input)
            .map(|_| (random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * bound)
            .collect();
        let mut adapter = Adapter {
            a: from_vec(a, [config.r, input], &device),
            b: Tensor::zeros([out, config.r], &device),
            scale: config.scale(),
            dropout: config.lora_dropout,
            magnitude: None,
        };
        if config.use_dora {
            adapter.magnitude = Some(linear.updated_row_norms(&adapter));
        }
        linear.adapter = Some(adapter);
        attached += 1;
    }
    if attached == 0 {
        return Err(no_targets(config, &known));
    }
    Ok(())
}

/// Numbers that an adapter trains on a model of these sizes.
///
/// # Errors
/// When no layer has one of the target names.
pub fn trainable_parameters(spec: &Spec, config: &LoraConfig) -> Result<u64, Error> {
    let per_layer = |shape: &[usize]| {
        let output = match spec.weight_layout {
            WeightLayout::OutIn => shape[0],
            WeightLayout::InOut => shape[1],
        };
        let magnitude = if config.use_dora { output } else { 0 };
        (config.r * (shape[0] + shape[1]) + magnitude) as u64
    };
    let (mut total, mut known) = (0, Vec::new());
    for parameter in parameters(spec).iter().filter(|p| p.role.is_linear() && !p.bias) {
        let module = spec.names.module(parameter.role, parameter.layer);
        if config.targets(&module) {
            total += per_layer(&parameter.shape);
        }
        known.push(module);
    }
    if total == 0 { Err(no_targets(config, &known)) } else { Ok(total) }
}

fn no_targets(config: &LoraConfig, modules: &[String]) -> Error {
    let mut names: Vec<&str> = modules.iter().filter_map(|name| name.rsplit('.').next()).collect();
    names.sort_unstable();
    names.dedup();
    Error::NoTargets { asked: config.target_modules.join(", "), known: names.join(", ") }
}

/// Writes a PEFT adapter folder (`adapter_config.json`, `adapter_model.safetensors`).
///
/// # Errors
/// When the folder cannot be written or the device does not deliver.
pub fn save_adapter(
    model: &mut Decoder,
    config: &LoraConfig,
    base_model: &str,
    folder: &Path,
) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let mut targets: Vec<String> = model
        .linears()
        .filter(|linear| linear.adapter.is_some())
        .filter_map(|linear| linear.name.rsplit('.').next().map(str::to_owned))
        .collect();
    targets.sort_unstable();
    targets.dedup();
    // The files' own order of fan-in and fan-out: GPT-2's Conv1D is the one that PEFT flips.
    let fan_in_fan_out = model.linears().any(|linear| linear.layout == WeightLayout::InOut);
    let description = json!({
        "peft_type": "LORA",
        "task_type": if model.score.is_some() { "SEQ_CLS" } else { "CAUSAL_LM" },
        "base_model_name_or_path": base_model,
        "inference_mode": true,
        "r": config.r,
        "lora_alpha": config.lora_alpha,
        "lora_dropout": config.lora_dropout,
        "use_rslora": config.use_rslora,
        "use_dora": config.use_dora,
        "bias": "none",
        "fan_in_fan_out": fan_in_fan_out,
        "init_lora_weights": true,
        "target_modules": targets,
        "modules_to_save": model.score.as_ref().map(|_| ["score"]),
        "rank_pattern": {},
        "alpha_pattern": {},
    });
    sanbao_project::write_json(&folder.join(CONFIG_FILE), &description)?;
    let tensors = collect(model, Trainable::Adapters)?;
    write_tensors(&folder.join(WEIGHTS_FILE), tensors)
}

/// Reads a PEFT adapter folder onto a model that has no adapters yet.
///
/// # Errors
/// When the folder is not a LoRA adapter, or does not fit the model.
pub fn load_adapter(model: &mut Decoder, folder: &Path) -> Result<LoraConfig, Error> {
    let config_path = folder.join(CONFIG_FILE);
    let text = std::fs::read_to_string(&config_path).map_err(|e| Error::io(&config_path, e))?;
    let bad =
        |problem: String| Error::BadAdapter { path: config_path.display().to_string(), problem };
    let values: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| bad(format!("is not valid JSON: {error}")))?;
    if values["peft_type"] != "LORA" {
        return Err(bad(format!("has the type {}, only LORA is supported", values["peft_type"])));
    }
    let config: LoraConfig = serde_json::from_value(values)
        .map_err(|error| bad(format!("is not a LoRA configuration: {error}")))?;
    if config.r == 0 {
        return Err(bad("has rank 0".into()));
    }
    let file =
        SafetensorsFile::open(&folder.join(WEIGHTS_FILE)).map_err(sanbao_models::Error::from)?;
    let device = model.device();
    let mut used = 0;
    for linear in model.linears_mut() {
        let names = ["lora_A", "lora_B", "lora_magnitude_vector"]
            .map(|part| linear.adapter_parameter(part));
        if file.info(&names[0]).is_none() {
            continue;
        }
        let [out, input] = linear.matrix().dims();
        let read = |name: &str, shape: [usize; 2]| -> Result<Tensor<2>, Error> {
            let found = file.info(name).map(|info| info.shape);
            if found.as_deref() != Some(&shape[..]) {
                return Err(bad(format!(
                    "'{name}' has shape {found:?}, the model asks for {shape:?}"
                )));
            }
            let values = file.read_f32(name).map_err(sanbao_models::Error::from)?;
            Ok(from_vec(values, shape, &device))
        };
        let magnitude = match config.use_dora {
            true => {
                let values = file.read_f32(&names[2]).map_err(sanbao_models::Error::from)?;
                if values.len() != out {
                    return Err(bad(format!(
                        "'{}' has {} values instead of {out}",
                        names[2],
                        values.len()
                    )));
                }
                Some(from_vec(values, [out], &device))
            }
            false => None,
        };
        linear.adapter = Some(Adapter {
            a: read(&names[0], [config.r, input])?,
            b: read(&names[1], [out, config.r])?,
            scale: config.scale(),
            dropout: config.lora_dropout,
            magnitude,
        });
        used += 2 + usize::from(config.use_dora);
    }
    if let Some(info) = file.info(SCORE_WITH_ADAPTERS) {
        let width = model.embed.dims()[1];
        if info.shape != [1, width] {
            return Err(bad(format!(
                "'{SCORE_WITH_ADAPTERS}' has shape {:?}, the model asks for [1, {width}]",
                info.shape
            )));
        }
        let values = file.read_f32(SCORE_WITH_ADAPTERS).map_err(sanbao_models::Error::from)?;
        model.score = Some(from_vec(values, [1, width], &device));
        used += 1;
    }
    if used != file.names().len() {
        return Err(bad(format!(
            "{} of its {} tensors have no place in this model",
            file.names().len() - used.min(file.names().len()),
            file.names().len()
        )));
    }
    Ok(config)
}

/// Parameters by name with shape and numbers.
pub type NamedTensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// What is trained, as numbers in main memory.
///
/// # Errors
/// When the device does not deliver.
pub fn collect(model: &mut Decoder, trainable: Trainable) -> Result<NamedTensors, Error> {
    let mut tensors = BTreeMap::new();
    let mut failed = None;
    model.visit_trained(trainable, &mut |name, parameter| {
        let read = match parameter {
            ParameterMut::Vector(tensor) => {
                to_vec(tensor.clone()).map(|v| (tensor.dims().to_vec(), v))
            }
            ParameterMut::Matrix(tensor) => {
                to_vec(tensor.clone()).map(|v| (tensor.dims().to_vec(), v))
            }
        };
        match read {
            Ok(values) => drop(tensors.insert(name.to_owned(), values)),
            Err(error) => failed = Some(error),
        }
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(tensors),
    }
}

/// Writes tensors in float32.
///
/// # Errors
/// When the file cannot be written.
pub fn write_tensors(path: &Path, tensors: NamedTensors) -> Result<(), Error> {
    let list = tensors.into_iter().map(|(name, (shape, values))| {
        TensorToWrite::new(name, StoredType::F32, shape, move || Ok(values))
    });
    write_safetensors(path, list, &IndexMap::new())
        .map_err(|e| sanbao_models::Error::from(e).into())
}
