//! Answering every row of a file, or scoring its answers.

use std::io::Write;

use sanbao_contract::worker::{Batch, Progress};
use sanbao_contract::{Fault, Message as Turn};
use sanbao_data::{Table, Template};
use sanbao_infer::{DEFAULT_TOKEN_BUDGET, Flow, generate};
use sanbao_models::Decoder;
use sanbao_project::write_atomic;
use sanbao_train::reward_model::scores;
use serde_json::Value;

use super::PORTION;
use super::answer::{Voice, sampling_of, scores_answers};
use super::choices::Choices;
use super::score::{fits, judged};
use crate::Error;

/// Rows that are judged between two looks at whether to stop.
const JUDGED_AT_ONCE: usize = 16;

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
        // A part that is empty leaves its blank line.
        let filled = |template: &Template| {
            text(&template.fill(&record.fields)).trim_matches('\n').to_owned()
        };
        asked.push((filled(&question), answered.as_ref().map(filled).unwrap_or_default()));
        let value = |column: &String| record.fields.get(column).map_or_else(String::new, text);
        rows.push(columns.iter().map(value).collect::<Vec<String>>());
    }
    let total = rows.len() as u64;
    tell(Progress { stage: "loading".to_owned(), done: 0, total: 0 });
    let Made { names, values } = match is_scoring {
        true => score(batch, &asked, stop, tell)?,
        false => answer(batch, &asked, stop, tell)?,
    };
    if stop() {
        return Ok(None);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let added = names.iter().map(|name| free(name, &columns));
    let header = columns.iter().cloned().chain(added);
    writer.write_record(header).map_err(std::io::Error::from)?;
    for (row, made) in rows.into_iter().zip(values) {
        writer.write_record(row.into_iter().chain(made)).map_err(std::io::Error::from)?;
    }
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    write_atomic(&batch.out, |file| file.write_all(&bytes))?;
    Ok(Some(total))
}

/// What is written beside the rows: the names of the new columns, and their values for each row.
struct Made {
    names: &'static [&'static str],
    /// Fewer than there are rows when it was stopped.
    values: Vec<Vec<String>>,
}

/// The answer to each row.
fn answer(
    batch: &Batch,
    asked: &[Asked],
    stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Progress),
) -> Result<Made, Error> {
    let voice = Voice::load(&batch.answerer, &batch.device)?;
    let choices = match voice.labels.as_slice() {
        [] => None,
        labels => Some(Choices::new(labels, &voice.base.tokenizer)?),
    };
    // Room for an answer, if only a token of it.
    let room = choices.as_ref().map_or(1, Choices::longest);
    let mut prompts = Vec::with_capacity(asked.len());
    for ((question, _), number) in asked.iter().zip(1..) {
        if question.trim().is_empty() {
            continue;
        }
        let system = batch.system.as_ref().map(|text| Turn::new("system", text.clone()));
        let turns = system.into_iter().chain([Turn::new("user", question.clone())]).collect();
        let prompt = voice.prompt(turns)?;
        fits(&voice.base, number, prompt.len() + room)?;
        prompts.push(prompt);
    }
    let Made { names, values } = match choices {
        Some(choices) => choose(&voice.model, &choices, &prompts, stop, tell)?,
        None => write(&voice, batch, &prompts, stop, tell)?,
    };
    // What asks nothing gets no answer.
    let mut made = values.into_iter();
    let values = asked.iter().map_while(|(question, _)| match question.trim() {
        "" => Some(vec![String::new(); names.len()]),
        _ => made.next(),
    });
    Ok(Made { names, values: values.collect() })
}

/// The likeliest label of each row, and its probability.
fn choose(
    model: &Decoder,
    choices: &Choices,
    prompts: &[Vec<u32>],
    stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Progress),
) -> Result<Made, Error> {
    let total = prompts.len() as u64;
    let mut values = Vec::with_capacity(prompts.len());
    for some in prompts.chunks(JUDGED_AT_ONCE) {
        tell(Progress { stage: "answering".to_owned(), done: values.len() as u64, total });
        if stop() {
            break;
        }
        for (label, probabilities) in choices.choose(model, some)? {
            let probability = probabilities.into_iter().fold(0.0, f64::max);
            values.push(vec![label, format!("{probability:.4}")]);
        }
    }
    Ok(Made { names: &["answer", "probability"], values })
}

/// What the model writes to each row.
fn write(
    voice: &Voice,
    batch: &Batch,
    prompts: &[Vec<u32>],
    stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Progress),
) -> Result<Made, Error> {
    let mut done = 0;
    let total = prompts.len() as u64;
    let answering = |done| Progress { stage: "answering".to_owned(), done, total };
    tell(answering(0));
    let answers = generate(
        &voice.model,
        &voice.base.tokenizer,
        prompts,
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
    let values = answers.into_iter().map(|answer| vec![answer.text]).collect();
    Ok(Made { names: &["answer"], values })
}

/// The score of each row's answer.
fn score(
    batch: &Batch,
    asked: &[Asked],
    stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Progress),
) -> Result<Made, Error> {
    let Voice { base, model, .. } = Voice::load_any(&batch.answerer, &batch.device)?;
    let mut sequences = Vec::with_capacity(asked.len());
    for ((question, answer), number) in asked.iter().zip(1..) {
        sequences.push(judged(&base, number, batch.system.as_deref(), question, answer)?);
    }
    let total = sequences.len() as u64;
    let mut values = Vec::with_capacity(sequences.len());
    for some in sequences.chunks(JUDGED_AT_ONCE) {
        tell(Progress { stage: "scoring".to_owned(), done: values.len() as u64, total });
        if stop() {
            break;
        }
        values.extend(scores(&model, some, PORTION)?.iter().map(|score| vec![score.to_string()]));
    }
    Ok(Made { names: &["score"], values })
}

/// A name that no column has.
fn free(name: &str, columns: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !columns.contains(name)).unwrap_or_default()
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
