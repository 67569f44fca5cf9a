//! Votes as rows to train on.
//!
//! Field names are those of TRL's conversational formats
//! (<https://huggingface.co/docs/trl/dataset_formats>): `prompt`, `chosen`, `rejected` for pairs,
//! `prompt`, `completion`, `label` for single answers, `messages` for examples. Every vote is
//! taken as it is: two people who judge the same answers give rows twice, also when they disagree.
//! Within one vote a row comes once, and what a vote says and denies of the same text is left out.

use std::cmp::Ordering;
use std::io::{self, Write};

use sanbao_contract::Message;
use sanbao_contract::feedback::{Ballot, Choice, FeedbackForm};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::check::check_all;
use crate::votes::comparisons;

/// From so many stars on an answer is liked.
const LIKED: u8 = 4;
/// Up to so many stars an answer is disliked.
const DISLIKED: u8 = 2;

/// Two answers, one liked better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preference {
    /// The conversation that is answered.
    pub prompt: Vec<Message>,
    /// The better answer: one turn.
    pub chosen: Vec<Message>,
    /// The worse answer: one turn.
    pub rejected: Vec<Message>,
}

/// An answer, liked or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unpaired {
    /// The conversation that is answered.
    pub prompt: Vec<Message>,
    /// The answer: one turn.
    pub completion: Vec<Message>,
    /// Whether it is liked.
    pub label: bool,
}

/// A conversation to learn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The conversation with the right answer as its last turn.
    pub messages: Vec<Message>,
}

/// A row of any kind; written as what it holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Row {
    /// Two answers.
    Preference(Preference),
    /// An answer.
    Unpaired(Unpaired),
    /// A conversation.
    Example(Example),
}

/// The rows of a kind: those of [`preferences`], [`unpaired`] or [`examples`].
///
/// # Errors
/// As [`crate::check()`].
pub fn rows(ballots: &[Ballot], form: FeedbackForm) -> Result<Vec<Row>, Error> {
    Ok(match form {
        FeedbackForm::Preference => {
            preferences(ballots)?.into_iter().map(Row::Preference).collect()
        }
        FeedbackForm::Unpaired => unpaired(ballots)?.into_iter().map(Row::Unpaired).collect(),
        FeedbackForm::Examples => examples(ballots)?.into_iter().map(Row::Example).collect(),
    })
}

/// Pairs of answers, one liked better: the best with each other one, every two with different
/// stars, each that got a thumb up with each that got one down, a correction with what was
/// corrected. Answers with the same text are never a pair.
///
/// # Errors
/// As [`crate::check()`].
pub fn preferences(ballots: &[Ballot]) -> Result<Vec<Preference>, Error> {
    check_all(ballots)?;
    let rows = ballots.iter().flat_map(|ballot| {
        pairs(ballot).into_iter().map(|(chosen, rejected)| Preference {
            prompt: ballot.prompt.clone(),
            chosen: turn(chosen),
            rejected: turn(rejected),
        })
    });
    Ok(rows.collect())
}

/// Single answers, liked or not. Liked are the best, thumbs up, four stars or more, and
/// corrections; disliked are all beside the best, all when all are bad, thumbs down, two stars or
/// fewer, and what was corrected.
///
/// # Errors
/// As [`crate::check()`].
pub fn unpaired(ballots: &[Ballot]) -> Result<Vec<Unpaired>, Error> {
    check_all(ballots)?;
    let rows = ballots.iter().flat_map(|ballot| {
        labels(ballot).into_iter().map(|(text, label)| Unpaired {
            prompt: ballot.prompt.clone(),
            completion: turn(text),
            label,
        })
    });
    Ok(rows.collect())
}

/// Conversations that end with a corrected answer.
///
/// # Errors
/// As [`crate::check()`].
pub fn examples(ballots: &[Ballot]) -> Result<Vec<Example>, Error> {
    check_all(ballots)?;
    let rows = ballots.iter().filter_map(|ballot| {
        let (_, right) = correction(ballot)?;
        let mut messages = ballot.prompt.clone();
        messages.extend(turn(right));
        Some(Example { messages })
    });
    Ok(rows.collect())
}

