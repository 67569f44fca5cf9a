//! Whether a ballot can be used: it has a question and answers, and its vote speaks of them.

use sanbao_contract::feedback::{Ballot, Choice};

use crate::{Error, Place};

/// Most answers on a ballot; the fewest are two.
pub const MOST_ANSWERS: usize = 4;
/// Most stars that an answer can get; the fewest are one.
pub const MOST_STARS: u8 = 5;

/// Whether a ballot can be used.
///
/// # Errors
/// [`Error::NoQuestion`], [`Error::Answers`], [`Error::NoSuchAnswer`], [`Error::WrongLength`],
/// [`Error::Stars`], [`Error::EmptyEdit`], [`Error::Seconds`].
pub fn check(ballot: &Ballot) -> Result<(), Error> {
    check_at(ballot, || Place::Ballot(ballot.id))
}

/// The same for each.
pub(crate) fn check_all(ballots: &[Ballot]) -> Result<(), Error> {
    ballots.iter().try_for_each(check)
}

/// The same for a ballot that is told by another place than its number.
pub(crate) fn check_at(ballot: &Ballot, at: impl Fn() -> Place) -> Result<(), Error> {
    let answers = ballot.answers.len();
    if ballot.prompt.last().is_none_or(|last| last.role != "user") {
        return Err(Error::NoQuestion { at: at() });
    }
    if !(2..=MOST_ANSWERS).contains(&answers) {
        return Err(Error::Answers { at: at(), found: answers });
    }
    let Some(vote) = &ballot.vote else { return Ok(()) };
    if !vote.seconds.is_finite() || vote.seconds < 0.0 {
        return Err(Error::Seconds { at: at(), seconds: vote.seconds });
    }
    let is_there = |answer: u64| match answer < answers as u64 {
        true => Ok(()),
        false => Err(Error::NoSuchAnswer { at: at(), answer: answer.saturating_add(1), answers }),
    };
    let is_each = |found: usize| match found == answers {
        true => Ok(()),
        false => Err(Error::WrongLength { at: at(), found, answers }),
    };
    match &vote.choice {
        Choice::Best { answer } => is_there(*answer),
        Choice::Thumbs { up } => is_each(up.len()),
        Choice::Stars { stars } => {
            is_each(stars.len())?;
            match stars.iter().position(|stars| !(1..=MOST_STARS).contains(stars)) {
                Some(index) => Err(Error::Stars {
                    at: at(),
                    answer: index + 1,
                    found: stars.get(index).copied().unwrap_or_default(),
                }),
                None => Ok(()),
            }
        }
        Choice::Edit { answer, text } => {
            is_there(*answer)?;
            match text.trim().is_empty() {
                true => Err(Error::EmptyEdit { at: at() }),
                false => Ok(()),
            }
        }
        Choice::Tie | Choice::AllBad | Choice::Skip => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use sanbao_contract::Message;

    use super::*;
    use crate::testing::{ballot, vote};

    fn edit(answer: u64, text: &str) -> Choice {
        Choice::Edit { answer, text: text.into() }
    }

    #[test]
    fn each_vote_must_speak_of_the_answers() {
        let fits = [
            Choice::Best { answer: 2 },
            Choice::Tie,
            Choice::AllBad,
            Choice::Thumbs { up: vec![true, false, false] },
            Choice::Stars { stars: vec![1, 5, 3] },
            edit(0, "right"),
            Choice::Skip,
        ];
        for choice in fits {
            check(&ballot(&["a", "b", "c"], Some(choice))).unwrap();
        }
        check(&ballot(&["a", "b"], None)).unwrap();
        let wrong = [
            Choice::Best { answer: 3 },
            Choice::Best { answer: u64::MAX },
            Choice::Thumbs { up: vec![true, false] },
            Choice::Stars { stars: vec![1, 5, 3, 2] },
            Choice::Stars { stars: vec![1, 0, 3] },
            Choice::Stars { stars: vec![1, 5, 6] },
            edit(3, "right"),
            edit(0, " \n"),
        ];
        let told: Vec<String> = wrong
            .into_iter()
            .map(|choice| check(&ballot(&["a", "b", "c"], Some(choice))).unwrap_err())
            .map(|error| format!("{}: {error}", error.code()))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        feedback.no_such_answer: Ballot 1: the vote names answer 4, but there are 3; vote again.
        feedback.no_such_answer: Ballot 1: the vote names answer 18446744073709551615, but there are 3; vote again.
        feedback.wrong_length: Ballot 1: the vote judges 2 answers of 3; judge each answer once.
        feedback.wrong_length: Ballot 1: the vote judges 4 answers of 3; judge each answer once.
        feedback.stars: Ballot 1: answer 2 got 0 stars; give 1 to 5.
        feedback.stars: Ballot 1: answer 3 got 6 stars; give 1 to 5.
        feedback.no_such_answer: Ballot 1: the vote names answer 4, but there are 3; vote again.
        feedback.empty_edit: Ballot 1: the corrected answer is empty; write the answer that would be right.
        ");
    }

    #[test]
    fn a_ballot_has_a_question_and_two_to_four_answers() {
        let code = |ballot: &Ballot| check(ballot).unwrap_err().code();
        assert_eq!(code(&ballot(&["a"], None)), "feedback.answers");
        assert_eq!(code(&ballot(&["a", "b", "c", "d", "e"], None)), "feedback.answers");
        let mut open = ballot(&["a", "b"], None);
        open.prompt.push(Message::new("assistant", "Yes?"));
        assert_eq!(code(&open), "feedback.no_question");
        open.prompt.clear();
        assert_eq!(code(&open), "feedback.no_question");
    }

    #[test]
    fn a_vote_takes_time() {
        for seconds in [-1.0, f64::NAN, f64::INFINITY] {
            let mut wrong = ballot(&["a", "b"], None);
            wrong.vote = Some(vote(Choice::Skip, "", 0));
            wrong.vote.as_mut().unwrap().seconds = seconds;
            assert_eq!(check(&wrong).unwrap_err().code(), "feedback.seconds");
        }
    }
}
