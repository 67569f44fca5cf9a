//! From rows to what is computed at once.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sanbao_data::Sequence;
use sanbao_models::{Layout, Targets};

use crate::Error;
use crate::settings::SamplingStrategy;

/// Sequences computed in one pass, standing one after the other without padding.
#[derive(Debug, Clone, PartialEq)]
pub struct MicroBatch {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Where each sequence stands.
    pub layout: Layout,
    /// What is predicted; weights are 1 until [`step_batches`] shares them out.
    pub targets: Targets,
    /// Row of each sequence's last token.
    pub last_rows: Vec<u32>,
}

/// The order of rows in an epoch, the same for the same seed.
pub fn epoch_order(rows: usize, strategy: SamplingStrategy, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    if strategy == SamplingStrategy::Sequential {
        return order;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(epoch + 1);
    order.shuffle(&mut random);
    order
}

/// Packs sequences into passes of at most `capacity` tokens, or of the longest sequence's when
/// that is more. What neighbours begin with in common before the first token to learn (the system's
/// prompt, or the question that several answers are given to) stands and is computed once.
///
/// # Errors
/// When the sequences cannot be packed.
pub fn pack(sequences: &[Sequence], capacity: usize) -> Result<Vec<MicroBatch>, Error> {
    Ok(pack_members(sequences, capacity)?.into_iter().map(|(_, batch)| batch).collect())
}

/// As [`pack`], with the indices of the sequences of each pass in the order in which they stand.
///
/// # Errors
/// When the sequences cannot be packed.
pub fn pack_members(
    sequences: &[Sequence],
    capacity: usize,
) -> Result<Vec<(Vec<usize>, MicroBatch)>, Error> {
    let groups = groups(sequences, capacity);
    let lengths: Vec<usize> = groups.iter().map(|group| group.tokens).collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let passes = sanbao_data::pack(&lengths, capacity.max(longest), 0, 0)?;
    let pass = |members: Vec<usize>| {
        let own: Vec<&Group> = members.iter().map(|index| &groups[*index]).collect();
        let indices = own.iter().flat_map(|group| group.members.iter().copied()).collect();
        (indices, MicroBatch::new(&own, sequences))
    };
    Ok(passes.into_iter().map(pass).collect())
}

/// Sequences that stand in one segment: the first in full, of the others what follows the tokens
/// that all of them share.
struct Group {
    members: Vec<usize>,
    shared: usize,
    tokens: usize,
}

impl Group {
    fn alone(index: usize, sequences: &[Sequence]) -> Self {
        Self { members: vec![index], shared: 0, tokens: sequences[index].ids.len() }
    }

    /// Takes a sequence in when more is saved so than by keeping it for the sequence after it, and
    /// the group stays within `capacity`.
    fn take(&mut self, index: usize, sequences: &[Sequence], capacity: usize) -> bool {
        let count = self.members.len();
        let common = in_common(&sequences[self.members[0]], &sequences[index]);
        let shared = if count == 1 { common } else { self.shared.min(common) };
        let saved = shared * count;
        let tokens = self.tokens + self.shared * (count - 1) + sequences[index].ids.len() - saved;
        let after = sequences.get(index + 1);
        let elsewhere = after.map_or(0, |after| in_common(&sequences[index], after));
        let pays = saved + shared > self.shared * (count - 1) + elsewhere;
        let taken = shared > 0 && pays && tokens <= capacity;
        if taken {
            self.members.push(index);
            (self.shared, self.tokens) = (shared, tokens);
        }
        taken
    }
}

fn groups(sequences: &[Sequence], capacity: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for index in 0..sequences.len() {
        let taken = groups.last_mut().is_some_and(|group| group.take(index, sequences, capacity));
        if !taken {
            groups.push(Group::alone(index, sequences));
        }
    }
    groups
}

/// Tokens that `other` begins with as `first` does, none of which `other` learns; at least one
/// token of `other` is left.
fn in_common(first: &Sequence, other: &Sequence) -> usize {
    let alike = first.ids.iter().zip(&other.ids).take_while(|(one, other)| one == other).count();
    let untrained = other.trained.iter().take_while(|trained| !**trained).count();
    alike.min(untrained).min(other.ids.len().saturating_sub(1))
}

/// The passes of one optimizer step: every token with loss counts the same, however the rows
/// fall into passes (`Σ loss / tokens of the step`).
///
/// # Errors
/// When the sequences cannot be packed.
pub fn step_batches(sequences: &[Sequence], capacity: usize) -> Result<Vec<MicroBatch>, Error> {
    let mut batches = pack(sequences, capacity)?;
    let tokens: usize = batches.iter().map(|batch| batch.targets.rows.len()).sum();
    let weight = 1.0 / tokens.max(1) as f32;
    for batch in &mut batches {
        batch.targets.weights.fill(weight);
    }
    Ok(batches)
}

impl MicroBatch {
    fn new(groups: &[&Group], sequences: &[Sequence]) -> Self {
        let mut batch = Self {
            ids: Vec::new(),
            layout: Layout { segments: Vec::new(), positions: Vec::new() },
            targets: Targets::default(),
            last_rows: Vec::new(),
        };
        for group in groups {
            let start = batch.ids.len();
            for (at, member) in group.members.iter().enumerate() {
                let shared = if at == 0 { 0 } else { group.shared };
                batch.append(&sequences[*member], shared, start);
            }
            batch.layout.segments.push(start..batch.ids.len());
        }
        batch
    }

    /// Appends what follows the `shared` tokens that the segment from `start` on begins with.
    fn append(&mut self, sequence: &Sequence, shared: usize, start: usize) {
        let (own, length) = (self.ids.len(), sequence.ids.len());
        let row = |index: usize| match index < shared {
            true => (start + index) as u32,
            false => (own + index - shared) as u32,
        };
        self.ids.extend_from_slice(&sequence.ids[shared..]);
        self.layout.positions.extend(shared as u32..length as u32);
        let learnt = (1..length).filter(|index| sequence.trained[*index]);
        for index in learnt {
            self.targets.rows.push(row(index - 1));
            self.targets.tokens.push(sequence.ids[index]);
            self.targets.weights.push(1.0);
        }
        self.last_rows.push(row(length - 1));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sequence(length: usize, trained_from: usize) -> Sequence {
        Sequence {
            ids: (0..length as u32).collect(),
            trained: (0..length).map(|index| index >= trained_from).collect(),
        }
    }

    #[test]
    fn every_target_is_predicted_from_the_token_before_it() {
        let batches = pack(&[sequence(4, 2), sequence(3, 0)], 100).unwrap();
        assert_eq!(batches.len(), 1);
        let batch = &batches[0];
        for (row, token) in batch.targets.rows.iter().zip(&batch.targets.tokens) {
            assert_eq!(batch.ids[*row as usize + 1], *token);
        }
        assert_eq!(batch.targets.rows.len(), 2 + 2);
        assert_eq!(batch.layout.segments.len(), 2);
    }

    #[test]
    fn weights_do_not_depend_on_the_capacity() {
        let rows = [sequence(9, 3), sequence(5, 1), sequence(7, 6)];
        let sum = |capacity| -> f32 {
            step_batches(&rows, capacity)
                .unwrap()
                .iter()
                .flat_map(|b| b.targets.weights.clone())
                .sum()
        };
        assert!((sum(100) - 1.0).abs() < 1e-6 && (sum(8) - 1.0).abs() < 1e-6);
    }

    /// A question of three tokens and two answers stand as one segment.
    #[test]
    fn what_answers_share_stands_once() {
        let answer = |ids: &[u32]| Sequence {
            ids: ids.to_vec(),
            trained: (0..ids.len()).map(|index| index >= 3).collect(),
        };
        let rows = [answer(&[7, 8, 9, 1, 2]), answer(&[7, 8, 9, 1, 3, 4]), answer(&[6, 8, 9, 5])];
        let passes = pack_members(&rows, 100).unwrap();
        assert_eq!(passes.len(), 1);
        let (members, batch) = &passes[0];
        let together = members.iter().position(|member| *member == 0).unwrap();
        assert_eq!(members[together + 1], 1);
        assert_eq!(batch.ids.len(), 5 + 3 + 4);
        let start = batch.layout.segments.iter().find(|segment| segment.len() == 8).unwrap().start;
        assert_eq!(batch.ids[start..start + 8], [7, 8, 9, 1, 2, 1, 3, 4]);
        assert_eq!(batch.layout.positions[start..start + 8], [0, 1, 2, 3, 4, 3, 4, 5]);
        let first = if together == 0 { 0 } else { 1 };
        let rows: Vec<usize> =
            batch.targets.rows[first..first + 5].iter().map(|row| *row as usize - start).collect();
        assert_eq!(rows, [2, 3, 2, 5, 6]);
        assert_eq!(batch.targets.tokens[first..first + 5], [1, 2, 1, 3, 4]);
        assert_eq!(batch.last_rows[together..together + 2], [start as u32 + 4, start as u32 + 7]);
    }

    /// Rows with one system prompt form one group; pairs with a question each form groups of two.
    #[test]
    fn groups_are_those_that_save_most() {
        let row = |beginning: &[u32], own: u32| Sequence {
            ids: beginning.iter().copied().chain([own, own + 1]).collect(),
            trained: (0..beginning.len() + 2).map(|index| index >= beginning.len()).collect(),
        };
        let members = |rows: &[Sequence]| -> Vec<(Vec<usize>, usize)> {
            groups(rows, 1000).into_iter().map(|group| (group.members, group.tokens)).collect()
        };
        // The first two have one more token in common by chance.
        let system = [row(&[1, 2, 3, 4], 10), row(&[1, 2, 3, 4], 20), row(&[1, 2, 3], 30)];
        assert_eq!(members(&system), [(vec![0, 1, 2], 3 + 3 + 3 + 2)]);
        let (one, other) = ([1, 2, 3, 50, 51, 52], [1, 2, 3, 60, 61, 62]);
        let pairs = [row(&one, 10), row(&one, 20), row(&other, 30), row(&other, 40)];
        assert_eq!(members(&pairs), [(vec![0, 1], 10), (vec![2, 3], 10)]);
    }

    #[test]
    fn a_group_stays_within_the_capacity() {
        let answers = vec![sequence(9, 4); 6];
        let lengths = |capacity| -> Vec<usize> {
            let passes = pack_members(&answers, capacity).unwrap();
            passes.iter().flat_map(|(_, b)| b.layout.segments.iter().map(|s| s.len())).collect()
        };
        assert_eq!(lengths(100), [9 + 5 * 5]);
        assert_eq!(lengths(14), [14, 14, 14]);
        assert_eq!(lengths(1), [9; 6]);
    }

    /// What is learnt of an answer cannot be left to another one, be it the same.
    #[test]
    fn what_is_learnt_is_never_shared() {
        let rows = [sequence(6, 0), sequence(6, 0)];
        let (_, batch) = pack_members(&rows, 100).unwrap().remove(0);
        assert_eq!((batch.layout.segments.len(), batch.targets.rows.len()), (2, 10));
    }

    #[test]
    fn orders_differ_by_epoch_and_repeat_by_seed() {
        let order = |seed, epoch| epoch_order(50, SamplingStrategy::Random, seed, epoch);
        assert_eq!(order(7, 0), order(7, 0));
        assert_ne!(order(7, 0), order(7, 1));
        assert_ne!(order(7, 0), order(8, 0));
        let in_order = epoch_order(50, SamplingStrategy::Sequential, 7, 1);
        assert!(in_order.is_sorted());
    }
}
