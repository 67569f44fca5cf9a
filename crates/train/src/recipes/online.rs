//! What the recipes that learn from rewards derive alike.

use sanbao_contract::train::Dial;

use super::{Derived, Facts, lora};

/// Answers for each question.
pub(super) fn generations(facts: &Facts) -> Derived {
    let (count, reason) = match facts.dial {
        Dial::Quick => (4, "quick: few answers, so that steps are short"),
        Dial::Balanced | Dial::Thorough => {
            (8, "enough answers to tell which of them are better than usual")
        }
    };
    Derived::new("num_generations", count, reason)
}

/// Longest answer.
pub(super) fn completion_length(facts: &Facts) -> Derived {
    let length = match facts.dial {
        Dial::Quick => 64,
        Dial::Balanced => 128,
        Dial::Thorough => 256,
    };
    Derived::new("max_completion_length", length, "long answers cost most of the time of a step")
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
            "small models take large steps with an adapter; rewards are noisy, so not the largest",
        )
    } else {
        (2e-5, "the usual rate for adapters that learn from rewards")
    };
    let max_length = super::max_length(facts.dial).min(facts.context);
    let watched = if facts.validation_rows > 0 { 5 } else { 0 };
    let mut list = lora::adapter(facts);
    list.extend([
        Derived::new("num_train_epochs", epochs, "as often as the steps need questions"),
        Derived::new(
            "max_steps",
            steps,
            "rewards are learnt within so many steps, or hardly at all",
        ),
        Derived::new("batch_size", batch_size, "questions of a step; each has several answers"),
        Derived::new("learning_rate", rate, rate_reason),
        Derived::new("lr_scheduler", "constant", "what is to be learnt moves along with the model"),
        Derived::new("warmup_ratio", 0.0, "nothing to warm up at a constant rate"),
        Derived::new("weight_decay", 0.0, "short runs gain nothing from it"),
        Derived::new("max_grad_norm", 1.0, "the usual guard against odd rows"),
        Derived::new("max_length", max_length, "longer questions are left out"),
        Derived::new(
            "evals_per_epoch",
            watched,
            "held-out questions show whether the reward still stands for what is wanted",
        ),
        Derived::new(
            "train_sampling_strategy",
            "random",
            "rows of a file often stand in an order that is better not learnt",
        ),
        Derived::new("seed", facts.seed, "fixed, so that the run can be repeated"),
    ]);
    list
}
