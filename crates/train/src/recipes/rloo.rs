//! RLOO: the other answers to a question are the baseline (Ahmadian et al. 2024, arXiv 2402.14740,
//! eq. 8; TRL's `RLOOTrainer`).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, online};
use crate::Error;
use crate::online::Method;

pub static RLOO: Recipe = Recipe {
    name: "rloo",
    title: Words {
        en: "Learn from rewards, whole answers (RLOO)",
        zh: "以整个答案学习奖励（RLOO）",
    },
    summary: Words {
        en: "As GRPO, but an answer is judged as one piece, and keeping close to the former model is part of the reward.",
        zh: "与 GRPO 相似，但把整个答案当作一个动作，并把不偏离原模型计入奖励。",
    },
    kind: RecipeKind::Reward(method),
    tasks: &[Task::PromptOnly, Task::Instruct, Task::Preference],
    parameters: &[
        &NUM_GENERATIONS,
        &MAX_COMPLETION_LENGTH,
        &NUM_ITERATIONS,
        &KL_BETA,
        &NORMALIZE_ADVANTAGES,
        &EPSILON,
        &R,
        &LORA_ALPHA,
        &LORA_DROPOUT,
        &USE_RSLORA,
        &USE_DORA,
        &TARGET_MODULES,
        &EPOCHS,
        &MAX_STEPS,
        &BATCH_SIZE,
        &LEARNING_RATE,
        &LR_SCHEDULER,
        &WARMUP_RATIO,
        &WEIGHT_DECAY,
        &MAX_GRAD_NORM,
        &MAX_LENGTH,
        &EVALS_PER_EPOCH,
        &TRAIN_SAMPLING_STRATEGY,
        &SEED,
    ],
    derive,
};

fn derive(facts: &Facts) -> Vec<Derived> {
    let mut list = vec![
        online::generations(facts),
        online::completion_length(facts),
        Derived::new(
            "num_iterations",
            1,
            "every step has answers of its own",
            "每一步都使用新写的答案",
        ),
        Derived::new(
            "beta",
            0.02,
            "a light hold on what the model was before",
            "轻微约束在模型原样附近",
        ),
        Derived::new(
            "normalize_advantages",
            true,
            "keeps steps of one size whatever the reward's scale",
            "无论奖励的数值大小，每步幅度保持一致",
        ),
        Derived::new("epsilon", 0.2, "the usual clip range", "常用的裁剪范围"),
    ];
    list.extend(online::shared(facts));
    list
}

fn method(values: &Values<'_>) -> Result<Method, Error> {
    Ok(Method::Rloo {
        normalize_advantages: values.flag("normalize_advantages"),
        epsilon: values.number("epsilon", 0.2),
    })
}
