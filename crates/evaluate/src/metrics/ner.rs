//! Spans of tagged words (named entities): the conlleval rule of CoNLL-2000.

use std::collections::HashSet;

use sanbao_contract::data::Task;

use super::{About, Answers, Measured, Metric, Place, Sums, Unit};
use crate::Phrase;
use crate::text::split;

/// A span: type, first word, word after the last.
pub type Span<'a> = (&'a str, usize, usize);

/// `B`, `I` or `O` and the type of a tag such as `B-PER`; `None` for anything else.
fn parse(tag: &str) -> Option<(char, &str)> {
    match tag.split_once('-') {
        None => (tag == "O").then_some(('O', "")),
        Some(("B", kind)) if !kind.is_empty() => Some(('B', kind)),
        Some(("I", kind)) if !kind.is_empty() => Some(('I', kind)),
        Some(_) => None,
    }
}

/// The spans of a tag sequence: a `B-` tag starts one, and so does an `I-` tag that continues
/// nothing of its type. What is not a tag ends a span.
pub fn spans<'a>(tags: &[&'a str]) -> HashSet<Span<'a>> {
    let mut spans = HashSet::new();
    let mut open: Option<(&str, usize)> = None;
    for (at, tag) in tags.iter().enumerate() {
        let (position, kind) = parse(tag).unwrap_or(('O', ""));
        let continues = position == 'I' && open.is_some_and(|(known, _)| known == kind);
        if continues {
            continue;
        }
        if let Some((kind, start)) = open.take() {
            spans.insert((kind, start, at));
        }
        if position != 'O' {
            open = Some((kind, at));
        }
    }
    if let Some((kind, start)) = open {
        spans.insert((kind, start, tags.len()));
    }
    spans
}

/// Shared spans, spans of the answer, spans of the reference.
pub fn counts(answer: &[&str], reference: &[&str]) -> [f64; 3] {
    let (answer, reference) = (spans(answer), spans(reference));
    let shared = answer.intersection(&reference).count();
    [shared as f64, answer.len() as f64, reference.len() as f64]
}

/// 2·shared / (answer + reference) of summed counts; `None` when there is no span at all.
pub fn f1(counts: &[f64]) -> Option<f64> {
    match counts {
        [shared, answer, reference] if answer + reference > 0.0 => {
            Some(2.0 * shared / (answer + reference))
        }
        _ => None,
    }
}

/// F1 of exact spans, when the references are tag sequences (`O B-PER I-PER …`).
pub struct SpanF1;

static ABOUT: About = About {
    name: "span_f1",
    label: Phrase { en: "Span F1", zh: "实体 F1" },
    explanation: Phrase {
        en: "How many tagged spans (names, places) are found with exactly the right ends and type.",
        zh: "边界和类型都完全正确的标注片段（人名、地名等）的比例。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Instruct, Place::Headline)],
};

impl Metric for SpanF1 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let are_tags = |text: &str| {
            split(text).next().is_some() && split(text).all(|tag| parse(tag).is_some())
        };
        if !answers.rows.iter().all(|row| are_tags(row.reference)) {
            return None;
        }
        let mut sums = Sums::new(3, f1);
        for row in &answers.rows {
            let answer: Vec<&str> = split(row.answer).collect();
            let reference: Vec<&str> = split(row.reference).collect();
            sums.push(counts(&answer, &reference).into_iter().enumerate());
        }
        Some(Box::new(sums))
    }
}
