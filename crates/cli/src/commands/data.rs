//! `sanbao data`.

use anyhow::Result;
use serde_json::json;

use super::setup::{base_model, options, sources};
use crate::arguments::DataShowArgs;
use crate::show;

/// Shows what was recognised and what the model will see, by the code that training uses.
pub fn show(args: &DataShowArgs) -> Result<()> {
    let base = base_model(args.base.model.as_deref())?;
    let max_length = base.spec.max_position_embeddings.min(1024);
    let options = options(&args.source, max_length, 42);
    let sources = sources(&args.source)?;
    let bar = show::spinner("Reading the examples");
    let report = sanbao_data::check(&sources, &base.tokenizer, &options, &mut |progress| {
        bar.set_message(show::preparing(&progress));
    })?;
    let preview =
        sanbao_data::preview(&sources, &base.tokenizer, &options, args.rows, &mut |_| ())?;
    bar.finish_and_clear();
    if args.json {
        return show::json(&json!({ "report": report, "rows": preview.rows }));
    }
    show::data_report(&report);
    show::rows(&preview.rows);
    Ok(())
}
