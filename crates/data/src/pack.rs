//! Packing: several sequences in one row of tokens, without padding between them.
//!
//! Sequences of one row do not see each other: attention stays within a segment, and positions
//! start again at 0 in each (block-diagonal attention; Krell et al. 2021, "Efficient sequence
//! packing without cross-contamination"). The bins are filled best-fit decreasing.

use std::collections::BTreeMap;
use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::error::Error;
use crate::tokens::Sequence;

/// Sequences that are packed among each other; larger windows leave less room unused and less of
/// the order to chance.
const WINDOW: usize = 2048;

/// The label of a token that predicts nothing (as in Hugging Face's losses).
pub const IGNORE: i64 = -100;

/// Distributes sequences, given by their lengths, over rows of `capacity` tokens; gives the
/// indices of each row's sequences.
///
/// Every sequence with tokens comes exactly once. The order follows from `seed` and `epoch` alone
/// and does not change between versions: sequences are shuffled, then each window of them is packed, the
/// longest first, into the fullest row where it fits; the rows of a window are shuffled again.
///
/// # Errors
/// [`Error::SequenceTooLong`] when one is longer than `capacity`.
pub fn pack(
    lengths: &[usize],
    capacity: usize,
    seed: u64,
    epoch: u64,
) -> Result<Vec<Vec<usize>>, Error> {
    if let Some(index) = lengths.iter().position(|length| *length > capacity) {
        return Err(Error::SequenceTooLong { index, length: lengths[index], capacity });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(epoch);
    let mut order: Vec<usize> = (0..lengths.len()).filter(|at| lengths[*at] > 0).collect();
    shuffle(&mut order, &mut rng);
    let mut rows = Vec::new();
    for window in order.chunks(WINDOW) {
        let mut packed = pack_window(window, lengths, capacity);
        shuffle(&mut packed, &mut rng);
        rows.append(&mut packed);
    }
    Ok(rows)
}

fn pack_window(window: &[usize], lengths: &[usize], capacity: usize) -> Vec<Vec<usize>> {
    let mut longest_first = window.to_vec();
    longest_first.sort_by_key(|at| std::cmp::Reverse(lengths[*at]));
    let mut rows: Vec<Vec<usize>> = Vec::new();
    // Rows by the room that they have left.
    let mut by_room: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in longest_first {
        let length = lengths[at];
        let fitting = by_room.range(length..).next().map(|(room, _)| *room);
        let (row, room) =
            match fitting.and_then(|room| take_row(&mut by_room, room).map(|row| (row, room))) {
                Some(found) => found,
                None => {
                    rows.push(Vec::new());
                    (rows.len() - 1, capacity)
                }
            };
        rows[row].push(at);
        by_room.entry(room - length).or_default().push(row);
    }
    rows
}

fn take_row(by_room: &mut BTreeMap<usize, Vec<usize>>, room: usize) -> Option<usize> {
    let rows = by_room.get_mut(&room)?;
    let row = rows.pop();
    if rows.is_empty() {
        by_room.remove(&room);
    }
    row
}

/// Fisher-Yates. Written out because the order must not change when a library does.
fn shuffle<T>(items: &mut [T], rng: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        // The bias of the remainder is below 2^-32 for any number of rows that fits in memory.
        let other = (rng.next_u64() % (last as u64 + 1)) as usize;
        items.swap(last, other);
    }
}

/// One row of tokens, made of segments that do not see each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackedBatch {
    /// Token ids of all segments, one after the other.
    pub ids: Vec<u32>,
    /// For each token, the id that follows it in its segment when that one is trained, else
    /// [`IGNORE`]. So the last token of a segment predicts nothing.
    pub labels: Vec<i64>,
    /// Position of each token in its segment, from 0.
    pub positions: Vec<u32>,
    /// Where each segment lies in `ids`.
    pub segments: Vec<Range<usize>>,
}

