//! Chat and batch.

use std::io::{BufRead, Write};

use anyhow::{Context, Result, bail};
use sanbao_contract::Message;
use sanbao_contract::worker::Answerer;
use sanbao_data::{Table, Template};
use sanbao_infer::{DEFAULT_TOKEN_BUDGET, FinishReason, Flow, Sampling, chat_prompt, generate};
use sanbao_project::write_atomic;
use sanbao_worker::jobs::Voice;

use super::setup::model_path;
use crate::arguments::{AnswererArgs, BatchArgs, ChatArgs};
use crate::show;

/// A model that can be asked.
struct Asked {
    voice: Voice,
    sampling: Sampling,
}

impl Asked {
    fn new(args: &AnswererArgs) -> Result<Self> {
        let answerer = match &args.run {
            Some(run) => Answerer::Run { run: run.clone(), epoch: args.epoch },
            None => Answerer::Base { model: model_path(args.model.as_deref())? },
        };
        let mut voice = Voice::load(&answerer, &args.device)?;
        if let Some(adapter) = &args.adapter {
            sanbao_train::lora::load_adapter(&mut voice.model, adapter)?;
        }
        let sampling = Sampling {
            temperature: args.temperature,
            top_k: args.top_k,
            top_p: args.top_p,
            min_p: args.min_p,
            repetition_penalty: args.repetition_penalty,
            max_new_tokens: args.max_new_tokens,
            stop: args.stop.clone(),
            seed: args.seed,
            ..Sampling::default()
        };
        sampling.validate()?;
        Ok(Self { voice, sampling })
    }

    /// Answers a conversation, printing as it comes.
    fn stream(&self, messages: &[Message]) -> Result<String> {
        let prompt = chat_prompt(&self.voice.base.tokenizer, messages)?;
        let mut out = std::io::stdout().lock();
        let answers = generate(
            &self.voice.model,
            &self.voice.base.tokenizer,
            &[prompt],
            &self.sampling,
            DEFAULT_TOKEN_BUDGET,
            &mut |_, piece| {
                let written = out.write_all(piece.text.as_bytes()).and_then(|()| out.flush());
                if written.is_ok() { Flow::Continue } else { Flow::Stop }
            },
        )?;
        writeln!(out)?;
        let answer = answers.into_iter().next().context("the model gave no answer")?;
        match answer.finish {
            FinishReason::Length => {
                eprintln!("(cut at --max-new-tokens {})", self.sampling.max_new_tokens)
            }
            FinishReason::Context => eprintln!("(the model's context is full)"),
            FinishReason::Stop | FinishReason::Cancelled => {}
        }
        Ok(answer.text)
    }
}

/// `sanbao chat`.
pub fn chat(args: &ChatArgs) -> Result<()> {
    let asked = Asked::new(&args.answerer)?;
    let mut messages = Vec::new();
    if let Some(system) = &args.system {
        messages.push(Message::new("system", system.clone()));
    }
    if let Some(message) = &args.message {
        messages.push(Message::new("user", message.clone()));
        asked.stream(&messages)?;
        return Ok(());
    }
    eprintln!("{} — an empty line ends the conversation", asked.voice.base.card.name);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            break;
        }
        messages.push(Message::new("user", line));
        let answer = asked.stream(&messages)?;
        messages.push(Message::new("assistant", answer));
    }
    Ok(())
}

/// `sanbao batch`.
pub fn batch(args: &BatchArgs) -> Result<()> {
    let table = Table::open(&args.data)?;
    let columns = table.columns().to_vec();
    let template = Template::parse(&prompt_template(args, &columns)?)?;
    if let Some(unknown) = template.columns().find(|name| !columns.iter().any(|c| c == name)) {
        bail!("{} has no column '{unknown}'; it has {}", table.file().name(), columns.join(", "));
    }
    let asked = Asked::new(&args.answerer)?;
    let (mut rows, mut prompts) = (Vec::new(), Vec::new());
    for record in table.records()? {
        let record = record?;
        let mut messages = Vec::new();
        if let Some(system) = &args.system {
            messages.push(Message::new("system", system.clone()));
        }
        messages.push(Message::new("user", text(&template.fill(&record.fields))));
        prompts.push(chat_prompt(&asked.voice.base.tokenizer, &messages)?);
        rows.push(
            columns
                .iter()
                .map(|column| record.fields.get(column).map_or_else(String::new, text))
                .collect::<Vec<_>>(),
        );
    }
    let bar = show::bar("Answering");
    bar.set_length(prompts.len() as u64);
    let answers = generate(
        &asked.voice.model,
        &asked.voice.base.tokenizer,
        &prompts,
        &asked.sampling,
        DEFAULT_TOKEN_BUDGET,
        &mut |_, piece| {
            bar.inc(u64::from(piece.finish.is_some()));
            Flow::Continue
        },
    )?;
    bar.finish_and_clear();

    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(String::as_str).chain(["answer"]))?;
    for (mut row, answer) in rows.into_iter().zip(answers) {
        row.push(answer.text);
        writer.write_record(&row)?;
    }
    let bytes = writer.into_inner()?;
    write_atomic(&args.out, |file| file.write_all(&bytes))
        .with_context(|| format!("{} cannot be written", args.out.display()))?;
    show::line(&format!("{} answers written to {}", prompts.len(), args.out.display()));
    Ok(())
}

/// The template that was given, or the only column.
fn prompt_template(args: &BatchArgs, columns: &[String]) -> Result<String> {
    match (&args.prompt, columns) {
        (Some(prompt), _) => Ok(prompt.clone()),
        (None, [column]) => Ok(format!("{{{{{column}}}}}")),
        (None, _) => bail!(
            "{} has the columns {}; say what to ask with --prompt, for example --prompt '{{{{{}}}}}'",
            args.data.display(),
            columns.join(", "),
            columns.first().map_or("text", String::as_str)
        ),
    }
}

fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}