/// Writes one JSON object a line.
///
/// # Errors
/// What the operating system said.
pub fn write_lines<T: Serialize>(
    rows: impl IntoIterator<Item = T>,
    to: &mut impl Write,
) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *to, &row)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// Texts that a vote gives as better and worse.
pub(crate) fn pairs(ballot: &Ballot) -> Vec<(&str, &str)> {
    if let Some((original, right)) = correction(ballot) {
        return if original == right { Vec::new() } else { vec![(right, original)] };
    }
    let text = |index: usize| ballot.answers.get(index).map(|answer| answer.text.as_str());
    let said: Vec<(&str, &str)> = comparisons(ballot)
        .into_iter()
        .filter_map(|found| match found.preferred {
            Ordering::Greater => text(found.first).zip(text(found.second)),
            Ordering::Less => text(found.second).zip(text(found.first)),
            Ordering::Equal => None,
        })
        .collect();
    consistent(said, |(better, worse)| (worse, better))
}

/// Texts with whether a vote likes them.
pub(crate) fn labels(ballot: &Ballot) -> Vec<(&str, bool)> {
    let Some(vote) = &ballot.vote else { return Vec::new() };
    let texts = || ballot.answers.iter().map(|answer| answer.text.as_str());
    let said = match &vote.choice {
        Choice::Best { answer } => {
            let best = texts().zip(0..).find(|(_, index)| index == answer).map(|(text, _)| text);
            texts().map(|text| (text, Some(text) == best)).collect()
        }
        Choice::AllBad => texts().map(|text| (text, false)).collect(),
        Choice::Thumbs { up } => texts().zip(up.iter().copied()).collect(),
        Choice::Stars { stars } => texts()
            .zip(stars)
            .filter_map(|(text, stars)| match *stars {
                LIKED.. => Some((text, true)),
                ..=DISLIKED => Some((text, false)),
                _ => None,
            })
            .collect(),
        Choice::Edit { .. } => correction(ballot)
            .into_iter()
            .flat_map(|(original, right)| [(right, true), (original, original == right)])
            .collect(),
        Choice::Tie | Choice::Skip => Vec::new(),
    };
    consistent(said, |(text, label)| (text, !label))
}

/// The answer that was corrected, and the right one.
pub(crate) fn correction(ballot: &Ballot) -> Option<(&str, &str)> {
    let Choice::Edit { answer, text } = &ballot.vote.as_ref()?.choice else { return None };
    let original = ballot.answers.get(usize::try_from(*answer).ok()?)?;
    Some((&original.text, text))
}

/// What is said, each once, without what is denied too. Answers with the same text can be judged
/// differently in one vote.
fn consistent<T: Copy + PartialEq>(said: Vec<T>, denial: impl Fn(T) -> T) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for &one in &said {
        if !kept.contains(&one) && !said.contains(&denial(one)) {
            kept.push(one);
        }
    }
    kept
}

