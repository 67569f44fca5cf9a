//! Hyper-parameters, declared once.

use sanbao_contract::train::Setting;
use serde_json::Value;

use super::{Facts, Recipe};
use crate::Error;
use crate::lora::{ALL_LINEAR, LoraConfig};
use crate::losses::preference_loss;
use crate::optimizer::AdamWSettings;
use crate::preference::Preference;
use crate::schedule::Schedule;
use crate::settings::TrainSettings;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// 简体中文.
    pub zh: &'static str,
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// A number from the first to the second.
    Number(f64, f64),
    /// Yes or no.
    Flag,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Names separated by commas.
    Names,
}

/// A hyper-parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Standard name (transformers, PEFT).
    pub name: &'static str,
    /// Values.
    pub kind: Kind,
    /// One sentence of help.
    pub help: Words,
}

impl Parameter {
    /// Whether a value is acceptable.
    ///
    /// # Errors
    /// Names the parameter, the value and what would be accepted.
    pub fn check(&self, value: &Value) -> Result<(), Error> {
        let fits = match self.kind {
            Kind::Integer(low, high) => value.as_i64().is_some_and(|v| (low..=high).contains(&v)),
            Kind::Number(low, high) => value.as_f64().is_some_and(|v| (low..=high).contains(&v)),
            Kind::Flag => value.is_boolean(),
            Kind::Choice(names) => value.as_str().is_some_and(|v| names.contains(&v)),
            Kind::Names => value.as_str().is_some_and(|v| !v.trim().is_empty()),
        };
        if fits {
            return Ok(());
        }
        Err(Error::BadSetting {
            name: self.name.to_owned(),
            value: value.to_string(),
            expected: self.expected(),
        })
    }

    /// What it accepts, in words.
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Integer(low, high) => format!("a whole number from {low} to {high} is needed"),
            Kind::Number(low, high) => format!("a number from {low} to {high} is needed"),
            Kind::Flag => "true or false is needed".to_owned(),
            Kind::Choice(names) => format!("one of {} is needed", names.join(", ")),
            Kind::Names => "names separated by commas are needed".to_owned(),
        }
    }

    /// Reads a value as it is typed on a command line.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn parse(&self, text: &str) -> Result<Value, Error> {
        let value = match self.kind {
            Kind::Choice(_) | Kind::Names => Value::from(text),
            _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        };
        self.check(&value).map(|()| value)
    }
}

macro_rules! parameter {
    ($id:ident, $name:literal, $kind:expr, $en:literal, $zh:literal) => {
        pub static $id: Parameter =
            Parameter { name: $name, kind: $kind, help: Words { en: $en, zh: $zh } };
    };
}

