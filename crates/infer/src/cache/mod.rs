//! Keys and values of tokens that a model has read, so that only new tokens are computed.
//!
//! A [`Cache`] holds any number of sequences of any lengths. One pass feeds new tokens of
//! several of them, packed one after the other without padding: all linear layers see one
//! matrix, only attention looks at each sequence alone. [`Cache::fork`] lets several
//! continuations share what was computed for their beginning, and [`Cache::peek`] tries
//! continuations without keeping them.

mod host;
mod tensor;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData};
use sanbao_models::Decoder;
use sanbao_models::block::Pass;
use sanbao_models::host::is_host;
use sanbao_models::ops::Layout;
use sanbao_models::ops::attention::AttentionShape;
use sanbao_models::rope::{Rope, RopeScaling, RopeTable};

use crate::error::Error;
use host::HostStore;
use tensor::TensorStore;

/// A sequence in a [`Cache`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceId(u64);

/// Where keys and values stand.
enum Store {
    /// Slices in main memory, one per sequence.
    Host(HostStore),
    /// Padded tensors on a device.
    Tensor(TensorStore),
}

/// A stretch of new tokens: each sees what its sequence has cached, and the stretch up to itself.
#[derive(Debug, Clone)]
struct Branch {
    sequence: SequenceId,
    /// Rows of the pass.
    rows: Range<usize>,
    /// Tokens that the sequence has cached.
    past: usize,
    /// New tokens of the same sequence in front of this stretch, which it does not see.
    offset: usize,
}

/// New tokens for one sequence.
struct Feed<'a> {
    sequence: SequenceId,
    branches: Vec<&'a [u32]>,
}

/// The keys and values of sequences, for one model.
pub struct Cache<'m> {
    model: &'m Decoder,
    store: Store,
    /// The tokens of each sequence.
    sequences: BTreeMap<SequenceId, Vec<u32>>,
    next: u64,
}

impl<'m> Cache<'m> {
    /// An empty cache on the model's device.
    pub fn new(model: &'m Decoder) -> Self {
        let layers = model.blocks.len();
        let store = if is_host(&model.device()) {
            Store::Host(HostStore::new(layers))
        } else {
            Store::Tensor(TensorStore::new(layers))
        };
        Self { model, store, sequences: BTreeMap::new(), next: 0 }
    }

    /// The same with device tensors whatever the device, so that tests reach that path.
    #[cfg(test)]
    fn with_tensors(model: &'m Decoder) -> Self {
        let store = Store::Tensor(TensorStore::new(model.blocks.len()));
        Self { model, store, sequences: BTreeMap::new(), next: 0 }
    }

