//! Recipes: ways of changing a model, one file each, one line here.
//!
//! A recipe declares its hyper-parameters once (name, range, help in both languages) and
//! derives a value with a reason for each from the facts; forms, command-line flags,
//! validation and documentation read that declaration.

mod best_of_n;
mod continued;
mod cpo;
mod dpo;
mod full;
mod grpo;
mod kto;
mod lora;
mod online;
mod orpo;
mod parameters;
mod ppo;
mod reward_model;
mod rloo;
mod settings;
mod simpo;

use std::collections::BTreeMap;

use sanbao_contract::Text;
use sanbao_contract::data::Task;
use sanbao_contract::reward::Reward;
use sanbao_contract::train::{Dial, Setting};
use serde_json::Value;

pub use parameters::{Kind, Parameter, Values, Words};

use crate::Error;
use crate::online::Method;
use crate::settings::TrainSettings;

/// What a recipe's choices depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// What is learnt.
    pub task: Task,
    /// Training rows.
    pub rows: usize,
    /// Validation rows.
    pub validation_rows: usize,
    /// Parameters of the model.
    pub parameters: u64,
    /// Longest context of the model.
    pub context: usize,
    /// The one dial.
    pub dial: Dial,
    /// Seed.
    pub seed: u64,
    /// Whether an adapter learns, in recipes that leave the choice.
    pub use_peft: bool,
}

/// A value with its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// Parameter.
    pub name: &'static str,
    /// Value.
    pub value: Value,
    /// Why, one sentence.
    pub reason: Text,
}

impl Derived {
    /// A value with its reason in English and Chinese.
    fn new(
        name: &'static str,
        value: impl Into<Value>,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Self {
        Self { name, value: value.into(), reason: Text::new(en, zh) }
    }
}

/// A number with the English words for one of what it counts or for more: `1 row`, `2 rows`.
fn counted(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// What a recipe learns from.
#[derive(Debug, Clone, Copy)]
pub enum RecipeKind {
    /// Examples.
    Examples,
    /// What was liked and what was not, by the preference loss of this name.
    Preference(&'static str),
    /// The same, as a reward model.
    RewardModel,
    /// Rewards of the model's own answers, by the method that settings make.
    Reward(fn(&Values<'_>) -> Result<Method, Error>),
}

/// A way of changing a model.
pub struct Recipe {
    /// Name, as `--recipe` takes it.
    pub name: &'static str,
    /// Name for people.
    pub title: Words,
    /// When to use it, one sentence.
    pub summary: Words,
    /// What it learns from.
    pub kind: RecipeKind,
    /// What it can learn.
    pub tasks: &'static [Task],
    /// Its hyper-parameters.
    pub parameters: &'static [&'static Parameter],
    /// A value for each of them.
    pub derive: fn(&Facts) -> Vec<Derived>,
}

impl Recipe {
    /// Whether it needs to be told what answers are rewarded for.
    pub fn needs_reward(&self) -> bool {
        matches!(self.kind, RecipeKind::Reward(_))
    }

    /// Which of the three treasures it belongs to: `fine_tune` or `reward`.
    pub fn treasure(&self) -> &'static str {
        match self.kind {
            RecipeKind::Examples => "fine_tune",
            _ => "reward",
        }
    }
}

/// Every recipe, in the order they are shown.
pub static RECIPES: &[&Recipe] = &[
    &lora::LORA,
    &full::FULL,
    &continued::CONTINUED,
    &dpo::DPO,
    &orpo::ORPO,
    &simpo::SIMPO,
    &cpo::CPO,
    &kto::KTO,
    &reward_model::REWARD_MODEL,
    &best_of_n::BEST_OF_N,
    &rloo::RLOO,
    &grpo::GRPO,
    &ppo::PPO,
];

/// Tokens after which rows are cut, by the dial; must be known before rows are prepared.
pub fn max_length(dial: Dial) -> usize {
    match dial {
        Dial::Quick => 512,
        Dial::Balanced => 1024,
        Dial::Thorough => 2048,
    }
}

/// Finds a recipe.
///
/// # Errors
/// When there is none of that name.
pub fn recipe(name: &str) -> Result<&'static Recipe, Error> {
    RECIPES.iter().find(|recipe| recipe.name == name).copied().ok_or_else(|| {
        let known: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name).collect();
        Error::UnknownRecipe { found: name.to_owned(), known: known.join(", ") }
    })
}

/// The recipe proposed for a task.
pub fn recommended(task: Task) -> &'static Recipe {
    match task {
        Task::Prose => &continued::CONTINUED,
        Task::Preference => &dpo::DPO,
        Task::Unpaired => &kto::KTO,
        Task::PromptOnly => &grpo::GRPO,
        _ => &lora::LORA,
    }
}

