//! The page that tells how a run went.

use std::path::Path;

use sanbao_contract::verdict::Verdict;
use sanbao_data::Prepared;
use sanbao_evaluate::{Hashed, Language, Provenance, ReportContext, report_html};
use sanbao_models::BaseModel;
use sanbao_project::{MetricsLog, Pointer, RunFolder, write_atomic};

use crate::{Error, RunSpec};

/// Writes `report.html` for a run that has a verdict.
///
/// # Errors
/// When a part of the run cannot be read, or the page cannot be written.
pub fn write_report(run: &Path, verdict: &Verdict, language: Language) -> Result<(), Error> {
    let folder = RunFolder::look(run)?;
    let spec = RunSpec::read(&folder)?;
    let base = BaseModel::open(&spec.model)?;
    let data = Prepared::open(&folder.prepared())?;
    let steps = MetricsLog::read(&folder.metrics_path())?;
    let manifest = data.manifest();
    let mut inputs: Vec<Hashed> = manifest
        .inputs
        .iter()
        .map(|(name, hash)| Hashed { name: name.clone(), hash: hash.clone() })
        .collect();
    if spec.model.is_file() {
        let hash = sanbao_project::hash_file(&spec.model)?;
        inputs.insert(0, Hashed { name: base.card.name.clone(), hash });
    }
    let seconds =
        steps.iter().map(|step| step.tokens as f64 / step.tokens_per_second.max(1e-9)).sum();
    let context = ReportContext {
        language,
        title: run.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        plan: spec.plan.clone(),
        data: data.report().clone(),
        model: Some(base.card),
        best_step: folder.pointed(Pointer::Best)?,
        steps,
        provenance: Provenance {
            created: manifest.created.to_string(),
            seconds: Some(seconds),
            seed: spec.settings.seed,
            inputs,
            versions: vec![("Sanbao".to_owned(), env!("CARGO_PKG_VERSION").to_owned())],
        },
    };
    let page = report_html(verdict, &context)?;
    write_atomic(&folder.report_path(), |file| std::io::Write::write_all(file, page.as_bytes()))?;
    Ok(())
}
