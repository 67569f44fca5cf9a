//! GRPO: answers are compared with the others to the same question (Shao et al. 2024, arXiv
//! 2402.03300, eq. 3; TRL's `GRPOTrainer`).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, online};
use crate::Error;
use crate::online::Method;

pub static GRPO: Recipe = Recipe {
    name: "grpo",
    title: Words { en: "Learn from rewards (GRPO)", zh: "从奖励中学习（GRPO）" },
    summary: Words {
        en: "The model answers each question several times and learns from the answers that earn more than the others. The usual choice for rules.",
        zh: "模型对每个问题作答多次，并向得分高于其他的答案学习。规则奖励的通常选择。",
    },
    kind: RecipeKind::Reward(method),
    tasks: &[Task::PromptOnly, Task::Instruct, Task::Preference],
    parameters: &[
        &NUM_GENERATIONS,
        &MAX_COMPLETION_LENGTH,
        &NUM_ITERATIONS,
        &KL_BETA,
        &GRPO_LOSS_TYPE,
        &SCALE_REWARDS,
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
            "loss_type",
            "dapo",
            "does not favour long or short answers",
            "不偏向长或短的答案",
        ),
        Derived::new("scale_rewards", "group", "as GRPO was published", "与 GRPO 论文一致"),
        Derived::new("epsilon", 0.2, "the usual clip range", "常用的裁剪范围"),
    ];
    list.extend(online::shared(facts));
    list
}

fn method(values: &Values<'_>) -> Result<Method, Error> {
    Ok(Method::Grpo {
        loss_type: values.named(&GRPO_LOSS_TYPE)?,
        scale_rewards: values.named(&SCALE_REWARDS)?,
        epsilon: values.number("epsilon", 0.2),
    })
}
