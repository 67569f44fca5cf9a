use sanbao_contract::Text;
use sanbao_contract::data::{Finding, Severity, Task};

use super::{Check, Stage, finding};
use crate::survey::Survey;
use crate::tally::Concerned;

/// Answers of which all were liked, or none, so that nothing tells the good from the bad.
pub(super) struct OneSided;

impl Check for OneSided {
    fn code(&self) -> &'static str {
        "one_sided"
    }

    fn stage(&self) -> Stage {
        Stage::Rows
    }

    fn examine(&self, survey: &mut Survey) -> Option<Finding> {
        if survey.task != Task::Unpaired {
            return None;
        }
        let mut verdicts = survey.kept().map(|(_, row)| row.output);
        let first = verdicts.next()?;
        if !verdicts.all(|verdict| verdict == first) {
            return None;
        }
        let message = Text::new(
            "Every answer has the same label, so that nothing tells the good ones from the bad ones; add answers with the other label.",
            "所有回答的标签都相同，无从区分好坏；请添加另一种标签的回答。",
        );
        let concerned = Concerned { rows: survey.kept().count() as u64, examples: Vec::new() };
        Some(finding(self.code(), Severity::Warning, concerned, message))
    }
}
