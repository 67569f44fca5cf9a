//! chrF (Popović 2015, ACL W15-3049) and chrF++ (Popović 2017, ACL W17-4770), as sacreBLEU
//! computes them: character runs of 1 to 6, beta 2, white space left out.

use std::collections::HashMap;

use sanbao_contract::data::Task;

use super::{About, Answers, Measured, Metric, Place, Sums, Unit};
use crate::Phrase;
use crate::text::{Numbering, is_space, split};

/// Longest run of characters.
const CHARACTER_ORDERS: usize = 6;
/// Longest run of words in chrF++.
const WORD_ORDERS: usize = 2;
/// Recall counts beta squared times as much as precision.
const BETA_SQUARED: f64 = 4.0;

/// Words for chrF++: one punctuation mark at the end or the start of a word stands alone.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in split(text) {
        let (first, last) = (word.chars().next(), word.chars().next_back());
        let single = word.chars().nth(1).is_none();
        if !single && last.is_some_and(|c| c.is_ascii_punctuation()) {
            words.extend([&word[..word.len() - 1], &word[word.len() - 1..]]);
        } else if !single && first.is_some_and(|c| c.is_ascii_punctuation()) {
            words.extend([&word[..1], &word[1..]]);
        } else {
            words.push(word);
        }
    }
    words
}

/// Runs of the answer, of the reference, and shared, for one order.
fn order_counts<T: Eq + std::hash::Hash>(answer: &[T], reference: &[T], order: usize) -> [f64; 3] {
    let mut left: HashMap<&[T], usize> = HashMap::new();
    for run in reference.windows(order) {
        *left.entry(run).or_default() += 1;
    }
    let (mut runs, mut shared) = (0_usize, 0_usize);
    for run in answer.windows(order) {
        runs += 1;
        if let Some(count) = left.get_mut(run).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    let reference_runs = (reference.len() + 1).saturating_sub(order);
    // An order that the reference is too short for does not count against the answer.
    let runs = if reference_runs == 0 { 0 } else { runs };
    [runs as f64, reference_runs as f64, shared as f64]
}

/// Three counts of each order: characters first, then words (`word_orders` of them, 0 for chrF).
pub fn counts(answer: &str, reference: &str, word_orders: usize) -> Vec<f64> {
    let characters = |text: &str| text.chars().filter(|c| !is_space(*c)).collect::<Vec<char>>();
    let (answer_characters, reference_characters) = (characters(answer), characters(reference));
    let mut counts = Vec::with_capacity(3 * (CHARACTER_ORDERS + word_orders));
    for order in 1..=CHARACTER_ORDERS {
        counts.extend(order_counts(&answer_characters, &reference_characters, order));
    }
    let mut numbering = Numbering::default();
    let answer_words = numbering.of(words(answer));
    let reference_words = numbering.of(words(reference));
    for order in 1..=word_orders {
        counts.extend(order_counts(&answer_words, &reference_words, order));
    }
    counts
}

/// F score of summed counts, 0 to 100: precision and recall averaged over the orders that both
/// texts are long enough for, then combined.
pub fn score(counts: &[f64]) -> f64 {
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
    for order in counts.chunks_exact(3).filter(|order| order[0] > 0.0 && order[1] > 0.0) {
        precision += order[2] / order[0];
        recall += order[2] / order[1];
        orders += 1.0;
    }
    if orders == 0.0 || precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / orders, recall / orders);
    100.0 * (1.0 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
}

/// Corpus chrF.
pub struct Chrf {
    about: &'static About,
    word_orders: usize,
}

impl Metric for Chrf {
    fn about(&self) -> &'static About {
        self.about
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let width = 3 * (CHARACTER_ORDERS + self.word_orders);
        let mut sums = Sums::new(width, |amounts| Some(score(amounts)));
        for row in &answers.rows {
            sums.push(counts(row.answer, row.reference, self.word_orders).into_iter().enumerate());
        }
        Some(Box::new(sums))
    }
}

/// chrF2.
pub static CHRF: Chrf = Chrf {
    about: &About {
        name: "chrf",
        label: Phrase { en: "chrF", zh: "chrF" },
        explanation: Phrase {
            en: "How close the answers are to the expected ones, letter by letter, 0 to 100.",
            zh: "答案与预期在字符层面有多接近，0 到 100。",
        },
        higher_is_better: true,
        unit: Unit::Points,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Instruct, Place::Headline)],
    },
    word_orders: 0,
};

/// chrF2++.
pub static CHRF_PLUS_PLUS: Chrf = Chrf {
    about: &About {
        name: "chrf_plus_plus",
        label: Phrase { en: "chrF++", zh: "chrF++" },
        explanation: Phrase {
            en: "chrF with single words and word pairs counted as well, 0 to 100.",
            zh: "在 chrF 的基础上同时统计单词和词对，0 到 100。",
        },
        higher_is_better: true,
        unit: Unit::Points,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Instruct, Place::OnRequest)],
    },
    word_orders: WORD_ORDERS,
};
