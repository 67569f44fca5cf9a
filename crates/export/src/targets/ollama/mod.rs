//! A GGUF file with a Modelfile, for Ollama.

mod modelfile;
mod turns;

use std::path::Path;

use sanbao_contract::data::Task;
use sanbao_models::weights::StoredType;
use sanbao_train::recipes::Words;

use super::{Target, gguf};
use crate::Error;
use crate::job::{Job, Written};
use crate::options::{GGUF_DTYPE, TEMPERATURE};
use crate::tokenizer_files::write_text;
use modelfile::Modelfile;
use turns::Turns;

pub(super) static OLLAMA: Target = Target {
    name: "ollama",
    title: Words { en: "Ollama", zh: "Ollama" },
    help: Words {
        en: "A GGUF file with a Modelfile, so that `ollama create` makes a model that is ready to chat.",
        zh: "GGUF 文件加 Modelfile，用 `ollama create` 即可得到能直接对话的模型。",
    },
    options: &[&GGUF_DTYPE, &TEMPERATURE],
    usage: "With Ollama, in this folder:\n\n```sh\nollama create {name} -f Modelfile\nollama run {name}\n```",
    scoring_usage: None,
    library: "gguf",
    write,
};

/// What is used when neither the person nor the model says.
const TEMPERATURE_OF_ANSWERS: f64 = 0.7;

fn write(job: &Job, folder: &Path) -> Result<Written, Error> {
    let dtype = job.options.dtype(StoredType::F16, StoredType::F16);
    let file = gguf::file_name(job, dtype);
    let mut written = gguf::write_file(job, &folder.join(&file), dtype)?;

    let (base, facts) = (job.source.base, &job.source.card);
    let tokenizer = &base.tokenizer;
    let turns = match facts.task {
        Some(Task::Prose) if tokenizer.chat_template().is_builtin() => None,
        _ => Turns::find(tokenizer),
    };
    if turns.is_none() {
        written.notes.push(
            "The Modelfile has no TEMPLATE, because this model's chat template could not be translated into Ollama's \
             language: Ollama falls back on what it finds in the GGUF file. llama.cpp uses the model's own template."
                .to_owned(),
        );
    }
    if turns.as_ref().is_some_and(|turns| turns.dated) {
        written.notes.push(
            "This model's chat template tells the day; in the Modelfile it is the day of the export.".to_owned(),
        );
    }
    let stops = tokenizer.stop_ids().iter().map(|id| tokenizer.token_text(*id)).collect();
    let licence = &base.card.licence;
    let modelfile = Modelfile {
        from: format!("./{file}"),
        template: turns.as_ref().map(Turns::go_template),
        stops,
        temperature: temperature(job),
        system: facts.system.clone(),
        licence: licence
            .id
            .as_ref()
            .map(|id| format!("{id} (base model: {})\n{}", facts.base_model, licence.summary)),
    };
    let (text, left_out) = modelfile.render();
    written.notes.extend(left_out);
    write_text(&folder.join("Modelfile"), &text)?;
    Ok(written)
}

/// What the person chose, else what suits the task, else what the model asks for.
fn temperature(job: &Job) -> f64 {
    let of_model = || {
        job.source
            .base
            .tokenizer
            .files()
            .generation_config
            .get("temperature")
            .and_then(|t| t.as_f64())
    };
    match (job.options.temperature(), job.source.card.task) {
        (Some(chosen), _) => chosen,
        // A label is looked up, not made up.
        (None, Some(Task::Classify)) => 0.0,
        (None, _) => {
            of_model().filter(|t| (0.0..=5.0).contains(t)).unwrap_or(TEMPERATURE_OF_ANSWERS)
        }
    }
}
