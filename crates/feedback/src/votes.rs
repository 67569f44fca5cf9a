//! What a vote says of the answers beside each other.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use sanbao_contract::feedback::{Ballot, Choice};

/// Two answers that a vote compares.
pub(crate) struct Comparison {
    /// Index of the first.
    pub(crate) first: usize,
    /// Index of the second, which is larger.
    pub(crate) second: usize,
    /// `Greater` when the first is preferred.
    pub(crate) preferred: Ordering,
}

/// Every two answers that the vote compares. Answers with the same text are equal, whatever the
/// vote says.
pub(crate) fn comparisons(ballot: &Ballot) -> Vec<Comparison> {
    let Some(vote) = &ballot.vote else { return Vec::new() };
    let mut all = Vec::new();
    for (first, one) in ballot.answers.iter().enumerate() {
        for (second, other) in ballot.answers.iter().enumerate().skip(first + 1) {
            if let Some(said) = compare(&vote.choice, first, second) {
                let preferred = if one.text == other.text { Ordering::Equal } else { said };
                all.push(Comparison { first, second, preferred });
            }
        }
    }
    all
}

/// `None` when the choice does not say which of the two is better: of those that are not the best,
/// and where an answer was corrected or the ballot skipped.
fn compare(choice: &Choice, first: usize, second: usize) -> Option<Ordering> {
    match choice {
        Choice::Best { answer } if *answer == first as u64 => Some(Ordering::Greater),
        Choice::Best { answer } if *answer == second as u64 => Some(Ordering::Less),
        Choice::Tie | Choice::AllBad => Some(Ordering::Equal),
        Choice::Thumbs { up } => Some(up.get(first)?.cmp(up.get(second)?)),
        Choice::Stars { stars } => Some(stars.get(first)?.cmp(stars.get(second)?)),
        Choice::Best { .. } | Choice::Edit { .. } | Choice::Skip => None,
    }
}

/// The texts that the vote puts above the others: all of them for a tie, none when all are bad.
/// `None` when it does not judge the answers as they are.
pub(crate) fn preferred(ballot: &Ballot) -> Option<BTreeSet<&str>> {
    let texts = || ballot.answers.iter().map(|answer| answer.text.as_str());
    Some(match &ballot.vote.as_ref()?.choice {
        Choice::Best { answer } => {
            texts().zip(0..).filter(|(_, index)| index == answer).map(|(text, _)| text).collect()
        }
        Choice::Tie => texts().collect(),
        Choice::AllBad => BTreeSet::new(),
        Choice::Thumbs { up } => {
            texts().zip(up).filter(|(_, up)| **up).map(|(text, _)| text).collect()
        }
        Choice::Stars { stars } => {
            let most = stars.iter().max()?;
            texts().zip(stars).filter(|(_, stars)| *stars == most).map(|(text, _)| text).collect()
        }
        Choice::Edit { .. } | Choice::Skip => return None,
    })
}
