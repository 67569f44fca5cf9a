use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, drop_rows, finding, they_are};
use crate::facts::Standing;
use crate::survey::Survey;

/// Rows that say of their two answers that neither is better.
pub(super) struct Ties;

impl Check for Ties {
    fn code(&self) -> &'static str {
        "ties"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let ties: Vec<usize> = survey
            .kept()
            .filter(|(_, row)| row.standing == Standing::Undecided)
            .map(|(at, _)| at)
            .collect();
        if ties.is_empty() {
            return None;
        }
        let concerned = drop_rows(survey, &ties);
        let rows = concerned.rows;
        let say = if rows == 1 { "1 row says".into() } else { format!("{rows} rows say") };
        let message = Text::new(
            format!(
                "{say} that neither answer is better (a tie, or the same rating), so {} left out.",
                they_are(rows)
            ),
            format!("{rows} 行的回答不分优劣（平局或评分相同），已排除。"),
        );
        Some(finding(self.code(), Severity::Dropped, concerned, message))
    }
}
