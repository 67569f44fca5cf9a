//! Rewarding the answers of a file.

use std::path::Path;

use sanbao_contract::reward::Reward;
use sanbao_contract::{Fault, Message as Turn};
use sanbao_data::{Sequence, Table};
use sanbao_models::BaseModel;
use sanbao_project::RunFolder;
use sanbao_reward::{Answered, Rewarder, weighted};
use sanbao_text::ChatOptions;
use sanbao_train::online::rewards::{Earned, Rewarded};
use serde_json::Value;

use super::rewards;
use crate::{Error, RunSpec, devices};

/// A file's rows with what their answers earn.
pub struct ScoredFile {
    /// The file's columns, the parts of the reward, `reward`.
    pub columns: Vec<String>,
    /// A value for each column.
    pub rows: Vec<Vec<String>>,
    /// Mean reward.
    pub mean: f64,
}

/// Rewards the column `answer` of a file, with `prompt` and `reference` where it has them. `model`
/// is the base model for what a model has to judge; that of the reward model when `None`.
///
/// # Errors
/// When the file has no column `answer`, a card is refused, or a model is needed and not there.
pub fn score_file(
    reward: &Reward,
    table: &Table,
    model: Option<&Path>,
) -> Result<ScoredFile, Error> {
    let columns = table.columns().to_vec();
    if !columns.iter().any(|column| column == "answer") {
        let text = format!(
            "{} has no column 'answer'; it has {}",
            table.file().name(),
            columns.join(", ")
        );
        return Err(Error::Reported(Fault::new("worker.no_column", text)));
    }
    let mut rows = Vec::new();
    for record in table.records()? {
        let record = record?;
        let text = |column: &str| match record.fields.get(column) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        rows.push((
            columns.iter().map(|column| text(column)).collect::<Vec<_>>(),
            [text("prompt"), text("answer"), text("reference")],
        ));
    }
    let earned = earn(reward, &rows, model)?;
    let names = reward.cards.iter().map(|card| card.card.clone());
    let names = names.chain(reward.model.iter().map(|_| "reward_model".to_owned()));
    let mean = earned.iter().map(|earned| earned.reward).sum::<f64>() / earned.len().max(1) as f64;
    let with_scores = |((mut row, _), earned): ((Vec<String>, _), Earned)| {
        row.extend(earned.parts.iter().map(f64::to_string));
        row.push(earned.reward.to_string());
        row
    };
    Ok(ScoredFile {
        columns: columns.iter().cloned().chain(names).chain(["reward".to_owned()]).collect(),
        rows: rows.into_iter().zip(earned).map(with_scores).collect(),
        mean,
    })
}

/// The tokens of a row's question and answer up to the end of the answer, as a reward model reads
/// them.
///
/// # Errors
/// When they are more than the model's context holds, or its template refuses them.
pub(super) fn judged(
    base: &BaseModel,
    row: usize,
    system: Option<&str>,
    prompt: &str,
    answer: &str,
) -> Result<Sequence, Error> {
    let system = system.map(|text| Turn::new("system", text));
    let turns: Vec<Turn> = system
        .into_iter()
        .chain([Turn::new("user", prompt), Turn::new("assistant", answer)])
        .collect();
    let chat = base.tokenizer.encode_chat(&turns, &ChatOptions::default())?;
    let end = chat.trained.iter().rposition(|trained| *trained).map_or(0, |at| at + 1);
    let (mut ids, mut trained) = (chat.ids, chat.trained);
    ids.truncate(end);
    trained.truncate(end);
    fits(base, row, end)?;
    Ok(Sequence { ids, trained })
}

/// Whether a row has no more tokens, with its answer, than the model's context holds.
///
/// # Errors
/// When it has more.
pub(super) fn fits(base: &BaseModel, row: usize, tokens: usize) -> Result<(), Error> {
    let context = base.spec.max_position_embeddings;
    if tokens <= context {
        return Ok(());
    }
    let text = format!(
        "row {row} has {tokens} tokens with its answer, more than the {context} that the model reads; shorten it"
    );
    Err(Error::Reported(Fault::new("worker.row_too_long", text).with("row", row)))
}

fn earn(
    reward: &Reward,
    rows: &[(Vec<String>, [String; 3])],
    model: Option<&Path>,
) -> Result<Vec<Earned>, Error> {
    let train_error = sanbao_train::Error::from;
    let rewarder = Rewarder::new(reward).map_err(train_error)?;
    if !rewarder.needs_judge() && reward.model.is_none() {
        let answers: Vec<Answered<'_>> = rows
            .iter()
            .map(|(_, [prompt, answer, reference])| Answered {
                prompt,
                answer,
                reference: (!reference.is_empty()).then_some(reference.as_str()),
            })
            .collect();
        let parts = rewarder
            .score_all(&answers, &mut |_| Ok::<_, sanbao_reward::Error>(Vec::new()))
            .map_err(train_error)?;
        let sum = |parts: Vec<f64>| {
            let reward = weighted(&parts, rewarder.weights()).map_err(train_error)?;
            Ok(Earned { reward, parts })
        };
        return parts.into_iter().map(sum).collect();
    }
    let base = BaseModel::open(&base_path(reward, model)?)?;
    let device = devices::open("auto")?;
    let loaded = base.load(&device.device)?;
    let rewards = rewards(reward, &base, &loaded)?;
    let sequences = rows
        .iter()
        .zip(1..)
        .map(|((_, [prompt, answer, _]), row)| judged(&base, row, None, prompt, answer))
        .collect::<Result<Vec<Sequence>, Error>>()?;
    let answers: Vec<Rewarded<'_>> = rows
        .iter()
        .zip(&sequences)
        .map(|((_, [prompt, answer, reference]), sequence)| Rewarded {
            prompt,
            answer,
            reference: (!reference.is_empty()).then_some(reference.as_str()),
            sequence,
        })
        .collect();
    Ok(rewards.give(&answers)?)
}

/// The base model that was named, or that of the reward model.
fn base_path(reward: &Reward, model: Option<&Path>) -> Result<std::path::PathBuf, Error> {
    match (model, &reward.model) {
        (Some(model), _) => Ok(model.to_owned()),
        (None, Some(part)) => {
            let folder = RunFolder::look(Path::new(&part.run))?;
            let spec = RunSpec::read(&folder)?;
            Ok(spec.model)
        }
        (None, None) => Err(Error::Reported(Fault::new(
            "worker.no_judge",
            "this reward asks a model; name one with --model",
        ))),
    }
}