    /// The model that reads.
    pub fn model(&self) -> &'m Decoder {
        self.model
    }

    /// Begins a sequence without tokens.
    pub fn begin(&mut self) -> SequenceId {
        self.insert(Vec::new(), None)
    }

    /// A new sequence that continues from what `sequence` has so far. Nothing is computed
    /// again; in main memory nothing is copied either.
    ///
    /// # Errors
    /// When the sequence is not in the cache.
    pub fn fork(&mut self, sequence: SequenceId) -> Result<SequenceId, Error> {
        let tokens = self.tokens(sequence)?.to_vec();
        Ok(self.insert(tokens, Some(sequence)))
    }

    /// Forgets a sequence; continuations that were forked from it stay.
    pub fn remove(&mut self, sequence: SequenceId) {
        if self.sequences.remove(&sequence).is_some() {
            match &mut self.store {
                Store::Host(store) => store.remove(sequence),
                Store::Tensor(store) => store.remove(sequence),
            }
        }
    }

    /// The tokens of a sequence.
    ///
    /// # Errors
    /// When the sequence is not in the cache.
    pub fn tokens(&self, sequence: SequenceId) -> Result<&[u32], Error> {
        self.sequences.get(&sequence).map(Vec::as_slice).ok_or(Error::UnknownSequence(sequence.0))
    }

    /// Reads new tokens of several sequences, each named at most once, in one pass.
    ///
    /// Returns the hidden states `[tokens, hidden]` (before the final norm) of all new tokens,
    /// in the order given.
    ///
    /// # Errors
    /// When a sequence is not in the cache, a token is not in the vocabulary, or a sequence
    /// grows beyond the model's context; the index in the message counts `feeds`.
    pub fn extend(&mut self, feeds: &[(SequenceId, &[u32])]) -> Result<Tensor<2>, Error> {
        for (index, (sequence, new)) in feeds.iter().enumerate() {
            self.check(index, *sequence, new)?;
        }
        // Frequencies that change with the length (LongRoPE) make cached keys useless once the
        // length is crossed: such a sequence is read again from its beginning.
        let mut again: BTreeMap<SequenceId, Vec<u32>> = BTreeMap::new();
        for (sequence, new) in feeds {
            let tokens = self.tokens(*sequence)?;
            if crosses(&self.model.spec.ropes, tokens.len(), tokens.len() + new.len()) {
                again.insert(*sequence, [tokens, new].concat());
            }
        }
        let mut picked = Vec::new();
        let mut row = 0;
        let mut list = Vec::new();
        for (sequence, new) in feeds {
            let fed = again.get(sequence).map_or(*new, Vec::as_slice);
            picked.extend(row + fed.len() - new.len()..row + fed.len());
            row += fed.len();
            list.push(Feed { sequence: *sequence, branches: vec![fed] });
        }
        for sequence in again.keys() {
            if let Some(tokens) = self.sequences.get_mut(sequence) {
                tokens.clear();
            }
            match &mut self.store {
                Store::Host(store) => store.clear(*sequence),
                Store::Tensor(store) => store.clear(*sequence),
            }
        }
        let hidden = self.pass(&list, true);
        for Feed { sequence, branches } in &list {
            if let Some(tokens) = self.sequences.get_mut(sequence) {
                branches.iter().for_each(|branch| tokens.extend_from_slice(branch));
            }
        }
        Ok(if again.is_empty() { hidden } else { select(hidden, &picked) })
    }

    /// Reads several alternative continuations of each sequence in one pass and keeps none:
    /// an alternative sees its sequence and itself.
    ///
    /// Returns the hidden states `[tokens, hidden]` (before the final norm) of all tokens of
    /// the alternatives, in the order given.
    ///
    /// # Errors
    /// As [`Self::extend`].
    pub fn peek(&mut self, feeds: &[(SequenceId, Vec<&[u32]>)]) -> Result<Tensor<2>, Error> {
        let mut list = Vec::new();
        for (index, (sequence, branches)) in feeds.iter().enumerate() {
            for branch in branches {
                self.check(index, *sequence, branch)?;
            }
            list.push(Feed { sequence: *sequence, branches: branches.clone() });
        }
        Ok(self.pass(&list, false))
    }

    /// Whether reading a text of `long` tokens gives its first `short` ones other keys than
    /// reading those alone (LongRoPE), so that a continuation cannot use them.
    pub fn changes_beginning(&self, short: usize, long: usize) -> bool {
        crosses(&self.model.spec.ropes, short, long)
    }

    fn insert(&mut self, tokens: Vec<u32>, from: Option<SequenceId>) -> SequenceId {
        let sequence = SequenceId(self.next);
        self.next += 1;
        self.sequences.insert(sequence, tokens);
        match &mut self.store {
            Store::Host(store) => store.insert(sequence, from),
            Store::Tensor(store) => store.insert(sequence, from),
        }
        sequence
    }

    fn check(&self, index: usize, sequence: SequenceId, new: &[u32]) -> Result<(), Error> {
        let tokens = self.tokens(sequence)?.len() + new.len();
        let limit = self.model.spec.max_position_embeddings;
        if tokens > limit {
            return Err(Error::TooLong { index, tokens, limit });
        }
        check_tokens(self.model, index, new)
    }

    fn pass(&mut self, feeds: &[Feed], keep: bool) -> Tensor<2> {
        let (model, device) = (self.model, self.model.device());
        let mut ids = Vec::new();
        let mut branches = Vec::new();
        let mut layout = Layout { segments: Vec::new(), positions: Vec::new() };
        for feed in feeds {
            let past = self.sequences.get(&feed.sequence).map_or(0, Vec::len);
            let mut offset = 0;
            for new in &feed.branches {
                let rows = ids.len()..ids.len() + new.len();
                ids.extend_from_slice(new);
                layout.positions.extend((past..past + new.len()).map(|p| p as u32));
                layout.segments.push(rows.clone());
                branches.push(Branch { sequence: feed.sequence, rows, past, offset });
                offset += new.len();
            }
        }
        if ids.is_empty() {
            return Tensor::zeros([0, model.spec.hidden_size], &device);
        }
        branches.retain(|branch| !branch.rows.is_empty());
        let ropes: Vec<RopeTable> =
            model.spec.ropes.iter().map(|rope| table(rope, &layout)).collect();
        let pass = Pass { layout: &layout, ropes: &ropes, dropout_seed: None };

        if let Store::Tensor(store) = &mut self.store {
            store.plan(&branches, &device);
        }
        let mut x = model.embed_tokens(&ids, &layout.positions);
        for (layer, block) in model.blocks.iter().enumerate() {
            let (qkv, _) = block.project(&x, &pass);
            let attended = self.attend(layer, qkv, &branches, block.attention);
            x = block.finish(x, &attended, None);
        }
        match &mut self.store {
            Store::Host(store) => store.settle(&branches, keep, model.spec.key_width()),
            Store::Tensor(store) => store.settle(&branches, keep),
        }
        x
    }

    fn attend(
        &mut self,
        layer: usize,
        qkv: [Tensor<2>; 3],
        branches: &[Branch],
        shape: AttentionShape,
    ) -> Tensor<2> {
        match &mut self.store {
            Store::Host(store) => store.attend(layer, qkv, branches, shape),
            Store::Tensor(store) => store.attend(layer, qkv, shape),
        }
    }
}

/// Checks that a model knows every token.
pub(crate) fn check_tokens(model: &Decoder, index: usize, ids: &[u32]) -> Result<(), Error> {
    let vocabulary = model.spec.vocab_size;
    match ids.iter().find(|id| **id as usize >= vocabulary) {
        Some(token) => Err(Error::UnknownToken { index, token: *token, vocabulary }),
        None => Ok(()),
    }
}

/// Rows of a matrix, or matrices of a stack.
pub(crate) fn select<const D: usize>(tensor: Tensor<D>, rows: &[usize]) -> Tensor<D> {
    let rows: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
    let count = rows.len();
    let rows: Tensor<1, Int> = Tensor::from_data(TensorData::new(rows, [count]), &tensor.device());
    tensor.select(0, rows)
}

/// Each sequence's own rotary angles: their frequencies may depend on its length.
fn table(rope: &Rope, layout: &Layout) -> RopeTable {
    let mut all = RopeTable { cos: Vec::new(), sin: Vec::new(), half: rope.rotary_dim / 2 };
    for segment in &layout.segments {
        let part = rope.table(&layout.positions[segment.clone()]);
        all.cos.extend(part.cos);
        all.sin.extend(part.sin);
    }
    all
}

fn crosses(ropes: &[Rope], short: usize, long: usize) -> bool {
    ropes.iter().any(|rope| match rope.scaling {
        RopeScaling::LongRope { original, .. } => short > 0 && short <= original && long > original,
        _ => false,
    })
}
