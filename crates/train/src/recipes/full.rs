//! Full fine-tuning: every weight learns.

use sanbao_contract::data::Task;
use sanbao_contract::train::Dial;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind};

pub static FULL: Recipe = Recipe {
    name: "full",
    title: Words { en: "Fine-tune every weight", zh: "全量微调" },
    summary: Words {
        en: "For many rows and a task far from what the model knows; needs four times the model's memory and forgets more.",
        zh: "适合数据多、任务与模型所学相差很大的情形；内存约为模型的四倍，也更容易遗忘。",
    },
    kind: RecipeKind::Examples,
    tasks: &[Task::Classify, Task::Instruct],
    parameters: &[
        &EPOCHS,
        &BATCH_SIZE,
        &LEARNING_RATE,
        &LR_SCHEDULER,
        &WARMUP_RATIO,
        &WEIGHT_DECAY,
        &MAX_GRAD_NORM,
        &MAX_LENGTH,
        &EVALS_PER_EPOCH,
        &PATIENCE,
        &TRAIN_SAMPLING_STRATEGY,
        &SEED,
    ],
    derive,
};

fn derive(facts: &Facts) -> Vec<Derived> {
    let (rate, reason) = if facts.parameters < 1_000_000_000 {
        (5e-5, "small models bear larger steps")
    } else {
        (1e-5, "the usual rate for tuning every weight")
    };
    shared(facts, rate, reason)
}

/// The learning rate of recipes that learn from pairs with an adapter.
pub(super) fn preference_rate(facts: &Facts) -> (f64, &'static str) {
    if facts.parameters < 1_000_000_000 {
        (2e-4, "small models take large steps with an adapter, but choices need care")
    } else {
        (5e-5, "the usual rate for adapters that learn from choices")
    }
}

/// What all recipes derive alike.
pub(super) fn shared(facts: &Facts, rate: f64, rate_reason: &str) -> Vec<Derived> {
    let rows = facts.rows;
    let epochs = match (facts.dial, rows) {
        (Dial::Quick, _) | (Dial::Balanced, 20_000..) => 1,
        (Dial::Balanced, 5_000..) | (Dial::Thorough, 20_000..) => 2,
        (Dial::Balanced, _) => 3,
        (Dial::Thorough, _) => 5,
    };
    let batch_size = match rows {
        0..2_000 => 8,
        2_000..20_000 => 16,
        _ => 32,
    };
    let max_length = super::max_length(facts.dial).min(facts.context);
    let dial = match facts.dial {
        Dial::Quick => "quick",
        Dial::Balanced => "balanced",
        Dial::Thorough => "thorough",
    };
    let validates = facts.validation_rows > 0;
    let (evaluations, patience) = match (validates, facts.dial) {
        (false, _) => (0, 0),
        (true, Dial::Quick) => (2, 0),
        (true, Dial::Balanced) => (2, 3),
        (true, Dial::Thorough) => (4, 6),
    };
    let validation = if validates {
        format!("{} validation rows show when to stop", facts.validation_rows)
    } else {
        "there are no validation rows".to_owned()
    };
    vec![
        Derived::new(
            "num_train_epochs",
            epochs,
            format!("{dial}: {rows} rows, {epochs} time(s) each"),
        ),
        Derived::new(
            "batch_size",
            batch_size,
            format!("{rows} rows give {} steps an epoch", rows.div_ceil(batch_size)),
        ),
        Derived::new("learning_rate", rate, rate_reason),
        Derived::new("lr_scheduler", "cosine", "ends gently, which generalises a little better"),
        Derived::new("warmup_ratio", 0.05, "a short start keeps the first steps from doing harm"),
        Derived::new("weight_decay", 0.0, "short runs gain nothing from it"),
        Derived::new("max_grad_norm", 1.0, "the usual guard against odd rows"),
        Derived::new(
            "max_length",
            max_length,
            format!("{dial}: rows up to {max_length} tokens are read whole"),
        ),
        Derived::new("evals_per_epoch", evaluations, validation.clone()),
        Derived::new("early_stopping_patience", patience, validation),
        Derived::new(
            "train_sampling_strategy",
            "random",
            "rows of a file often stand in an order that is better not learnt",
        ),
        Derived::new("seed", facts.seed, "fixed, so that the run can be repeated"),
    ]
}
