//! What can be wrong with the rows that a verdict is asked about.

use sanbao_contract::Fault;

/// A reason why no verdict or report can be given.
///
/// Rows are counted from 1 among the held-out rows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing to compare.
    #[error(
        "There are no held-out rows to judge; keep some rows apart for the test and evaluate again."
    )]
    NoRows,
    /// A classification run without labels.
    #[error(
        "A classification verdict needs at least two labels, but {found} came with the rows; check the label column."
    )]
    TooFewLabels {
        /// How many came.
        found: usize,
    },
    /// A label that the run does not know.
    #[error(
        "Held-out row {row}: the {which} “{label}” is not one of the run's labels; check the label column of the data."
    )]
    UnknownLabel {
        /// Row, from 1.
        row: usize,
        /// `reference`, `answer before training`, `answer after training`.
        which: &'static str,
        /// The label.
        label: String,
    },
    /// The most frequent label is not a label of the run.
    #[error(
        "The most frequent training label “{label}” is not one of the run's labels; check the label column of the data."
    )]
    UnknownMajority {
        /// The label.
        label: String,
    },
    /// Probabilities that are not a distribution over the labels.
    #[error(
        "Held-out row {row}: the probabilities {when} training are not {labels} numbers between 0 and 1 that add up to 1; evaluate the row again."
    )]
    Probabilities {
        /// Row, from 1.
        row: usize,
        /// `before`, `after`.
        when: &'static str,
        /// How many labels there are.
        labels: usize,
    },
    /// A loss that is not a number, negative, or beyond what an exponential can hold.
    #[error(
        "Held-out row {row}: the loss {when} training is {loss}, which is not a usable number; the model has probably diverged, so train again with a lower learning rate."
    )]
    Loss {
        /// Row, from 1.
        row: usize,
        /// `before`, `after`.
        when: &'static str,
        /// The loss sum in nats.
        loss: f64,
    },
    /// A reward that is not a number.
    #[error(
        "Held-out row {row}: an answer's reward is {reward}, which is not a usable number; look at the reward's rules."
    )]
    Reward {
        /// Row, from 1.
        row: usize,
        /// The reward.
        reward: f64,
    },
    /// The two models were scored on different numbers of tokens.
    #[error(
        "Held-out row {row}: the loss is over {before} tokens before training and {after} after; score both models on the same reference tokens."
    )]
    TokensDiffer {
        /// Row, from 1.
        row: usize,
        /// Tokens before.
        before: u64,
        /// Tokens after.
        after: u64,
    },
    /// No row has a token with loss.
    #[error(
        "None of the {rows} held-out rows has a token to score; raise the maximum length or shorten the prompts."
    )]
    NoTokens {
        /// Rows.
        rows: usize,
    },
    /// The list of answered rows does not fit the rows.
    #[error(
        "The list of answered rows has {found} entries for {rows} held-out rows; give one entry for each row."
    )]
    AnsweredRows {
        /// Entries.
        found: usize,
        /// Rows.
        rows: usize,
    },
    /// A forgetting check that is not a pair of perplexities.
    #[error(
        "The forgetting check gave perplexity {before} before and {after} after training, which are not usable numbers; the model has probably diverged, so train again with a lower learning rate."
    )]
    Forgetting {
        /// Perplexity before.
        before: f64,
        /// Perplexity after.
        after: f64,
    },
    /// The page could not be written.
    #[error(
        "The report page could not be put together ({0}); please report this with the run's verdict file."
    )]
    Render(#[from] askama::Error),
}

impl Error {
    /// Stable code, `evaluate.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRows => "evaluate.no_rows",
            Self::TooFewLabels { .. } => "evaluate.too_few_labels",
            Self::UnknownLabel { .. } => "evaluate.unknown_label",
            Self::UnknownMajority { .. } => "evaluate.unknown_majority",
            Self::Probabilities { .. } => "evaluate.probabilities",
            Self::Loss { .. } => "evaluate.loss",
            Self::Reward { .. } => "evaluate.reward",
            Self::TokensDiffer { .. } => "evaluate.tokens_differ",
            Self::NoTokens { .. } => "evaluate.no_tokens",
            Self::AnsweredRows { .. } => "evaluate.answered_rows",
            Self::Forgetting { .. } => "evaluate.forgetting",
            Self::Render(_) => "evaluate.render",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Fault::new(error.code(), error.to_string());
        match error {
            Error::TooFewLabels { found } => fault.with("found", found),
            Error::UnknownLabel { row, which, label } => {
                fault.with("row", row).with("which", which).with("label", label)
            }
            Error::UnknownMajority { label } => fault.with("label", label),
            Error::Probabilities { row, when, labels } => {
                fault.with("row", row).with("when", when).with("labels", labels)
            }
            Error::Loss { row, when, loss } => {
                fault.with("row", row).with("when", when).with("loss", loss)
            }
            Error::Reward { row, reward } => fault.with("row", row).with("reward", reward),
            Error::TokensDiffer { row, before, after } => {
                fault.with("row", row).with("before", before).with("after", after)
            }
            Error::NoTokens { rows } => fault.with("rows", rows),
            Error::AnsweredRows { found, rows } => fault.with("found", found).with("rows", rows),
            Error::Forgetting { before, after } => {
                fault.with("before", before).with("after", after)
            }
            Error::NoRows | Error::Render(_) => fault,
        }
    }
}
