//! Files of ballots, so that several people can vote and their votes come together.
//!
//! JSON, an object a line: first what the file is, then the ballots.
//!
//! ```text
//! {"format":"sanbao-feedback","version":1}
//! {"id":1,"prompt":[…],"answers":[…],"vote":{…}}
//! ```

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use sanbao_contract::feedback::Ballot;
use serde::{Deserialize, Serialize};

use crate::check::check_at;
use crate::question::Question;
use crate::rows::write_lines;
use crate::{Error, Place};

/// What the first line names.
pub const FORMAT: &str = "sanbao-feedback";
/// The newest layout known, and the one that is written.
pub const VERSION: u32 = 1;

/// Longest line that is read, in bytes: no file can ask for all memory.
const LONGEST_LINE: u64 = 16 << 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// Writes ballots as a feedback file.
///
/// # Errors
/// What the operating system said.
pub fn write(ballots: &[Ballot], to: &mut impl Write) -> io::Result<()> {
    write_lines([Header { format: FORMAT.to_owned(), version: VERSION }], to)?;
    write_lines(ballots, to)
}

/// Reads the feedback file at `path`.
///
/// # Errors
/// As [`read`].
pub fn read_file(path: &Path) -> Result<Vec<Ballot>, Error> {
    let file = path.display().to_string();
    match File::open(path) {
        Ok(source) => read(BufReader::new(source), &file),
        Err(source) => Err(Error::Io { file, source }),
    }
}

/// Reads a feedback file. `file` is its name in errors. Empty lines are passed over.
///
/// # Errors
/// [`Error::NotFeedback`], [`Error::NewerFormat`], [`Error::Io`]; [`Error::BadLine`] with the line
/// that is no ballot; those of [`crate::check()`] with the line.
pub fn read(mut source: impl BufRead, file: &str) -> Result<Vec<Ballot>, Error> {
    let mut ballots = Vec::new();
    let mut has_header = false;
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let read = source.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut text);
        let read = read.map_err(|source| Error::Io { file: file.to_owned(), source })?;
        if read == 0 {
            break;
        }
        let content = text.trim_ascii();
        if read as u64 > LONGEST_LINE {
            let reason = format!("it is longer than {} MiB", LONGEST_LINE >> 20);
            return Err(Error::BadLine { file: file.to_owned(), line, reason });
        } else if content.is_empty() {
            continue;
        } else if has_header {
            ballots.push(ballot(content, file, line)?);
        } else {
            check_header(content, file)?;
            has_header = true;
        }
    }
    match has_header {
        true => Ok(ballots),
        false => Err(Error::NotFeedback { file: file.to_owned() }),
    }
}

/// Makes `rater` the rater of every vote that has none.
pub fn name_rater(ballots: &mut [Ballot], rater: &str) {
    let votes = ballots.iter_mut().filter_map(|ballot| ballot.vote.as_mut());
    for vote in votes.filter(|vote| vote.rater.is_empty()) {
        rater.clone_into(&mut vote.rater);
    }
}

/// Brings the votes of several people together. Ballots that are the same in all but their number,
/// with rater and time of their vote, come once. All are numbered from 1 in the order of the lists.
///
/// Votes without a rater are taken as those of one person: see [`name_rater`].
pub fn merge(lists: impl IntoIterator<Item = Vec<Ballot>>) -> Vec<Ballot> {
    let mut all: Vec<Ballot> = lists.into_iter().flatten().collect();
    for ballot in &mut all {
        ballot.id = 0;
    }
    let is_kept = firsts(&all);
    let mut merged: Vec<Ballot> = all
        .into_iter()
        .zip(is_kept)
        .filter_map(|(ballot, is_kept)| is_kept.then_some(ballot))
        .collect();
    for (ballot, id) in merged.iter_mut().zip(1..) {
        ballot.id = id;
    }
    merged
}

