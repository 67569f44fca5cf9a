//! Levenshtein distance, and the error rates made of it.

use std::collections::HashMap;

use sanbao_contract::data::Task;

use super::sums::ratio;
use super::{About, Answers, Measured, Metric, Place, Sums, Unit};
use crate::Phrase;
use crate::text::{Numbering, split};

/// Fewest insertions, deletions and substitutions that turn one sequence into the other.
///
/// Bit-parallel (Myers 1999, doi:10.1145/316542.316550, in the block form of Hyyrö 2003): 64 cells
/// of the table at a time.
pub fn distance(left: &[u32], right: &[u32]) -> usize {
    if left.is_empty() || right.is_empty() {
        return left.len().max(right.len());
    }
    let blocks = left.len().div_ceil(64);
    let mut positions: HashMap<u32, Vec<u64>> = HashMap::new();
    for (at, unit) in left.iter().enumerate() {
        positions.entry(*unit).or_insert_with(|| vec![0; blocks])[at / 64] |= 1 << (at % 64);
    }
    let nowhere = vec![0; blocks];
    let last_bit = 1_u64 << ((left.len() - 1) % 64);
    let (mut rises, mut falls) = (vec![u64::MAX; blocks], vec![0_u64; blocks]);
    let mut distance = left.len();
    for unit in right {
        let matches = positions.get(unit).unwrap_or(&nowhere);
        // The first row of the table rises by one at each column.
        let (mut carry_rise, mut carry_fall) = (1_u64, 0_u64);
        for block in 0..blocks {
            let (rise, fall) = (rises[block], falls[block]);
            let equal = matches[block] | carry_fall;
            let diagonal = (((equal & rise).wrapping_add(rise)) ^ rise) | equal | fall;
            let mut rise_across = fall | !(diagonal | rise);
            let mut fall_across = rise & diagonal;
            if block == blocks - 1 {
                if rise_across & last_bit != 0 {
                    distance += 1;
                } else if fall_across & last_bit != 0 {
                    distance -= 1;
                }
            }
            let (next_rise, next_fall) = (rise_across >> 63, fall_across >> 63);
            rise_across = (rise_across << 1) | carry_rise;
            fall_across = (fall_across << 1) | carry_fall;
            let vertical = matches[block] | fall;
            rises[block] = fall_across | !(vertical | rise_across);
            falls[block] = rise_across & vertical;
            (carry_rise, carry_fall) = (next_rise, next_fall);
        }
    }
    distance
}

/// Distance in characters and the reference's number of characters.
pub fn characters(answer: &str, reference: &str) -> (usize, usize) {
    let numbers = |text: &str| text.chars().map(u32::from).collect::<Vec<u32>>();
    let reference = numbers(reference);
    (distance(&numbers(answer), &reference), reference.len())
}

/// Distance in words (between white space) and the reference's number of words.
pub fn words(answer: &str, reference: &str) -> (usize, usize) {
    let mut numbering = Numbering::default();
    let answer = numbering.of(split(answer));
    let reference = numbering.of(split(reference));
    (distance(&answer, &reference), reference.len())
}

/// Edits over the whole length of the references.
pub struct ErrorRate {
    about: &'static About,
    edits: fn(&str, &str) -> (usize, usize),
}

impl Metric for ErrorRate {
    fn about(&self) -> &'static About {
        self.about
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let mut sums = Sums::new(2, ratio);
        for row in &answers.rows {
            let (edits, length) = (self.edits)(row.answer, row.reference);
            sums.push([(0, edits as f64), (1, length as f64)]);
        }
        Some(Box::new(sums))
    }
}

/// Character error rate.
pub static CHARACTER_ERROR_RATE: ErrorRate = ErrorRate {
    about: &About {
        name: "cer",
        label: Phrase { en: "Character error rate", zh: "字符错误率" },
        explanation: Phrase {
            en: "How many characters would have to be changed to get the expected answer, for each of its characters.",
            zh: "每个预期字符平均需要改动多少个字符才能得到预期答案。",
        },
        higher_is_better: false,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Instruct, Place::Detail)],
    },
    edits: characters,
};

/// Word error rate.
pub static WORD_ERROR_RATE: ErrorRate = ErrorRate {
    about: &About {
        name: "wer",
        label: Phrase { en: "Word error rate", zh: "词错误率" },
        explanation: Phrase {
            en: "How many words would have to be changed to get the expected answer, for each of its words.",
            zh: "每个预期词语平均需要改动多少个词才能得到预期答案。",
        },
        higher_is_better: false,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Instruct, Place::OnRequest)],
    },
    edits: words,
};
