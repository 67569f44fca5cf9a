use std::collections::HashSet;

use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, drop_rows, finding, rows_are, they_are};
use crate::survey::Survey;

/// Rows that say to the letter what an earlier one of the same part says.
pub(super) struct Duplicate;

impl Check for Duplicate {
    fn code(&self) -> &'static str {
        "duplicate"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let mut repeated = Vec::new();
        let mut seen = HashSet::new();
        for group in survey.by_input(|row| !row.running).iter().filter(|group| group.len() > 1) {
            seen.clear();
            for row in group {
                let row = *row as usize;
                if !seen.insert((survey.rows[row].exact, survey.rows[row].part)) {
                    repeated.push(row);
                }
            }
        }
        if repeated.is_empty() {
            return None;
        }
        repeated.sort_unstable();
        let concerned = drop_rows(survey, &repeated);
        let rows = concerned.rows;
        let message = Text::new(
            format!(
                "{} the same as an earlier row, so {} left out.",
                rows_are(rows),
                they_are(rows)
            ),
            format!("{rows} 行与前面的行相同，已排除。"),
        );
        Some(finding(self.code(), Severity::Dropped, concerned, message))
    }
}
