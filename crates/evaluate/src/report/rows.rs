//! The rows side by side, ready for the page.

use sanbao_contract::data::Task;
use sanbao_contract::verdict::{Answer, Compared, Pick, Score, Verdict, Why};

use super::format::{count, shortened};
use super::messages::{Messages, score, why};
use super::words::{Stretch, compare};
use crate::Language;
use crate::text::printable;
use crate::verdict::{decimals, fixed, percent};

/// Characters of a text that are shown.
const MOST_CHARACTERS: usize = 1200;
/// Characters of a passage of prose that are shown: enough to know it by.
const MOST_OF_A_PASSAGE: usize = 360;

/// One model's answer.
pub(super) struct AnswerView {
    pub name: &'static str,
    pub class: &'static str,
    pub stretches: Vec<Stretch>,
    /// Whether the label is right (classify).
    pub mark: Option<&'static str>,
    pub is_right: bool,
}

/// One row.
pub(super) struct RowView {
    pub number: String,
    pub why: &'static str,
    pub class: &'static str,
    pub score: &'static str,
    pub before: String,
    pub after: String,
    pub prompt: String,
    /// The expected answer; `None` for prose, where the passage itself is all there is.
    pub reference: Option<String>,
    pub answers: Vec<AnswerView>,
}

/// The rows, and whether any text was shortened.
pub(super) fn rows(
    verdict: &Verdict,
    language: Language,
    words: &Messages,
) -> (Vec<RowView>, bool) {
    let longest = most_shown(verdict.task);
    let is_long = |text: &str| text.chars().nth(longest).is_some();
    let shortened_any = verdict.side_by_side.iter().any(|row| {
        [&row.prompt, &row.reference, &row.before.text, &row.after.text]
            .iter()
            .any(|text| is_long(text))
    });
    let rows = verdict.side_by_side.iter().zip(&verdict.picks);
    (
        rows.map(|(row, pick)| view(row, pick, verdict.task, language, words)).collect(),
        shortened_any,
    )
}

fn view(row: &Compared, pick: &Pick, task: Task, language: Language, words: &Messages) -> RowView {
    let figure = |value: f64| match pick.score {
        Score::Probability => format!("{}%", percent(value)),
        Score::Chrf => fixed(value, 1),
        Score::Perplexity | Score::Reward => decimals(value),
    };
    let answers = match task {
        Task::Prose => Vec::new(),
        _ => vec![
            answer(&row.before, row, task, words.before, "before", words),
            answer(&row.after, row, task, words.after, "after", words),
        ],
    };
    let (prompt, reference) = match task {
        Task::Prose if row.reference.is_empty() => (&row.prompt, None),
        Task::Prose => (&row.reference, None),
        Task::PromptOnly => (&row.prompt, None),
        _ => (&row.prompt, Some(shown(&row.reference, most_shown(task), words))),
    };
    RowView {
        number: count(pick.row),
        why: why(pick.why).get(language),
        class: match pick.why {
            Why::Gain => "gain",
            Why::Typical => "typical",
            Why::Regression => "regression",
        },
        score: score(pick.score).get(language),
        before: figure(pick.before),
        after: figure(pick.after),
        prompt: shown(prompt, most_shown(task), words),
        reference,
        answers,
    }
}

fn answer(
    answer: &Answer,
    row: &Compared,
    task: Task,
    name: &'static str,
    class: &'static str,
    words: &Messages,
) -> AnswerView {
    let text = shown(&answer.text, most_shown(task), words);
    let is_right = answer.text == row.reference;
    let (stretches, mark) = if task == Task::Classify {
        let mark = if is_right { words.yes } else { words.no };
        (vec![Stretch { text, differs: false }], Some(mark))
    } else if answer.text.trim().is_empty() {
        (vec![Stretch { text, differs: false }], None)
    } else {
        (compare(&text, &printable(&row.reference)), None)
    };
    AnswerView { name, class, stretches, mark, is_right }
}

fn most_shown(task: Task) -> usize {
    if task == Task::Prose { MOST_OF_A_PASSAGE } else { MOST_CHARACTERS }
}

/// A text as it is shown: harmless, not too long, not invisible.
fn shown(text: &str, most: usize, words: &Messages) -> String {
    let text = printable(text);
    let text = text.trim();
    if text.is_empty() { words.empty.to_owned() } else { shortened(text, most) }
}
