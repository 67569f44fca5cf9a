//! Reading prompts: what they share is read once, the rest in packed passes.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use crate::cache::{Cache, SequenceId, select};
use crate::error::Error;

/// Tokens of one pass. More would not be faster, but would need more memory.
pub const PASS_TOKENS: usize = 2048;

/// A shorter common beginning is not worth a pass of its own.
const WORTH_SHARING: usize = 16;

/// The beginning that all prompts of a job have in common, read at most once.
pub struct Beginning {
    sequence: Option<SequenceId>,
    tokens: usize,
}

/// Prompts that were read.
pub struct Prefilled {
    /// A sequence for each prompt, in the order given.
    pub sequences: Vec<SequenceId>,
    /// For each prompt, its row of `hidden`.
    pub rows: Vec<usize>,
    /// Hidden state of the last token of each distinct prompt, `[distinct, hidden]`.
    pub hidden: Tensor<2>,
}

impl Beginning {
    /// Reads what all `prompts` begin with, if that is long enough. Each prompt keeps at least
    /// its last token for itself.
    pub fn read(cache: &mut Cache, prompts: &[&[u32]]) -> Result<Self, Error> {
        let distinct = prompts.iter().any(|prompt| prompt != &prompts[0]);
        let tokens = if distinct { common(prompts) } else { 0 };
        if tokens < WORTH_SHARING {
            return Ok(Self { sequence: None, tokens: 0 });
        }
        let sequence = cache.begin();
        extend_all(cache, &[(sequence, &prompts[0][..tokens])])?;
        Ok(Self { sequence: Some(sequence), tokens })
    }

    /// Reads prompts, each with at least one token; equal ones are read once.
    pub fn prefill(&self, cache: &mut Cache, prompts: &[&[u32]]) -> Result<Prefilled, Error> {
        let mut distinct: BTreeMap<&[u32], usize> = BTreeMap::new();
        let mut feeds: Vec<(SequenceId, &[u32])> = Vec::new();
        let (mut sequences, mut rows) = (Vec::new(), Vec::new());
        for prompt in prompts {
            if let Some(row) = distinct.get(prompt) {
                rows.push(*row);
                continue;
            }
            let sequence = match self.sequence {
                Some(beginning) => cache.fork(beginning)?,
                None => cache.begin(),
            };
            rows.push(feeds.len());
            distinct.insert(prompt, feeds.len());
            feeds.push((sequence, &prompt[self.tokens..]));
        }
        let hidden = extend_all(cache, &feeds)?;
        let mut taken = vec![false; feeds.len()];
        for row in &rows {
            let first = !std::mem::replace(&mut taken[*row], true);
            let read = feeds[*row].0;
            sequences.push(if first { read } else { cache.fork(read)? });
        }
        Ok(Prefilled { sequences, rows, hidden })
    }
}

/// Feeds sequences of any lengths in passes of bounded size; returns the hidden state after
/// the last token of each.
fn extend_all(cache: &mut Cache, feeds: &[(SequenceId, &[u32])]) -> Result<Tensor<2>, Error> {
    let mut waiting = feeds.to_vec();
    let mut parts = Vec::new();
    while !waiting.is_empty() {
        let (mut pass, mut last, mut rows) = (Vec::new(), Vec::new(), 0);
        while rows < PASS_TOKENS
            && let Some((sequence, tokens)) = waiting.first_mut()
        {
            let (now, later) = tokens.split_at(tokens.len().min(PASS_TOKENS - rows));
            pass.push((*sequence, now));
            rows += now.len();
            *tokens = later;
            if later.is_empty() {
                last.push(rows - 1);
                waiting.remove(0);
            }
        }
        parts.push(select(cache.extend(&pass)?, &last));
    }
    Ok(Tensor::cat(parts, 0))
}

fn common(prompts: &[&[u32]]) -> usize {
    let Some((first, rest)) = prompts.split_first() else {
        return 0;
    };
    let shortest = prompts.iter().map(|prompt| prompt.len()).min().unwrap_or(0);
    let same = |prompt: &&[u32]| prompt.iter().zip(*first).take_while(|(a, b)| a == b).count();
    rest.iter().map(same).min().unwrap_or(0).min(shortest.saturating_sub(1))
}