parameter!(
    R,
    "r",
    Kind::Integer(1, 1024),
    "Rank of the adapter: how much it can learn; 8 to 64 is usual.",
    "适配器的秩：能学多少；通常取 8 到 64。"
);
parameter!(
    LORA_ALPHA,
    "lora_alpha",
    Kind::Number(0.01, 4096.0),
    "Strength of the adapter; the update is scaled by lora_alpha / r.",
    "适配器的强度；更新按 lora_alpha / r 缩放。"
);
parameter!(
    LORA_DROPOUT,
    "lora_dropout",
    Kind::Number(0.0, 0.9),
    "Share of inputs that the adapter ignores at random while learning, against learning by heart.",
    "训练时适配器随机忽略的输入比例，防止死记硬背。"
);
parameter!(
    USE_RSLORA,
    "use_rslora",
    Kind::Flag,
    "Scale by lora_alpha / sqrt(r), which keeps large ranks effective.",
    "按 lora_alpha / sqrt(r) 缩放，使较大的秩仍然有效。"
);
parameter!(
    USE_DORA,
    "use_dora",
    Kind::Flag,
    "Learn magnitude and direction apart: a little better at small ranks, slower.",
    "分别学习大小和方向：小秩时效果略好，但更慢。"
);
parameter!(
    TARGET_MODULES,
    "target_modules",
    Kind::Names,
    "Layers that get an adapter, by the last part of their name, or all-linear.",
    "加适配器的层（名称的最后一段），或 all-linear 表示全部线性层。"
);
parameter!(
    EPOCHS,
    "num_train_epochs",
    Kind::Integer(1, 1000),
    "How many times the model sees every row.",
    "模型把每一行看多少遍。"
);
parameter!(
    BATCH_SIZE,
    "batch_size",
    Kind::Integer(1, 4096),
    "Rows that are learnt from together in one step.",
    "每一步一起学习的行数。"
);
parameter!(
    LEARNING_RATE,
    "learning_rate",
    Kind::Number(1e-8, 1.0),
    "Size of each step at its peak: too high and it diverges, too low and it learns nothing.",
    "每一步的最大幅度：太大会发散，太小学不到东西。"
);
parameter!(
    LR_SCHEDULER,
    "lr_scheduler",
    Kind::Choice(&["linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt"]),
    "How the learning rate falls over the run.",
    "学习率在训练中如何下降。"
);
parameter!(
    WARMUP_RATIO,
    "warmup_ratio",
    Kind::Number(0.0, 0.5),
    "Share of the run in which the learning rate rises from 0.",
    "学习率从 0 升起所占的训练比例。"
);
parameter!(
    WEIGHT_DECAY,
    "weight_decay",
    Kind::Number(0.0, 1.0),
    "Pull of the weights towards 0, against learning by heart.",
    "把权重往 0 拉的力度，防止死记硬背。"
);
parameter!(
    MAX_GRAD_NORM,
    "max_grad_norm",
    Kind::Number(0.001, 1000.0),
    "Steps larger than this are shortened, so that one odd row does no harm.",
    "超过此值的步子会被缩短，避免个别怪行造成破坏。"
);
parameter!(
    MAX_LENGTH,
    "max_length",
    Kind::Integer(16, 1_048_576),
    "Tokens after which a row is cut.",
    "超过多少词元的行会被截断。"
);
parameter!(
    EVALS_PER_EPOCH,
    "evals_per_epoch",
    Kind::Integer(0, 100),
    "How often in each epoch the model is measured on the validation rows; 0 for never.",
    "每轮在验证行上测量几次；0 表示不测。"
);
parameter!(
    PATIENCE,
    "early_stopping_patience",
    Kind::Integer(0, 1000),
    "Stop after this many measurements without improvement; 0 for never.",
    "连续多少次测量没有进步就停止；0 表示从不。"
);
parameter!(
    BETA,
    "beta",
    Kind::Number(0.001, 100.0),
    "How strongly the model is held to what it was before (for simpo: how strongly answers are told apart).",
    "模型被约束在原样附近的力度（simpo 中则为区分答案的力度）。"
);
parameter!(
    LOSS_TYPE,
    "loss_type",
    Kind::Choice(&[
        "sigmoid",
        "ipo",
        "hinge",
        "robust",
        "sigmoid_norm",
        "exo_pair",
        "nca_pair",
        "bco_pair",
        "sppo_hard",
        "apo_zero",
        "apo_down",
        "discopop",
    ]),
    "Which form of the loss: sigmoid is DPO as published; ipo and robust bear contradictory votes better.",
    "损失的形式：sigmoid 即原始 DPO；ipo 和 robust 更能容忍互相矛盾的投票。"
);
parameter!(
    LABEL_SMOOTHING,
    "label_smoothing",
    Kind::Number(0.0, 0.49),
    "Share of the pairs that may be the wrong way round.",
    "可能标反了的答案对所占比例。"
);
parameter!(
    SIMPO_GAMMA,
    "simpo_gamma",
    Kind::Number(0.0, 20.0),
    "By how much a chosen answer is to be ahead of the rejected one.",
    "被选答案应领先被拒答案多少。"
);
parameter!(
    CPO_ALPHA,
    "cpo_alpha",
    Kind::Number(0.0, 100.0),
    "How much the chosen answers are also learnt as examples.",
    "被选答案同时作为范例来学习的力度。"
);
parameter!(
    SEED,
    "seed",
    Kind::Integer(0, i64::MAX),
    "Start of every random choice: the same seed gives the same model.",
    "一切随机选择的起点：种子相同，模型就相同。"
);

