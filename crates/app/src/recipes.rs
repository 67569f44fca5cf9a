//! Which recipes there are, and which fits.

use std::collections::BTreeMap;

use sanbao_contract::Fault;
use sanbao_contract::app::RecipeInfo;
use sanbao_contract::data::Task;
use sanbao_contract::rpc::Reply;
use sanbao_train::recipes::{RECIPES, Words, recommended};

use crate::App;
use crate::words::{by_language, parameter};

impl App {
    /// The recipes with how they fit a project's data.
    pub(crate) fn recipes(&self, project: &str) -> Result<Reply, Fault> {
        let task = self.task(project)?.unwrap_or(Task::Instruct);
        let rows: u64 = self.store(project)?.files()?.iter().map(|file| file.rows).sum();
        let best = recommended(task);
        let recipes = RECIPES
            .iter()
            .map(|recipe| {
                let fits = recipe.tasks.contains(&task);
                let reason = match (fits, recipe.name == best.name) {
                    (true, true) => why_recommended(task, rows),
                    (false, _) => {
                        recipe.tasks.first().map(needs).map(by_language).unwrap_or_default()
                    }
                    (true, false) => BTreeMap::new(),
                };
                RecipeInfo {
                    name: recipe.name.to_owned(),
                    treasure: recipe.treasure().to_owned(),
                    title: by_language(recipe.title),
                    summary: by_language(recipe.summary),
                    fits,
                    reason,
                    needs_reward: recipe.needs_reward(),
                    parameters: recipe.parameters.iter().copied().map(parameter).collect(),
                }
            })
            .collect();
        Ok(Reply::Recipes { recipes, recommended: best.name.to_owned() })
    }
}

/// What data a recipe would need.
fn needs(task: &Task) -> Words {
    match task {
        Task::Classify => {
            Words { en: "Needs texts with a label each.", zh: "需要带标签的文本。" }
        }
        Task::Instruct => {
            Words { en: "Needs questions with their answers.", zh: "需要带答案的问题。" }
        }
        Task::PromptOnly => Words {
            en: "Needs questions to try answers to.",
            zh: "需要供模型尝试回答的问题。",
        },
        Task::Prose => Words { en: "Needs running text.", zh: "需要连续的文章。" },
        Task::Preference => Words {
            en: "Needs pairs of a better and a worse answer: vote on answers first.",
            zh: "需要成对的较好与较差答案：请先给答案投票。",
        },
        Task::Unpaired => Words {
            en: "Needs answers that were liked or not: vote on answers first.",
            zh: "需要被赞或被踩的答案：请先给答案投票。",
        },
    }
}

/// Why the recommended recipe is the one.
fn why_recommended(task: Task, rows: u64) -> BTreeMap<String, String> {
    let (en, zh) = match task {
        Task::Classify | Task::Instruct => (
            format!(
                "Fits your {rows} rows: learns quickly, needs little memory and forgets little."
            ),
            format!("适合你的 {rows} 行数据：学得快，内存少，遗忘少。"),
        ),
        Task::PromptOnly => (
            format!(
                "Your {rows} rows are questions without answers: the model tries its own, and what you reward it learns."
            ),
            format!("你的 {rows} 行是没有答案的问题：模型自己尝试回答，并学会得到奖励的答法。"),
        ),
        Task::Prose => (
            format!("Your {rows} rows are running text, which is read on rather than answered."),
            format!("你的 {rows} 行是连续文章，适合续读而不是问答。"),
        ),
        Task::Preference => (
            format!(
                "Your {rows} rows are pairs of answers: this is the steadiest way to learn from them."
            ),
            format!("你的 {rows} 行是成对的答案：这是从中学习最稳妥的方法。"),
        ),
        Task::Unpaired => (
            format!("Your {rows} rows are single answers, liked or not: this is made for them."),
            format!("你的 {rows} 行是单个被赞或被踩的答案：此方案正为此而设。"),
        ),
    };
    BTreeMap::from([("en".to_owned(), en), ("zh".to_owned(), zh)])
}
