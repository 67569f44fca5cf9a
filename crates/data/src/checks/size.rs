use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, finding};
use crate::survey::Survey;
use crate::tally::Concerned;

/// Rows below which nothing is trained.
pub const FEWEST_ROWS: usize = 8;

/// Rows below which the verdict will hardly tell anything.
const FEW_ROWS: usize = 100;

/// Too few rows to learn from and to hold some out.
pub(super) struct TooFewRows;

impl Check for TooFewRows {
    fn code(&self) -> &'static str {
        "too_few_rows"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let rows = survey.kept().count();
        let groups = survey.by_input(|_| true).iter().count();
        let different = if survey.kept().any(|(_, row)| row.running) { rows } else { groups };
        if different >= FEWEST_ROWS && groups > 1 {
            return None;
        }
        let are = if different == 1 { "row is" } else { "rows are" };
        let message = Text::new(
            format!(
                "Only {different} different {are} usable and at least {FEWEST_ROWS} are needed to learn from some and test on others; add rows (a few hundred give a result worth having)."
            ),
            format!(
                "可用的不同行只有 {different} 行，而要用一部分学习、另一部分检验，至少需要 {FEWEST_ROWS} 行；请再添加一些（有几百行，结果才有价值）。"
            ),
        );
        Some(finding(
            self.code(),
            Severity::Error,
            Concerned { rows: rows as u64, examples: Vec::new() },
            message,
        ))
    }
}

/// Enough rows to train on, too few to judge by.
pub(super) struct FewRows;

impl Check for FewRows {
    fn code(&self) -> &'static str {
        "few_rows"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let rows = survey.kept().count();
        if !(FEWEST_ROWS..FEW_ROWS).contains(&rows) {
            return None;
        }
        let message = Text::new(
            format!(
                "There are only {rows} rows, so that the held-out ones will be too few to tell a small gain from chance; add rows if you can."
            ),
            format!(
                "只有 {rows} 行，留作检验的行太少，难以分辨小的进步和偶然；如有可能，请再添加一些。"
            ),
        );
        Some(finding(
            self.code(),
            Severity::Warning,
            Concerned { rows: rows as u64, examples: Vec::new() },
            message,
        ))
    }
}
