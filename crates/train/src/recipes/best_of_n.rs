//! Best of n: the best of several answers is learnt as an example (RAFT, Dong et al. 2023, arXiv
//! 2304.06767).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, online};
use crate::Error;
use crate::online::Method;

pub static BEST_OF_N: Recipe = Recipe {
    name: "best_of_n",
    title: Words {
        en: "Learn the best of several answers (best of n)",
        zh: "学习多个答案中最好的（best-of-n）",
    },
    summary: Words {
        en: "The model answers each question several times and learns the best answer as an example. Simple and steady; gains less than GRPO.",
        zh: "模型对每个问题作答多次，把最好的答案当作范例学习。简单稳定，但提升不如 GRPO。",
    },
    kind: RecipeKind::Reward(method),
    tasks: &[Task::PromptOnly, Task::Instruct, Task::Preference],
    parameters: &[
        &NUM_GENERATIONS,
        &MAX_COMPLETION_LENGTH,
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
    let mut list = vec![online::generations(facts), online::completion_length(facts)];
    list.extend(online::shared(facts));
    list
}

fn method(_: &Values<'_>) -> Result<Method, Error> {
    Ok(Method::BestOfN)
}
