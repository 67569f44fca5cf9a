//! Ballots: questions with answers, and what the person said of them.
//!
//! What a vote says is not looked at here. Whether it fits its ballot, and what follows from it, is
//! the matter of whoever takes it from a person or a file.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row};
use sanbao_contract::Message;
use sanbao_contract::feedback::{Ballot, BallotAnswer, BallotFilter, Vote};

use super::ProjectStore;
use super::database::{connect, from_json, signed, to_json, unsigned};
use super::error::{Error, Stop};

const COLUMNS: &str = "id, prompt, answers, vote";

/// A ballot that has no number yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBallot {
    /// The conversation that is answered.
    pub prompt: Vec<Message>,
    /// The answers in the order in which they are shown.
    pub answers: Vec<BallotAnswer>,
    /// What was said of it already, elsewhere.
    pub vote: Option<Vote>,
}

/// How many ballots a project has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedbackCount {
    /// Those without a vote.
    pub open: u64,
    /// Those with a vote. Skipping is one, too.
    pub voted: u64,
}

impl ProjectStore {
    /// Adds ballots, all of them or none. Returns their numbers, which are never given again.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn add_ballots(&self, ballots: &[NewBallot]) -> Result<Vec<u64>, Error> {
        self.change(|change| {
            let mut insert = change
                .prepare_cached("INSERT INTO ballot (prompt, answers, vote) VALUES (?1, ?2, ?3)")?;
            let ids = ballots.iter().map(|ballot| {
                let vote = ballot.vote.as_ref().map(to_json).transpose()?;
                let values = (to_json(&ballot.prompt)?, to_json(&ballot.answers)?, vote);
                Ok(insert.insert(values)?.unsigned_abs())
            });
            ids.collect::<Result<_, Stop<Error>>>()
        })
    }

    /// Ballots in the order they were added. `offset` and `limit` count those that pass the filter;
    /// past the end there are none.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn ballots(
        &self,
        offset: u64,
        limit: u64,
        filter: BallotFilter,
    ) -> Result<Vec<Ballot>, Error> {
        self.with(|open| Ok(ballots(&open.connection, offset, limit, filter)?))
    }

    /// A ballot.
    ///
    /// # Errors
    /// [`Error::NoBallot`].
    pub fn ballot(&self, ballot: u64) -> Result<Ballot, Error> {
        self.with(|open| {
            let sql = format!("SELECT {COLUMNS} FROM ballot WHERE id = ?1");
            let mut query = open.connection.prepare_cached(&sql)?;
            let found = query.query_row([signed(ballot)], read).optional()?;
            Ok(found.ok_or(Error::NoBallot { ballot })?)
        })
    }

    /// Records what the person said of a ballot, in place of what they said before; with `None`
    /// they take it back. The answers stay as they are. The vote is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::NoBallot`].
    pub fn vote(&self, ballot: u64, vote: Option<&Vote>) -> Result<(), Error> {
        self.change(|change| {
            let vote = vote.map(to_json).transpose()?;
            let mut update = change.prepare_cached("UPDATE ballot SET vote = ?2 WHERE id = ?1")?;
            match update.execute((signed(ballot), vote))? {
                0 => Err(Error::NoBallot { ballot })?,
                _ => Ok(()),
            }
        })
    }

    /// Removes a ballot with its vote.
    ///
    /// # Errors
    /// [`Error::NoBallot`].
    pub fn delete_ballot(&self, ballot: u64) -> Result<(), Error> {
        self.change(|change| {
            match change.execute("DELETE FROM ballot WHERE id = ?1", [signed(ballot)])? {
                0 => Err(Error::NoBallot { ballot })?,
                _ => Ok(()),
            }
        })
    }

    /// How many ballots there are.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn feedback_count(&self) -> Result<FeedbackCount, Error> {
        self.with(|open| {
            let sql = "SELECT count(*) - count(vote), count(vote) FROM ballot";
            Ok(open.connection.query_row(sql, [], |row| {
                Ok(FeedbackCount { open: unsigned(row, 0)?, voted: unsigned(row, 1)? })
            })?)
        })
    }
}

/// Every ballot of the project in a folder, wherever the folder is, also while somebody has it
/// open. For a program that wants nothing else of the project.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotAProject`], [`Error::NewerVersion`], [`Error::Damaged`],
/// [`Error::Busy`].
pub fn read_ballots(folder: &Path) -> Result<Vec<Ballot>, Error> {
    let connection = connect(folder)?;
    ballots(&connection, 0, u64::MAX, BallotFilter::All).map_err(Error::sql(folder))
}

fn ballots(
    connection: &Connection,
    offset: u64,
    limit: u64,
    filter: BallotFilter,
) -> rusqlite::Result<Vec<Ballot>> {
    let condition = match filter {
        BallotFilter::All => "TRUE",
        BallotFilter::Open => "vote IS NULL",
        BallotFilter::Voted => "vote IS NOT NULL",
    };
    let sql =
        format!("SELECT {COLUMNS} FROM ballot WHERE {condition} ORDER BY id LIMIT ?1 OFFSET ?2");
    let mut query = connection.prepare_cached(&sql)?;
    query.query_map((signed(limit), signed(offset)), read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Ballot> {
    let (prompt, answers): (String, String) = (row.get(1)?, row.get(2)?);
    let vote: Option<String> = row.get(3)?;
    Ok(Ballot {
        id: unsigned(row, 0)?,
        prompt: from_json(&prompt)?,
        answers: from_json(&answers)?,
        vote: vote.map(|vote| from_json(&vote)).transpose()?,
    })
}
