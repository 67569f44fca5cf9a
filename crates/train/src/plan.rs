//! The plan of a run: what will be trained, whether it fits, how long it takes.

use std::collections::BTreeMap;
use std::time::Instant;

use sanbao_contract::data::{DataReport, Task};
use sanbao_contract::train::{Dial, Plan};
use sanbao_data::{Part, Prepared};
use sanbao_models::{BaseModel, Decoder, Dimensions, Load, Work, memory};
use serde_json::Value;

use crate::Error;
use crate::lora;
use crate::recipes::{Facts, Recipe, resolve};
use crate::settings::TrainSettings;
use crate::step::{Portions, accumulate};

/// Tokens that the speed probe computes.
const PROBE_TOKENS: usize = 512;
/// Share of the memory there that a plan may ask for.
const MEMORY_SHARE: f64 = 0.8;

/// What a plan is made from.
pub struct PlanInput<'a> {
    /// Recipe.
    pub recipe: &'static Recipe,
    /// Base model.
    pub base: &'a BaseModel,
    /// Device id, as `sanbao devices` lists it.
    pub device: &'a str,
    /// Whether it is the CPU.
    pub on_cpu: bool,
    /// Memory of the device in bytes, where it is known.
    pub memory_there: Option<u64>,
    /// Rows as tokens.
    pub data: &'a Prepared,
    /// The one dial.
    pub dial: Dial,
    /// Seed.
    pub seed: u64,
    /// Settings that the person chose.
    pub chosen: &'a BTreeMap<String, Value>,
}

/// Facts of a model and its data.
pub fn facts(input: &PlanInput) -> Facts {
    let each = if input.recipe.loss.is_some() { 2 } else { 1 };
    Facts {
        task: input.data.report().task,
        rows: input.data.part(Part::Train).len() / each,
        validation_rows: input.data.part(Part::Validation).len() / each,
        parameters: input.base.card.parameters,
        context: input.base.spec.max_position_embeddings,
        dial: input.dial,
        seed: input.seed,
    }
}

/// Makes the plan, without a time estimate; [`estimate_seconds`] adds one.
///
/// # Errors
/// When the recipe does not fit, a choice is out of range, or nothing would be learnt.
pub fn plan(input: &PlanInput) -> Result<(Plan, TrainSettings), Error> {
    let report = input.data.report();
    refuse_no_op(report)?;
    let (mut settings, shown) = resolve(input.recipe, &facts(input), input.chosen)?;
    let dimensions = Dimensions::of(&input.base.spec);
    let work = match &settings.lora {
        Some(lora) => Work::Lora { rank: lora.r as u64 },
        None => Work::Full,
    };
    let longest = report.train.longest.min(settings.max_length as u64).max(1);
    let portion = fit(&dimensions, work, longest, input);
    settings.micro_batch_tokens = portion.tokens as usize;
    settings.gradient_checkpointing = portion.recompute;
    let sequences = settings.batch_size * settings.sequences_per_row();
    let at_once = portion.tokens.min(sequences as u64 * longest);
    let needed = memory(&dimensions, work, Load { tokens: at_once, ..portion }).total();

    let rows = input.data.part(Part::Train).len() / settings.sequences_per_row();
    let parameters = input.base.card.parameters;
    let trainable = match &settings.lora {
        Some(lora) => lora::trainable_parameters(&input.base.spec, lora)?,
        None => parameters,
    };
    let plan = Plan {
        recipe: input.recipe.name.to_owned(),
        model: input.base.card.name.clone(),
        device: input.device.to_owned(),
        trainable_parameters: trainable,
        parameters,
        rows: rows as u64,
        tokens: report.train.tokens,
        trained_tokens: report.train.trained_tokens,
        steps: settings.total_steps(rows),
        truncated_rows: truncated(report),
        memory_needed: needed,
        memory_there: input.memory_there,
        recompute: settings.gradient_checkpointing,
        seconds: None,
        settings: shown,
        warnings: warnings(report, needed, input),
    };
    Ok((plan, settings))
}

/// A run without a token to learn from is refused before it costs anything.
fn refuse_no_op(report: &DataReport) -> Result<(), Error> {
    let reason = if report.train.rows == 0 {
        "no training row is left after the checks; add rows or change the mapping"
    } else if report.train.trained_tokens == 0 {
        "no token of the rows carries loss; check that the answer column is mapped and max_length is long enough"
    } else if report.task == Task::Classify && report.labels.len() < 2 {
        "all rows have the same label; add rows of at least one other class"
    } else {
        return Ok(());
    };
    Err(Error::NothingToLearn { reason: reason.to_owned() })
}

