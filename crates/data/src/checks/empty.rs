use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, drop_rows, finding, rows_have, them, they_are};
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
        let rows = concerned.rows;
        let message = Text::new(
            format!(
                "{} nothing in a field that is needed, so {} left out; fill the field to use {}.",
                rows_have(rows),
                they_are(rows),
                them(rows)
            ),
            format!("{rows} 行的必需字段为空，已排除；补全后即可使用。"),
        );
        Some(finding(self.code(), Severity::Dropped, concerned, message))
    }
}
