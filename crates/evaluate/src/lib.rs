//! Did it get better? Metrics, statistics, the verdict and the report.
//!
//! Pure computation: answers and losses of two models on the same held-out rows go in,
//! a [`sanbao_contract::verdict::Verdict`] and a page to read come out. No model, no device
//! and no file is touched here.
//!
//! - [`metrics`]: one file per metric and the registry [`metrics::METRICS`].
//! - [`statistics`]: intervals and tests.
//! - [`verdict()`]: comparison, decision, the sentence, the rows to look at.
//! - [`report_html`]: one self-contained page; [`verdict_text`]: the same for a terminal.

mod error;
mod language;
pub mod metrics;
mod report;
pub mod statistics;
mod text;
mod verdict;

pub use error::Error;
pub use language::{Language, Phrase};
pub use report::{Hashed, Provenance, ReportContext, report_html, verdict_text};
pub use verdict::{VerdictInput, compare, forgetting_sentence, sentence_in, verdict};
