//! PPO with a value head (Schulman et al. 2017, arXiv 1707.06347; Ziegler et al. 2019, arXiv
//! 1909.08593; TRL's `PPOTrainer`).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, online};
use crate::Error;
use crate::losses::ppo::PpoSettings;
use crate::online::Method;

pub static PPO: Recipe = Recipe {
    name: "ppo",
    title: Words {
        en: "Learn from rewards with a value head (PPO)",
        zh: "带价值头的奖励学习（PPO）",
    },
    summary: Words {
        en: "The classic of RLHF: a second head learns what to expect of each word, and the model moves towards what turned out better. Needs the most care and time.",
        zh: "RLHF 的经典方法：另一个头学习预估每个词的前景，模型向结果好于预期的方向移动。最费时也最需要调试。",
    },
    kind: RecipeKind::Reward(method),
    tasks: &[Task::PromptOnly, Task::Instruct, Task::Preference],
    parameters: &[
        &MAX_COMPLETION_LENGTH,
        &NUM_PPO_EPOCHS,
        &KL_COEF,
        &TARGET_KL,
        &KL_ESTIMATOR,
        &CLIPRANGE,
        &CLIPRANGE_VALUE,
        &VF_COEF,
        &GAMMA,
        &LAM,
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
        online::completion_length(facts),
        Derived::new(
            "num_ppo_epochs",
            4,
            "the usual number of passes over the same answers",
            "同一批答案的常用学习次数",
        ),
        Derived::new(
            "kl_coef",
            0.05,
            "the usual hold on what the model was before",
            "把模型约束在原样附近的常用力度",
        ),
        Derived::new("target_kl", 0.0, "the hold stays as it is", "约束力度保持不变"),
        Derived::new(
            "kl_estimator",
            "k1",
            "as PPO was published for language models",
            "与 PPO 用于语言模型的论文一致",
        ),
        Derived::new("cliprange", 0.2, "the usual clip range", "常用的裁剪范围"),
        Derived::new(
            "cliprange_value",
            0.2,
            "the usual clip range of values",
            "价值预期的常用裁剪范围",
        ),
        Derived::new("vf_coef", 0.1, "the usual weight of the value head", "价值头的常用权重"),
        Derived::new(
            "gamma",
            1.0,
            "an answer's reward comes at its end and counts in full",
            "答案的奖励在结尾给出，并全额计入",
        ),
        Derived::new("lam", 0.95, "the usual compromise", "常用的折中取值"),
    ];
    let mut shared = online::shared(facts);
    for derived in &mut shared {
        if derived.name == "batch_size" {
            // One answer for each question.
            *derived = Derived::new(
                "batch_size",
                16,
                "questions of a step; each has one answer",
                "每一步的问题数；每个问题有一个答案",
            );
        }
    }
    list.extend(shared);
    list
}

fn method(values: &Values<'_>) -> Result<Method, Error> {
    let target = values.number("target_kl", 0.0);
    Ok(Method::Ppo {
        settings: PpoSettings {
            cliprange: values.number("cliprange", 0.2),
            cliprange_value: values.number("cliprange_value", 0.2),
            vf_coef: values.number("vf_coef", 0.1),
            entropy_coef: 0.0,
        },
        gamma: values.number("gamma", 1.0),
        lam: values.number("lam", 0.95),
        kl_estimator: values.named(&KL_ESTIMATOR)?,
        target_kl: (target > 0.0).then_some(target),
    })
}
