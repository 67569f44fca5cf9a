use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity, Task};

use super::{Check, Stage, concern, finding};
use crate::shapes::is_rating_name;
use crate::survey::{OpenSource, Survey};
use crate::template::Template;

/// Answers to the same prompt with a rating that is not used: good and bad are learnt alike.
pub(super) struct UnusedRatings;

impl Check for UnusedRatings {
    fn code(&self) -> &'static str {
        "unused_ratings"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        if survey.task != Task::Instruct {
            return None;
        }
        let unused: Vec<Option<String>> = survey.sources.iter().map(unused_rating).collect();
        let column = unused.iter().flatten().next()?;
        let mut rows: Vec<usize> = Vec::new();
        for group in survey.by_input(|_| true).iter() {
            let output = |row: &u32| survey.rows[*row as usize].output;
            if group.iter().any(|row| output(row) != output(&group[0])) {
                rows.extend(group.iter().map(|row| *row as usize));
            }
        }
        rows.retain(|row| unused.get(survey.source_of(*row)).is_some_and(Option::is_some));
        if rows.is_empty() {
            return None;
        }
        rows.sort_unstable();
        let concerned = concern(survey, &rows);
        let message = Text::new(
            format!(
                "The column `{column}` is not used, so that good and bad answers are learnt alike in the {} rows that answer one prompt in different ways; choose “Rated answers, one a row” as what the rows are to learn what is better.",
                concerned.rows
            ),
            format!(
                "没有用到“{column}”列：有 {} 行对同一提示给出不同的回答，好的和差的会被同样学习；数据形式选“带评分的单个回答”，才能学会哪个更好。",
                concerned.rows
            ),
        );
        Some(finding(self.code(), Severity::Warning, concerned, message))
    }
}

/// The column of a source that rates its answers and fills no field.
fn unused_rating(source: &OpenSource) -> Option<String> {
    let templates = &source.mapping().fields;
    let is_used = |column: &str| {
        templates.iter().any(|(_, template)| {
            Template::parse(template).is_ok_and(|read| read.columns().any(|used| used == column))
        })
    };
    let mut columns = source.recognition.columns.iter();
    columns.find(|column| is_rating_name(column) && !is_used(column)).cloned()
}
