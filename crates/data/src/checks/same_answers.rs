use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, drop_rows, finding, rows_have, they_are};
use crate::facts::Standing;
use crate::survey::Survey;

/// Preferences whose two answers are the same.
pub(super) struct SameAnswers;

impl Check for SameAnswers {
    fn code(&self) -> &'static str {
        "same_answers"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let same: Vec<usize> = survey
            .kept()
            .filter(|(_, row)| row.standing == Standing::Same)
            .map(|(at, _)| at)
            .collect();
        if same.is_empty() {
            return None;
        }
        let concerned = drop_rows(survey, &same);
        let rows = concerned.rows;
        let message = Text::new(
            format!(
                "{} the same text as chosen and as rejected answer, from which nothing can be learnt, so {} left out.",
                rows_have(rows),
                they_are(rows)
            ),
            format!("{rows} 行的优劣两个回答相同，从中学不到什么，已排除。"),
        );
        Some(finding(self.code(), Severity::Dropped, concerned, message))
    }
}
