//! From rows to what is computed at once.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sanbao_data::{PackedBatch, Sequence};
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
/// that is more.
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
    let lengths: Vec<usize> = sequences.iter().map(|sequence| sequence.ids.len()).collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let passes = sanbao_data::pack(&lengths, capacity.max(longest), 0, 0)?;
    Ok(passes
        .into_iter()
        .map(|members| {
            let own = members.iter().map(|index| sequences[*index].clone());
            let batch = MicroBatch::new(own);
            (members, batch)
        })
        .collect())
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
    fn new(sequences: impl Iterator<Item = Sequence>) -> Self {
        let batch = PackedBatch::new(sequences);
        let mut targets = Targets::default();
        for (row, token) in batch.targets() {
            targets.rows.push(row as u32);
            targets.tokens.push(token);
            targets.weights.push(1.0);
        }
        let layout = Layout { segments: batch.segments, positions: batch.positions };
        Self { ids: batch.ids, layout, targets }
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
