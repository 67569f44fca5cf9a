//! What people say of answers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Message;
use crate::app::Sampling;

/// A question with answers that a person is to judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Ballot {
    /// Number in its project, from 1.
    #[ts(type = "number")]
    pub id: u64,
    /// The conversation that is answered; its last turn is the user's.
    pub prompt: Vec<Message>,
    /// Two to four answers in the random order in which they are shown.
    pub answers: Vec<BallotAnswer>,
    /// What the person said; not judged yet when `None`.
    pub vote: Option<Vote>,
}

/// An answer on a ballot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BallotAnswer {
    /// The answer.
    pub text: String,
    /// Who wrote it; hidden (`None`) from the window until the ballot has its vote.
    pub author: Option<Author>,
}

/// Who wrote an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Author {
    /// Name for people: the base model's name, or that of the run.
    pub name: String,
    /// The run; the base model when `None`.
    pub run: Option<String>,
    /// An epoch's snapshot; the best when `None`.
    #[ts(type = "number | null")]
    pub epoch: Option<u64>,
    /// How the answer was drawn.
    pub sampling: Option<Sampling>,
}

/// What a person said of a ballot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Vote {
    /// What.
    pub choice: Choice,
    /// Who said it; empty for the person at this machine.
    #[serde(default)]
    pub rater: String,
    /// When, milliseconds since 1970 (UTC).
    #[ts(type = "number")]
    pub at: u64,
    /// Seconds from seeing the ballot to the vote.
    pub seconds: f64,
}

/// The kinds of votes. Answers are counted from 0 in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Choice {
    /// One answer is the best.
    Best {
        /// Which.
        #[ts(type = "number")]
        answer: u64,
    },
    /// All are equally good.
    Tie,
    /// All are bad.
    AllBad,
    /// Up or down for each answer.
    Thumbs {
        /// Whether up.
        up: Vec<bool>,
    },
    /// One to five stars for each answer.
    Stars {
        /// How many.
        stars: Vec<u8>,
    },
    /// An answer was edited into the right one.
    Edit {
        /// Which.
        #[ts(type = "number")]
        answer: u64,
        /// The right one.
        text: String,
    },
    /// No judgement.
    Skip,
}

/// What the votes of a project say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct FeedbackStats {
    /// Ballots.
    #[ts(type = "number")]
    pub ballots: u64,
    /// Ballots with a vote, skipped ones not counted.
    #[ts(type = "number")]
    pub votes: u64,
    /// Skipped ballots.
    #[ts(type = "number")]
    pub skipped: u64,
    /// Preference pairs that the votes give.
    #[ts(type = "number")]
    pub pairs: u64,
    /// Liked or disliked single answers that the votes give.
    #[ts(type = "number")]
    pub unpaired: u64,
    /// Corrected answers, which are examples too.
    #[ts(type = "number")]
    pub edits: u64,
    /// Median seconds for a vote.
    pub median_seconds: Option<f64>,
    /// How authors did against each other, most ballots first.
    pub duels: Vec<Duel>,
    /// Among pairs whose answers differ in length: how often the longer one was preferred, and of
    /// how many.
    pub longer_preferred: Option<Share>,
    /// Krippendorff's alpha (nominal) over ballots that several people judged.
    pub agreement: Option<f64>,
    /// Ballots that several people judged.
    #[ts(type = "number")]
    pub judged_by_several: u64,
}

/// A share with its 95 % interval (Wilson).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Share {
    /// The share.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Of how many.
    #[ts(type = "number")]
    pub of: u64,
}

/// Two authors on the same ballots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Duel {
    /// Name of the first author.
    pub first: String,
    /// Name of the second.
    pub second: String,
    /// Ballots on which the first one's answer was preferred.
    #[ts(type = "number")]
    pub first_wins: u64,
    /// Ballots on which the second one's was.
    #[ts(type = "number")]
    pub second_wins: u64,
    /// Ballots on which neither was.
    #[ts(type = "number")]
    pub ties: u64,
    /// Share of the first one's wins, ties as half a win each.
    pub win_rate: Share,
    /// Two-sided p value of the sign test over ballots that were no ties.
    pub p_value: f64,
}

/// Which ballots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BallotFilter {
    /// Every one.
    #[default]
    All,
    /// Those without a vote.
    Open,
    /// Those with one.
    Voted,
}

/// What votes are turned into (TRL's dataset formats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackForm {
    /// `prompt`, `chosen`, `rejected`.
    Preference,
    /// `prompt`, `completion`, `label`.
    Unpaired,
    /// `messages`: the corrected answers as examples.
    Examples,
}
