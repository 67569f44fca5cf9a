use sanbao_contract::data::{Finding, Severity, Task};

use super::{Check, Stage, finding, rows_are};
use crate::error::count;
use crate::survey::Survey;
use crate::tally::Concerned;

/// How many times longer than 99 in 100 the longest row may be before it is worth a note.
const OUTLIER: usize = 3;

/// No row has a token to learn.
pub(super) struct NothingTrained;

impl Check for NothingTrained {
    fn code(&self) -> &'static str {
        "nothing_trained"
    }

    fn stage(&self) -> Stage {
        Stage::Tokens
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let untrained = &survey.tally.untrained;
        if untrained.rows == 0 || untrained.rows < survey.tally.rows() {
            return None;
        }
        let message = format!(
            "No token would be learnt: in all {} rows the answer lies beyond the maximum length of {} tokens (the longest row has {}); raise the maximum length.",
            untrained.rows,
            survey.max_length,
            survey.tally.longest()
        );
        Some(finding(self.code(), Severity::Error, untrained.clone(), message))
    }
}

/// Rows whose answer would be cut away.
pub(super) struct AnswerCut;

impl Check for AnswerCut {
    fn code(&self) -> &'static str {
        "answer_cut"
    }

    fn stage(&self) -> Stage {
        Stage::Tokens
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let untrained = &survey.tally.untrained;
        if untrained.rows == 0 || untrained.rows == survey.tally.rows() {
            return None;
        }
        let message = format!(
            "{} left out because the answer lies beyond the maximum length of {} tokens (the longest row has {}); raise the maximum length or shorten the prompts.",
            rows_are(untrained.rows),
            survey.max_length,
            survey.tally.longest()
        );
        Some(finding(self.code(), Severity::Dropped, untrained.clone(), message))
    }
}

/// Rows cut at the maximum length.
pub(super) struct Truncated;

impl Check for Truncated {
    fn code(&self) -> &'static str {
        "truncated"
    }

    fn stage(&self) -> Stage {
        Stage::Tokens
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let truncated = &survey.tally.truncated;
        if truncated.rows == 0 {
            return None;
        }
        let share = 100.0 * truncated.rows as f64 / survey.tally.rows().max(1) as f64;
        let what = if survey.task == Task::Classify {
            "the end of the text is cut off"
        } else {
            "the end of the answer is cut off"
        };
        let message = format!(
            "{} longer than {} tokens ({share:.1} % of all; the longest has {}) and {what}; raise the maximum length to keep all of it.",
            rows_are(truncated.rows),
            survey.max_length,
            survey.tally.longest()
        );
        Some(finding(self.code(), Severity::Warning, truncated.clone(), message))
    }
}

/// A few rows are far longer than all others.
pub(super) struct LongRows;

impl Check for LongRows {
    fn code(&self) -> &'static str {
        "long_rows"
    }

    fn stage(&self) -> Stage {
        Stage::Tokens
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let (usual, longer) = survey.tally.ninety_ninth();
        let longest = survey.tally.longest().min(survey.max_length);
        if survey.task == Task::Prose || longer == 0 || longest < OUTLIER * usual.max(1) {
            return None;
        }
        let message = format!(
            "99 in 100 rows have at most {usual} tokens and the longest kept has {longest}; a maximum length near {usual} would need less memory and cut only {}.",
            count(longer, "row")
        );
        Some(finding(
            self.code(),
            Severity::Note,
            Concerned { rows: longer, examples: Vec::new() },
            message,
        ))
    }
}
