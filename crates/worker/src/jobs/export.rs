//! Exporting a run's result.

use std::collections::BTreeMap;
use std::path::Path;

use sanbao_contract::Message;
use sanbao_contract::data::Task;
use sanbao_contract::verdict::Verdict;
use sanbao_data::{Prepared, classify_messages};
use sanbao_export::{CardFacts, Exported, Progress, Source, target};
use sanbao_models::{BaseModel, Decoder};
use sanbao_project::{Pointer, RunFolder};
use sanbao_train::checkpoint;
use serde_json::Value;

use super::{Opened, open};
use crate::{Error, RunSpec};

/// Exports the run's best model, or its model after an epoch (from 1), into the new folder
/// `out`. `options` are the target's own.
///
/// # Errors
/// When the run has no result, the target cannot hold it, or what was written does not read
/// back as the trained model; nothing is left then.
pub fn export(
    run: &Path,
    target_name: &str,
    options: &BTreeMap<String, Value>,
    epoch: Option<u64>,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Exported, Error> {
    let target = target(target_name)?;
    let Opened { folder, spec, base, device } = open(run)?;
    let mut model = base.load(&device.device)?;
    trained(&folder, epoch, &mut model)?;
    if !spec.settings.learns.is_reward_model() {
        // What PPO expected of words is of no use once it has learnt.
        model.score = None;
    }
    let report = Prepared::open(&folder.prepared())?.report().clone();
    let labels: Vec<&str> = report.labels.iter().map(|(label, _)| label.as_str()).collect();
    let asked = classify_messages("<the text>", &labels).iter().map(Message::text).collect();
    let verdict: Option<Verdict> = sanbao_project::read_json(&folder.verdict_path()).ok();
    let source = Source {
        base: &base,
        model: &model,
        lora: spec.settings.lora.as_ref(),
        card: CardFacts {
            name: name(run, &spec),
            base_model: public_name(&base),
            recipe: spec.settings.recipe.clone(),
            task: Some(report.task),
            training_rows: report.train.rows,
            held_out_rows: report.validation.rows + report.test.rows,
            asked: (report.task == Task::Classify).then_some(asked),
            system: None,
            verdict: verdict.as_ref(),
        },
    };
    Ok(sanbao_export::export(target, &source, out, options, progress)?)
}

/// Puts a run's result onto its base model: the best step, or the model after an epoch.
///
/// # Errors
/// When the run has no such result.
pub fn trained(folder: &RunFolder, epoch: Option<u64>, model: &mut Decoder) -> Result<(), Error> {
    let weights = match epoch {
        Some(epoch) => folder.epoch(epoch),
        None => match folder.pointed(Pointer::Best)? {
            Some(step) => folder.checkpoint(step),
            None => return Err(not_trained(folder.root())),
        },
    };
    if !weights.is_dir() {
        return Err(Error::Reported(sanbao_contract::Fault::new(
            "worker.no_such_epoch",
            format!(
                "{} has no such epoch; leave --epoch out for the best model",
                folder.root().display()
            ),
        )));
    }
    Ok(checkpoint::load_weights(&weights, model)?)
}

/// The error for a run that has nothing to show yet.
pub(super) fn not_trained(run: &Path) -> Error {
    Error::Reported(sanbao_contract::Fault::new(
        "worker.not_trained",
        format!("{} has no trained model yet; run `sanbao train` first", run.display()),
    ))
}

fn name(run: &Path, spec: &RunSpec) -> String {
    let folder = run.file_name().map(|name| name.to_string_lossy().into_owned());
    folder.unwrap_or_else(|| format!("{}-{}", spec.plan.model, spec.settings.recipe))
}

/// The base model as others can find it; a path of this machine means nothing to them.
fn public_name(base: &BaseModel) -> String {
    base.card.name.clone()
}
