use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, drop_rows, finding, they_are};
use crate::facts::Standing;
use crate::survey::Survey;

/// Rated answers without a second one to the same prompt.
pub(super) struct LoneAnswers;

impl Check for LoneAnswers {
    fn code(&self) -> &'static str {
        "lone_answers"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let lone = standing(survey, Standing::Lone);
        if lone.is_empty() {
            return None;
        }
        let concerned = drop_rows(survey, &lone);
        let rows = concerned.rows;
        let hold = if rows == 1 { "1 row holds".to_owned() } else { format!("{rows} rows hold") };
        let message = Text::new(
            format!(
                "{hold} the only rated answer to a prompt, with nothing to compare it with, so {} left out; rate a second answer to the same prompt.",
                they_are(rows)
            ),
            format!(
                "{rows} 行是某个提示唯一带评分的回答，没有可比较的，已排除；请再给同一提示的另一个回答评分。"
            ),
        );
        Some(finding(self.code(), Severity::Dropped, concerned, message))
    }
}

/// Rows with one rated answer each, of which several make a pair.
pub(super) struct RatedPairs;

impl Check for RatedPairs {
    fn code(&self) -> &'static str {
        "rated_pairs"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let joined = standing(survey, Standing::Joined);
        let is_joined = |row: usize| {
            survey
                .sources
                .get(survey.source_of(row))
                .is_some_and(crate::survey::OpenSource::is_joined)
        };
        let pairs = survey
            .kept()
            .filter(|(at, row)| row.standing != Standing::Joined && is_joined(*at))
            .count();
        if joined.is_empty() {
            return None;
        }
        let mut concerned = drop_rows(survey, &joined);
        concerned.rows += pairs as u64;
        let rows = concerned.rows;
        let make = if pairs == 1 { "1 pair".to_owned() } else { format!("{pairs} pairs") };
        let message = Text::new(
            format!(
                "{rows} rated answers make {make}: the best and the worst answer to each prompt. What is rated in between is not learnt from."
            ),
            format!(
                "{rows} 个带评分的回答组成 {pairs} 对：每个提示最好和最差的回答。评分居中的不参与学习。"
            ),
        );
        Some(finding(self.code(), Severity::Note, concerned, message))
    }
}

/// Kept rows whose answers stand so.
fn standing(survey: &Survey, standing: Standing) -> Vec<usize> {
    survey.kept().filter(|(_, row)| row.standing == standing).map(|(at, _)| at).collect()
}