/// Whether each is the first of those that are equal to it.
fn firsts<'a>(ballots: &'a [Ballot]) -> Vec<bool> {
    // Few are alike in these; only those are compared wholly.
    let mut seen: HashMap<_, Vec<&'a Ballot>> = HashMap::new();
    let is_first = |ballot: &'a Ballot| {
        let vote = ballot.vote.as_ref().map(|vote| (vote.rater.as_str(), vote.at));
        let alike = seen.entry((Question::of(ballot), vote)).or_default();
        let is_first = !alike.contains(&ballot);
        if is_first {
            alike.push(ballot);
        }
        is_first
    };
    ballots.iter().map(is_first).collect()
}

fn check_header(text: &[u8], file: &str) -> Result<(), Error> {
    let header: Option<Header> = serde_json::from_slice(text).ok();
    match header.filter(|header| header.format == FORMAT) {
        None => Err(Error::NotFeedback { file: file.to_owned() }),
        Some(Header { version, .. }) if version > VERSION => {
            Err(Error::NewerFormat { file: file.to_owned(), found: version })
        }
        Some(_) => Ok(()),
    }
}

fn ballot(text: &[u8], file: &str, line: usize) -> Result<Ballot, Error> {
    let ballot: Ballot = serde_json::from_slice(text).map_err(|error| {
        // The parser sees one line and would call it the first.
        let told = error.to_string();
        let reason = told.rsplit_once(" at line ").map_or(told.as_str(), |(reason, _)| reason);
        let reason = format!("{reason}, column {}", error.column());
        Error::BadLine { file: file.to_owned(), line, reason }
    })?;
    check_at(&ballot, || Place::Line { file: file.to_owned(), line })?;
    Ok(ballot)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;
    use sanbao_contract::feedback::Choice;

    use super::*;
    use crate::testing::{any_ballot, ballot, vote};

    const HEADER: &str = r#"{"format":"sanbao-feedback","version":1}"#;

    fn written(ballots: &[Ballot]) -> Vec<u8> {
        let mut text = Vec::new();
        write(ballots, &mut text).unwrap();
        text
    }

    #[test]
    fn a_file_says_what_it_is() {
        let text = String::from_utf8(written(&[ballot(&["a", "蓝"], Some(Choice::Tie))])).unwrap();
        insta::assert_snapshot!(text, @r#"
        {"format":"sanbao-feedback","version":1}
        {"id":1,"prompt":[{"role":"user","content":"Sky?"}],"answers":[{"text":"a","author":null},{"text":"蓝","author":null}],"vote":{"choice":{"kind":"tie"},"rater":"","at":0,"seconds":2.5}}
        "#);
    }

    #[test]
    fn empty_lines_and_other_line_ends_do_no_harm() {
        let one = ballot(&["a", "b"], None);
        let text = String::from_utf8(written(&[one.clone(), one.clone()])).unwrap();
        let text = format!("\n{}", text.replace('\n', "\r\n\r\n"));
        assert_eq!(read(text.as_bytes(), "a").unwrap(), [one.clone(), one]);
    }

    #[test]
    fn what_is_no_feedback_file_is_refused_with_the_line() {
        let good = serde_json::to_string(&ballot(&["a", "b"], None)).unwrap();
        let wrong = ballot(&["a", "b"], Some(Choice::Best { answer: 7 }));
        let wrong = serde_json::to_string(&wrong).unwrap();
        let cases = [
            String::new(),
            "{\"prompt\":\"a\"}".to_owned(),
            r#"{"format":"other","version":1}"#.to_owned(),
            r#"{"format":"sanbao-feedback","version":2}"#.to_owned(),
            format!("{HEADER}\n{good}\n\n{}\n", &good[..20]),
            format!("{HEADER}\n{good}\n{wrong}\n"),
            format!(
                "{HEADER}\n{}",
                good.replace(r#""vote":null"#, r#""vote":{"choice":{"kind":"dance"}}"#)
            ),
            format!("{HEADER}\n{}", " ".repeat(LONGEST_LINE as usize + 1)),
        ];
        let told: Vec<String> = cases
            .iter()
            .map(|text| read(text.as_bytes(), "anna.jsonl").unwrap_err())
            .map(|error| format!("{}: {error}", error.code()))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        feedback.not_feedback: 'anna.jsonl' is not a feedback file: its first line does not name the format 'sanbao-feedback'; choose a file that Sanbao wrote.
        feedback.not_feedback: 'anna.jsonl' is not a feedback file: its first line does not name the format 'sanbao-feedback'; choose a file that Sanbao wrote.
        feedback.not_feedback: 'anna.jsonl' is not a feedback file: its first line does not name the format 'sanbao-feedback'; choose a file that Sanbao wrote.
        feedback.newer_format: 'anna.jsonl' was written by a newer version of Sanbao (format 2, this version knows 1); update Sanbao to read it.
        feedback.bad_line: Line 4 of 'anna.jsonl' is not a ballot (EOF while parsing a string, column 20); correct or remove it.
        feedback.no_such_answer: Line 3 of 'anna.jsonl': the vote names answer 8, but there are 2; vote again.
        feedback.bad_line: Line 2 of 'anna.jsonl' is not a ballot (unknown variant `dance`, expected one of `best`, `tie`, `all_bad`, `thumbs`, `stars`, `edit`, `skip`, column 150); correct or remove it.
        feedback.bad_line: Line 2 of 'anna.jsonl' is not a ballot (it is longer than 16 MiB); correct or remove it.
        ");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read_file(Path::new("/nowhere/anna.jsonl")).unwrap_err();
        assert_eq!(error.code(), "feedback.io");
        assert!(error.to_string().contains("'/nowhere/anna.jsonl'"), "{error}");
    }

    #[test]
    fn votes_of_several_people_come_together() {
        let by = |rater: &str, at: u64, choice: Choice| {
            let mut made = ballot(&["a", "b"], None);
            made.id = 9;
            made.vote = Some(vote(choice, rater, at));
            made
        };
        let turned = |mut ballot: Ballot| {
            ballot.answers.reverse();
            ballot
        };
        let open = ballot(&["a", "b"], None);
        let mut mine = vec![by("", 1, Choice::Tie), by("Ann", 1, Choice::Tie), open.clone()];
        let hers = vec![
            by("Ann", 1, Choice::Tie),
            by("Ann", 2, Choice::Tie),
            by("Ann", 1, Choice::AllBad),
            turned(by("Ann", 1, Choice::Tie)),
            by("me", 1, Choice::Tie),
            open,
        ];
        name_rater(&mut mine, "me");
        let merged = merge([mine, hers]);
        let told: Vec<_> = merged
            .iter()
            .map(|ballot| {
                let vote = ballot.vote.as_ref().map(|vote| (vote.rater.as_str(), vote.at));
                (ballot.id, vote, ballot.answers[0].text.as_str())
            })
            .collect();
        assert_eq!(
            told,
            [
                (1, Some(("me", 1)), "a"),
                (2, Some(("Ann", 1)), "a"),
                (3, None, "a"),
                (4, Some(("Ann", 2)), "a"),
                (5, Some(("Ann", 1)), "a"),
                (6, Some(("Ann", 1)), "b"),
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ballots in proptest::collection::vec(any_ballot(), 0..8)) {
            prop_assert_eq!(read(written(&ballots).as_slice(), "a").unwrap(), ballots);
        }

        #[test]
        fn whatever_the_file_holds_the_reader_ends(
            text in proptest::collection::vec(any::<u8>(), 0..200),
            ballots in proptest::collection::vec(any_ballot(), 0..3),
            cut in 0..600usize,
        ) {
            let mut bytes = written(&ballots);
            bytes.truncate(cut);
            bytes.extend(text);
            if let Err(error) = read(bytes.as_slice(), "anna.jsonl") {
                prop_assert!(error.to_string().contains("anna.jsonl"));
                prop_assert!(!error.to_string().contains('\n'));
            }
        }

        #[test]
        fn merging_again_changes_nothing(
            first in proptest::collection::vec(any_ballot(), 0..8),
            second in proptest::collection::vec(any_ballot(), 0..8),
        ) {
            let merged = merge([first.clone(), second.clone()]);
            prop_assert_eq!(&merge([merged.clone(), second, first]), &merged);
            prop_assert!(merged.iter().map(|ballot| ballot.id).eq(1..=merged.len() as u64));
        }
    }
}
