//! ROUGE (Lin 2004, ACL W04-1013), as the `rouge_score` package computes it, stemmer off.

use std::collections::HashMap;

use sanbao_contract::data::Task;

use super::sums::mean_of;
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;
use crate::text::{Numbering, Units};

/// Precision, recall and their harmonic mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    /// Share of the answer's units that are in the reference.
    pub precision: f64,
    /// Share of the reference's units that are in the answer.
    pub recall: f64,
    /// 2·precision·recall / (precision + recall), 0 when both are 0.
    pub f1: f64,
}

impl Score {
    fn of(hits: usize, answer: usize, reference: usize) -> Self {
        let share = |whole: usize| if whole == 0 { 0.0 } else { hits as f64 / whole as f64 };
        let (precision, recall) = (share(answer), share(reference));
        let sum = precision + recall;
        let f1 = if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 };
        Self { precision, recall, f1 }
    }
}

/// Both texts as numbers, equal units by equal numbers.
fn numbered(answer: &[String], reference: &[String]) -> (Vec<u32>, Vec<u32>) {
    let mut numbering = Numbering::default();
    let answer = numbering.of(answer.iter().map(String::as_str));
    let reference = numbering.of(reference.iter().map(String::as_str));
    (answer, reference)
}

fn numbered_lines<'a>(numbering: &mut Numbering<'a>, lines: &'a [Vec<String>]) -> Vec<Vec<u32>> {
    lines.iter().map(|line| numbering.of(line.iter().map(String::as_str))).collect()
}

/// ROUGE-N: shared runs of `order` units, each counted as often as both have it.
pub fn rouge_n(answer: &str, reference: &str, order: usize, units: Units) -> Score {
    let (answer, reference) = numbered(&units.cut(answer), &units.cut(reference));
    let mut left: HashMap<&[u32], usize> = HashMap::new();
    for run in reference.windows(order.max(1)) {
        *left.entry(run).or_default() += 1;
    }
    let mut hits = 0;
    for run in answer.windows(order.max(1)) {
        if let Some(count) = left.get_mut(run).filter(|count| **count > 0) {
            *count -= 1;
            hits += 1;
        }
    }
    let runs = |length: usize| (length + 1).saturating_sub(order.max(1));
    Score::of(hits, runs(answer.len()), runs(reference.len()))
}

/// ROUGE-L: longest common subsequence of units.
pub fn rouge_l(answer: &str, reference: &str, units: Units) -> Score {
    let (answer, reference) = numbered(&units.cut(answer), &units.cut(reference));
    Score::of(common_length(&answer, &reference), answer.len(), reference.len())
}

/// ROUGE-Lsum: for each line of the reference the union of its longest common subsequences with
/// every line of the answer, no unit counted more often than either text has it.
pub fn rouge_lsum(answer: &str, reference: &str, units: Units) -> Score {
    let cut = |text: &str| -> Vec<Vec<String>> {
        text.split('\n').filter(|line| !line.is_empty()).map(|line| units.cut(line)).collect()
    };
    let (answer, reference) = (cut(answer), cut(reference));
    let mut numbering = Numbering::default();
    let answer = numbered_lines(&mut numbering, &answer);
    let reference = numbered_lines(&mut numbering, &reference);
    let mut answer_left = occurrences(&answer);
    let mut reference_left = occurrences(&reference);
    let mut hits = 0;
    for line in &reference {
        let mut shared = vec![false; line.len()];
        for other in &answer {
            mark_common(line, other, &mut shared);
        }
        for (unit, _) in line.iter().zip(&shared).filter(|(_, shared)| **shared) {
            let (Some(ours), Some(theirs)) =
                (answer_left.get_mut(unit), reference_left.get_mut(unit))
            else {
                continue;
            };
            if *ours > 0 && *theirs > 0 {
                *ours -= 1;
                *theirs -= 1;
                hits += 1;
            }
        }
    }
    let length = |lines: &[Vec<u32>]| lines.iter().map(Vec::len).sum();
    Score::of(hits, length(&answer), length(&reference))
}

