//! What people say of answers: training rows, figures, and files to pass on.
//!
//! Pure computation over [`sanbao_contract::feedback::Ballot`]s; only [`read_file`] touches the
//! disk. Every function that takes ballots [`check()`]s them first, so a vote that does not fit its
//! ballot is an error with a sentence, never a wrong row or figure.
//!
//! - [`rows()`]: votes as rows to train on, in TRL's conversational formats.
//! - [`stats()`]: counts, who wins against whom, whether length decides, whether people agree.
//! - [`read`], [`write()`], [`name_rater`], [`merge`]: files of ballots, so that several people can vote.

mod agreement;
mod check;
mod duels;
mod error;
mod file;
mod proportion;
mod question;
mod rows;
mod stats;
#[cfg(test)]
mod testing;
mod votes;

pub use agreement::nominal_alpha;
pub use check::{MOST_ANSWERS, MOST_STARS, check};
pub use error::{Error, Place};
pub use file::{FORMAT, VERSION, merge, name_rater, read, read_file, write};
pub use proportion::{sign_test, wilson};
pub use rows::{
    Example, Preference, Row, Unpaired, examples, preferences, rows, unpaired, write_lines,
};
pub use stats::stats;
