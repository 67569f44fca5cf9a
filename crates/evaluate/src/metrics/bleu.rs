//! BLEU (Papineni et al. 2002, ACL P02-1040), as sacreBLEU computes it: one reference, orders 1
//! to 4, exponential smoothing.

use std::collections::HashMap;

use sanbao_contract::data::Task;

use super::{About, Answers, Measured, Metric, Place, Sums, Unit, bleu_tokenizers};
use crate::Phrase;
use crate::text::{Numbering, has_unspaced, is_space, split};

/// Longest run of words that is counted.
const ORDERS: usize = 4;

/// sacreBLEU's tokenizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokenizer {
    /// mteval-v13a: sacreBLEU's default.
    V13a,
    /// Unicode punctuation and symbols apart.
    Intl,
    /// Words between white space.
    None,
    /// Every Chinese character apart, the rest as `V13a`.
    Zh,
    /// Every character apart.
    Char,
}

impl Tokenizer {
    /// `Zh` when the reference has characters of a script without spaces, else `V13a`.
    pub fn for_reference(text: &str) -> Self {
        if has_unspaced(text) { Self::Zh } else { Self::V13a }
    }

    /// The tokenised text, tokens joined by blanks. White space at the end is dropped first.
    pub fn apply(self, text: &str) -> String {
        let text = text.trim_end_matches(is_space);
        match self {
            Self::V13a => bleu_tokenizers::v13a(text),
            Self::Intl => bleu_tokenizers::intl(text),
            Self::None => text.to_owned(),
            Self::Zh => bleu_tokenizers::zh(text),
            Self::Char => bleu_tokenizers::characters(text),
        }
    }
}

/// What BLEU is made of, additive over rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Matching runs of each order, clipped to how often the reference has them.
    pub matches: [f64; ORDERS],
    /// Runs of each order in the answer.
    pub totals: [f64; ORDERS],
    /// Tokens of the answer.
    pub answer_length: f64,
    /// Tokens of the reference.
    pub reference_length: f64,
}

impl Counts {
    /// Counts of one answer.
    pub fn of(answer: &str, reference: &str, tokenizer: Tokenizer) -> Self {
        let (answer, reference) = (tokenizer.apply(answer), tokenizer.apply(reference));
        let mut numbering = Numbering::default();
        let answer = numbering.of(split(&answer));
        let reference = numbering.of(split(&reference));
        let mut counts = Self {
            answer_length: answer.len() as f64,
            reference_length: reference.len() as f64,
            ..Self::default()
        };
        for order in 1..=ORDERS {
            let mut left: HashMap<&[u32], usize> = HashMap::new();
            for run in reference.windows(order) {
                *left.entry(run).or_default() += 1;
            }
            for run in answer.windows(order) {
                counts.totals[order - 1] += 1.0;
                if let Some(count) = left.get_mut(run).filter(|count| **count > 0) {
                    *count -= 1;
                    counts.matches[order - 1] += 1.0;
                }
            }
        }
        counts
    }

    fn amounts(&self) -> impl Iterator<Item = (usize, f64)> {
        let lengths = [self.answer_length, self.reference_length];
        self.matches.into_iter().chain(self.totals).chain(lengths).enumerate()
    }

    fn from_amounts(amounts: &[f64]) -> Option<Self> {
        Some(Self {
            matches: amounts.get(..ORDERS)?.try_into().ok()?,
            totals: amounts.get(ORDERS..2 * ORDERS)?.try_into().ok()?,
            answer_length: *amounts.get(2 * ORDERS)?,
            reference_length: *amounts.get(2 * ORDERS + 1)?,
        })
    }

    /// exp(1 - reference/answer) for an answer shorter than its reference, else 1.
    pub fn brevity_penalty(&self) -> f64 {
        if self.answer_length >= self.reference_length {
            1.0
        } else if self.answer_length > 0.0 {
            (1.0 - self.reference_length / self.answer_length).exp()
        } else {
            0.0
        }
    }

    /// Precision of each order in per cent; an order without a match gets half the weight of the
    /// one before it that had none.
    pub fn precisions(&self) -> [f64; ORDERS] {
        let mut precisions = [0.0; ORDERS];
        let mut smoothing = 1.0;
        for (precision, (matches, total)) in
            precisions.iter_mut().zip(self.matches.iter().zip(&self.totals))
        {
            if *total == 0.0 {
                break;
            }
            *precision = if *matches == 0.0 {
                smoothing *= 2.0;
                100.0 / (smoothing * total)
            } else {
                100.0 * matches / total
            };
        }
        precisions
    }

    /// BLEU from 0 to 100. With `effective_order` only orders that the answer is long enough for
    /// count: the form for single sentences.
    pub fn score(&self, effective_order: bool) -> f64 {
        if self.matches.iter().all(|matches| *matches == 0.0) {
            return 0.0;
        }
        let there = self.totals.iter().take_while(|total| **total > 0.0).count();
        let orders = if effective_order { there } else { ORDERS };
        let precisions = self.precisions();
        if precisions[..orders].contains(&0.0) {
            return 0.0;
        }
        let logs: f64 = precisions[..orders].iter().map(|precision| precision.ln()).sum();
        self.brevity_penalty() * (logs / orders as f64).exp()
    }
}

/// Corpus BLEU with the tokenizer that suits each row's reference.
pub struct Bleu;

static ABOUT: About = About {
    name: "bleu",
    label: Phrase { en: "BLEU", zh: "BLEU" },
    explanation: Phrase {
        en: "How many runs of up to four words the answers share with the expected ones, 0 to 100.",
        zh: "答案与预期共有多少连续一至四个词的片段，0 到 100。",
    },
    higher_is_better: true,
    unit: Unit::Points,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Instruct, Place::Detail)],
};

impl Metric for Bleu {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let mut sums = Sums::new(2 * ORDERS + 2, |amounts| {
            Counts::from_amounts(amounts).map(|counts| counts.score(false))
        })
        .with_single(|amounts| Counts::from_amounts(amounts).map(|counts| counts.score(true)));
        for row in &answers.rows {
            let tokenizer = Tokenizer::for_reference(row.reference);
            sums.push(Counts::of(row.answer, row.reference, tokenizer).amounts());
        }
        Some(Box::new(sums))
    }
}
