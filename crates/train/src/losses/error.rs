//! What can be wrong with what a loss is asked about.

/// Why a loss has no value. Rows and tokens are counted from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing to compute from.
    #[error("There are no rows to compute a loss from; give at least one.")]
    NoRows,
    /// A completion without tokens.
    #[error(
        "Row {row} of {what} has no tokens, so it has no probability; leave the row out, or keep at least one token of its completion."
    )]
    EmptyRow {
        /// Which numbers.
        what: &'static str,
        /// Row, from 1.
        row: usize,
    },
    /// Rows that do not form pairs.
    #[error(
        "{rows} rows do not form pairs of a chosen and a rejected answer; give the chosen rows first and then as many rejected rows."
    )]
    NotPairs {
        /// How many rows came.
        rows: usize,
    },
    /// Rows that do not form groups.
    #[error(
        "{rows} rows do not form groups of {num_generations}; a group needs at least two completions of one prompt, and every group as many."
    )]
    NotGroups {
        /// How many rows came.
        rows: usize,
        /// Completions of each prompt.
        num_generations: usize,
    },
    /// Too many or too few numbers.
    #[error("{found} came for {what}, but {expected} are needed, one for each row.")]
    Count {
        /// Which numbers.
        what: &'static str,
        /// How many came.
        found: usize,
        /// How many are needed.
        expected: usize,
    },
    /// A row of another length than the row of the policy that it belongs to.
    #[error(
        "Row {row} of {what} has {found} tokens, but the same row of the policy has {expected}; compute both from the same tokens."
    )]
    Length {
        /// Which numbers.
        what: &'static str,
        /// Row, from 1.
        row: usize,
        /// Tokens that came.
        found: usize,
        /// Tokens of the policy's row.
        expected: usize,
    },
    /// Lengths that do not add up to the values given.
    #[error("The rows are said to have {expected} tokens together, but {found} values came.")]
    Total {
        /// How many values came.
        found: usize,
        /// Sum of the lengths.
        expected: usize,
    },
    /// A NaN or an infinity among the values of tokens.
    #[error(
        "The value of token {token} in row {row} is {value} and not a finite number; the model that gave it has diverged, so go back to an earlier checkpoint."
    )]
    TokenNotFinite {
        /// Row, from 1.
        row: usize,
        /// Token within the row, from 1.
        token: usize,
        /// What came.
        value: f64,
    },
    /// A NaN or an infinity among the values of rows.
    #[error(
        "Value {row} of {what} is {value} and not a finite number; check what computed it, or leave the row out."
    )]
    NotFinite {
        /// Which numbers.
        what: &'static str,
        /// Row, from 1.
        row: usize,
        /// What came.
        value: f64,
    },
    /// Something that this loss needs was not given.
    #[error("This loss needs {what}, which did not come with the rows; compute it first.")]
    Missing {
        /// What is needed.
        what: &'static str,
    },
    /// A setting outside its range.
    #[error("'{name}' is {value}, but has to be {expected}.")]
    BadSetting {
        /// Its name.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A spread over fewer than two tokens.
    #[error(
        "{tokens} tokens have no spread to divide by; whiten over a batch of at least two tokens, or not at all."
    )]
    NoSpread {
        /// How many tokens there are.
        tokens: usize,
    },
    /// The result is beyond what a number can hold.
    #[error(
        "The loss, its gradient or what it is made of became {value}: rewards are too large, or the policy has moved too far from what it is compared with. Lower the learning rate and go on from an earlier checkpoint."
    )]
    Overflow {
        /// What came out.
        value: f64,
    },
    /// A loss that is not in the registry.
    #[error("There is no preference loss '{found}'; there are {known}.")]
    UnknownLoss {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
}

impl Error {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRows => "train.loss.no_rows",
            Self::EmptyRow { .. } => "train.loss.empty_row",
            Self::NotPairs { .. } => "train.loss.not_pairs",
            Self::NotGroups { .. } => "train.loss.not_groups",
            Self::Count { .. } => "train.loss.count",
            Self::Length { .. } => "train.loss.length",
            Self::Total { .. } => "train.loss.total",
            Self::TokenNotFinite { .. } | Self::NotFinite { .. } => "train.loss.not_finite",
            Self::Missing { .. } => "train.loss.missing",
            Self::BadSetting { .. } => "train.loss.bad_setting",
            Self::NoSpread { .. } => "train.loss.no_spread",
            Self::Overflow { .. } => "train.loss.overflow",
            Self::UnknownLoss { .. } => "train.loss.unknown",
        }
    }
}
