//! The plan of a run: what will be trained, whether it fits, how long it takes.

use std::collections::BTreeMap;

use sanbao_contract::Text;
use sanbao_contract::data::{DataReport, Task};
use sanbao_contract::reward::Reward;
use sanbao_contract::train::{Dial, Plan};
use sanbao_data::{Part, Prepared};
use sanbao_models::{BaseModel, Dimensions, Load, Work, memory};
use serde_json::Value;

use crate::Error;
use crate::lora;
use crate::recipes::{Facts, Recipe, resolve};
use crate::settings::{Learns, TrainSettings};

/// Share of the memory there that a plan may ask for.
const MEMORY_SHARE: f64 = 0.8;

/// Rows kept for the verdict below which it cannot tell small improvements from chance.
const FEW_TEST_ROWS: u64 = 30;

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
    /// What answers are rewarded for, for a recipe that learns from rewards.
    pub reward: Option<&'a Reward>,
}

/// Facts of a model and its data.
pub fn facts(input: &PlanInput) -> Facts {
    let paired = matches!(input.data.report().task, Task::Preference | Task::Unpaired);
    let each = if paired { 2 } else { 1 };
    Facts {
        task: input.data.report().task,
        rows: input.data.part(Part::Train).len() / each,
        validation_rows: input.data.part(Part::Validation).len() / each,
        parameters: input.base.card.parameters,
        context: input.base.spec.max_position_embeddings,
        dial: input.dial,
        seed: input.seed,
        use_peft: true,
    }
}

/// Makes the plan, without a time estimate; [`crate::estimate_seconds`] adds one.
///
/// # Errors
/// When the recipe does not fit, a choice is out of range, or nothing would be learnt.
pub fn plan(input: &PlanInput) -> Result<(Plan, TrainSettings), Error> {
    let report = input.data.report();
    refuse_no_op(report)?;
    let (mut settings, shown) = resolve(input.recipe, &facts(input), input.chosen, input.reward)?;
    let dimensions = Dimensions::of(&input.base.spec);
    let work = match &settings.lora {
        Some(lora) => Work::Lora { rank: lora.r as u64 },
        None => Work::Full,
    };
    let written = match &settings.learns {
        Learns::Reward(online) => online.max_completion_length as u64,
        _ => 0,
    };
    let longest = report.train.longest.min(settings.max_length as u64).max(1) + written;
    let portion = fit(&dimensions, work, longest, input);
    settings.micro_batch_tokens = portion.tokens as usize;
    settings.gradient_checkpointing = portion.recompute;
    let sequences = match &settings.learns {
        Learns::Reward(online) => settings.batch_size * online.num_generations,
        _ => settings.batch_size * settings.sequences_per_row(),
    };
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
        warnings: warnings(report.test.rows, needed, input.memory_there),
    };
    Ok((plan, settings))
}

/// A run without a token to learn from is refused before it costs anything.
fn refuse_no_op(report: &DataReport) -> Result<(), Error> {
    let reason = if report.train.rows == 0 {
        "no training row is left after the checks; add rows or change the mapping"
    } else if report.train.trained_tokens == 0 && report.task != Task::PromptOnly {
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

/// What to keep in mind, from the rows kept for the verdict and the bytes needed and there.
fn warnings(test_rows: u64, needed: u64, there: Option<u64>) -> Vec<Text> {
    let mut list = Vec::new();
    if let Some(there) = there.filter(|there| *there < needed) {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let (needed, there) = (gib(needed), gib(there));
        list.push(Text::new(
            format!(
                "this needs about {needed:.1} GiB of memory and {there:.1} GiB is free: close other programs, or choose a smaller model"
            ),
            format!(
                "大约需要 {needed:.1} GiB 内存，而可用的只有 {there:.1} GiB：请关闭其他程序，或换一个更小的模型"
            ),
        ));
    }
    if test_rows < FEW_TEST_ROWS {
        list.push(few_test_rows(test_rows));
    }
    list
}

fn few_test_rows(rows: u64) -> Text {
    let kept = match rows {
        0 => {
            return Text::new(
                "no row is kept for the verdict, so improvements cannot be told from chance",
                "没有留作评判的行，无法分辨进步与偶然",
            );
        }
        1 => "1 row is".to_owned(),
        rows => format!("{rows} rows are"),
    };
    Text::new(
        format!("only {kept} kept for the verdict, too few to tell small improvements from chance"),
        format!("只有 {rows} 行留作评判，太少，无法分辨小的进步与偶然"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_for_the_verdict_are_warned_of_in_both_languages() {
        let said = |rows: u64| warnings(rows, 0, None);
        let none = Text::new(
            "no row is kept for the verdict, so improvements cannot be told from chance",
            "没有留作评判的行，无法分辨进步与偶然",
        );
        assert_eq!(said(0), [none]);
        let one = Text::new(
            "only 1 row is kept for the verdict, too few to tell small improvements from chance",
            "只有 1 行留作评判，太少，无法分辨小的进步与偶然",
        );
        assert_eq!(said(1), [one]);
        let most = said(29);
        assert!(most.iter().all(|text| text.en.starts_with("only 29 rows are kept")), "{most:?}");
        assert_eq!(most.len(), 1);
        assert_eq!(said(30), []);
    }

    #[test]
    fn a_lack_of_memory_is_warned_of_with_both_amounts() {
        const GIB: u64 = 1 << 30;
        let said = warnings(30, 6 * GIB, Some(4 * GIB + GIB / 2));
        assert_eq!(said.len(), 1);
        for amount in ["6.0 GiB", "4.5 GiB"] {
            assert!(said.iter().all(|text| text.en.contains(amount) && text.zh.contains(amount)));
        }
        assert_eq!(warnings(30, 6 * GIB, Some(6 * GIB)), []);
        assert_eq!(warnings(30, 6 * GIB, None), []);
    }
}
