//! Whether people who judge the same say the same.

use std::collections::BTreeMap;

use sanbao_contract::feedback::Ballot;

use crate::question::Question;
use crate::votes::preferred;

/// Krippendorff's alpha for nominal values (Krippendorff 2011, "Computing Krippendorff's
/// Alpha-Reliability", section C): 1 when all agree, 0 when they agree as often as chance would
/// have it. A unit holds the values that its raters gave; units with fewer than two are left out.
/// `None` when there are none, or only one value was ever given.
pub fn nominal_alpha<V: Ord>(units: &[Vec<V>]) -> Option<f64> {
    let mut totals: BTreeMap<&V, f64> = BTreeMap::new();
    // Sum of the diagonal of the coincidence matrix.
    let mut agreed = 0.0;
    for unit in units.iter().filter(|unit| unit.len() > 1) {
        let mut counts: BTreeMap<&V, f64> = BTreeMap::new();
        for value in unit {
            *counts.entry(value).or_default() += 1.0;
        }
        let others = unit.len() as f64 - 1.0;
        for (value, count) in counts {
            agreed += count * (count - 1.0) / others;
            *totals.entry(value).or_default() += count;
        }
    }
    let all: f64 = totals.values().sum();
    let by_chance = all * all - totals.values().map(|total| total * total).sum::<f64>();
    (by_chance > 0.0).then(|| 1.0 - (all - 1.0) * (all - agreed) / by_chance)
}

/// For each question that several people judged, the answers that each of them preferred: whether
/// each distinct text, in the order of the alphabet, is among them. So a value means the same
/// whatever order the answers were shown in, and has nothing to do with who wrote them.
///
/// Corrections and skipped ballots say nothing. Who judged twice is taken at their last word.
pub(crate) fn units(ballots: &[Ballot]) -> Vec<Vec<Vec<bool>>> {
    let mut questions: BTreeMap<Question<'_>, BTreeMap<&str, (u64, Vec<bool>)>> = BTreeMap::new();
    for ballot in ballots {
        let (Some(vote), Some(preferred)) = (&ballot.vote, preferred(ballot)) else { continue };
        let question = Question::of(ballot);
        let value = question.texts().iter().map(|text| preferred.contains(text)).collect();
        let raters = questions.entry(question).or_default();
        let is_last = raters.get(vote.rater.as_str()).is_none_or(|(at, _)| *at <= vote.at);
        if is_last {
            raters.insert(&vote.rater, (vote.at, value));
        }
    }
    questions
        .into_values()
        .filter(|raters| raters.len() > 1)
        .map(|raters| raters.into_values().map(|(_, value)| value).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;
    use sanbao_contract::feedback::Choice;

    use super::*;
    use crate::testing::{ballot, vote};

    /// Units of a table with a line for each rater; a dot is a missing value.
    fn table(raters: &[&str]) -> Vec<Vec<char>> {
        let lines: Vec<Vec<char>> = raters
            .iter()
            .map(|line| line.chars().filter(|value| !value.is_whitespace()).collect())
            .collect();
        (0..lines[0].len())
            .map(|unit| lines.iter().map(|line| line[unit]).filter(|v| *v != '.').collect())
            .collect()
    }

    /// The examples of Krippendorff 2011: two raters with yes and no (A), two with five values (B),
    /// four with missing values (C).
    #[test]
    fn alpha_is_the_published_one() {
        let published = [
            (0.095, vec!["0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"]),
            (0.692, vec!["a a b b d c c c e d d a", "b a b b b c c c e d d d"]),
            (
                0.743,
                vec![
                    "1 2 3 3 2 1 4 1 2 . . .",
                    "1 2 3 3 2 2 4 1 2 5 . 3",
                    ". 3 3 3 2 3 4 2 2 5 1 .",
                    "1 2 3 3 2 4 4 1 2 5 1 .",
                ],
            ),
        ];
        for (expected, raters) in published {
            let alpha = nominal_alpha(&table(&raters)).unwrap();
            assert_eq!((alpha * 1e3).round() / 1e3, expected, "{raters:?}");
        }
    }

    #[test]
    fn without_a_difference_there_is_no_alpha() {
        assert_eq!(nominal_alpha::<u8>(&[]), None);
        assert_eq!(nominal_alpha(&[vec![1], vec![2]]), None);
        assert_eq!(nominal_alpha(&[vec![1, 1], vec![1, 1]]), None);
        assert_eq!(nominal_alpha(&[vec![1, 1], vec![2, 2]]), Some(1.0));
    }

    #[test]
    fn the_order_of_the_answers_makes_no_difference() {
        let mut ballots = Vec::new();
        for (answers, best, rater) in
            [(["a", "b"], 0, "Ann"), (["b", "a"], 1, "Ben"), (["b", "a"], 0, "Cho")]
        {
            let mut made = ballot(&answers, None);
            made.vote = Some(vote(Choice::Best { answer: best }, rater, 1));
            ballots.push(made);
        }
        let [a, b] = [vec![true, false], vec![false, true]];
        assert_eq!(units(&ballots), [[a.clone(), a.clone(), b.clone()]]);

        // Ann thinks again; an older vote of Ben's does not count.
        for (choice, rater, at) in
            [(Choice::Thumbs { up: vec![false, true] }, "Ann", 2), (Choice::Tie, "Ben", 0)]
        {
            let mut made = ballot(&["a", "b"], None);
            made.vote = Some(vote(choice, rater, at));
            ballots.push(made);
        }
        assert_eq!(units(&ballots), [[b.clone(), a, b]]);
    }

    #[test]
    fn one_person_agrees_with_nobody() {
        let mut ballots =
            vec![ballot(&["a", "b"], Some(Choice::Tie)), ballot(&["a", "b"], Some(Choice::AllBad))];
        for choice in [Choice::Skip, Choice::Edit { answer: 0, text: "c".into() }] {
            let mut made = ballot(&["a", "b"], None);
            made.vote = Some(vote(choice, "Ann", 1));
            ballots.push(made);
        }
        let mut other = ballot(&["a", "c"], None);
        other.vote = Some(vote(Choice::Tie, "Ann", 1));
        ballots.push(other);
        assert!(units(&ballots).is_empty());
    }

    proptest! {
        #[test]
        fn alpha_is_at_most_one_and_knows_no_order(
            mut units in proptest::collection::vec(proptest::collection::vec(0..4u8, 0..5), 0..8),
        ) {
            let alpha = nominal_alpha(&units);
            if let Some(alpha) = alpha {
                let agree = units.iter().all(|unit| unit.windows(2).all(|two| two[0] == two[1]));
                prop_assert!(alpha <= 1.0 + 1e-12);
                prop_assert_eq!(agree, alpha > 1.0 - 1e-12);
            }
            units.reverse();
            units.iter_mut().for_each(|unit| unit.reverse());
            let turned = nominal_alpha(&units);
            prop_assert_eq!(turned.is_some(), alpha.is_some());
            prop_assert!((turned.unwrap_or_default() - alpha.unwrap_or_default()).abs() < 1e-12);
        }
    }
}
