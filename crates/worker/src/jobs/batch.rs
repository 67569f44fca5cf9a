//! Answering every row of a file.

use std::io::Write;

use sanbao_contract::worker::{Batch, Progress};
use sanbao_contract::{Fault, Message as Turn};
use sanbao_data::{Table, Template};
use sanbao_infer::{DEFAULT_TOKEN_BUDGET, Flow, chat_prompt, generate};
use sanbao_project::write_atomic;
use serde_json::Value;

use super::answer::{Voice, sampling_of};
use crate::Error;

/// Answers a file's rows and writes them with the answers as CSV; gives the number of rows, or
/// `None` when it was stopped, and then nothing is written.
///
/// # Errors
/// When the file cannot be read, a column that is asked for is not there, the model fails, or the
/// answers cannot be written.
pub fn batch(
    batch: &Batch,
    stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Progress),
) -> Result<Option<u64>, Error> {
    let table = Table::open(&batch.data)?;
    let columns = table.columns().to_vec();
    let template = Template::parse(&question(batch, &columns)?)?;
    if let Some(unknown) = template.columns().find(|name| !columns.iter().any(|c| c == name)) {
        return Err(refused(
            "worker.no_column",
            format!(
                "{} has no column '{unknown}'; it has {}",
                table.file().name(),
                columns.join(", ")
            ),
            &columns,
        ));
    }
    tell(Progress { stage: "loading".to_owned(), done: 0, total: 0 });
    let voice = Voice::load(&batch.answerer, &batch.device)?;
    let (mut rows, mut prompts) = (Vec::new(), Vec::new());
    for record in table.records()? {
        let record = record?;
        let mut turns = Vec::new();
        if let Some(system) = &batch.system {
            turns.push(Turn::new("system", system.clone()));
        }
        turns.push(Turn::new("user", text(&template.fill(&record.fields))));
        prompts.push(chat_prompt(&voice.base.tokenizer, &turns)?);
        let value = |column: &String| record.fields.get(column).map_or_else(String::new, text);
        rows.push(columns.iter().map(value).collect::<Vec<String>>());
    }
    let total = prompts.len() as u64;
    let mut done = 0;
    let answering = |done| Progress { stage: "answering".to_owned(), done, total };
    tell(answering(0));
    let answers = generate(
        &voice.model,
        &voice.base.tokenizer,
        &prompts,
        &sampling_of(&batch.sampling)?,
        DEFAULT_TOKEN_BUDGET,
        &mut |_, piece| {
            if piece.finish.is_some() {
                done += 1;
                tell(answering(done));
            }
            if stop() { Flow::Stop } else { Flow::Continue }
        },
    )?;
    if stop() {
        return Ok(None);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = columns.iter().map(String::as_str).chain(["answer"]);
    writer.write_record(header).map_err(std::io::Error::from)?;
    for (mut row, answer) in rows.into_iter().zip(answers) {
        row.push(answer.text);
        writer.write_record(&row).map_err(std::io::Error::from)?;
    }
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    write_atomic(&batch.out, |file| file.write_all(&bytes))?;
    Ok(Some(total))
}

/// The template that was given, or the only column.
fn question(batch: &Batch, columns: &[String]) -> Result<String, Error> {
    match (&batch.prompt, columns) {
        (Some(prompt), _) => Ok(prompt.clone()),
        (None, [column]) => Ok(format!("{{{{{column}}}}}")),
        (None, _) => Err(refused(
            "worker.which_column",
            format!(
                "{} has the columns {}; say what to ask, for example {{{{{}}}}}",
                batch.data.display(),
                columns.join(", "),
                columns.first().map_or("text", String::as_str)
            ),
            columns,
        )),
    }
}

fn refused(code: &'static str, message: String, columns: &[String]) -> Error {
    Error::Reported(Fault::new(code, message).with("columns", columns.join(", ")))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
