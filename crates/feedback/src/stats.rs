//! What the votes say, in figures.

use sanbao_contract::feedback::{Ballot, Choice, FeedbackStats, Share};

use crate::Error;
use crate::agreement::{nominal_alpha, units};
use crate::check::check_all;
use crate::duels::duels;
use crate::proportion::wilson;
use crate::rows::{correction, labels, pairs};

/// What the votes say. Ballots with the same conversation and the same answers, in whatever order,
/// are one question judged by several people when their raters differ.
///
/// - `pairs`, `unpaired`, `edits`: the rows of [`crate::preferences`], [`crate::unpaired`] and
///   [`crate::examples`].
/// - `median_seconds`: over votes, skipped ballots left out.
/// - `duels`: a tie is a ballot on which neither answer was preferred, also when all were bad. The
///   p value takes votes as independent of each other; where several people judge the same
///   question they are less so, and it is too small.
/// - `longer_preferred`: over the pairs, corrections included, since a model learns length from
///   them too. Length is counted in characters (Unicode scalar values).
/// - `agreement`: on which answers are preferred. Corrections do not count as judgements here.
///
/// # Errors
/// As [`crate::check()`].
pub fn stats(ballots: &[Ballot]) -> Result<FeedbackStats, Error> {
    check_all(ballots)?;
    let said: Vec<_> = ballots.iter().filter_map(|ballot| ballot.vote.as_ref()).collect();
    let skipped = said.iter().filter(|vote| vote.choice == Choice::Skip).count();
    let judged = said.iter().filter(|vote| vote.choice != Choice::Skip);
    let pairs: Vec<(&str, &str)> = ballots.iter().flat_map(pairs).collect();
    let units = units(ballots);
    Ok(FeedbackStats {
        ballots: ballots.len() as u64,
        votes: (said.len() - skipped) as u64,
        skipped: skipped as u64,
        pairs: pairs.len() as u64,
        unpaired: ballots.iter().map(|ballot| labels(ballot).len() as u64).sum(),
        edits: ballots.iter().filter_map(correction).count() as u64,
        median_seconds: median(judged.map(|vote| vote.seconds).collect()),
        duels: duels(ballots),
        longer_preferred: longer_preferred(&pairs),
        agreement: nominal_alpha(&units),
        judged_by_several: units.len() as u64,
    })
}

/// Of pairs of a better and a worse text.
fn longer_preferred(pairs: &[(&str, &str)]) -> Option<Share> {
    let lengths =
        pairs.iter().map(|(better, worse)| (better.chars().count(), worse.chars().count()));
    let differ: Vec<bool> = lengths
        .filter(|(better, worse)| better != worse)
        .map(|(better, worse)| better > worse)
        .collect();
    let longer = differ.iter().filter(|is_longer| **is_longer).count();
    wilson(longer as f64, differ.len() as u64)
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(lower + (upper - lower) / 2.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_ballot, authored, ballot, vote};
    use crate::{examples, preferences, unpaired};

    #[test]
    fn votes_in_figures() {
        let mut ballots = vec![
            authored(&[("short", "base"), ("longer", "mine")], Choice::Best { answer: 1 }),
            authored(&[("short", "base"), ("long..", "mine")], Choice::Best { answer: 1 }),
            authored(&[("蓝色的天空", "base"), ("bluish", "mine")], Choice::Best { answer: 0 }),
            authored(&[("a", "base"), ("b", "mine")], Choice::Stars { stars: vec![4, 2] }),
            authored(&[("a", "base"), ("b", "mine")], Choice::AllBad),
            ballot(&["a", "b"], Some(Choice::Edit { answer: 0, text: "right".into() })),
            ballot(&["a", "b"], Some(Choice::Skip)),
            ballot(&["a", "b"], None),
        ];
        for (ballot, seconds) in ballots.iter_mut().zip([1.0, 9.0, 3.0, 4.0, 5.0, 6.0, 100.0]) {
            ballot.vote.as_mut().unwrap().seconds = seconds;
        }
        let mut other = ballot(&["b", "a"], None);
        other.vote = Some(vote(Choice::Best { answer: 1 }, "Ann", 9));
        ballots.push(other);
        let found = stats(&ballots).unwrap();
        assert_eq!((found.ballots, found.votes, found.skipped), (9, 7, 1));
        assert_eq!((found.pairs, found.unpaired, found.edits), (6, 14, 1));
        assert_eq!(found.median_seconds, Some(4.0));
        let [duel] = found.duels.as_slice() else { panic!("{:?}", found.duels) };
        assert_eq!((duel.first.as_str(), duel.second.as_str()), ("base", "mine"));
        assert_eq!((duel.first_wins, duel.second_wins, duel.ties), (2, 2, 1));
        assert_eq!((duel.win_rate.value, duel.p_value), (0.5, 1.0));
        let longer = found.longer_preferred.unwrap();
        assert_eq!((longer.value, longer.of), (0.75, 4));
        // Ann says "a", the other last said that all are bad.
        assert_eq!((found.judged_by_several, found.agreement), (1, Some(0.0)));
    }

    #[test]
    fn nothing_says_nothing() {
        assert_eq!(stats(&[]).unwrap(), FeedbackStats::default());
        let open = stats(&[ballot(&["a", "b"], None)]).unwrap();
        assert_eq!(open, FeedbackStats { ballots: 1, ..FeedbackStats::default() });
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_vote_that_does_not_fit_is_refused() {
        let ballots = [ballot(&["a", "b"], Some(Choice::Stars { stars: vec![9, 1] }))];
        assert_eq!(stats(&ballots).unwrap_err().code(), "feedback.stars");
    }

    proptest! {
        #[test]
        fn counts_are_those_of_the_rows(ballots in proptest::collection::vec(any_ballot(), 0..12)) {
            let stats = stats(&ballots).unwrap();
            prop_assert_eq!(stats.pairs, preferences(&ballots).unwrap().len() as u64);
            prop_assert_eq!(stats.unpaired, unpaired(&ballots).unwrap().len() as u64);
            prop_assert_eq!(stats.edits, examples(&ballots).unwrap().len() as u64);
            let open = ballots.iter().filter(|ballot| ballot.vote.is_none()).count() as u64;
            prop_assert_eq!(stats.votes + stats.skipped + open, stats.ballots);
            prop_assert!(stats.longer_preferred.is_none_or(|share| share.of <= stats.pairs));
            prop_assert!(stats.agreement.is_none() || stats.judged_by_several > 0);
        }
    }
}
