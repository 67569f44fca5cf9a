//! Pre-flight checks: what is wrong with the rows, and what is done about it.
//!
//! To add one: a file here with a [`Check`], one line in [`CHECKS`], a case for the conformance
//! test. A check decides which rows it concerns and may leave them out; its finding says so.

mod classes;
mod contradiction;
mod duplicate;
mod empty;
mod leakage;
mod length;
mod length_bias;
mod one_sided;
mod rated_answers;
mod reversed_pairs;
mod same_answers;
mod size;
mod ties;
mod unused_ratings;

use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use crate::survey::Survey;
use crate::tally::{Concerned, EXAMPLES};

pub use size::FEWEST_ROWS;

/// When a check can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// When every row has been read.
    Rows,
    /// When every row has its part.
    Parts,
    /// When every row has been tokenised.
    Tokens,
}

/// One check.
pub trait Check: Sync {
    /// Stable code of its findings.
    fn code(&self) -> &'static str;

    /// When it is made.
    fn stage(&self) -> Stage;

    /// Looks at the rows that earlier checks have left, and marks those that are left out.
    fn examine(&self, survey: &mut Survey) -> Option<Finding>;
}

/// Every check, in the order in which they are made.
pub static CHECKS: &[&dyn Check] = &[
    &empty::Empty,
    &ties::Ties,
    &rated_answers::LoneAnswers,
    &rated_answers::RatedPairs,
    &same_answers::SameAnswers,
    &duplicate::Duplicate,
    &reversed_pairs::ReversedPairs,
    &contradiction::Contradiction,
    &unused_ratings::UnusedRatings,
    &size::TooFewRows,
    &size::FewRows,
    &length_bias::LengthBias,
    &one_sided::OneSided,
    &classes::SingleClass,
    &classes::RareClass,
    &classes::Imbalance,
    &classes::SimilarLabels,
    &leakage::Leakage,
    &leakage::UnseenLabel,
    &length::NothingTrained,
    &length::AnswerCut,
    &length::Truncated,
    &length::LongRows,
];

/// Makes the checks of a stage.
pub(crate) fn examine(survey: &mut Survey, stage: Stage) -> Vec<Finding> {
    CHECKS
        .iter()
        .filter(|check| check.stage() == stage)
        .filter_map(|check| check.examine(survey))
        .collect()
}

fn finding(code: &str, severity: Severity, concerned: Concerned, message: Text) -> Finding {
    Finding {
        code: code.to_owned(),
        severity,
        rows: concerned.rows,
        examples: concerned.examples,
        message,
    }
}

/// Leaves out rows and remembers the first few.
fn drop_rows(survey: &mut Survey, rows: &[usize]) -> Concerned {
    for row in rows {
        survey.rows[*row].dropped = true;
    }
    concern(survey, rows)
}

/// Counts rows and remembers the first few.
fn concern(survey: &Survey, rows: &[usize]) -> Concerned {
    Concerned {
        rows: rows.len() as u64,
        examples: rows.iter().take(EXAMPLES).map(|row| survey.origin(*row)).collect(),
    }
}

/// `1 row is` or `3 rows are`.
fn rows_are(rows: u64) -> String {
    if rows == 1 { "1 row is".into() } else { format!("{rows} rows are") }
}

/// `1 row has` or `3 rows have`.
fn rows_have(rows: u64) -> String {
    if rows == 1 { "1 row has".into() } else { format!("{rows} rows have") }
}

/// `it` or `them`.
fn them(rows: u64) -> &'static str {
    if rows == 1 { "it" } else { "them" }
}

/// `it is` or `they are`.
fn they_are(rows: u64) -> &'static str {
    if rows == 1 { "it is" } else { "they are" }
}
