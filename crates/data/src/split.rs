//! Which rows are learnt, which steer the run, which are kept for the verdict.
//!
//! Rows with the same input (normalised) are one group and go to one part. Within each label,
//! groups are ordered by a hash of seed and input, so that the split does not depend on the order
//! of the file, and a row added later hardly changes it. Test takes its quota first, then
//! validation; what remains is learnt. Quotas are shared among the labels by largest remainder.

use sanbao_contract::data::Part;
use serde::{Deserialize, Serialize};

use crate::survey::{Row, Survey};

/// Shares of the rows that are held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fractions {
    /// Share for validation, from 0 to 0.9.
    pub validation: f64,
    /// Share for the test, from 0 to 0.9.
    pub test: f64,
}

/// Rows to hold out of `rows`: (validation, test).
///
/// Without fractions: 10 % each, validation at most 200 and test at most 500; with 300 rows or
/// more, test gets at least 60, below which hardly any gain can be told from chance.
pub fn held_out_sizes(rows: usize, fractions: Option<Fractions>) -> (usize, usize) {
    let share = |fraction: f64| {
        if fraction > 0.0 { ((rows as f64 * fraction).round() as usize).max(1) } else { 0 }
    };
    match fractions {
        Some(fractions) => (share(fractions.validation), share(fractions.test)),
        None => {
            let fewest_test = if rows >= 300 { 60 } else { 1 };
            (share(0.1).min(200), share(0.1).max(fewest_test).min(500))
        }
    }
}

/// Gives every kept row that has no part one. Parts that a source was given for as a whole get no
/// rows of other sources.
pub(crate) fn split(survey: &mut Survey, seed: u64, fractions: Option<Fractions>) {
    let is_fixed = |part| survey.rows.iter().any(|row| !row.dropped && row.part == Some(part));
    let (test_fixed, validation_fixed) = (is_fixed(Part::Test), is_fixed(Part::Validation));
    let rows = survey.by_input(|row| row.part.is_none());
    let mut groups: Vec<Group> = Vec::new();
    let mut start = 0;
    for group in rows.iter() {
        let first = &survey.rows[group[0] as usize];
        let order = (order(seed, first) >> 32) as u32;
        groups.push(Group {
            label: first.label().unwrap_or(0) as u32,
            order,
            start,
            rows: group.len() as u32,
        });
        start += group.len() as u32;
    }
    let (validation, test) = held_out_sizes(start as usize, fractions);
    let validation = if validation_fixed { 0 } else { validation };
    let test = if test_fixed { 0 } else { test };
    let parts = assign(&mut groups, validation, test);
    for (group, part) in groups.iter().zip(parts) {
        for row in &rows.rows()[group.start as usize..][..group.rows as usize] {
            survey.rows[*row as usize].part = Some(part);
        }
    }
}

/// Rows with the same input; sorted by label, then at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    label: u32,
    order: u32,
    /// Where its first row stands in the order of groups.
    start: u32,
    rows: u32,
}

/// A number that looks random but follows from seed and input (splitmix64's finaliser).
fn order(seed: u64, row: &Row) -> u64 {
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    mix(row.input[0] ^ mix(seed ^ mix(row.input[1])))
}

/// Sorts the groups and gives each its part.
fn assign(groups: &mut [Group], validation: usize, test: usize) -> Vec<Part> {
    groups.sort_unstable();
    let strata: Vec<&[Group]> = groups.chunk_by(|a, b| a.label == b.label).collect();
    let sizes: Vec<usize> =
        strata.iter().map(|groups| groups.iter().map(|group| group.rows as usize).sum()).collect();
    // One row of each label is always learnt.
    let room: Vec<usize> = sizes.iter().map(|size| size.saturating_sub(1)).collect();
    let test_quotas = apportion(&sizes, &room, test);
    let room: Vec<usize> =
        room.iter().zip(&test_quotas).map(|(room, taken)| room - taken).collect();
    let validation_quotas = apportion(&sizes, &room, validation);

    let mut parts = Vec::with_capacity(groups.len());
    for (at, groups) in strata.into_iter().enumerate() {
        let first = parts.len();
        parts.resize(first + groups.len(), Part::Train);
        take(groups, &mut parts[first..], Part::Test, test_quotas[at]);
        take(groups, &mut parts[first..], Part::Validation, validation_quotas[at]);
    }
    parts
}

/// Shares `total` in proportion to `sizes`, no share above its `room` (largest remainder).
fn apportion(sizes: &[usize], room: &[usize], total: usize) -> Vec<usize> {
    let all: usize = sizes.iter().sum();
    let total = total.min(room.iter().sum());
    let mut shares: Vec<usize> =
        sizes.iter().zip(room).map(|(size, room)| (size * total / all.max(1)).min(*room)).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|at| (std::cmp::Reverse(sizes[*at] * total % all.max(1)), *at));
    let mut missing = total - shares.iter().sum::<usize>();
    while missing > 0 {
        let before = missing;
        for at in &by_remainder {
            if missing > 0 && shares[*at] < room[*at] {
                shares[*at] += 1;
                missing -= 1;
            }
        }
        if missing == before {
            break;
        }
    }
    shares
}

