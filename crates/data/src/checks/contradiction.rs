use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity, Task};

use super::{Check, Stage, concern, finding, rows_have};
use crate::survey::Survey;

/// Rows that are given the same and should answer differently.
pub(super) struct Contradiction;

impl Check for Contradiction {
    fn code(&self) -> &'static str {
        "contradiction"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        // Prose has no answers; a prompt with several pairs of answers is what preferences are.
        if matches!(survey.task, Task::Prose | Task::Preference | Task::Unpaired) {
            return None;
        }
        let mut rows: Vec<usize> = Vec::new();
        for group in survey.by_input(|_| true).iter() {
            let output = |row: &u32| survey.rows[*row as usize].output;
            if group.iter().any(|row| output(row) != output(&group[0])) {
                rows.extend(group.iter().map(|row| *row as usize));
            }
        }
        if rows.is_empty() {
            return None;
        }
        rows.sort_unstable();
        let concerned = concern(survey, &rows);
        let (what, what_zh) = if survey.task == Task::Classify {
            ("text as another row but a different label", "文本与其他行相同，标签却不同")
        } else {
            ("input as another row but a different answer", "输入与其他行相同，回答却不同")
        };
        let message = Text::new(
            format!(
                "{} the same {what}; they are kept, but correct what is wrong among them.",
                rows_have(concerned.rows)
            ),
            format!("{} 行的{what_zh}；这些行会保留，但请改正其中有误的。", concerned.rows),
        );
        Some(finding(self.code(), Severity::Warning, concerned, message))
    }
}
