//! Which recipes there are, and which fits.

use sanbao_contract::Fault;
use sanbao_contract::app::RecipeInfo;
use sanbao_contract::data::Task;
use sanbao_contract::rpc::Reply;
use sanbao_train::recipes::{RECIPES, recommended};

use crate::App;
use crate::words::{by_language, parameter};

impl App {
    /// The recipes with how they fit a project's data.
    pub(crate) fn recipes(&self, project: &str) -> Result<Reply, Fault> {
        let task = self.task(project)?.unwrap_or(Task::Instruct);
        let recipes = RECIPES
            .iter()
            .map(|recipe| RecipeInfo {
                name: recipe.name.to_owned(),
                treasure: if recipe.loss.is_some() { "reward" } else { "fine_tune" }.to_owned(),
                title: by_language(recipe.title),
                summary: by_language(recipe.summary),
                fits: recipe.tasks.contains(&task),
                parameters: recipe.parameters.iter().copied().map(parameter).collect(),
            })
            .collect();
        Ok(Reply::Recipes { recipes, recommended: recommended(task).name.to_owned() })
    }
}
