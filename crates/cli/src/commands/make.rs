//! `sanbao make`: the whole job.

use std::collections::BTreeMap;

use anyhow::Result;

use super::run::{evaluate_run, export_run, train_run};
use super::setup::planned;
use crate::arguments::MakeArgs;
use crate::show;

/// Prepares, plans, trains, judges and exports.
pub fn make(args: &MakeArgs) -> Result<()> {
    let run = planned(args.base.model.as_deref(), &args.source, &args.recipe, &args.out)?;
    show::data_report(&run.report);
    show::plan(&run.plan);
    train_run(&args.out, false)?;
    let verdict = evaluate_run(&args.out)?;
    show::line("");
    show::line(&sanbao_evaluate::verdict_text(&verdict));
    let folder = sanbao_project::RunFolder::look(&args.out)?;
    show::line(&format!("Report: {}", folder.report_path().display()));
    for target in args.export.split(',').map(str::trim).filter(|target| *target != "none") {
        let out = folder.export().join(target);
        std::fs::create_dir_all(folder.export())?;
        export_run(&args.out, target, &BTreeMap::new(), None, &out)?;
    }
    show::line(&format!("Talk to it: sanbao chat --run {}", args.out.display()));
    Ok(())
}