/// Gives groups that are still to be learnt to another part, in order, as long as they fit the
/// quota; where none fits, the smallest. One group is always left.
fn take(groups: &[Group], parts: &mut [Part], part: Part, quota: usize) {
    let free: Vec<usize> = (0..groups.len()).filter(|at| parts[*at] == Part::Train).collect();
    if quota > 0
        && free.iter().all(|at| groups[*at].rows as usize > quota)
        && let Some(smallest) = free.iter().copied().min_by_key(|at| groups[*at].rows)
    {
        if free.len() > 1 {
            parts[smallest] = part;
        }
        return;
    }
    let mut room = quota;
    let mut left = free.len();
    for at in free {
        let rows = groups[at].rows as usize;
        if rows <= room && left > 1 {
            room -= rows;
            left -= 1;
            parts[at] = part;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    /// Groups by size and label, sorted, with their parts.
    fn assigned(
        sizes_and_labels: &[(u32, u32)],
        validation: usize,
        test: usize,
    ) -> Vec<(Group, Part)> {
        let mut start = 0;
        let mut groups = Vec::new();
        for (at, (rows, label)) in sizes_and_labels.iter().enumerate() {
            groups.push(Group {
                label: *label,
                order: (at as u32).wrapping_mul(0x9E37_79B9),
                start,
                rows: *rows,
            });
            start += rows;
        }
        let parts = assign(&mut groups, validation, test);
        groups.into_iter().zip(parts).collect()
    }

    fn count(assigned: &[(Group, Part)], part: Part) -> usize {
        assigned.iter().filter(|(_, of)| *of == part).map(|(group, _)| group.rows as usize).sum()
    }

    #[test]
    fn default_sizes() {
        let sizes: Vec<(usize, usize)> =
            [8, 40, 299, 300, 1000, 2000, 100_000].map(|rows| held_out_sizes(rows, None)).to_vec();
        assert_eq!(sizes, [(1, 1), (4, 4), (30, 30), (30, 60), (100, 100), (200, 200), (200, 500)]);
        assert_eq!(held_out_sizes(1000, Some(Fractions { validation: 0.0, test: 0.3 })), (0, 300));
    }

    #[test]
    fn shares_are_in_proportion_and_within_room() {
        assert_eq!(apportion(&[50, 30, 20], &[49, 29, 19], 10), [5, 3, 2]);
        assert_eq!(apportion(&[5, 5, 1], &[4, 4, 0], 2), [1, 1, 0]);
        assert_eq!(apportion(&[1, 1], &[0, 0], 5), [0, 0]);
        assert_eq!(apportion(&[], &[], 3), Vec::<usize>::new());
    }

    #[test]
    fn rare_labels_are_learnt() {
        let assigned =
            assigned(&[(1, 0), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1)], 1, 1);
        assert_eq!((count(&assigned, Part::Test), count(&assigned, Part::Validation)), (1, 1));
        assert!(assigned.iter().any(|(group, part)| group.label == 0 && *part == Part::Train));
    }

    #[test]
    fn large_groups_are_held_out_too() {
        let assigned = assigned(&[(5, 0), (3, 0), (9, 0), (7, 0)], 2, 2);
        let held_out = |part| {
            assigned
                .iter()
                .filter(|(_, of)| *of == part)
                .map(|(group, _)| group.rows)
                .collect::<Vec<_>>()
        };
        assert_eq!((held_out(Part::Test), held_out(Part::Validation)), (vec![3], vec![5]));
    }

    proptest! {
        #[test]
        fn every_row_gets_one_part(sizes in prop::collection::vec((1..4_u32, 0..5_u32), 8..80), validation in 0..20_usize, test in 0..20_usize) {
            let total: u32 = sizes.iter().map(|(size, _)| size).sum();
            let assigned = assigned(&sizes, validation, test);
            let mut rows: Vec<u32> = assigned.iter().flat_map(|(group, _)| group.start..group.start + group.rows).collect();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..total).collect::<Vec<_>>());
            let labels: std::collections::HashSet<u32> = sizes.iter().map(|(_, label)| *label).collect();
            for label in &labels {
                prop_assert!(assigned.iter().any(|(group, part)| group.label == *label && *part == Part::Train));
            }
            // A quota is overshot only where no group fits: by less than one group a label.
            prop_assert!(count(&assigned, Part::Test) <= test + 3 * labels.len());
            if sizes.iter().all(|(size, _)| *size == 1) {
                prop_assert_eq!(count(&assigned, Part::Test), test.min(total as usize - labels.len()));
            }
        }
    }
}
