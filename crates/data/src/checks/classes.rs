use std::collections::HashMap;

use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity, Task};

use super::{Check, Stage, concern, finding, them};
use crate::facts::normalise;
use crate::shapes::{join_and, join_and_zh};
use crate::survey::Survey;
use crate::tally::Concerned;

/// Rows of a label below which it is hardly learnt.
const RARE: u64 = 5;

/// How many times larger than another a class may be before it is worth a note.
const UNEVEN: u64 = 10;

/// Labels named in a sentence.
const NAMED: usize = 5;

/// The first few labels in quotation marks, and how many more there are.
fn quoted(labels: &[&str]) -> Text {
    let named = labels.iter().take(NAMED);
    let (en, zh): (Vec<String>, Vec<String>) =
        named.map(|label| (format!("`{label}`"), format!("“{label}”"))).unzip();
    match labels.len().saturating_sub(NAMED) {
        0 => Text::new(join_and(&en), join_and_zh(&zh)),
        more => Text::new(
            format!("{} and {more} more", en.join(", ")),
            format!("{}等 {} 个", zh.join("、"), labels.len()),
        ),
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
        let all =
            if *rows == 1 { "The only row has".into() } else { format!("All {rows} rows have") };
        let message = Text::new(
            format!(
                "{all} the label `{label}`, so there is nothing to tell apart; add rows with other labels."
            ),
            format!("全部 {rows} 行的标签都是“{label}”，没有可区分的内容；请添加其他标签的行。"),
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
        let names = quoted(&rare);
        let message = Text::new(
            format!(
                "The {label} {} {has} fewer than {RARE} rows, too few to be learnt; add rows or merge {} with others.",
                names.en,
                them(rare.len() as u64)
            ),
            format!(
                "标签{}的行数不足 {RARE} 行，太少，学不会；请添加样本，或与其他标签合并。",
                names.zh
            ),
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
        let message = Text::new(
            format!(
                "The label `{largest}` has {most} rows and `{smallest}` only {fewest}, so accuracy alone flatters the model; look at macro-F1, or add rows of the rare labels."
            ),
            format!(
                "标签“{largest}”有 {most} 行，“{smallest}”只有 {fewest} 行，只看准确率会高估模型；请看宏平均 F1，或为稀少的标签添加样本。"
            ),
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
        let names = quoted(&similar);
        let message = Text::new(
            format!(
                "The labels {} differ only in case or spacing and count as different; write each in one way.",
                names.en
            ),
            format!("标签{}只有大小写或空格不同，会被当作不同的标签；请统一写法。", names.zh),
        );
        Some(finding(self.code(), Severity::Warning, concerned, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_labels_are_named_and_the_others_counted() {
        assert_eq!(quoted(&["a"]), Text::new("`a`", "“a”"));
        assert_eq!(quoted(&["a", "b", "c"]), Text::new("`a`, `b` and `c`", "“a”、“b”和“c”"));
        assert_eq!(
            quoted(&["a", "b", "c", "d", "e", "f", "g"]),
            Text::new("`a`, `b`, `c`, `d`, `e` and 2 more", "“a”、“b”、“c”、“d”、“e”等 7 个")
        );
    }
}
