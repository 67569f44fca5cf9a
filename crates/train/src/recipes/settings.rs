//! From a recipe's settings to what the loop reads.

use sanbao_contract::data::Task;
use sanbao_contract::reward::Reward;
use sanbao_contract::train::Setting;
use serde_json::Value;

use super::parameters::{LR_SCHEDULER, TRAIN_SAMPLING_STRATEGY, Values};
use super::{Facts, Recipe, RecipeKind};
use crate::Error;
use crate::lora::{ALL_LINEAR, LoraConfig};
use crate::losses::preference_loss;
use crate::online::Online;
use crate::optimizer::AdamWSettings;
use crate::preference::Preference;
use crate::reward_model::RewardModel;
use crate::schedule::Schedule;
use crate::settings::{Learns, TrainSettings};

/// Puts settings into the form that the loop reads.
pub(super) fn to_settings(
    recipe: &Recipe,
    facts: &Facts,
    list: &[Setting],
    reward: Option<&Reward>,
) -> Result<TrainSettings, Error> {
    let values = Values(list);
    let scheduler: Schedule =
        serde_json::from_value(serde_json::json!({"kind": values.text("lr_scheduler_type")}))
            .map_err(|_| Error::BadSetting {
                name: "lr_scheduler_type".into(),
                value: values.text("lr_scheduler_type").into(),
                expected: LR_SCHEDULER.expected(),
            })?;
    let batch_size = values.whole("batch_size", 8) as usize;
    let steps_per_epoch = facts.rows.div_ceil(batch_size.max(1)) as u64;
    let epochs = values.whole("num_train_epochs", 1);
    let max_steps = values.get("max_steps").and_then(Value::as_u64);
    let steps = (steps_per_epoch * epochs).min(max_steps.unwrap_or(u64::MAX));
    let evaluations = values.whole("evals_per_epoch", 0);
    // Of a run that ends within its first epoch, the run is what is divided.
    let measured = steps_per_epoch.min(steps);
    Ok(TrainSettings {
        recipe: recipe.name.to_owned(),
        lora: adapter(&values),
        learns: learns(recipe, &values, reward)?,
        paired: matches!(facts.task, Task::Preference | Task::Unpaired),
        train_sampling_strategy: values.named(&TRAIN_SAMPLING_STRATEGY)?,
        num_train_epochs: epochs as u32,
        max_steps,
        batch_size,
        learning_rate: values.number("learning_rate", 1e-4),
        lr_scheduler: scheduler,
        warmup_steps: (values.number("warmup_ratio", 0.0) * steps as f64).ceil() as u64,
        adamw: AdamWSettings {
            weight_decay: values.number("weight_decay", 0.0),
            ..AdamWSettings::default()
        },
        max_grad_norm: values.number("max_grad_norm", 1.0),
        max_length: values.whole("max_length", 1024) as usize,
        eval_steps: measured.checked_div(evaluations).map_or(0, |steps| steps.max(1)),
        early_stopping_patience: values.whole("early_stopping_patience", 0) as u32,
        save_steps: 50,
        micro_batch_tokens: 1024,
        gradient_checkpointing: false,
        seed: values.whole("seed", facts.seed),
    })
}

/// The adapter of a recipe that has one.
fn adapter(values: &Values<'_>) -> Option<LoraConfig> {
    values.get("r").map(|_| LoraConfig {
        r: values.whole("r", 16) as usize,
        lora_alpha: values.number("lora_alpha", 32.0),
        lora_dropout: values.number("lora_dropout", 0.0),
        use_rslora: values.flag("use_rslora"),
        use_dora: values.flag("use_dora"),
        target_modules: match values.text("target_modules") {
            "" => vec![ALL_LINEAR.to_owned()],
            names => names.split(',').map(|name| name.trim().to_owned()).collect(),
        },
    })
}

fn learns(recipe: &Recipe, values: &Values<'_>, reward: Option<&Reward>) -> Result<Learns, Error> {
    Ok(match recipe.kind {
        RecipeKind::Examples => Learns::Examples,
        RecipeKind::Preference(name) => {
            let chosen = values.text("loss_type");
            Learns::Preference(preference(if chosen.is_empty() { name } else { chosen }, values)?)
        }
        RecipeKind::RewardModel => Learns::RewardModel(RewardModel {
            center_rewards_coefficient: values.number("center_rewards_coefficient", 0.0),
        }),
        RecipeKind::Reward(method) => {
            let reward =
                reward.ok_or_else(|| Error::NoReward { recipe: recipe.name.to_owned() })?;
            // Refused now, not in the middle of the run.
            sanbao_reward::Rewarder::new(reward)?;
            Learns::Reward(Box::new(Online {
                method: method(values)?,
                reward: reward.clone(),
                num_generations: values.whole("num_generations", 1) as usize,
                max_completion_length: values.whole("max_completion_length", 256) as usize,
                num_iterations: values
                    .get("num_iterations")
                    .or_else(|| values.get("num_ppo_epochs"))
                    .and_then(Value::as_u64)
                    .unwrap_or(1) as usize,
                beta: values
                    .get("beta")
                    .or_else(|| values.get("kl_coef"))
                    .and_then(Value::as_f64)
                    .unwrap_or(0.0),
            }))
        }
    })
}

/// A preference loss with its defaults, replaced by the settings that the recipe has.
fn preference(name: &str, values: &Values<'_>) -> Result<Preference, Error> {
    let mut settings = preference_loss(name)?.defaults;
    let places = [
        ("beta", &mut settings.beta),
        ("label_smoothing", &mut settings.label_smoothing),
        ("simpo_gamma", &mut settings.simpo_gamma),
        ("cpo_alpha", &mut settings.cpo_alpha),
        ("desirable_weight", &mut settings.desirable_weight),
        ("undesirable_weight", &mut settings.undesirable_weight),
    ];
    for (parameter, place) in places {
        if let Some(value) = values.get(parameter).and_then(Value::as_f64) {
            *place = value;
        }
    }
    settings.check()?;
    Ok(Preference { loss: name.to_owned(), settings })
}
