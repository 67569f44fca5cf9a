//! LoRA: a small adapter learns, the base model stays as it is (Hu et al. 2021).

use sanbao_contract::data::Task;
use sanbao_contract::train::Dial;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, full};

pub static LORA: Recipe = Recipe {
    name: "lora",
    title: Words { en: "Fine-tune with an adapter (LoRA)", zh: "用适配器微调（LoRA）" },
    summary: Words {
        en: "The usual choice: learns your task with little memory and forgets little of what the model knew.",
        zh: "通常的选择：占用内存少就能学会你的任务，原有的本领也不易遗忘。",
    },
    kind: RecipeKind::Examples,
    tasks: &[Task::Classify, Task::Instruct, Task::Prose],
    parameters: &[
        &R,
        &LORA_ALPHA,
        &LORA_DROPOUT,
        &USE_RSLORA,
        &USE_DORA,
        &TARGET_MODULES,
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
            1e-3,
            Words {
                en: "small models take large steps with an adapter",
                zh: "小模型用适配器时步子可以大",
            },
        )
    } else {
        (
            2e-4,
            Words {
                en: "the usual rate for adapters on models of this size",
                zh: "这种大小的模型用适配器的常用学习率",
            },
        )
    };
    let mut list = adapter(facts);
    list.extend(full::shared(facts, rate, reason));
    list
}

/// What recipes derive alike that train an adapter unless told to train every weight.
pub(super) fn adapter_or_every_weight(facts: &Facts) -> Vec<Derived> {
    let mut list = vec![Derived::new(
        "use_peft",
        true,
        "little memory, and little of what the model knew is forgotten",
        "占用内存少，原有的本领也不易遗忘",
    )];
    if facts.use_peft {
        list.extend(adapter(facts));
    }
    list
}

/// What all recipes that train an adapter derive alike.
pub(super) fn adapter(facts: &Facts) -> Vec<Derived> {
    let r = if facts.dial == Dial::Thorough { 32 } else { 16 };
    vec![
        Derived::new(
            "r",
            r,
            format!("{r} learns most tasks of this size; more mostly costs memory"),
            format!("{r} 足以学会大多数这种规模的任务；再大通常只是多占内存"),
        ),
        Derived::new(
            "lora_alpha",
            2 * r,
            "twice the rank, the usual strength",
            "秩的两倍，即常用的强度",
        ),
        Derived::new(
            "lora_dropout",
            0.0,
            "early stopping already guards against learning by heart",
            "提前停止已能防止死记硬背",
        ),
        Derived::new(
            "use_rslora",
            false,
            "matters only for ranks above 64",
            "只有秩大于 64 时才有影响",
        ),
        Derived::new(
            "use_dora",
            false,
            "costs a third more time for a small gain",
            "多花三分之一的时间，提升却很小",
        ),
        Derived::new(
            "target_modules",
            "all-linear",
            "adapting every linear layer learns as well as full fine-tuning",
            "给全部线性层加适配器，学习效果与全量微调相当",
        ),
    ]
}