/// Values for every hyper-parameter: derived, then replaced by what the person chose.
///
/// # Errors
/// When the recipe cannot learn the task, a chosen name is not one of its parameters, or a
/// value is outside its range.
pub fn resolve(
    recipe: &Recipe,
    facts: &Facts,
    chosen: &BTreeMap<String, Value>,
    reward: Option<&Reward>,
) -> Result<(TrainSettings, Vec<Setting>), Error> {
    if let Some(&wanted) = recipe.tasks.first()
        && !recipe.tasks.contains(&facts.task)
    {
        return Err(Error::RecipeDoesNotFit {
            recipe: recipe.name.to_owned(),
            wanted,
            found: facts.task,
            fitting: recommended(facts.task).name.to_owned(),
        });
    }
    for name in chosen.keys() {
        if !recipe.parameters.iter().any(|parameter| parameter.name == name) {
            let known: Vec<&str> = recipe.parameters.iter().map(|p| p.name).collect();
            return Err(Error::UnknownSetting {
                name: name.clone(),
                recipe: recipe.name.to_owned(),
                known: known.join(", "),
            });
        }
    }
    let use_peft = chosen.get("use_peft").and_then(Value::as_bool).unwrap_or(facts.use_peft);
    let facts = &Facts { use_peft, ..*facts };
    let mut settings = Vec::new();
    for derived in (recipe.derive)(facts) {
        let parameter = recipe.parameters.iter().find(|p| p.name == derived.name);
        let choice = chosen.get(derived.name);
        if let (Some(parameter), Some(value)) = (parameter, choice) {
            parameter.check(value)?;
        }
        settings.push(match choice {
            Some(value) => Setting {
                name: derived.name.to_owned(),
                value: value.clone(),
                chosen: true,
                reason: Text::new("chosen by you", "由你选择"),
            },
            None => Setting {
                name: derived.name.to_owned(),
                value: derived.value,
                chosen: false,
                reason: derived.reason,
            },
        });
    }
    let resolved = settings::to_settings(recipe, facts, &settings, reward)?;
    Ok((resolved, settings))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn a_reward() -> Reward {
        let card = sanbao_contract::reward::Card {
            card: "json".to_owned(),
            weight: 1.0,
            settings: BTreeMap::new(),
        };
        Reward { cards: vec![card], model: None }
    }

    #[test]
    fn a_recipe_that_learns_from_rewards_needs_one() {
        let facts = facts(Task::Instruct, 300, Dial::Balanced);
        let error = resolve(&grpo::GRPO, &facts, &BTreeMap::new(), None).unwrap_err();
        assert_eq!(error.code(), "train.no_reward");
    }

    fn facts(task: Task, rows: usize, dial: Dial) -> Facts {
        Facts {
            task,
            rows,
            validation_rows: rows / 10,
            parameters: 134_515_008,
            context: 8192,
            dial,
            seed: 42,
            use_peft: true,
        }
    }

    #[test]
    fn pairs_can_teach_every_weight_in_smaller_steps() {
        let facts = facts(Task::Preference, 300, Dial::Balanced);
        let off = BTreeMap::from([("use_peft".to_owned(), Value::from(false))]);
        for recipe in
            [&dpo::DPO, &orpo::ORPO, &simpo::SIMPO, &cpo::CPO, &reward_model::REWARD_MODEL]
        {
            let (with, _) = resolve(recipe, &facts, &BTreeMap::new(), None).unwrap();
            let (without, shown) = resolve(recipe, &facts, &off, None).unwrap();
            assert!(with.lora.is_some() && without.lora.is_none(), "{}", recipe.name);
            assert!(without.learning_rate < 0.1 * with.learning_rate, "{}", recipe.name);
            assert!(shown.iter().all(|setting| setting.name != "r"), "{}", recipe.name);
        }
    }

    #[test]
    fn every_recipe_derives_every_parameter_within_its_range() {
        for recipe in RECIPES {
            assert!(!recipe.title.en.is_empty() && !recipe.title.zh.is_empty());
            for task in recipe.tasks {
                for dial in [Dial::Quick, Dial::Balanced, Dial::Thorough] {
                    for rows in [10, 300, 5_000, 200_000] {
                        let facts = facts(*task, rows, dial);
                        let derived = (recipe.derive)(&facts);
                        let names: Vec<&str> = derived.iter().map(|d| d.name).collect();
                        let declared: Vec<&str> =
                            recipe.parameters.iter().map(|p| p.name).collect();
                        assert_eq!(names, declared, "{}", recipe.name);
                        for (derived, parameter) in derived.iter().zip(recipe.parameters) {
                            parameter.check(&derived.value).unwrap();
                            assert_said(&derived.reason, derived.name);
                            assert!(!parameter.help.en.is_empty() && !parameter.help.zh.is_empty());
                        }
                        let reward = (recipe.needs_reward()).then(a_reward);
                        resolve(recipe, &facts, &BTreeMap::new(), reward.as_ref()).unwrap();
                    }
                }
            }
        }
    }

    /// Both languages say something, each in its own script, and nothing is left unfilled.
    fn assert_said(reason: &Text, name: &str) {
        assert!(reason.en.len() > 10 && reason.en.is_ascii(), "{name}: {}", reason.en);
        let han = reason.zh.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
        assert!(han >= 4, "{name}: {}", reason.zh);
        for text in [&reason.en, &reason.zh] {
            assert!(!text.contains(['{', '}']), "{name}: {text}");
        }
    }

    #[test]
    fn reasons_count_in_proper_english() {
        let reason = |rows: usize, dial: Dial, name: &str| {
            let derived = (full::FULL.derive)(&facts(Task::Instruct, rows, dial));
            derived.into_iter().find(|one| one.name == name).unwrap().reason
        };
        let epochs = reason(1, Dial::Quick, "num_train_epochs");
        assert_eq!(epochs.en, "quick: 1 row, 1 time each");
        assert_eq!(epochs.zh, "快速：1 行，每行学 1 遍");
        let epochs = reason(300, Dial::Balanced, "num_train_epochs");
        assert_eq!(epochs.en, "balanced: 300 rows, 3 times each");
        assert_eq!(reason(1, Dial::Quick, "batch_size").en, "1 row gives 1 step an epoch");
        assert_eq!(reason(20, Dial::Quick, "batch_size").en, "20 rows give 3 steps an epoch");
        let validation = |rows| reason(rows, Dial::Quick, "evals_per_epoch").en;
        assert_eq!(validation(9), "there are no validation rows");
        assert_eq!(validation(10), "1 validation row shows when to stop");
        assert_eq!(validation(20), "2 validation rows show when to stop");
    }

    #[test]
    fn choices_are_checked_and_kept() {
        let facts = facts(Task::Instruct, 300, Dial::Balanced);
        let choose = |name: &str, value: Value| {
            resolve(&lora::LORA, &facts, &[(name.to_owned(), value)].into_iter().collect(), None)
        };
        let (settings, shown) = choose("learning_rate", 0.003.into()).unwrap();
        assert_eq!(settings.learning_rate, 0.003);
        let rate = shown.iter().find(|s| s.name == "learning_rate").unwrap();
        assert!(rate.chosen);
        assert_eq!(rate.reason, Text::new("chosen by you", "由你选择"));
        let error = choose("learning_rate", (-1.0).into()).unwrap_err().to_string();
        assert!(error.contains("learning_rate") && error.contains("-1"), "{error}");
        let error = choose("leaning_rate", 0.1.into()).unwrap_err().to_string();
        assert!(error.contains("leaning_rate") && error.contains("learning_rate"), "{error}");
        assert!(choose("lr_scheduler_type", "up".into()).is_err());
        assert!(choose("num_train_epochs", 1.5.into()).is_err());
    }

    #[test]
    fn a_recipe_refuses_rows_it_cannot_learn_from() {
        let facts = facts(Task::Prose, 100, Dial::Quick);
        let error = resolve(&full::FULL, &facts, &BTreeMap::new(), None).unwrap_err();
        assert_eq!(error.code(), "train.recipe_does_not_fit");
        assert!(error.to_string().contains("continued"));
    }

    #[test]
    fn the_columns_that_a_recipe_misses_are_named() {
        let facts = facts(Task::PromptOnly, 100, Dial::Quick);
        let error = resolve(&dpo::DPO, &facts, &BTreeMap::new(), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the recipe 'dpo' learns from pairs of answers (`prompt`, `chosen`, `rejected`), and these rows are prompts without answers (`prompt`): add the columns that are missing, or choose the recipe 'grpo'"
        );
    }
}
