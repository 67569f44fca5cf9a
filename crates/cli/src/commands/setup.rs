//! What several commands begin with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sanbao_contract::data::Mapping;
use sanbao_data::{Part, PrepareOptions, Prepared, Source, Table, parse_mapping, prepare};
use sanbao_hub::Progress;
use sanbao_models::BaseModel;
use sanbao_project::RunFolder;
use sanbao_train::recipes::{recipe, recommended};
use sanbao_train::{PlanInput, TrainSettings, estimate_seconds, plan};
use sanbao_worker::{RUN_SPEC_FORMAT, RunSpec, SourceSpec, devices};

use crate::arguments::{RecipeArgs, SourceArgs, chosen};
use crate::show;

/// The base model that was named, or the starter model.
///
/// # Errors
/// When it cannot be opened or fetched.
pub fn base_model(path: Option<&Path>) -> Result<BaseModel> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => starter_model()?,
    };
    Ok(BaseModel::open(&path)?)
}

fn starter_model() -> Result<PathBuf> {
    let bar = show::download_bar("Starter model");
    let path = sanbao_hub::starter_model(&mut |progress| match progress {
        Progress::Fetched { bytes, total } => {
            bar.set_length(total);
            bar.set_position(bytes);
        }
        other => bar.set_message(format!("{other:?}")),
    })?;
    bar.finish_and_clear();
    Ok(path)
}

/// The files that were named, with their mapping.
///
/// # Errors
/// When none was named, or a mapping does not fit the columns.
pub fn sources(args: &SourceArgs) -> Result<Vec<Source>> {
    if args.data.is_empty() {
        bail!("no examples are given; name a file with --data FILE");
    }
    let files = [
        (&args.data, None),
        (&args.validation, Some(Part::Validation)),
        (&args.test, Some(Part::Test)),
    ];
    let mut sources = Vec::new();
    for (paths, part) in files {
        for path in paths {
            let recognised = args.map.is_empty() && args.shape.is_none();
            let mapping = if recognised { None } else { Some(mapping(path, args)?) };
            sources.push(Source { path: path.clone(), mapping, part });
        }
    }
    Ok(sources)
}

/// What the person says the columns are for; the rest as recognised.
fn mapping(path: &Path, args: &SourceArgs) -> Result<Mapping> {
    let table = Table::open(path)?;
    let recognised = table.recognition(None).ok().map(|recognition| recognition.mapping);
    let shape = args.shape.map(Into::into);
    Ok(parse_mapping(&args.map, shape, table.columns(), recognised.as_ref())?)
}

/// How rows are prepared for a model.
pub fn options(args: &SourceArgs, max_length: usize, seed: u64) -> PrepareOptions {
    PrepareOptions { max_length, seed, fractions: None, task: args.task.map(Into::into) }
}

/// Reads, checks, splits and tokenises into a folder.
///
/// # Errors
/// When the files cannot be used.
pub fn prepared(
    base: &BaseModel,
    args: &SourceArgs,
    max_length: usize,
    seed: u64,
    folder: &Path,
) -> Result<Prepared> {
    let options = options(args, max_length, seed);
    let bar = show::spinner("Reading the examples");
    prepare(&sources(args)?, &base.tokenizer, &options, folder, &mut |progress| {
        bar.set_message(show::preparing(&progress));
    })?;
    bar.finish_and_clear();
    Ok(Prepared::open(folder)?)
}

/// A run that is ready to start. Nobody holds its folder's lock.
pub struct Planned {
    /// What it is to do.
    pub spec: RunSpec,
    /// The examples.
    pub data: Prepared,
}

/// Prepares the data, makes the plan and writes both into the run's new folder. A run that is
/// refused leaves no folder, so that a second try can have the same name.
///
/// # Errors
/// When the run would teach nothing, does not fit its recipe, or a file cannot be used.
pub fn planned(
    model: Option<&Path>,
    source: &SourceArgs,
    args: &RecipeArgs,
    root: &Path,
) -> Result<Planned> {
    let base = base_model(model)?;
    let device = devices::open(&args.device)?;
    let folder = RunFolder::create(root)?;
    let planned = plan_into(&folder, &base, &device, source, args);
    drop(folder);
    if planned.is_err() {
        // `create` takes only a folder that is new or empty: all that is in it is ours.
        std::fs::remove_dir_all(root)
            .with_context(|| format!("{} cannot be removed", root.display()))?;
    }
    planned
}

fn plan_into(
    folder: &RunFolder,
    base: &BaseModel,
    device: &devices::Opened,
    source: &SourceArgs,
    args: &RecipeArgs,
) -> Result<Planned> {
    let data = prepared(base, source, max_length(base, args)?, args.seed, &folder.prepared())?;
    let task = data.report().task;
    let recipe = match &args.recipe {
        Some(name) => recipe(name)?,
        None => recommended(task),
    };
    let (mut plan, settings) = plan(&PlanInput {
        recipe,
        base,
        device: &device.report.id,
        on_cpu: device.is_cpu(),
        memory_there: device.report.memory,
        data: &data,
        dial: args.dial.into(),
        seed: args.seed,
        chosen: &chosen(recipe, &args.set)?,
    })?;
    let bar = show::spinner("Measuring how fast this machine is");
    plan.seconds = Some(seconds(base, &device.device, &data, &settings)?);
    bar.finish_and_clear();
    let spec = RunSpec {
        format: RUN_SPEC_FORMAT,
        model: absolute(&base.path)?,
        device: device.report.id.clone(),
        sources: sources(source)?
            .into_iter()
            .map(|source| {
                let path = absolute(&source.path)?;
                Ok(SourceSpec { path, mapping: source.mapping, part: source.part })
            })
            .collect::<Result<_>>()?,
        dial: args.dial.into(),
        plan,
        settings,
        majority_label: data.report().labels.first().map(|(label, _)| label.clone()),
    };
    sanbao_project::write_json(&folder.plan_path(), &spec)?;
    Ok(Planned { spec, data })
}

fn seconds(
    base: &BaseModel,
    device: &burn::tensor::Device,
    data: &Prepared,
    settings: &TrainSettings,
) -> Result<f64> {
    let model = base.load(device)?;
    Ok(estimate_seconds(&model, data, settings)?)
}

/// `max_length` as chosen, or by the dial: it must be known before rows are cut.
fn max_length(base: &BaseModel, args: &RecipeArgs) -> Result<usize> {
    let context = base.spec.max_position_embeddings;
    let asked = args.set.iter().find_map(|pair| pair.strip_prefix("max_length="));
    match asked {
        Some(text) => text
            .parse()
            .ok()
            .filter(|length| (16..=context).contains(length))
            .with_context(|| format!("max_length is {text}, but a whole number from 16 to {context} (the model's context) is needed")),
        None => Ok(sanbao_train::recipes::max_length(args.dial.into()).min(context)),
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} cannot be found", path.display()))
}
