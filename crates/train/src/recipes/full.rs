//! Full fine-tuning: every weight learns.

use sanbao_contract::Text;
use sanbao_contract::data::Task;
use sanbao_contract::train::Dial;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, counted};

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
        (
            5e-5,
            Words {
                en: "small models bear larger steps", zh: "小模型承受得住较大的步子"
            },
        )
    } else {
        (
            1e-5,
            Words {
                en: "the usual rate for tuning every weight", zh: "全量微调的常用学习率"
            },
        )
    };
    shared(facts, rate, reason)
}

/// The learning rate of recipes that learn from pairs.
pub(super) fn preference_rate(facts: &Facts) -> (f64, Words) {
    if !facts.use_peft {
        let rate = if facts.parameters < 1_000_000_000 { 1e-5 } else { 2e-6 };
        return (
            rate,
            Words {
                en: "every weight learns, and choices ask for small steps",
                zh: "全部权重都在学习，而从选择中学习需要小步前进",
            },
        );
    }
    if facts.parameters < 1_000_000_000 {
        (
            2e-4,
            Words {
                en: "small models take large steps with an adapter, but choices need care",
                zh: "小模型用适配器时步子可以大，但从选择中学习需要谨慎",
            },
        )
    } else {
        (
            5e-5,
            Words {
                en: "the usual rate for adapters that learn from choices",
                zh: "适配器从选择中学习的常用学习率",
            },
        )
    }
}

/// What all recipes derive alike.
pub(super) fn shared(facts: &Facts, rate: f64, rate_reason: Words) -> Vec<Derived> {
    let rows = facts.rows;
    let epochs: usize = match (facts.dial, rows) {
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
        Dial::Quick => Words { en: "quick", zh: "快速" },
        Dial::Balanced => Words { en: "balanced", zh: "均衡" },
        Dial::Thorough => Words { en: "thorough", zh: "细致" },
    };
    let validates = facts.validation_rows > 0;
    let (evaluations, patience) = match (validates, facts.dial) {
        (false, _) => (0, 0),
        (true, Dial::Quick) => (2, 0),
        (true, Dial::Balanced) => (2, 3),
        (true, Dial::Thorough) => (4, 6),
    };
    let validation = match facts.validation_rows {
        0 => Text::new("there are no validation rows", "没有验证行"),
        held => Text::new(
            counted(held, "validation row shows when to stop", "validation rows show when to stop"),
            format!("{held} 个验证行用来判断何时停止"),
        ),
    };
    let steps = rows.div_ceil(batch_size);
    vec![
        Derived::new(
            "num_train_epochs",
            epochs,
            format!(
                "{}: {}, {} each",
                dial.en,
                counted(rows, "row", "rows"),
                counted(epochs, "time", "times")
            ),
            format!("{}：{rows} 行，每行学 {epochs} 遍", dial.zh),
        ),
        Derived::new(
            "batch_size",
            batch_size,
            format!(
                "{} {} an epoch",
                counted(rows, "row gives", "rows give"),
                counted(steps, "step", "steps")
            ),
            format!("{rows} 行，每轮共 {steps} 步"),
        ),
        Derived::new("learning_rate", rate, rate_reason.en, rate_reason.zh),
        Derived::new(
            "lr_scheduler_type",
            "cosine",
            "ends gently, which generalises a little better",
            "收尾平缓，遇到新内容时效果略好",
        ),
        Derived::new(
            "warmup_ratio",
            0.05,
            "a short start keeps the first steps from doing harm",
            "短暂的平缓起步可避免最初几步造成破坏",
        ),
        Derived::new(
            "weight_decay",
            0.0,
            "short runs gain nothing from it",
            "训练时间短，用它没有好处",
        ),
        Derived::new(
            "max_grad_norm",
            1.0,
            "the usual guard against odd rows",
            "防止个别怪行造成破坏的常用值",
        ),
        Derived::new(
            "max_length",
            max_length,
            format!("{}: rows up to {max_length} tokens are read whole", dial.en),
            format!("{}：不超过 {max_length} 个词元的行会完整读入", dial.zh),
        ),
        Derived::new("evals_per_epoch", evaluations, validation.en.clone(), validation.zh.clone()),
        Derived::new("early_stopping_patience", patience, validation.en, validation.zh),
        Derived::new(
            "train_sampling_strategy",
            "random",
            "rows of a file often stand in an order that is better not learnt",
            "文件中的行往往按某种顺序排列，最好不要让模型学到",
        ),
        Derived::new(
            "seed",
            facts.seed,
            "fixed, so that the run can be repeated",
            "固定不变，以便重复这次训练",
        ),
    ]
}
