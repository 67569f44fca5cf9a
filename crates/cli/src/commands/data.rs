//! `sanbao data`.

use anyhow::Result;
use sanbao_data::PrepareOptions;
use sanbao_worker::jobs;
use serde_json::json;

use super::setup::{base_model, sources};
use crate::arguments::DataShowArgs;
use crate::show;

/// Shows what was recognised and what the model will see, by the code that training uses.
pub fn show(args: &DataShowArgs) -> Result<()> {
    let base = base_model(args.base.model.as_deref())?;
    let max_length = base.spec.max_position_embeddings.min(1024);
    let task = args.source.task.map(Into::into);
    let options = PrepareOptions { max_length, seed: 42, fractions: None, task };
    let sources = jobs::sources(&sources(&args.source)?);
    let bar = show::spinner("Reading the examples");
    let tell = &mut |progress| bar.set_message(show::preparing(&jobs::reading(progress)));
    let look = sanbao_data::look(&sources, &base.tokenizer, &options, args.rows, tell)?;
    bar.finish_and_clear();
    if args.json {
        return show::json(&json!({ "report": look.report, "rows": look.rows }));
    }
    show::data_report(&look.report);
    show::rows(&look.rows);
    Ok(())
}
