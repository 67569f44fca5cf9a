use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, drop_rows, finding, rows_have, they_are};
use crate::survey::Survey;

/// Rows without a text, an answer or a label.
pub(super) struct Empty;

impl Check for Empty {
    fn code(&self) -> &'static str {
        "empty"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let empty: Vec<usize> =
            survey.kept().filter(|(_, row)| row.empty).map(|(at, _)| at).collect();
        if empty.is_empty() {
            return None;
        }
        let concerned = drop_rows(survey, &empty);
        let message = format!(
            "{} nothing in a field that is needed, so {} left out; fill the field to use them.",
            rows_have(concerned.rows),
            they_are(concerned.rows)
        );
        Some(finding(self.code(), Severity::Dropped, concerned, message))
    }
}
