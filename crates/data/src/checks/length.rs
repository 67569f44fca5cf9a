use sanbao_contract::Text;
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
        let (rows, limit, longest) = (untrained.rows, survey.max_length, survey.tally.longest());
        let whose =
            if rows == 1 { "in the only row".into() } else { format!("in all {rows} rows") };
        let message = Text::new(
            format!(
                "No token would be learnt: {whose} the answer lies beyond the maximum length of {limit} tokens (the longest row has {longest}); raise the maximum length."
            ),
            format!(
                "没有可学习的内容：全部 {rows} 行的答案都在最大长度 {limit} 个词元之外（最长的一行有 {longest} 个）；请增大最大长度。"
            ),
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
        let (rows, limit, longest) = (untrained.rows, survey.max_length, survey.tally.longest());
        let message = Text::new(
            format!(
                "{} left out because the answer lies beyond the maximum length of {limit} tokens (the longest row has {longest}); raise the maximum length or shorten the prompts.",
                rows_are(rows)
            ),
            format!(
                "{rows} 行的答案在最大长度 {limit} 个词元之外（最长的一行有 {longest} 个），已排除；请增大最大长度，或缩短提示。"
            ),
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
        let (what, what_zh) =
            if survey.task == Task::Classify { ("text", "文本") } else { ("answer", "回答") };
        let (rows, limit, longest) = (truncated.rows, survey.max_length, survey.tally.longest());
        let message = Text::new(
            format!(
                "{} longer than {limit} tokens ({share:.1}% of all; the longest has {longest}) and the end of the {what} is cut off; raise the maximum length to keep all of it.",
                rows_are(rows)
            ),
            format!(
                "{rows} 行超过 {limit} 个词元（占 {share:.1}%，最长的有 {longest} 个），{what_zh}的末尾会被截去；增大最大长度即可完整保留。"
            ),
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
        let message = Text::new(
            format!(
                "99 in 100 rows have at most {usual} tokens and the longest kept has {longest}; a maximum length near {usual} would need less memory and cut only {}.",
                count(longer, "row")
            ),
            format!(
                "每 100 行中有 99 行不超过 {usual} 个词元，而保留的最长一行有 {longest} 个；把最大长度调到 {usual} 左右可节省内存，且只会截断 {longer} 行。"
            ),
        );
        Some(finding(
            self.code(),
            Severity::Note,
            Concerned { rows: longer, examples: Vec::new() },
            message,
        ))
    }
}
