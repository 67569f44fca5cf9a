//! What the recipes that learn from rewards derive alike.

use sanbao_contract::train::Dial;

use super::{Derived, Facts, Words, lora};

/// Answers for each question.
pub(super) fn generations(facts: &Facts) -> Derived {
    let (count, reason) = match facts.dial {
        Dial::Quick => (
            4,
            Words {
                en: "quick: few answers, so that steps are short",
                zh: "快速：答案少，每步用时就短",
            },
        ),
        Dial::Balanced | Dial::Thorough => (
            8,
            Words {
                en: "enough answers to tell which of them are better than usual",
                zh: "答案足够多，才能看出哪些好于平常",
            },
        ),
    };
    Derived::new("num_generations", count, reason.en, reason.zh)
}

/// Longest answer.
pub(super) fn completion_length(facts: &Facts) -> Derived {
    let length = match facts.dial {
        Dial::Quick => 64,
        Dial::Balanced => 128,
        Dial::Thorough => 256,
    };
    Derived::new(
        "max_completion_length",
        length,
        "long answers cost most of the time of a step",
        "一步的时间大多花在长答案上",
    )
}

/// Everything from the adapter on.
pub(super) fn shared(facts: &Facts) -> Vec<Derived> {
    let steps: usize = match facts.dial {
        Dial::Quick => 30,
        Dial::Balanced => 100,
        Dial::Thorough => 300,
    };
    let batch_size = 4;
    let epochs = (steps * batch_size).div_ceil(facts.rows.max(1)).max(1);
    let (rate, rate_reason) = if facts.parameters < 1_000_000_000 {
        (
            1e-4,
            Words {
                en: "small models take large steps with an adapter; rewards are noisy, so not the largest",
                zh: "小模型用适配器时步子可以大；但奖励有噪声，所以不取最大",
            },
        )
    } else {
        (
            2e-5,
            Words {
                en: "the usual rate for adapters that learn from rewards",
                zh: "适配器从奖励中学习的常用学习率",
            },
        )
    };
    let max_length = super::max_length(facts.dial).min(facts.context);
    let watched = if facts.validation_rows > 0 { 5 } else { 0 };
    let mut list = lora::adapter(facts);
    list.extend([
        Derived::new(
            "num_train_epochs",
            epochs,
            "as often as the steps need questions",
            "由训练步数需要的问题数决定",
        ),
        Derived::new(
            "max_steps",
            steps,
            "rewards are learnt within so many steps, or hardly at all",
            "奖励要么在这些步之内学会，要么就很难学会",
        ),
        Derived::new(
            "batch_size",
            batch_size,
            "questions of a step; each has several answers",
            "每一步的问题数；每个问题有多个答案",
        ),
        Derived::new("learning_rate", rate, rate_reason.en, rate_reason.zh),
        Derived::new(
            "lr_scheduler_type",
            "constant",
            "what is to be learnt moves along with the model",
            "要学的内容会随模型一起变化",
        ),
        Derived::new(
            "warmup_ratio",
            0.0,
            "nothing to warm up at a constant rate",
            "学习率恒定，无需平缓起步",
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
            "longer questions are left out",
            "更长的问题会被略过",
        ),
        Derived::new(
            "evals_per_epoch",
            watched,
            "held-out questions show whether the reward still stands for what is wanted",
            "用留出的问题检查奖励是否仍然代表真正想要的结果",
        ),
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
    ]);
    list
}