/// The largest portion that fits: activations kept if that leaves portions of a useful size,
/// recomputed otherwise.
fn fit(dimensions: &Dimensions, work: Work, longest: u64, input: &PlanInput) -> Load {
    let largest = if input.on_cpu { 1024 } else { 8192 };
    let load = |tokens: u64, recompute: bool| Load {
        tokens: tokens.max(longest),
        sequence: longest,
        bytes_per_weight: 4,
        recompute,
    };
    let fits = |load: Load| {
        let there = input.memory_there.map(|bytes| (bytes as f64 * MEMORY_SHARE) as u64);
        there.is_none_or(|there| memory(dimensions, work, load).total() <= there)
    };
    let halves = |from: u64, to: u64| {
        std::iter::successors(Some(from), |tokens| Some(tokens / 2)).take_while(move |t| *t >= to)
    };
    let kept = halves(largest, 512).map(|tokens| load(tokens, false)).find(|l| fits(*l));
    let recomputed = || halves(largest, 64).map(|tokens| load(tokens, true)).find(|l| fits(*l));
    kept.or_else(recomputed).unwrap_or_else(|| load(64, true))
}

fn truncated(report: &DataReport) -> u64 {
    report.findings.iter().filter(|f| f.code == "truncated").map(|f| f.rows).sum()
}

fn warnings(report: &DataReport, needed: u64, input: &PlanInput) -> Vec<String> {
    let mut list = Vec::new();
    if let Some(there) = input.memory_there.filter(|there| *there < needed) {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        list.push(format!(
            "this needs about {:.1} GiB of memory and {:.1} GiB are free: close other programs, or choose a smaller model",
            gib(needed),
            gib(there)
        ));
    }
    if report.test.rows < 30 {
        list.push(format!(
            "only {} rows are kept for the verdict, too few to tell small improvements from chance",
            report.test.rows
        ));
    }
    list
}

/// Seconds that the run will take, from computing a few real rows forward and backward.
///
/// # Errors
/// When the device fails or its memory is too small.
pub fn estimate_seconds(
    model: &Decoder,
    data: &Prepared,
    settings: &TrainSettings,
) -> Result<f64, Error> {
    let mut probe = model.clone();
    if let Some(config) = &settings.lora {
        lora::attach(&mut probe, config, settings.seed)?;
    }
    let mut rows = Vec::new();
    let mut tokens = 0;
    for row in 0..data.part(Part::Train).len() {
        if tokens >= PROBE_TOKENS {
            break;
        }
        let sequence = data.part(Part::Train).sequence(row);
        tokens += sequence.ids.len();
        rows.push(sequence);
    }
    let mut portions =
        Portions { tokens: settings.micro_batch_tokens, activations: settings.activations() };
    let mut seconds = 0.0;
    // The first pass pays for memory and, on a GPU, for compiling kernels.
    for _ in 0..2 {
        let started = Instant::now();
        let sums =
            accumulate(&probe, &rows, settings.trainable(), &mut portions, None, &mut |_| ())?;
        crate::optimizer::gradient_norm(&sums.grads)?;
        seconds = started.elapsed().as_secs_f64();
    }
    let per_token = seconds / tokens.max(1) as f64;
    let report = data.report();
    let epochs = f64::from(settings.num_train_epochs);
    let rows = data.part(Part::Train).len() / settings.sequences_per_row();
    let steps_per_epoch = settings.steps_per_epoch(rows) as f64;
    let evaluations = if settings.eval_steps == 0 {
        0.0
    } else {
        epochs * (steps_per_epoch / settings.eval_steps as f64)
    };
    // A validation pass computes forward only, about a third of a training pass.
    let forward = 1.0 / 3.0;
    let mut tokens = epochs * report.train.tokens as f64
        + evaluations * report.validation.tokens as f64 * forward;
    if settings.preference.is_some() {
        // The reference is computed once, and pairs that do not fit one portion a second time.
        tokens += (1.0 + epochs) * report.train.tokens as f64 * forward;
    }
    Ok(per_token * tokens)
}
