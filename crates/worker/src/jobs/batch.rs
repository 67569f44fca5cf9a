//! Answering every row of a file, or scoring its answers.

use std::io::Write;

use sanbao_contract::worker::{Batch, Progress};
use sanbao_contract::{Fault, Message as Turn};
use sanbao_data::{Table, Template};
use sanbao_infer::{DEFAULT_TOKEN_BUDGET, Flow, chat_prompt, generate};
use sanbao_project::write_atomic;
use sanbao_train::reward_model::scores;
use serde_json::Value;

use super::PORTION;
use super::answer::{Voice, sampling_of, scores_answers};
use super::score::judged;
use crate::Error;

/// Rows that a reward model scores between two looks at whether to stop.
const SCORED_AT_ONCE: usize = 16;

/// What a row asks, and its answer that is to be scored; without a reward model there is none.
type Asked = (String, String);

/// Answers a file's rows, or scores their answers with a reward model, and writes them as CSV; gives
/// the number of rows, or `None` when it was stopped, and then nothing is written.
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
    let is_scoring = scores_answers(&batch.answerer)?;
    let (question, answered) = templates(batch, is_scoring, table.file().name(), &columns)?;
    let (mut rows, mut asked) = (Vec::new(), Vec::new());
    for record in table.records()? {
        let record = record?;
        let filled = |template: &Template| text(&template.fill(&record.fields));
        asked.push((filled(&question), answered.as_ref().map(filled).unwrap_or_default()));
        let value = |column: &String| record.fields.get(column).map_or_else(String::new, text);
        rows.push(columns.iter().map(value).collect::<Vec<String>>());
    }
    let total = rows.len() as u64;
    tell(Progress { stage: "loading".to_owned(), done: 0, total: 0 });
    let (name, made) = match is_scoring {
        true => ("score", score(batch, &asked, stop, tell)?),
        false => ("answer", answer(batch, &asked, stop, tell)?),
    };
    if stop() {
        return Ok(None);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = columns.iter().map(String::as_str).chain([name]);
    writer.write_record(header).map_err(std::io::Error::from)?;
    for (mut row, made) in rows.into_iter().zip(made) {
        row.push(made);
        writer.write_record(&row).map_err(std::io::Error::from)?;
    }
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    write_atomic(&batch.out, |file| file.write_all(&bytes))?;
    Ok(Some(total))
}

/// The answer to each row; fewer when it was stopped.
fn answer(
    batch: &Batch,
    asked: &[Asked],
    stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Progress),
) -> Result<Vec<String>, Error> {
    let voice = Voice::load(&batch.answerer, &batch.device)?;
    let mut prompts = Vec::with_capacity(asked.len());
    for (question, _) in asked {
        let system = batch.system.as_ref().map(|text| Turn::new("system", text.clone()));
        let turns: Vec<Turn> =
            system.into_iter().chain([Turn::new("user", question.clone())]).collect();
        prompts.push(chat_prompt(&voice.base.tokenizer, &turns)?);
    }
    let mut done = 0;
    let total = prompts.len() as u64;
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
    Ok(answers.into_iter().map(|answer| answer.text).collect())
}

/// The score of each row's answer; fewer when it was stopped.
fn score(
    batch: &Batch,
    asked: &[Asked],
    stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Progress),
) -> Result<Vec<String>, Error> {
    let Voice { base, model } = Voice::load_any(&batch.answerer, &batch.device)?;
    let mut sequences = Vec::with_capacity(asked.len());
    for ((question, answer), number) in asked.iter().zip(1..) {
        sequences.push(judged(&base, number, batch.system.as_deref(), question, answer)?);
    }
    let total = sequences.len() as u64;
    let mut found = Vec::new();
    for some in sequences.chunks(SCORED_AT_ONCE) {
        tell(Progress { stage: "scoring".to_owned(), done: found.len() as u64, total });
        if stop() {
            break;
        }
        found.extend(scores(&model, some, PORTION)?.iter().map(f64::to_string));
    }
    Ok(found)
}

/// Templates of what is asked and, only for a reward model, of the answer.
fn templates(
    batch: &Batch,
    is_scoring: bool,
    file: &str,
    columns: &[String],
) -> Result<(Template, Option<Template>), Error> {
    let (prompt, answer) = match (&batch.prompt, &batch.answer, columns) {
        (Some(prompt), Some(answer), _) if is_scoring => (prompt.clone(), Some(answer)),
        (_, _, _) if is_scoring => {
            return Err(refused(
                "worker.which_answer",
                format!(
                    "{file} has the columns {}; say which is the question and which the answer to be scored",
                    columns.join(", ")
                ),
                columns,
            ));
        }
        (_, Some(_), _) => {
            let text = "only a reward model scores answers; leave the answer out, or choose a run of the recipe reward_model";
            return Err(Error::Reported(Fault::new("worker.not_a_reward_model", text)));
        }
        (Some(prompt), None, _) => (prompt.clone(), None),
        (None, None, [column]) => (format!("{{{{{column}}}}}"), None),
        (None, None, _) => {
            return Err(refused(
                "worker.which_column",
                format!(
                    "{file} has the columns {}; say what to ask, for example {{{{{}}}}}",
                    columns.join(", "),
                    columns.first().map_or("text", String::as_str)
                ),
                columns,
            ));
        }
    };
    let parsed = |template: &str| {
        let template = Template::parse(template)?;
        if let Some(unknown) = template.columns().find(|name| !columns.iter().any(|c| c == name)) {
            let text = format!("{file} has no column '{unknown}'; it has {}", columns.join(", "));
            return Err(refused("worker.no_column", text, columns));
        }
        Ok(template)
    };
    Ok((parsed(&prompt)?, answer.map(|answer| parsed(answer)).transpose()?))
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
