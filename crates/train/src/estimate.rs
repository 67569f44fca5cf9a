//! How long a run will take, from doing a little of it.

use std::time::Instant;

use sanbao_data::{Part, Prepared, Sequence};
use sanbao_infer::{DEFAULT_TOKEN_BUDGET, Flow, Sampling, generate};
use sanbao_models::Decoder;
use sanbao_text::Tokenizer;

use crate::Error;
use crate::lora;
use crate::online::Online;
use crate::online::rollout::Questions;
use crate::online::watch::WATCHED;
use crate::settings::{Learns, TrainSettings};
use crate::step::{Portions, accumulate};

/// Tokens that the probe of learning computes.
const PROBE_TOKENS: usize = 512;
/// Answers and tokens of each that the probe of writing computes.
const PROBE_ANSWERS: usize = 8;
const PROBE_LENGTH: usize = 12;
/// A pass forward only, as a share of a training pass.
const FORWARD: f64 = 1.0 / 3.0;

/// Seconds that the run will take, from computing a few real rows forward and backward, and for a
/// run that writes answers, from writing a few. Answers are taken to be as long as they may be.
///
/// # Errors
/// When the device fails or its memory is too small.
pub fn estimate_seconds(
    model: &Decoder,
    tokenizer: &Tokenizer,
    data: &Prepared,
    settings: &TrainSettings,
) -> Result<f64, Error> {
    let mut probe = model.clone();
    if let Some(config) = &settings.lora {
        lora::attach(&mut probe, config, settings.seed)?;
    }
    let rows = probe_rows(data);
    let per_token = seconds_per_token(&probe, &rows, settings)?;
    match &settings.learns {
        Learns::Reward(online) => {
            let per_written = seconds_per_written_token(&probe, tokenizer, &rows)?;
            Ok(of_rewards(data, settings, online, per_token, per_written))
        }
        _ => Ok(per_token * tokens_to_learn(data, settings)),
    }
}

/// The first rows, as many as the probe computes.
fn probe_rows(data: &Prepared) -> Vec<Sequence> {
    let train = data.part(Part::Train);
    let (mut rows, mut tokens) = (Vec::new(), 0);
    for row in 0..train.len() {
        if tokens >= PROBE_TOKENS {
            break;
        }
        let sequence = train.sequence(row);
        tokens += sequence.ids.len();
        rows.push(sequence);
    }
    rows
}

fn seconds_per_token(
    model: &Decoder,
    rows: &[Sequence],
    settings: &TrainSettings,
) -> Result<f64, Error> {
    let mut portions =
        Portions { tokens: settings.micro_batch_tokens, activations: settings.activations() };
    let mut seconds = 0.0;
    // The first pass pays for memory and, on a GPU, for compiling kernels.
    for _ in 0..2 {
        let started = Instant::now();
        let trainable = settings.trainable();
        let sums = accumulate(model, rows, trainable, &mut portions, None, &mut |_| ())?;
        crate::optimizer::gradient_norm(&sums.grads)?;
        seconds = started.elapsed().as_secs_f64();
    }
    let tokens: usize = rows.iter().map(|row| row.ids.len()).sum();
    Ok(seconds / tokens.max(1) as f64)
}

fn seconds_per_written_token(
    model: &Decoder,
    tokenizer: &Tokenizer,
    rows: &[Sequence],
) -> Result<f64, Error> {
    let questions = Questions::new(tokenizer)?;
    let mut prompts = Vec::new();
    for row in rows.iter().filter(|row| !row.ids.is_empty()).cycle().take(PROBE_ANSWERS) {
        prompts.push(questions.read(row)?.ids);
    }
    prompts.retain(|prompt| !prompt.is_empty());
    let sampling = Sampling { temperature: 1.0, ..Sampling::greedy(PROBE_LENGTH) };
    let started = Instant::now();
    let written =
        generate(model, tokenizer, &prompts, &sampling, DEFAULT_TOKEN_BUDGET, &mut |_, _| {
            Flow::Continue
        })?;
    let tokens: usize = written.iter().map(|answer| answer.ids.len()).sum();
    Ok(started.elapsed().as_secs_f64() / tokens.max(1) as f64)
}

/// Tokens that pass through a training pass, or their equivalent, in the whole run.
fn tokens_to_learn(data: &Prepared, settings: &TrainSettings) -> f64 {
    let report = data.report();
    let rows = data.part(Part::Train).len() / settings.sequences_per_row();
    let steps = settings.total_steps(rows) as f64;
    let epochs = steps / settings.steps_per_epoch(rows).max(1) as f64;
    let evaluations = evaluations(settings, steps);
    let mut tokens = epochs * report.train.tokens as f64
        + evaluations * report.validation.tokens as f64 * FORWARD;
    if matches!(settings.learns, Learns::Preference(_)) {
        // The reference is computed once, and pairs that do not fit one portion a second time.
        tokens += (1.0 + epochs) * report.train.tokens as f64 * FORWARD;
    }
    tokens
}

fn evaluations(settings: &TrainSettings, steps: f64) -> f64 {
    if settings.eval_steps == 0 { 0.0 } else { (steps / settings.eval_steps as f64).floor() }
}

fn of_rewards(
    data: &Prepared,
    settings: &TrainSettings,
    online: &Online,
    per_token: f64,
    per_written: f64,
) -> f64 {
    let report = data.report();
    let rows = data.part(Part::Train).len() / settings.sequences_per_row();
    let steps = settings.total_steps(rows) as f64;
    let untrained = report.train.tokens.saturating_sub(report.train.trained_tokens) as f64;
    let prompt = untrained / data.part(Part::Train).len().max(1) as f64;
    let written = online.max_completion_length as f64;
    let answers = (settings.batch_size * online.num_generations) as f64;
    // Every answer is read by the model that wrote it and by the reference, then learnt from.
    let passes = online.num_iterations as f64 + 2.0 * FORWARD;
    let step = answers * (written * per_written + (prompt + written) * passes * per_token);
    let watched = (data.part(Part::Validation).len().min(WATCHED)) as f64;
    let look = watched * written * per_written;
    steps * step + (evaluations(settings, steps) + 1.0) * look
}
