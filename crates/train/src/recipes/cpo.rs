//! CPO: contrast without a reference model, and likelihood of the chosen answers (Xu et al. 2024,
//! eq. 4 and 5; TRL's `CPOTrainer`).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, full, lora};

pub static CPO: Recipe = Recipe {
    name: "cpo",
    title: Words {
        en: "Contrast answers and keep the good ones (CPO)",
        zh: "对比答案并保留好的（CPO）",
    },
    summary: Words {
        en: "Made for translation: contrasts two answers that are both fairly good and learns the better one as an example too.",
        zh: "为翻译而设计：对比两个都还不错的答案，并把更好的一个同时当作范例来学习。",
    },
    kind: RecipeKind::Preference("cpo_sigmoid"),
    tasks: &[Task::Preference],
    parameters: &[
        &BETA,
        &LABEL_SMOOTHING,
        &CPO_ALPHA,
        &USE_PEFT,
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
    let mut list = vec![
        Derived::new("beta", 0.1, "the usual sharpness of the contrast", "对比的常用力度"),
        Derived::new(
            "label_smoothing",
            0.0,
            "votes are taken to be meant as they were given",
            "假定所有选择都没有标反",
        ),
        Derived::new(
            "cpo_alpha",
            1.0,
            "as much example as contrast, as in the paper",
            "范例与对比各占一半，与论文一致",
        ),
    ];
    list.extend(lora::adapter_or_every_weight(facts));
    let (rate, reason) = full::preference_rate(facts);
    list.extend(full::shared(facts, rate, reason));
    list
}
