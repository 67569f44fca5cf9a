//! Who wins against whom.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use sanbao_contract::feedback::{Ballot, Duel};

use crate::proportion::{sign_test, wilson};
use crate::votes::comparisons;

/// Ballots on which two authors met.
#[derive(Debug, Default)]
struct Tally {
    first_wins: u64,
    second_wins: u64,
    ties: u64,
}

impl Tally {
    fn ballots(&self) -> u64 {
        self.first_wins + self.second_wins + self.ties
    }
}

/// Every two authors whose answers a vote compared, most ballots first. Authors are told by their
/// names, the first by the order of the alphabet.
///
/// A ballot counts once for two authors, also when one wrote several of its answers: who is
/// preferred more often wins it. Each vote is a ballot of its own, also where several people judge
/// the same.
pub(crate) fn duels(ballots: &[Ballot]) -> Vec<Duel> {
    let mut tallies: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
    for (authors, balance) in ballots.iter().flat_map(balances) {
        let tally = tallies.entry(authors).or_default();
        match balance.cmp(&0) {
            Ordering::Greater => tally.first_wins += 1,
            Ordering::Less => tally.second_wins += 1,
            Ordering::Equal => tally.ties += 1,
        }
    }
    let mut duels: Vec<Duel> =
        tallies.into_iter().filter_map(|(authors, tally)| duel(authors, &tally)).collect();
    duels.sort_by_key(|duel| std::cmp::Reverse(duel.win_rate.of));
    duels
}

/// For each two authors of a ballot that its vote compares, how much more often the first is
/// preferred.
fn balances(ballot: &Ballot) -> BTreeMap<(&str, &str), i64> {
    let author = |index: usize| Some(ballot.answers.get(index)?.author.as_ref()?.name.as_str());
    let mut balances = BTreeMap::new();
    for found in comparisons(ballot) {
        let (Some(one), Some(other)) = (author(found.first), author(found.second)) else {
            continue;
        };
        let (authors, preferred) = match one.cmp(other) {
            Ordering::Less => ((one, other), found.preferred),
            Ordering::Greater => ((other, one), found.preferred.reverse()),
            Ordering::Equal => continue,
        };
        *balances.entry(authors).or_default() += preferred as i64;
    }
    balances
}

fn duel((first, second): (&str, &str), tally: &Tally) -> Option<Duel> {
    Some(Duel {
        first: first.to_owned(),
        second: second.to_owned(),
        first_wins: tally.first_wins,
        second_wins: tally.second_wins,
        ties: tally.ties,
        win_rate: wilson(tally.first_wins as f64 + tally.ties as f64 / 2.0, tally.ballots())?,
        p_value: sign_test(tally.first_wins, tally.second_wins),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;
    use sanbao_contract::feedback::Choice;

    use super::*;
    use crate::testing::{any_ballot, authored, ballot};

    fn told(ballots: &[Ballot]) -> Vec<(String, u64, u64, u64)> {
        duels(ballots)
            .into_iter()
            .map(|duel| {
                let pair = format!("{}-{}", duel.first, duel.second);
                (pair, duel.first_wins, duel.second_wins, duel.ties)
            })
            .collect()
    }

    #[test]
    fn authors_are_compared_as_far_as_the_vote_goes() {
        let answers = [("a", "X"), ("b", "Y"), ("c", "Z")];
        let of = |choice| told(&[authored(&answers, choice)]);
        let duel = |pair: &str, first, second, ties| (pair.to_owned(), first, second, ties);
        assert_eq!(of(Choice::Best { answer: 1 }), [duel("X-Y", 0, 1, 0), duel("Y-Z", 1, 0, 0)]);
        assert_eq!(
            of(Choice::Stars { stars: vec![2, 2, 4] }),
            [duel("X-Y", 0, 0, 1), duel("X-Z", 0, 1, 0), duel("Y-Z", 0, 1, 0)]
        );
        for equal in [Choice::Tie, Choice::AllBad, Choice::Thumbs { up: vec![true; 3] }] {
            let ties = [duel("X-Y", 0, 0, 1), duel("X-Z", 0, 0, 1), duel("Y-Z", 0, 0, 1)];
            assert_eq!(of(equal), ties);
        }
        assert!(of(Choice::Skip).is_empty());
        assert!(of(Choice::Edit { answer: 0, text: "d".into() }).is_empty());
        assert!(told(&[ballot(&["a", "b"], Some(Choice::Best { answer: 0 }))]).is_empty());
    }

    #[test]
    fn a_ballot_counts_once_for_two_authors() {
        let answers = [("a", "X"), ("b", "X"), ("c", "Y"), ("d", "Y")];
        let of = |choice| told(&[authored(&answers, choice)]);
        assert_eq!(of(Choice::Best { answer: 3 }), [("X-Y".to_owned(), 0, 1, 0)]);
        let balanced = Choice::Stars { stars: vec![5, 1, 3, 3] };
        assert_eq!(of(balanced), [("X-Y".to_owned(), 0, 0, 1)]);
        // The same answer from two models is no win of either.
        let same = authored(&[("a", "X"), ("a", "Y")], Choice::Best { answer: 0 });
        assert_eq!(told(&[same]), [("X-Y".to_owned(), 0, 0, 1)]);
    }

    #[test]
    fn figures_follow_from_the_counts() {
        let vote = |choice| authored(&[("a", "base"), ("b", "mine")], choice);
        let mut ballots = vec![vote(Choice::Best { answer: 1 }); 8];
        ballots.extend(vec![vote(Choice::Best { answer: 0 }); 2]);
        ballots.extend(vec![vote(Choice::Tie); 4]);
        ballots.extend(vec![authored(&[("a", "mine"), ("b", "other")], Choice::Tie); 15]);
        let found = duels(&ballots);
        assert_eq!((found[0].second.as_str(), found[0].win_rate.of), ("other", 15));
        assert_eq!((found[1].first.as_str(), found[1].win_rate.of), ("base", 14));
        assert_eq!(found[1].win_rate.value, 4.0 / 14.0);
        assert!((found[1].p_value - 0.109_375).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn no_more_ballots_than_there_are(
            ballots in proptest::collection::vec(any_ballot(), 0..12),
        ) {
            for duel in duels(&ballots) {
                prop_assert!(duel.first < duel.second);
                prop_assert_eq!(duel.first_wins + duel.second_wins + duel.ties, duel.win_rate.of);
                prop_assert!(duel.win_rate.of <= ballots.len() as u64);
                prop_assert!((0.0..=1.0).contains(&duel.p_value));
            }
        }
    }
}
