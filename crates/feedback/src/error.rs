//! What can be wrong with ballots and with files of them.

use std::fmt;
use std::io;

use sanbao_contract::Fault;

/// Where a ballot stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a list, under this number.
    Ballot(u64),
    /// In a file.
    Line {
        /// Its name.
        file: String,
        /// Line, from 1.
        line: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ballot(id) => write!(to, "Ballot {id}"),
            Self::Line { file, line } => write!(to, "Line {line} of '{file}'"),
        }
    }
}

/// What can be wrong with ballots and with files of them. Each sentence says what is wrong, where,
/// and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The conversation is empty or ends with another turn than the user's.
    #[error("{at}: the conversation does not end with the user's turn; end it with a question.")]
    NoQuestion {
        /// Which ballot.
        at: Place,
    },
    /// Too few or too many answers.
    #[error(
        "{at}: a ballot has 2 to {} answers, this one has {found}; add or remove some.",
        crate::MOST_ANSWERS
    )]
    Answers {
        /// Which ballot.
        at: Place,
        /// How many there are.
        found: usize,
    },
    /// A vote for an answer that is not there.
    #[error("{at}: the vote names answer {answer}, but there are {answers}; vote again.")]
    NoSuchAnswer {
        /// Which ballot.
        at: Place,
        /// Answer, from 1.
        answer: u64,
        /// How many there are.
        answers: usize,
    },
    /// Not one judgement for each answer.
    #[error("{at}: the vote judges {found} answers of {answers}; judge each answer once.")]
    WrongLength {
        /// Which ballot.
        at: Place,
        /// How many are judged.
        found: usize,
        /// How many there are.
        answers: usize,
    },
    /// Too few or too many stars.
    #[error("{at}: answer {answer} got {found} stars; give 1 to {}.", crate::MOST_STARS)]
    Stars {
        /// Which ballot.
        at: Place,
        /// Answer, from 1.
        answer: usize,
        /// How many stars it got.
        found: u8,
    },
    /// A correction without text.
    #[error("{at}: the corrected answer is empty; write the answer that would be right.")]
    EmptyEdit {
        /// Which ballot.
        at: Place,
    },
    /// A vote that took less than no time.
    #[error("{at}: the vote took {seconds} seconds, which is no time; write 0 or more.")]
    Seconds {
        /// Which ballot.
        at: Place,
        /// What it says.
        seconds: f64,
    },
    /// A line that is not a ballot.
    #[error("Line {line} of '{file}' is not a ballot ({reason}); correct or remove it.")]
    BadLine {
        /// Name of the file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What was found.
        reason: String,
    },
    /// A file without our first line.
    #[error(
        "'{file}' is not a feedback file: its first line does not name the format '{}'; choose a file that Sanbao wrote.",
        crate::FORMAT
    )]
    NotFeedback {
        /// Name of the file.
        file: String,
    },
    /// Written by a later version.
    #[error(
        "'{file}' was written by a newer version of Sanbao (format {found}, this version knows {}); update Sanbao to read it.",
        crate::VERSION
    )]
    NewerFormat {
        /// Name of the file.
        file: String,
        /// Format found.
        found: u32,
    },
    /// The operating system refused.
    #[error("Could not read '{file}': {source}.")]
    Io {
        /// Name of the file.
        file: String,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// Stable code, `feedback.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoQuestion { .. } => "feedback.no_question",
            Self::Answers { .. } => "feedback.answers",
            Self::NoSuchAnswer { .. } => "feedback.no_such_answer",
            Self::WrongLength { .. } => "feedback.wrong_length",
            Self::Stars { .. } => "feedback.stars",
            Self::EmptyEdit { .. } => "feedback.empty_edit",
            Self::Seconds { .. } => "feedback.seconds",
            Self::BadLine { .. } => "feedback.bad_line",
            Self::NotFeedback { .. } => "feedback.not_feedback",
            Self::NewerFormat { .. } => "feedback.newer_format",
            Self::Io { .. } => "feedback.io",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::new(error.code(), error.to_string());
        match error {
            Error::NoQuestion { at } | Error::EmptyEdit { at } => fault.with("at", at),
            Error::Answers { at, found } => fault.with("at", at).with("found", found),
            Error::NoSuchAnswer { at, answer, answers } => {
                fault.with("at", at).with("answer", answer).with("answers", answers)
            }
            Error::WrongLength { at, found, answers } => {
                fault.with("at", at).with("found", found).with("answers", answers)
            }
            Error::Stars { at, answer, found } => {
                fault.with("at", at).with("answer", answer).with("found", found)
            }
            Error::Seconds { at, seconds } => fault.with("at", at).with("seconds", seconds),
            Error::BadLine { file, line, reason } => {
                fault.with("file", file).with("line", line).with("reason", reason)
            }
            Error::NotFeedback { file } => fault.with("file", file),
            Error::NewerFormat { file, found } => {
                fault.with("file", file).with("found", found).with("known", crate::VERSION)
            }
            Error::Io { file, source } => fault.with("file", file).with("reason", source),
        }
    }
}
