use std::collections::HashMap;

use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity};

use super::{Check, Stage, drop_rows, finding};
use crate::facts::Standing;
use crate::survey::Survey;

/// Pairs of one prompt of which each says the opposite of the other.
pub(super) struct ReversedPairs;

impl Check for ReversedPairs {
    fn code(&self) -> &'static str {
        "reversed_pairs"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let is_pair = |standing| matches!(standing, Standing::Forward | Standing::Backward);
        let mut rows: Vec<usize> = Vec::new();
        for group in survey.by_input(|row| is_pair(row.standing)).iter() {
            let mut pairs: HashMap<u32, Vec<usize>> = HashMap::new();
            for row in group {
                let row = *row as usize;
                pairs.entry(survey.rows[row].output).or_default().push(row);
            }
            let standing = |row: &usize| survey.rows[*row].standing;
            rows.extend(
                pairs
                    .into_values()
                    .filter(|pair| pair.iter().any(|row| standing(row) != standing(&pair[0])))
                    .flatten(),
            );
        }
        if rows.is_empty() {
            return None;
        }
        rows.sort_unstable();
        let concerned = drop_rows(survey, &rows);
        let message = Text::new(
            format!(
                "{} rows prefer of the same two answers to the same prompt now one and now the other, so they are left out; keep those that are right.",
                concerned.rows
            ),
            format!(
                "{} 行对同一提示的同样两个回答做出了相反的选择，已排除；请只保留正确的行。",
                concerned.rows
            ),
        );
        Some(finding(self.code(), Severity::Dropped, concerned, message))
    }
}