/// Puts settings into the form that the loop reads.
pub(super) fn to_settings(
    recipe: &Recipe,
    facts: &Facts,
    list: &[Setting],
) -> Result<TrainSettings, Error> {
    let get = |name: &str| list.iter().find(|setting| setting.name == name).map(|s| &s.value);
    let number = |name: &str, absent: f64| get(name).and_then(Value::as_f64).unwrap_or(absent);
    let whole = |name: &str, absent: u64| get(name).and_then(Value::as_u64).unwrap_or(absent);
    let flag = |name: &str| get(name).and_then(Value::as_bool).unwrap_or(false);
    let text = |name: &str| get(name).and_then(Value::as_str).unwrap_or_default();

    let lora = get("r").map(|_| LoraConfig {
        r: whole("r", 16) as usize,
        lora_alpha: number("lora_alpha", 32.0),
        lora_dropout: number("lora_dropout", 0.0),
        use_rslora: flag("use_rslora"),
        use_dora: flag("use_dora"),
        target_modules: match text("target_modules") {
            "" => vec![ALL_LINEAR.to_owned()],
            names => names.split(',').map(|name| name.trim().to_owned()).collect(),
        },
    });
    let scheduler: Schedule = serde_json::from_value(
        serde_json::json!({"kind": text("lr_scheduler")}),
    )
    .map_err(|_| Error::BadSetting {
        name: "lr_scheduler".into(),
        value: text("lr_scheduler").into(),
        expected: LR_SCHEDULER.expected(),
    })?;
    let preference = match recipe.loss {
        Some(name) => Some(preference(
            if text("loss_type").is_empty() { name } else { text("loss_type") },
            &get,
        )?),
        None => None,
    };
    let batch_size = whole("batch_size", 8) as usize;
    let steps_per_epoch = facts.rows.div_ceil(batch_size.max(1)) as u64;
    let epochs = whole("num_train_epochs", 1);
    let evaluations = whole("evals_per_epoch", 0);
    Ok(TrainSettings {
        recipe: recipe.name.to_owned(),
        lora,
        preference,
        num_train_epochs: epochs as u32,
        batch_size,
        learning_rate: number("learning_rate", 1e-4),
        lr_scheduler: scheduler,
        warmup_steps: (number("warmup_ratio", 0.0) * (steps_per_epoch * epochs) as f64).ceil()
            as u64,
        adamw: AdamWSettings {
            weight_decay: number("weight_decay", 0.0),
            ..AdamWSettings::default()
        },
        max_grad_norm: number("max_grad_norm", 1.0),
        max_length: whole("max_length", 1024) as usize,
        eval_steps: steps_per_epoch.checked_div(evaluations).map_or(0, |steps| steps.max(1)),
        early_stopping_patience: whole("early_stopping_patience", 0) as u32,
        save_steps: 50,
        micro_batch_tokens: 1024,
        gradient_checkpointing: false,
        seed: whole("seed", facts.seed),
    })
}

/// A preference loss with its defaults, replaced by the settings that the recipe has.
fn preference<'a>(
    name: &str,
    get: &dyn Fn(&str) -> Option<&'a Value>,
) -> Result<Preference, Error> {
    let mut settings = preference_loss(name)?.defaults;
    let places = [
        ("beta", &mut settings.beta),
        ("label_smoothing", &mut settings.label_smoothing),
        ("simpo_gamma", &mut settings.simpo_gamma),
        ("cpo_alpha", &mut settings.cpo_alpha),
    ];
    for (parameter, place) in places {
        if let Some(value) = get(parameter).and_then(Value::as_f64) {
            *place = value;
        }
    }
    settings.check()?;
    Ok(Preference { loss: name.to_owned(), settings })
}
