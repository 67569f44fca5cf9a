//! Models, devices, recipes: looking only.

use anyhow::Result;
use sanbao_train::recipes::RECIPES;
use sanbao_worker::devices;
use serde_json::json;

use super::setup::base_model;
use crate::arguments::{DevicesArgs, JsonArgs, ModelArgs};
use crate::show;

/// `sanbao model`.
pub fn model(args: &ModelArgs) -> Result<()> {
    let base = base_model(args.model.as_deref())?;
    if args.json {
        return show::json(&base.card);
    }
    show::card(&base.card);
    Ok(())
}

/// `sanbao devices`.
pub fn devices(args: &DevicesArgs) -> Result<()> {
    let list = if args.check { devices::measure_all(true) } else { devices::list() };
    if args.json {
        return show::json(&list);
    }
    show::devices(&list);
    Ok(())
}

/// `sanbao recipes`.
pub fn recipes(args: &JsonArgs) -> Result<()> {
    if args.json {
        let list: Vec<_> = RECIPES
            .iter()
            .map(|recipe| {
                json!({
                    "name": recipe.name,
                    "title": recipe.title.en,
                    "summary": recipe.summary.en,
                    "tasks": recipe.tasks,
                    "settings": recipe.parameters.iter().map(|parameter| json!({
                        "name": parameter.name,
                        "help": parameter.help.en,
                        "accepts": parameter.expected(),
                    })).collect::<Vec<_>>(),
                })
            })
            .collect();
        return show::json(&list);
    }
    for recipe in RECIPES {
        show::line(&format!("{}  {}", recipe.name, recipe.title.en));
        show::line(&format!("    {}", recipe.summary.en));
        for parameter in recipe.parameters {
            show::line(&format!(
                "    --set {:<24} {}",
                format!("{}=…", parameter.name),
                parameter.help.en
            ));
        }
        show::line("");
    }
    Ok(())
}
