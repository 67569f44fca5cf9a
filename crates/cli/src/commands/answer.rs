//! Chat and batch.

use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use sanbao_contract::Message;
use sanbao_contract::app::Sampling as AskedSampling;
use sanbao_contract::worker::{Answerer, Batch, Job, Message as Said};
use sanbao_infer::{DEFAULT_TOKEN_BUDGET, FinishReason, Flow, Sampling, generate};
use sanbao_worker::Ended;
use sanbao_worker::jobs::{Proposed, Voice, propose, scores_only};

use super::setup::{in_worker, model_path};
use crate::arguments::{AnswererArgs, BatchArgs, ChatArgs};
use crate::show;

/// Who is to answer.
fn answerer(args: &AnswererArgs) -> Result<Answerer> {
    Ok(match &args.run {
        Some(run) => Answerer::Run { run: run.clone(), epoch: args.epoch },
        None => {
            let model = model_path(args.model.as_deref())?;
            Answerer::Base { model, labels: Vec::new() }
        }
    })
}

/// A model that can be asked.
struct Asked {
    voice: Voice,
    sampling: Sampling,
}

impl Asked {
    fn new(args: &AnswererArgs) -> Result<Self> {
        let mut voice = Voice::load(&answerer(args)?, &args.device)?;
        if let Some(adapter) = &args.adapter {
            sanbao_train::lora::load_adapter(&mut voice.model, adapter)?;
            if voice.model.score.is_some() {
                return Err(scores_only(adapter).into());
            }
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
        let prompt = self.voice.prompt(messages.to_vec())?;
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
    let answerer = answerer(&args.answerer)?;
    if args.answerer.adapter.is_some() {
        bail!("--adapter is for `sanbao chat`; export it merged, or name its run with --run");
    }
    let (prompt, answer) = match (&args.prompt, &args.answer) {
        (None, None) => proposed(&answerer, &args.data)?,
        given => (given.0.clone(), given.1.clone()),
    };
    let what = if answer.is_some() { "scores" } else { "answers" };
    let job = Job::Batch(Box::new(Batch {
        answerer,
        device: args.answerer.device.clone(),
        data: args.data.clone(),
        prompt,
        answer,
        system: args.system.clone(),
        sampling: contract_sampling(&args.answerer),
        out: std::path::absolute(&args.out)?,
    }));
    let bar = show::bar("Answering");
    let ended = in_worker(job, &mut |message| {
        if let Said::Progress(progress) = message {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        }
    })?;
    bar.finish_and_clear();
    let Ended::Done(Said::Batched { rows }) = ended else {
        bail!("stopped; nothing was written");
    };
    show::line(&format!("{rows} {what} written to {}", args.out.display()));
    Ok(())
}

/// What is asked of each row, and scored, when nobody says it: what the columns tell, said aloud.
fn proposed(answerer: &Answerer, data: &Path) -> Result<(Option<String>, Option<String>)> {
    let Proposed { prompt, answer, .. } = propose(answerer, data)?;
    let said = |name: &str, template: &Option<String>| {
        if let Some(template) = template {
            eprintln!("--{name} is {template:?}, as the columns tell");
        }
    };
    said("prompt", &prompt);
    said("answer", &answer);
    Ok((prompt, answer))
}

fn contract_sampling(args: &AnswererArgs) -> AskedSampling {
    AskedSampling {
        temperature: args.temperature,
        top_p: args.top_p,
        top_k: args.top_k as u64,
        min_p: args.min_p,
        repetition_penalty: args.repetition_penalty,
        max_new_tokens: args.max_new_tokens as u64,
        stop: args.stop.clone(),
        seed: args.seed,
    }
}