fn turn(text: &str) -> Vec<Message> {
    vec![Message::new("assistant", text)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_ballot, ballot};

    /// Texts of a ballot, the choice, what it gives.
    type Cases<'a, T> = &'a [(&'a [&'a str], Choice, &'a [T])];

    fn stars(stars: &[u8]) -> Choice {
        Choice::Stars { stars: stars.to_vec() }
    }

    fn thumbs(up: &[bool]) -> Choice {
        Choice::Thumbs { up: up.to_vec() }
    }

    fn edit(answer: u64, text: &str) -> Choice {
        Choice::Edit { answer, text: text.into() }
    }

    #[test]
    fn votes_give_pairs() {
        let cases: Cases<'_, (&str, &str)> = &[
            (&["a", "b", "c"], Choice::Best { answer: 1 }, &[("b", "a"), ("b", "c")]),
            (&["a", "b", "c"], stars(&[3, 5, 3]), &[("b", "a"), ("b", "c")]),
            (&["a", "b", "c"], stars(&[1, 2, 3]), &[("b", "a"), ("c", "a"), ("c", "b")]),
            (&["a", "b", "c"], thumbs(&[true, false, true]), &[("a", "b"), ("c", "b")]),
            (&["a", "b", "c"], thumbs(&[true, true, true]), &[]),
            (&["a", "b"], edit(1, "right"), &[("right", "b")]),
            (&["a", "b"], edit(1, "b"), &[]),
            (&["a", "b"], Choice::Tie, &[]),
            (&["a", "b"], Choice::AllBad, &[]),
            (&["a", "b"], Choice::Skip, &[]),
            // The same text twice.
            (&["a", "a"], Choice::Best { answer: 0 }, &[]),
            (&["a", "b", "b"], Choice::Best { answer: 0 }, &[("a", "b")]),
            (&["a", "b", "a"], stars(&[5, 3, 1]), &[]),
        ];
        for (answers, choice, expected) in cases {
            let ballot = ballot(answers, Some(choice.clone()));
            assert_eq!(pairs(&ballot), *expected, "{choice:?} of {answers:?}");
        }
        assert!(pairs(&ballot(&["a", "b"], None)).is_empty());
    }

    #[test]
    fn votes_give_liked_and_disliked_answers() {
        let cases: Cases<'_, (&str, bool)> = &[
            (&["a", "b"], Choice::Best { answer: 1 }, &[("a", false), ("b", true)]),
            (&["a", "b"], Choice::AllBad, &[("a", false), ("b", false)]),
            (&["a", "b"], thumbs(&[true, false]), &[("a", true), ("b", false)]),
            (
                &["a", "b", "c", "d"],
                stars(&[2, 3, 4, 5]),
                &[("a", false), ("c", true), ("d", true)],
            ),
            (&["a", "b"], edit(0, "right"), &[("right", true), ("a", false)]),
            (&["a", "b"], edit(0, "a"), &[("a", true)]),
            (&["a", "b"], Choice::Tie, &[]),
            (&["a", "b"], Choice::Skip, &[]),
            // The same text twice.
            (&["a", "a", "b"], Choice::Best { answer: 0 }, &[("a", true), ("b", false)]),
            (&["a", "a", "b"], thumbs(&[true, false, false]), &[("b", false)]),
        ];
        for (answers, choice, expected) in cases {
            let ballot = ballot(answers, Some(choice.clone()));
            assert_eq!(labels(&ballot), *expected, "{choice:?} of {answers:?}");
        }
    }

    #[test]
    fn rows_are_written_as_trl_reads_them() {
        let mut asked = ballot(&["It is green.", "蓝色"], Some(edit(0, "It is blue.")));
        asked.prompt.insert(0, Message::new("system", "Be brief."));
        let ballots = [asked];
        let mut text = Vec::new();
        for form in [FeedbackForm::Preference, FeedbackForm::Unpaired, FeedbackForm::Examples] {
            write_lines(rows(&ballots, form).unwrap(), &mut text).unwrap();
        }
        insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"
        {"prompt":[{"role":"system","content":"Be brief."},{"role":"user","content":"Sky?"}],"chosen":[{"role":"assistant","content":"It is blue."}],"rejected":[{"role":"assistant","content":"It is green."}]}
        {"prompt":[{"role":"system","content":"Be brief."},{"role":"user","content":"Sky?"}],"completion":[{"role":"assistant","content":"It is blue."}],"label":true}
        {"prompt":[{"role":"system","content":"Be brief."},{"role":"user","content":"Sky?"}],"completion":[{"role":"assistant","content":"It is green."}],"label":false}
        {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Sky?"},{"role":"assistant","content":"It is blue."}]}
        "#);
    }

    #[test]
    fn a_vote_that_does_not_fit_gives_no_rows() {
        let ballots = [ballot(&["a", "b"], Some(Choice::Best { answer: 2 }))];
        assert_eq!(preferences(&ballots).unwrap_err().code(), "feedback.no_such_answer");
        assert_eq!(unpaired(&ballots).unwrap_err().code(), "feedback.no_such_answer");
        assert_eq!(examples(&ballots).unwrap_err().code(), "feedback.no_such_answer");
    }

    proptest! {
        #[test]
        fn no_vote_contradicts_itself(ballot in any_ballot()) {
            let pairs = pairs(&ballot);
            for (index, (better, worse)) in pairs.iter().enumerate() {
                prop_assert_ne!(better, worse);
                prop_assert!(!pairs.contains(&(*worse, *better)));
                prop_assert!(!pairs.iter().skip(index + 1).any(|pair| pair == &(*better, *worse)));
            }
            let labels = labels(&ballot);
            for (index, (text, _)) in labels.iter().enumerate() {
                prop_assert!(!labels.iter().skip(index + 1).any(|(other, _)| other == text));
            }
            // Nobody prefers what they dislike to what they like.
            for (better, worse) in pairs {
                let contrary = labels.contains(&(better, false)) && labels.contains(&(worse, true));
                prop_assert!(!contrary);
            }
        }

        #[test]
        fn rows_read_back_are_the_same(ballots in proptest::collection::vec(any_ballot(), 0..6)) {
            let rows = preferences(&ballots).unwrap();
            let mut text = Vec::new();
            write_lines(&rows, &mut text).unwrap();
            let read: Vec<Preference> = String::from_utf8(text).unwrap().lines()
                .map(|line| serde_json::from_str(line).unwrap()).collect();
            prop_assert_eq!(read, rows);
        }
    }
}
