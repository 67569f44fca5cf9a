//! Plan, train, evaluate, export.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use sanbao_contract::verdict::Verdict;
use sanbao_contract::worker::{Job, Message};
use sanbao_project::RunFolder;
use sanbao_worker::Ended;

use super::setup::{in_worker, planned};
use crate::arguments::{ExportArgs, PlanArgs, RunArgs, TrainArgs};
use crate::show;

/// `sanbao plan`.
pub fn plan(args: &PlanArgs) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let planned = planned(
        args.base.model.as_deref(),
        &args.source,
        &args.recipe,
        &folder.path().join("run"),
    )?;
    if args.json {
        return show::json(&planned.plan);
    }
    show::data_report(&planned.report);
    show::plan(&planned.plan);
    Ok(())
}

/// `sanbao train`.
pub fn train(args: &TrainArgs) -> Result<()> {
    if args.resume {
        RunFolder::look(&args.out)?;
    } else {
        let planned = planned(args.base.model.as_deref(), &args.source, &args.recipe, &args.out)?;
        if !args.json {
            show::data_report(&planned.report);
            show::plan(&planned.plan);
        }
    }
    train_run(&args.out, args.json)
}

/// Trains the run in a folder in a child process, showing how it goes.
pub fn train_run(run: &Path, json: bool) -> Result<()> {
    let job = Job::Train { run: run.to_owned(), micro_batch_tokens: None };
    let mut view = show::TrainingView::new(json);
    let ended = in_worker(job, &mut |message| view.message(message))?;
    view.finish();
    match ended {
        Ended::Done(Message::Trained { finished: true, .. }) => Ok(()),
        _ => anyhow::bail!("stopped. Go on with: sanbao train --resume --out {}", run.display()),
    }
}

/// `sanbao evaluate`.
pub fn evaluate(args: &RunArgs) -> Result<()> {
    let verdict = evaluate_run(&args.run)?;
    if args.json {
        return show::json(&verdict);
    }
    show::line(&sanbao_evaluate::verdict_text(&verdict));
    let folder = RunFolder::look(&args.run)?;
    show::line(&format!("Report: {}", folder.report_path().display()));
    Ok(())
}

/// Judges a run in a child process and writes its report.
pub fn evaluate_run(run: &Path) -> Result<Verdict> {
    let job = Job::Evaluate { run: run.to_owned() };
    let bar = show::bar("Asking both models");
    let ended = in_worker(job, &mut |message| {
        if let Message::Progress(progress) = message {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(show::stage(&progress.stage));
        }
    })?;
    bar.finish_and_clear();
    let Ended::Done(Message::Verdict(verdict)) = ended else {
        anyhow::bail!("stopped before the verdict");
    };
    sanbao_worker::write_report(run, &verdict, sanbao_evaluate::Language::En)?;
    Ok(*verdict)
}

/// `sanbao export`.
pub fn export(args: &ExportArgs) -> Result<()> {
    let mut options = BTreeMap::new();
    if let Some(dtype) = &args.dtype {
        options.insert("dtype".to_owned(), dtype.clone().into());
    }
    export_run(&args.run, &args.target, &options, args.epoch, &args.out)
}

/// Exports a run's result, showing how it goes.
pub fn export_run(
    run: &Path,
    target: &str,
    options: &BTreeMap<String, serde_json::Value>,
    epoch: Option<u64>,
    out: &Path,
) -> Result<()> {
    let bar = show::bar(&format!("Exporting {target}"));
    let exported =
        sanbao_worker::jobs::export(run, target, options, epoch, out, &mut |progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        })?;
    bar.finish_and_clear();
    show::exported(&exported, out);
    Ok(())
}
