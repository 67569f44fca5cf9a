//! Preparing and planning a run.

use std::path::{Path, PathBuf};

use sanbao_contract::train::Plan;
use sanbao_contract::worker::{PlanRequest, Progress, SourceSpec};
use sanbao_data::{PrepareOptions, Prepared, Source, Step, prepare};
use sanbao_models::BaseModel;
use sanbao_project::RunFolder;
use sanbao_train::recipes::{recipe, recommended};
use sanbao_train::{PlanInput, TrainSettings, estimate_seconds};

use crate::{Error, RUN_SPEC_FORMAT, RunSpec, devices};

/// Prepares the data, makes the plan and writes both into the run's new folder.
///
/// # Errors
/// When the run would teach nothing, does not fit its recipe, or a file cannot be used.
pub fn plan(
    request: &PlanRequest,
    run: &Path,
    tell: &mut dyn FnMut(Progress),
) -> Result<Plan, Error> {
    let base = BaseModel::open(&request.model)?;
    let device = devices::open(&request.device)?;
    let folder = RunFolder::create(run)?;
    let options = prepare_options(request, &base)?;
    let sources = sources(&request.sources);
    prepare(&sources, &base.tokenizer, &options, &folder.prepared(), &mut |progress| {
        tell(reading(progress));
    })?;
    let data = Prepared::open(&folder.prepared())?;
    let task = data.report().task;
    let recipe = match &request.recipe {
        Some(name) => recipe(name)?,
        None => recommended(task),
    };
    if let Some(part) = request.reward.as_ref().and_then(|reward| reward.model.as_ref()) {
        // Refused before the data is measured: a run whose reward is not there cannot start.
        super::rewards::reward_model(Path::new(&part.run), &base, &device.device)?;
    }
    let (mut plan, settings) = sanbao_train::plan(&PlanInput {
        recipe,
        base: &base,
        device: &device.report.id,
        on_cpu: device.is_cpu(),
        memory_there: device.report.memory,
        data: &data,
        dial: request.dial,
        seed: request.seed,
        chosen: &request.chosen,
        reward: request.reward.as_ref(),
    })?;
    tell(Progress { stage: "measuring".to_owned(), done: 0, total: 0 });
    plan.seconds = Some(seconds(&base, &device, &data, &settings)?);
    let spec = RunSpec {
        format: RUN_SPEC_FORMAT,
        model: absolute(&base.path)?,
        device: device.report.id.clone(),
        sources: request
            .sources
            .iter()
            .map(|source| Ok(SourceSpec { path: absolute(&source.path)?, ..source.clone() }))
            .collect::<Result<_, Error>>()?,
        dial: request.dial,
        plan,
        settings,
        majority_label: data.report().labels.first().map(|(label, _)| label.clone()),
    };
    sanbao_project::write_json(&folder.plan_path(), &spec)?;
    Ok(spec.plan)
}

/// How far reading the examples is.
pub fn reading(progress: sanbao_data::Progress) -> Progress {
    let stage = match progress.step {
        Step::Reading => "reading",
        Step::Tokenising => "tokenising",
    };
    Progress { stage: stage.to_owned(), done: progress.done, total: progress.total }
}

/// The files of a request, as they are read.
pub fn sources(specs: &[SourceSpec]) -> Vec<Source> {
    let source = |spec: &SourceSpec| Source {
        path: spec.path.clone(),
        mapping: spec.mapping.clone(),
        part: spec.part,
    };
    specs.iter().map(source).collect()
}

/// How the rows of a request are prepared. `max_length` is as chosen, or by the dial: it must be
/// known before rows are cut.
///
/// # Errors
/// When the chosen length is not one.
pub fn prepare_options(request: &PlanRequest, base: &BaseModel) -> Result<PrepareOptions, Error> {
    let context = base.spec.max_position_embeddings;
    let max_length = match request.chosen.get("max_length") {
        None => sanbao_train::recipes::max_length(request.dial).min(context),
        Some(value) => value
            .as_u64()
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| (PrepareOptions::SHORTEST..=context).contains(length))
            .ok_or_else(|| sanbao_train::Error::BadSetting {
                name: "max_length".to_owned(),
                value: value.to_string(),
                expected: format!(
                    "a whole number from {} to {context} (the model's context) is needed",
                    PrepareOptions::SHORTEST
                ),
            })?,
    };
    Ok(PrepareOptions { max_length, seed: request.seed, fractions: None, task: request.task })
}

fn seconds(
    base: &BaseModel,
    device: &devices::Opened,
    data: &Prepared,
    settings: &TrainSettings,
) -> Result<f64, Error> {
    let model = base.load(&device.device)?;
    Ok(estimate_seconds(&model, &base.tokenizer, data, settings)?)
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    Ok(std::path::absolute(path)?)
}
