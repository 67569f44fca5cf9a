//! Which rows are learnt, which steer the run, which are kept for the verdict.
//!
//! Rows with the same input (normalised) are one group and go to one part. Within each label,
//! groups are ordered by a hash of seed and input, so that the split does not depend on the order
//! of the file, and a row added later hardly changes it. Test takes its quota first, then
//! validation; what remains is learnt. Quotas are shared among the labels by largest remainder.

use serde::{Deserialize, Serialize};

use crate::prepare::Part;
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
    let share = |fraction: f64| if fraction > 0.0 { ((rows as f64 * fraction).round() as usize).max(1) } else { 0 };
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
    let mut next = 0;
    let groups: Vec<Group> = rows
        .iter()
        .map(|group| {
            let first = &survey.rows[group[0] as usize];
            let start = next;
            next += group.len();
            Group { order: order(seed, first), label: first.label().unwrap_or(0) as u32, start: start as u32, rows: group.len() as u32 }
        })
        .collect();
    let (validation, test) = held_out_sizes(next, fractions);
    let validation = if validation_fixed { 0 } else { validation };
    let test = if test_fixed { 0 } else { test };
    let mut parts = vec![Part::Train; groups.len()];
    let starts: Vec<u32> = groups.iter().map(|group| group.start).collect();
    for (group, part) in assign(groups, validation, test) {
        if let Ok(at) = starts.binary_search(&group.start) {
            parts[at] = part;
        }
    }
    for (group, part) in rows.iter().zip(parts) {
        for row in group {
            survey.rows[*row as usize].part = Some(part);
        }
    }
}

/// Rows with the same input.
#[derive(Debug, Clone, Copy)]
struct Group {
    order: u64,
    label: u32,
    /// Where it starts in the order of groups, by rows.
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

fn assign(groups: Vec<Group>, validation: usize, test: usize) -> Vec<(Group, Part)> {
    let labels = groups.iter().map(|group| group.label as usize + 1).max().unwrap_or(0);
    let mut strata: Vec<Vec<Group>> = (0..labels).map(|_| Vec::new()).collect();
    for group in groups {
        strata[group.label as usize].push(group);
    }
    let sizes: Vec<usize> = strata.iter().map(|groups| groups.iter().map(|group| group.rows as usize).sum()).collect();
    // One row of each label is always learnt.
    let room = sizes.iter().map(|size| size.saturating_sub(1)).collect::<Vec<_>>();
    let test_quotas = apportion(&sizes, &room, test);
    let room: Vec<usize> = room.iter().zip(&test_quotas).map(|(room, taken)| room - taken).collect();
    let validation_quotas = apportion(&sizes, &room, validation);

    let mut assigned = Vec::new();
    for (at, mut groups) in strata.into_iter().enumerate() {
        groups.sort_by_key(|group| (group.order, group.start));
        for (part, quota) in [(Part::Test, test_quotas[at]), (Part::Validation, validation_quotas[at])] {
            assigned.extend(take(&mut groups, quota).into_iter().map(|group| (group, part)));
        }
        assigned.extend(groups.into_iter().map(|group| (group, Part::Train)));
    }
    assigned
}

/// Shares `total` in proportion to `sizes`, no share above its `room` (largest remainder).
fn apportion(sizes: &[usize], room: &[usize], total: usize) -> Vec<usize> {
    let all: usize = sizes.iter().sum();
    let total = total.min(room.iter().sum());
    let mut shares: Vec<usize> = sizes.iter().zip(room).map(|(size, room)| (size * total / all.max(1)).min(*room)).collect();
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

/// Takes groups in order as long as they fit the quota; where none fits, the smallest.
fn take(groups: &mut Vec<Group>, quota: usize) -> Vec<Group> {
    let mut taken = Vec::new();
    let mut left = Vec::new();
    let mut rows = 0;
    for group in groups.drain(..) {
        if rows + group.rows as usize <= quota {
            rows += group.rows as usize;
            taken.push(group);
        } else {
            left.push(group);
        }
    }
    if taken.is_empty()
        && quota > 0
        && left.len() > 1
        && let Some(smallest) = (0..left.len()).min_by_key(|at| left[*at].rows)
    {
        taken.push(left.remove(smallest));
    }
    *groups = left;
    taken
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn groups(sizes_and_labels: &[(usize, usize)]) -> Vec<Group> {
        let mut next = 0;
        sizes_and_labels
            .iter()
            .enumerate()
            .map(|(at, (size, label))| {
                next += *size as u32;
                let order = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                Group { order, label: *label as u32, start: next - *size as u32, rows: *size as u32 }
            })
            .collect()
    }

    fn count(assigned: &[(Group, Part)], part: Part) -> usize {
        assigned.iter().filter(|(_, of)| *of == part).map(|(group, _)| group.rows as usize).sum()
    }

    #[test]
    fn default_sizes() {
        let sizes: Vec<(usize, usize)> = [8, 40, 299, 300, 1000, 2000, 100_000].map(|rows| held_out_sizes(rows, None)).to_vec();
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
        let assigned = assign(groups(&[(1, 0), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1)]), 1, 1);
        assert_eq!((count(&assigned, Part::Test), count(&assigned, Part::Validation)), (1, 1));
        assert!(assigned.iter().any(|(group, part)| group.start == 0 && *part == Part::Train));
    }

    proptest! {
        #[test]
        fn every_row_gets_one_part(sizes in prop::collection::vec((1..4_usize, 0..5_usize), 8..80), validation in 0..20_usize, test in 0..20_usize) {
            let total: usize = sizes.iter().map(|(size, _)| size).sum();
            let assigned = assign(groups(&sizes), validation, test);
            let mut rows: Vec<usize> = assigned.iter().flat_map(|(group, _)| group.start as usize..(group.start + group.rows) as usize).collect();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..total).collect::<Vec<_>>());
            prop_assert!(count(&assigned, Part::Train) >= 1);
            let labels: std::collections::HashSet<usize> = sizes.iter().map(|(_, label)| *label).collect();
            // A quota is overshot only where no group fits: by less than one group a label.
            prop_assert!(count(&assigned, Part::Test) <= test + 3 * labels.len());
            if sizes.iter().all(|(size, _)| *size == 1) {
                prop_assert_eq!(count(&assigned, Part::Test), test.min(total - labels.len()));
            }
        }
    }
}
