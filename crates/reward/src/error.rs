//! What can be wrong with a reward, or with what it is asked about.

use sanbao_contract::Fault;

/// Why a reward cannot be used, or an answer not be scored. Cards and rows are counted from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Neither a card nor a reward model.
    #[error("This reward has no parts, so every answer would be as good as any; add a card.")]
    NoParts,
    /// Every weight is 0.
    #[error(
        "All weights of this reward are 0, so every answer would be as good as any; give at least one part another weight."
    )]
    NoWeight,
    /// A weight that is not a number.
    #[error("The weight of {part} is {weight}; give it a finite number, such as 1.")]
    BadWeight {
        /// Which part: `card 2 (json)`, `the reward model`.
        part: String,
        /// Its weight.
        weight: f64,
    },
    /// A card that is not in the registry.
    #[error("There is no card '{found}'; there are {known}.")]
    UnknownCard {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// A setting that the card does not have.
    #[error("The card '{card}' has no setting '{name}'; it has {known}.")]
    UnknownSetting {
        /// The card.
        card: &'static str,
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// A setting of another type, outside its range, or that does not fit another one.
    #[error("The setting '{name}' of the card '{card}' is {value}, but {expected}.")]
    BadSetting {
        /// The card.
        card: &'static str,
        /// The setting.
        name: &'static str,
        /// What was given, shortened.
        value: String,
        /// What would be accepted.
        expected: String,
    },
    /// A card that is wrong in itself: it declares other settings than it reads, or has a pattern
    /// that is none. The tests keep this from happening.
    #[error("The card '{card}' is damaged ({reason}); please report this.")]
    Damaged {
        /// The card.
        card: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A card that compares with the data's own answer, and a row without one.
    #[error(
        "The card '{card}' compares with the answer that the data has, but row {row} has none; add one to the row, leave the row out, or remove the card."
    )]
    NoReference {
        /// The card.
        card: &'static str,
        /// Row, from 1.
        row: usize,
    },
    /// The judge gave another number of answers than there were questions.
    #[error("The judge answered {found} of {expected} questions; ask it again.")]
    JudgeCount {
        /// Answers that came.
        found: usize,
        /// Questions.
        expected: usize,
    },
    /// The judge gave something that is no probability.
    #[error(
        "The judge gave {value} for question {question}, which is not a probability between 0 and 1; the judging model has probably diverged, so choose another."
    )]
    JudgeValue {
        /// Question, from 1.
        question: usize,
        /// What came.
        value: f64,
    },
    /// Scores and weights that do not belong together.
    #[error("{found} scores came for a reward of {expected} parts; give one score for each part.")]
    Parts {
        /// Scores that came.
        found: usize,
        /// Parts.
        expected: usize,
    },
    /// A score that is not a number, or a sum beyond what a number can hold.
    #[error(
        "{what} is {value}, which is not a usable number; check the reward model, or choose smaller weights."
    )]
    NotFinite {
        /// Which number.
        what: String,
        /// What it is.
        value: f64,
    },
}

impl Error {
    /// Stable code, `reward.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoParts => "reward.no_parts",
            Self::NoWeight => "reward.no_weight",
            Self::BadWeight { .. } => "reward.bad_weight",
            Self::UnknownCard { .. } => "reward.unknown_card",
            Self::UnknownSetting { .. } => "reward.unknown_setting",
            Self::BadSetting { .. } => "reward.bad_setting",
            Self::Damaged { .. } => "reward.damaged",
            Self::NoReference { .. } => "reward.no_reference",
            Self::JudgeCount { .. } => "reward.judge_count",
            Self::JudgeValue { .. } => "reward.judge_value",
            Self::Parts { .. } => "reward.parts",
            Self::NotFinite { .. } => "reward.not_finite",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Fault::new(error.code(), error.to_string());
        match error {
            Error::NoParts | Error::NoWeight => fault,
            Error::BadWeight { part, weight } => fault.with("part", part).with("weight", weight),
            Error::UnknownCard { found, known } => fault.with("found", found).with("known", known),
            Error::UnknownSetting { card, name, known } => {
                fault.with("card", card).with("name", name).with("known", known)
            }
            Error::BadSetting { card, name, value, expected } => fault
                .with("card", card)
                .with("name", name)
                .with("value", value)
                .with("expected", expected),
            Error::Damaged { card, reason } => fault.with("card", card).with("reason", reason),
            Error::NoReference { card, row } => fault.with("card", card).with("row", row),
            Error::JudgeCount { found, expected } | Error::Parts { found, expected } => {
                fault.with("found", found).with("expected", expected)
            }
            Error::JudgeValue { question, value } => {
                fault.with("question", question).with("value", value)
            }
            Error::NotFinite { what, value } => fault.with("what", what).with("value", value),
        }
    }
}
