//! What several commands begin with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sanbao_contract::data::{DataReport, Mapping, Part};
use sanbao_contract::train::Plan;
use sanbao_contract::worker::{Job, Message, PlanRequest, SourceSpec};
use sanbao_data::{Prepared, Table, parse_mapping};
use sanbao_hub::Progress;
use sanbao_models::BaseModel;
use sanbao_project::RunFolder;
use sanbao_worker::{Ended, supervise};

use crate::arguments::{RecipeArgs, SourceArgs, chosen};
use crate::show;

/// The base model that was named, or the starter model.
///
/// # Errors
/// When it cannot be opened or fetched.
pub fn base_model(path: Option<&Path>) -> Result<BaseModel> {
    Ok(BaseModel::open(&model_path(path)?)?)
}

/// Where the base model that was named lies; the starter model is fetched when none was.
///
/// # Errors
/// When the starter model cannot be fetched.
pub fn model_path(path: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = path {
        return Ok(path.to_owned());
    }
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
pub fn sources(args: &SourceArgs) -> Result<Vec<SourceSpec>> {
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
            sources.push(SourceSpec { path: path.clone(), mapping, part });
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

/// A run that is ready to start.
pub struct Planned {
    /// What it would do.
    pub plan: Plan,
    /// What its examples are.
    pub report: DataReport,
}

/// Prepares the data and plans a run in a new folder, in a child process: what measuring the
/// machine takes of its memory is free again before training begins.
///
/// # Errors
/// When the run would teach nothing, does not fit its recipe, or a file cannot be used.
pub fn planned(
    model: Option<&Path>,
    source: &SourceArgs,
    args: &RecipeArgs,
    root: &Path,
) -> Result<Planned> {
    let request = PlanRequest {
        model: model_path(model)?,
        sources: sources(source)?,
        task: source.task.map(Into::into),
        recipe: args.recipe.clone(),
        dial: args.dial.into(),
        device: args.device.clone(),
        chosen: chosen(&args.set)?,
        reward: super::reward::wanted(&args.reward, args.reward_model.as_deref())?,
        seed: args.seed,
    };
    let bar = show::spinner("Looking at model and machine");
    let job = Job::Plan { request: Box::new(request), run: root.to_owned() };
    let ended = in_worker(job, &mut |message| {
        if let Message::Progress(progress) = message {
            bar.set_message(show::preparing(progress));
        }
    })?;
    bar.finish_and_clear();
    let Ended::Done(Message::Planned { plan }) = ended else { bail!("stopped before the plan") };
    let prepared = Prepared::open(&RunFolder::look(root)?.prepared())?;
    Ok(Planned { plan: *plan, report: prepared.report().clone() })
}

/// Runs a job in a child process; Ctrl-C asks it to stop.
///
/// # Errors
/// What the job reports, or how its process died.
pub fn in_worker(job: Job, on_message: &mut (dyn FnMut(&Message) + Send)) -> Result<Ended> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let stop = async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        Ok(supervise(&program, job, stop, on_message).await?)
    })
}