fn occurrences(lines: &[Vec<u32>]) -> HashMap<u32, usize> {
    let mut counts = HashMap::new();
    for unit in lines.iter().flatten() {
        *counts.entry(*unit).or_default() += 1;
    }
    counts
}

/// Length of the longest common subsequence, one row of the table at a time.
fn common_length(left: &[u32], right: &[u32]) -> usize {
    let mut lengths = vec![0_usize; right.len() + 1];
    for unit in left {
        let mut diagonal = 0;
        for (at, other) in right.iter().enumerate() {
            let above = lengths[at + 1];
            lengths[at + 1] = if unit == other { diagonal + 1 } else { above.max(lengths[at]) };
            diagonal = above;
        }
    }
    lengths[right.len()]
}

/// Marks the units of `line` on one longest common subsequence with `other`. Among several the one
/// that walking back from the ends finds, stepping back in `line` on equal lengths.
fn mark_common(line: &[u32], other: &[u32], shared: &mut [bool]) {
    let width = other.len() + 1;
    let mut lengths = vec![0_u32; (line.len() + 1) * width];
    for (i, unit) in line.iter().enumerate() {
        for (j, candidate) in other.iter().enumerate() {
            lengths[(i + 1) * width + j + 1] = if unit == candidate {
                lengths[i * width + j] + 1
            } else {
                lengths[i * width + j + 1].max(lengths[(i + 1) * width + j])
            };
        }
    }
    let (mut i, mut j) = (line.len(), other.len());
    while i > 0 && j > 0 {
        if line[i - 1] == other[j - 1] {
            shared[i - 1] = true;
            i -= 1;
            j -= 1;
        } else if lengths[i * width + j - 1] > lengths[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
}

/// Mean F1 of one ROUGE over rows, in the units that suit each row's reference.
pub struct Rouge {
    about: &'static About,
    score: fn(&str, &str, Units) -> Score,
}

impl Metric for Rouge {
    fn about(&self) -> &'static About {
        self.about
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let scores = answers.rows.iter().map(|row| {
            (self.score)(row.answer, row.reference, Units::for_reference(row.reference)).f1
        });
        Some(Box::new(mean_of(scores)))
    }
}

/// ROUGE-1.
pub static ROUGE_1: Rouge = Rouge {
    about: &About {
        name: "rouge_1",
        label: Phrase { en: "ROUGE-1", zh: "ROUGE-1" },
        explanation: Phrase {
            en: "How many single words the answer shares with the expected one.",
            zh: "答案与预期共有多少单个词语。",
        },
        higher_is_better: true,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Instruct, Place::Detail)],
    },
    score: |answer, reference, units| rouge_n(answer, reference, 1, units),
};

/// ROUGE-2.
pub static ROUGE_2: Rouge = Rouge {
    about: &About {
        name: "rouge_2",
        label: Phrase { en: "ROUGE-2", zh: "ROUGE-2" },
        explanation: Phrase {
            en: "How many pairs of neighbouring words the answer shares with the expected one.",
            zh: "答案与预期共有多少相邻词对。",
        },
        higher_is_better: true,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Instruct, Place::Detail)],
    },
    score: |answer, reference, units| rouge_n(answer, reference, 2, units),
};

/// ROUGE-L.
pub static ROUGE_L: Rouge = Rouge {
    about: &About {
        name: "rouge_l",
        label: Phrase { en: "ROUGE-L", zh: "ROUGE-L" },
        explanation: Phrase {
            en: "How much of the expected answer appears in the same order, gaps allowed.",
            zh: "预期答案中有多少内容以相同顺序出现（允许间隔）。",
        },
        higher_is_better: true,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Instruct, Place::Headline)],
    },
    score: rouge_l,
};

/// ROUGE-Lsum.
pub static ROUGE_LSUM: Rouge = Rouge {
    about: &About {
        name: "rouge_lsum",
        label: Phrase { en: "ROUGE-Lsum", zh: "ROUGE-Lsum" },
        explanation: Phrase {
            en: "The same as ROUGE-L, line by line: for summaries of several sentences.",
            zh: "与 ROUGE-L 相同，但逐行比较，适合多句摘要。",
        },
        higher_is_better: true,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Instruct, Place::OnRequest)],
    },
    score: rouge_lsum,
};