impl PackedBatch {
    /// Joins sequences; empty ones leave no segment.
    pub fn new(sequences: impl IntoIterator<Item = Sequence>) -> Self {
        let mut batch = Self::default();
        for Sequence { ids, trained } in sequences {
            if ids.is_empty() {
                continue;
            }
            let start = batch.ids.len();
            let targets = ids.iter().zip(&trained).skip(1);
            batch.labels.extend(
                targets.map(|(id, trained)| if *trained { i64::from(*id) } else { IGNORE }),
            );
            batch.labels.push(IGNORE);
            batch.positions.extend((0..).take(ids.len()));
            batch.ids.extend(ids);
            batch.segments.push(start..batch.ids.len());
        }
        batch
    }

    /// Positions in `ids` whose next token is learnt, with that token.
    pub fn targets(&self) -> impl Iterator<Item = (usize, u32)> {
        self.labels
            .iter()
            .enumerate()
            .filter_map(|(at, label)| u32::try_from(*label).ok().map(|id| (at, id)))
    }

    /// Number of targets.
    pub fn trained_tokens(&self) -> usize {
        self.targets().count()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_are_shifted_within_segments() {
        let sequence = |ids: &[u32], trained: &[bool]| Sequence {
            ids: ids.to_vec(),
            trained: trained.to_vec(),
        };
        let batch = PackedBatch::new([
            sequence(&[5, 6, 7, 8], &[true, false, true, true]),
            Sequence::default(),
            sequence(&[9, 10], &[true, true]),
            sequence(&[11], &[true]),
        ]);
        assert_eq!(batch.ids, [5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(batch.labels, [IGNORE, 7, 8, IGNORE, 10, IGNORE, IGNORE]);
        assert_eq!(batch.positions, [0, 1, 2, 3, 0, 1, 0]);
        assert_eq!(batch.segments, [0..4, 4..6, 6..7]);
        assert_eq!(batch.targets().collect::<Vec<_>>(), [(1, 7), (2, 8), (4, 10)]);
        assert_eq!(batch.trained_tokens(), 3);
    }

    #[test]
    fn the_order_is_the_same_for_ever() {
        let lengths: Vec<usize> = (0..12).map(|at| 3 + at * 7 % 11).collect();
        let packed: Vec<String> = [(0, 0), (0, 1), (7, 0)]
            .iter()
            .map(|(seed, epoch)| format!("{:?}", pack(&lengths, 20, *seed, *epoch).unwrap()))
            .collect();
        insta::assert_snapshot!(packed.join("\n"));
    }

    #[test]
    fn little_room_is_left_unused() {
        let lengths: Vec<usize> = (0..5000).map(|at| 10 + at * 7919 % 240).collect();
        let rows = pack(&lengths, 256, 1, 0).unwrap();
        let used: usize = lengths.iter().sum();
        assert!(used as f64 / (rows.len() * 256) as f64 > 0.97, "{} rows", rows.len());
    }

    #[test]
    fn a_sequence_that_fits_nowhere_is_named() {
        let error = pack(&[3, 9], 8, 0, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Sequence 1 has 9 tokens where at most 8 fit; prepare the data with a smaller maximum length."
        );
    }

    proptest! {
        #[test]
        fn every_sequence_comes_once(lengths in prop::collection::vec(0..64_usize, 0..300), capacity in 64..200_usize, seed: u64, epoch in 0..5_u64) {
            let rows = pack(&lengths, capacity, seed, epoch).unwrap();
            prop_assert_eq!(&rows, &pack(&lengths, capacity, seed, epoch).unwrap());
            for row in &rows {
                prop_assert!(row.iter().map(|at| lengths[*at]).sum::<usize>() <= capacity && !row.is_empty());
            }
            let mut seen: Vec<usize> = rows.into_iter().flatten().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).filter(|at| lengths[*at] > 0).collect::<Vec<_>>());
        }
    }
}
