//! Metrics: what is measured on held-out rows.
//!
//! A metric looks at all rows once ([`Metric::measure`]); what it keeps can then be asked for the
//! corpus value under any multiplicity of rows ([`Measured::value`]), which is what a bootstrap
//! needs, and for the value of one row alone ([`Measured::row`]).

use sanbao_contract::data::Task;

use crate::Phrase;

mod accuracy;
mod auc;
pub mod bleu;
mod bleu_tokenizers;
mod brier;
pub mod chrf;
mod classes;
pub mod correlation;
mod ece;
pub mod edit_distance;
mod exact_match;
mod kappa;
mod loss;
mod macro_f1;
mod mcc;
mod micro_f1;
pub mod ner;
mod perplexity;
mod reward;
pub mod rouge;
pub mod squad;
mod sums;
pub mod ter;
mod token_f1;
mod weighted_f1;

pub use ece::{Calibration, calibration};
pub use sums::Sums;

pub use crate::text::Units;

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share from 0 to 1, written as a percentage.
    Share,
    /// From 0 to 100.
    Points,
    /// A plain number.
    Number,
}

/// Where a metric is shown for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Among the few figures that a person reads first.
    Headline,
    /// In the full table.
    Detail,
    /// Only when asked for by name.
    OnRequest,
}

/// What a metric is, in words.
#[derive(Debug)]
pub struct About {
    /// Name in the registry and in files.
    pub name: &'static str,
    /// Name for people.
    pub label: Phrase,
    /// One plain sentence.
    pub explanation: Phrase,
    /// Whether a larger figure is better.
    pub higher_is_better: bool,
    /// How the figure is written.
    pub unit: Unit,
    /// Whether the figure is a share of rows that are right, each row being right or wrong.
    /// Then the interval is Wilson's and the test McNemar's.
    pub proportion: bool,
    /// Whether it needs the answer (a text or label), not only the loss of the reference.
    pub needs_answer: bool,
    /// Tasks it applies to, and where it is shown there.
    pub tasks: &'static [(Task, Place)],
}

impl About {
    /// Where the metric is shown for a task; `None` when it does not apply.
    pub fn place(&self, task: Task) -> Option<Place> {
        self.tasks.iter().find(|(known, _)| *known == task).map(|(_, place)| *place)
    }
}

/// What one model did with one row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// What it should have answered.
    pub reference: &'a str,
    /// What it answered.
    pub answer: &'a str,
    /// Probability of each label, in the order of the labels; empty when there are no labels.
    pub probabilities: &'a [f64],
    /// Sum of the reference's token losses, in nats.
    pub loss_sum: f64,
    /// Tokens that the sum is over.
    pub loss_tokens: u64,
    /// What the answer earned, where answers were rewarded.
    pub reward: Option<f64>,
}

/// What one model did with all rows.
#[derive(Debug, Clone, Default)]
pub struct Answers<'a> {
    /// Labels of the run; empty when the task is not classification.
    pub labels: &'a [String],
    /// The rows.
    pub rows: Vec<Row<'a>>,
}

/// A metric, seen over all rows of one model.
pub trait Measured {
    /// Rows seen.
    fn rows(&self) -> usize;
    /// Corpus value with row `i` counted `counts[i]` times (`counts.len() == rows()`);
    /// `None` where the metric is undefined, never NaN.
    fn value(&self, counts: &[u32]) -> Option<f64>;
    /// Value of one row alone; `None` where a single row has none.
    fn row(&self, index: usize) -> Option<f64>;
    /// The additive form, where the metric has one.
    fn sums(&self) -> Option<&Sums> {
        None
    }
    /// Corpus value over all rows once.
    fn whole(&self) -> Option<f64> {
        self.value(&vec![1; self.rows()])
    }
}

/// A metric of the registry.
pub trait Metric: Sync {
    /// What it is, in words.
    fn about(&self) -> &'static About;
    /// Looks at the rows; `None` when they are not of the kind that the metric speaks about.
    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>>;
}

/// Every metric, in the order in which they are shown.
pub static METRICS: &[&dyn Metric] = &[
    &accuracy::Accuracy,
    &macro_f1::MacroF1,
    &weighted_f1::WeightedF1,
    &micro_f1::MicroF1,
    &mcc::Mcc,
    &kappa::Kappa,
    &auc::Auc,
    &brier::Brier,
    &ece::Ece,
    &reward::Reward,
    &loss::Loss,
    &perplexity::Perplexity,
    &chrf::CHRF,
    &chrf::CHRF_PLUS_PLUS,
    &rouge::ROUGE_L,
    &rouge::ROUGE_1,
    &rouge::ROUGE_2,
    &rouge::ROUGE_LSUM,
    &exact_match::ExactMatch,
    &token_f1::TokenF1,
    &bleu::Bleu,
    &ter::Ter,
    &edit_distance::CHARACTER_ERROR_RATE,
    &edit_distance::WORD_ERROR_RATE,
    &ner::SpanF1,
    &correlation::PEARSON,
    &correlation::SPEARMAN,
    &correlation::KENDALL,
];

/// The metric of a name.
pub fn metric(name: &str) -> Option<&'static dyn Metric> {
    METRICS.iter().copied().find(|metric| metric.about().name == name)
}
