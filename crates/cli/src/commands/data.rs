//! `sanbao data`.

use anyhow::Result;

use super::setup::{base_model, prepared};
use crate::arguments::DataShowArgs;
use crate::show;

/// Shows what was recognised and what the model will see, from the tokens that training reads.
pub fn show(args: &DataShowArgs) -> Result<()> {
    let base = base_model(args.base.model.as_deref())?;
    let folder = tempfile::tempdir()?;
    let max_length = base.spec.max_position_embeddings.min(1024);
    let data = prepared(&base, &args.source, max_length, 42, &folder.path().join("prepared"))?;
    let rows = sanbao_data::preview(&data, &base.tokenizer, args.rows)?;
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| row.iter().map(|(text, trained)| serde_json::json!([text, trained])).collect::<Vec<_>>())
            .collect();
        return show::json(&serde_json::json!({ "report": data.report(), "rows": rows }));
    }
    show::data_report(data.report());
    show::rows(&rows);
    Ok(())
}
