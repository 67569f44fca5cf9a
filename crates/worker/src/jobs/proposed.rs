//! Which columns of a file hold what is asked.

use std::path::Path;

use sanbao_contract::data::Mapping;
use sanbao_contract::worker::Answerer;
use sanbao_data::{Table, Template, answered, asked};
use sanbao_project::RunFolder;

use super::answer::scores_answers;
use super::report;
use crate::Error;

/// A file that is to be answered or scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Its columns.
    pub columns: Vec<String>,
    /// What probably is to be asked, as a template; `None` when nothing tells.
    pub prompt: Option<String>,
    /// What probably is the answer that a reward model is to score, as a template; `None` also for
    /// all others, which write one.
    pub answer: Option<String>,
}

/// Looks at a file. What its rows ask is told by how the rows were read that a run learnt from,
/// where the file has the same columns, and otherwise by the file itself.
///
/// # Errors
/// When the file cannot be read, or the run's data is not there.
pub fn propose(answerer: &Answerer, data: &Path) -> Result<Proposed, Error> {
    let table = Table::open(data)?;
    let mut mappings = learnt(answerer)?;
    mappings.extend(table.recognition(None).ok().map(|recognition| recognition.mapping));
    let proposed = |of: fn(&Mapping) -> Option<String>| {
        mappings.iter().filter_map(of).find(|template| fills(template, &table))
    };
    let answer = if scores_answers(answerer)? { proposed(answered) } else { None };
    let columns = table.columns().to_vec();
    let only = match columns.as_slice() {
        [column] => Some(format!("{{{{{column}}}}}")),
        _ => None,
    };
    Ok(Proposed { prompt: proposed(asked).or(only), answer, columns })
}

/// How the rows were read that a run learnt from.
fn learnt(answerer: &Answerer) -> Result<Vec<Mapping>, Error> {
    let Answerer::Run { run, .. } = answerer else { return Ok(Vec::new()) };
    Ok(report(&RunFolder::look(run)?)?.files.into_iter().map(|file| file.mapping).collect())
}

/// Whether a file has every column of a template, and texts in them (no lists of messages).
fn fills(template: &str, table: &Table) -> bool {
    let Ok(template) = Template::parse(template) else { return false };
    let is_text = |column: &str| {
        let values = table.sample().iter().filter_map(|record| record.fields.get(column));
        values.into_iter().all(|value| !value.is_array() && !value.is_object())
    };
    let has = |column: &str| table.columns().iter().any(|known| known == column);
    let mut columns = template.columns().peekable();
    columns.peek().is_some() && columns.all(|column| has(column) && is_text(column))
}
