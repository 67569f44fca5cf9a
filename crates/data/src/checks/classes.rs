use std::collections::HashMap;

use sanbao_contract::data::{Finding, Severity, Task};

use super::{Check, Stage, concern, finding};
use crate::facts::normalise;
use crate::shapes::join_and;
use crate::survey::Survey;
use crate::tally::Concerned;

/// Rows of a label below which it is hardly learnt.
const RARE: u64 = 5;

/// How many times larger than another a class may be before it is worth a note.
const UNEVEN: u64 = 10;

/// Labels named in a sentence.
const NAMED: usize = 5;

fn quoted<'a>(labels: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = labels.map(|label| format!("`{label}`")).collect();
    match all.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", all[..NAMED].join(", ")),
        _ => join_and(&all),
    }
}

/// Rows whose label is one of those given.
fn rows_of(survey: &Survey, labels: &[&str]) -> Concerned {
    let rows: Vec<usize> = survey
        .kept()
        .filter(|(_, row)| {
            row.label().is_some_and(|label| labels.contains(&survey.label_name(label)))
        })
        .map(|(at, _)| at)
        .collect();
    concern(survey, &rows)
}

/// Every row has the same label.
pub(super) struct SingleClass;

impl Check for SingleClass {
    fn code(&self) -> &'static str {
        "single_class"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let counts = survey.label_counts();
        let [(label, rows)] = counts.as_slice() else { return None };
        let message = format!(
            "All {rows} rows have the label `{label}`, so there is nothing to tell apart; add rows with other labels."
        );
        Some(finding(
            self.code(),
            Severity::Error,
            Concerned { rows: *rows, examples: Vec::new() },
            message,
        ))
    }
}

/// Labels with a handful of rows.
pub(super) struct RareClass;

impl Check for RareClass {
    fn code(&self) -> &'static str {
        "rare_class"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let counts = survey.label_counts();
        let rare: Vec<&str> = counts
            .iter()
            .filter(|(_, rows)| *rows < RARE)
            .map(|(label, _)| label.as_str())
            .collect();
        if rare.is_empty() || counts.len() < 2 {
            return None;
        }
        let concerned = rows_of(survey, &rare);
        let (label, has) = if rare.len() == 1 { ("label", "has") } else { ("labels", "have") };
        let message = format!(
            "The {label} {} {has} fewer than {RARE} rows, too few to be learnt; add rows or merge {} with others.",
            quoted(rare.iter().copied()),
            if rare.len() == 1 { "it" } else { "them" }
        );
        Some(finding(self.code(), Severity::Warning, concerned, message))
    }
}

/// One label is far more frequent than another.
pub(super) struct Imbalance;

impl Check for Imbalance {
    fn code(&self) -> &'static str {
        "imbalance"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let counts = survey.label_counts();
        let (largest, most) = counts.first()?;
        let (smallest, fewest) = counts.last()?;
        if *most < UNEVEN * fewest {
            return None;
        }
        let message = format!(
            "The label `{largest}` has {most} rows and `{smallest}` only {fewest}, so accuracy alone flatters the model; look at macro-F1, or add rows of the rare labels."
        );
        Some(finding(
            self.code(),
            Severity::Note,
            Concerned { rows: *fewest, examples: Vec::new() },
            message,
        ))
    }
}

/// Labels that differ only in case, spacing or character width.
pub(super) struct SimilarLabels;

impl Check for SimilarLabels {
    fn code(&self) -> &'static str {
        "similar_labels"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        if survey.task != Task::Classify {
            return None;
        }
        let counts = survey.label_counts();
        let mut spellings: HashMap<String, Vec<&str>> = HashMap::new();
        for (label, _) in &counts {
            spellings.entry(normalise(label)).or_default().push(label);
        }
        let mut similar: Vec<&str> =
            spellings.into_values().filter(|labels| labels.len() > 1).flatten().collect();
        if similar.is_empty() {
            return None;
        }
        similar.sort_unstable();
        let concerned = rows_of(survey, &similar);
        let message = format!(
            "The labels {} differ only in case or spacing and count as different; write each in one way.",
            quoted(similar.iter().copied())
        );
        Some(finding(self.code(), Severity::Warning, concerned, message))
    }
}
