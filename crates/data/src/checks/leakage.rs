use std::collections::HashSet;

use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Part, Severity};

use super::{Check, Stage, concern, drop_rows, finding, rows_are, they_are};
use crate::survey::Survey;

/// Held-out rows whose input is learnt too, which would flatter the verdict. The split never does
/// this; files given for a part may.
pub(super) struct Leakage;

impl Check for Leakage {
    fn code(&self) -> &'static str {
        "leakage"
    }

    fn stage(&self) -> Stage {
        Stage::Parts
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let mut leaked: Vec<usize> = Vec::new();
        for group in survey.by_input(|row| !row.running).iter().filter(|group| group.len() > 1) {
            let part = |row: &u32| survey.rows[*row as usize].part;
            let in_training = group.iter().any(|row| part(row) == Some(Part::Train));
            let in_test = group.iter().any(|row| part(row) == Some(Part::Test));
            let leaks = |row: &u32| match part(row) {
                Some(Part::Test) => in_training,
                Some(Part::Validation) => in_training || in_test,
                _ => false,
            };
            leaked.extend(group.iter().filter(|row| leaks(row)).map(|row| *row as usize));
        }
        if leaked.is_empty() {
            return None;
        }
        leaked.sort_unstable();
        let concerned = drop_rows(survey, &leaked);
        let rows = concerned.rows;
        let message = Text::new(
            format!(
                "{} held out although the same input (apart from case and spacing) is in another part, so {} left out of the held-out part.",
                rows_are(rows),
                they_are(rows)
            ),
            format!(
                "{rows} 行留作检验，但同样的输入（不计大小写和空格）也出现在其他部分，已从检验部分排除。"
            ),
        );
        Some(finding(self.code(), Severity::Dropped, concerned, message))
    }
}

/// Held-out rows with a label that is never learnt.
pub(super) struct UnseenLabel;

impl Check for UnseenLabel {
    fn code(&self) -> &'static str {
        "unseen_label"
    }

    fn stage(&self) -> Stage {
        Stage::Parts
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        let learnt: HashSet<usize> = survey
            .kept()
            .filter(|(_, row)| row.part == Some(Part::Train))
            .filter_map(|(_, row)| row.label())
            .collect();
        let unseen: Vec<usize> = survey
            .kept()
            .filter(|(_, row)| row.label().is_some_and(|label| !learnt.contains(&label)))
            .map(|(at, _)| at)
            .collect();
        let first = survey.rows.get(*unseen.first()?)?.label()?;
        let label = survey.label_name(first).to_owned();
        let concerned = concern(survey, &unseen);
        let message = Text::new(
            format!(
                "{} held out with a label that no training row has (such as `{label}`), which the model cannot learn; correct the label or add training rows.",
                rows_are(concerned.rows)
            ),
            format!(
                "{} 行留作检验，但其标签（如“{label}”）在训练部分从未出现，模型无法学会；请改正标签或添加训练样本。",
                concerned.rows
            ),
        );
        Some(finding(self.code(), Severity::Warning, concerned, message))
    }
}
