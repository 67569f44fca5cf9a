//! How much memory a model needs, before anything is loaded.

use sanbao_contract::model::MemoryNeeds;

/// Rank that the figure for LoRA is given for.
pub const CARD_LORA_RANK: u64 = 16;

/// Bytes of a number that is computed with.
const FLOAT: u64 = 4;
/// Moments that AdamW keeps for every trained number.
const MOMENTS: u64 = 2;
/// Tokens whose logits stand in memory at once while training.
const HEAD_TOKENS: u64 = 256;
/// Copies of those logits: the logits, their log-softmax, their gradient.
const HEAD_COPIES: u64 = 3;
/// Program, tokenizer, thread stacks, the allocator's reserve.
const PROGRAM: u64 = 200 << 20;

/// The sizes of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// All parameters, tied ones once.
    pub parameters: u64,
    /// Blocks.
    pub layers: u64,
    /// Width of the hidden state.
    pub hidden: u64,
    /// Width of the feed-forward part.
    pub intermediate: u64,
    /// Vocabulary.
    pub vocabulary: u64,
    /// Query heads.
    pub heads: u64,
    /// Key and value heads.
    pub kv_heads: u64,
    /// Width of a head.
    pub head_dim: u64,
}

impl Dimensions {
    /// The sizes that a configuration gives.
    pub fn of(spec: &crate::spec::Spec) -> Self {
        Self {
            parameters: spec.parameters(),
            layers: spec.layers.len() as u64,
            hidden: spec.hidden_size as u64,
            intermediate: spec.intermediate_size as u64,
            vocabulary: spec.vocab_size as u64,
            heads: spec.num_attention_heads as u64,
            kv_heads: spec.num_key_value_heads as u64,
            head_dim: spec.head_dim as u64,
        }
    }
}

/// What is done with the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Answering one conversation.
    Run,
    /// Training LoRA adapters on every linear layer.
    Lora {
        /// Their rank.
        rank: u64,
    },
    /// Training every weight.
    Full,
}

/// How it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Tokens at once: of the context while answering, of a micro-batch while training.
    pub tokens: u64,
    /// Longest sequence among them that attends to itself.
    pub sequence: u64,
    /// Bytes that a weight takes in memory.
    pub bytes_per_weight: u64,
    /// Whether blocks are computed again in the backward pass instead of being kept.
    pub recompute: bool,
}

/// Where the bytes go. Each term is an estimate of the most that is there at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryTerms {
    /// The model: parameters × bytes per weight.
    pub weights: u64,
    /// The numbers that are trained beside the model (LoRA's matrices).
    pub adapter: u64,
    /// A gradient for every trained number.
    pub gradients: u64,
    /// AdamW's two moments for every trained number.
    pub optimizer: u64,
    /// Keys and values of the context, kept while answering.
    pub kv_cache: u64,
    /// What blocks keep for the backward pass; with recomputation the inputs of all blocks and
    /// the rest of one. While answering, one block at work.
    pub activations: u64,
    /// Logits: of the last token while answering, of one chunk of tokens while training.
    pub logits: u64,
    /// The program itself.
    pub program: u64,
}

impl MemoryTerms {
    /// All terms together.
    pub fn total(&self) -> u64 {
        [
            self.adapter,
            self.gradients,
            self.optimizer,
            self.kv_cache,
            self.activations,
            self.logits,
            self.program,
        ]
        .into_iter()
        .fold(self.weights, u64::saturating_add)
    }
}

/// The memory that `work` needs, in bytes.
///
/// With h hidden, i intermediate, q = heads · head_dim, k = kv_heads · head_dim, S the longest
/// sequence, 4 bytes a number:
///
/// - saved per token and block: 3 h (input, between the parts, the norms of some architectures) +
///   2 q (queries, attention's result) + 2 k (keys, values) + 2 i (gate, up);
/// - at work in one block, per token: 6 h + 3 q + 4 k + 5 i (what is saved, again, with gradients)
///   + 2 · heads · S (scores and probabilities, where the device forms them);
/// - LoRA of rank r on all seven linear layers: r · (2 h + 2 q + 2 k + 2 h + 3 h + 3 i) a block:
///   r · (in + out) for q (h, q), k and v (h, k), o (q, h), gate and up (h, i), down (i, h);
///   and r numbers more per token and linear layer at work.
pub fn memory(dimensions: &Dimensions, work: Work, load: Load) -> MemoryTerms {
    let Dimensions {
        parameters,
        layers,
        hidden,
        intermediate,
        vocabulary,
        heads,
        kv_heads,
        head_dim,
    } = *dimensions;
    let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
    let Load { tokens, sequence, bytes_per_weight, recompute } = load;

    let adapter_per_layer = |rank: u64| {
        rank * ((hidden + queries)
            + 2 * (hidden + keys)
            + (queries + hidden)
            + 3 * (hidden + intermediate))
    };
    let (trained, adapter, rank) = match work {
        Work::Run => (0, 0, 0),
        Work::Lora { rank } => {
            let adapter = layers * adapter_per_layer(rank);
            (adapter, adapter, rank)
        }
        Work::Full => (parameters, 0, 0),
    };

    let saved = tokens * (3 * hidden + 2 * queries + 2 * keys + 2 * intermediate) * FLOAT;
    let at_work_per_token =
        6 * hidden + 3 * queries + 4 * keys + 5 * intermediate + 2 * heads * sequence + 7 * rank;
    let at_work = tokens * at_work_per_token * FLOAT;
    let inputs = layers * tokens * hidden * FLOAT;
    let (activations, kv_cache, logits) = match work {
        Work::Run => (at_work, 2 * layers * tokens * keys * FLOAT, vocabulary * FLOAT),
        Work::Lora { .. } | Work::Full => {
            let kept = if recompute { inputs + saved } else { layers * saved };
            (kept + at_work, 0, tokens.min(HEAD_TOKENS) * vocabulary * FLOAT * HEAD_COPIES)
        }
    };
    MemoryTerms {
        weights: parameters * bytes_per_weight,
        adapter: adapter * FLOAT,
        gradients: trained * FLOAT,
        optimizer: trained * FLOAT * MOMENTS,
        kv_cache,
        activations,
        logits,
        program: PROGRAM,
    }
}

/// The three figures of a model card, for `tokens` tokens at once in one sequence, with
/// recomputation while training.
pub fn memory_needs(dimensions: &Dimensions, tokens: u64, bytes_per_weight: u64) -> MemoryNeeds {
    let load = Load { tokens, sequence: tokens, bytes_per_weight, recompute: true };
    let total = |work| memory(dimensions, work, load).total();
    MemoryNeeds {
        tokens,
        run: total(Work::Run),
        lora: total(Work::Lora { rank: CARD_LORA_RANK }),
        full: total(Work::Full),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SmolLM2-135M.
    const SMALL: Dimensions = Dimensions {
        parameters: 134_515_008,
        layers: 30,
        hidden: 576,
        intermediate: 1536,
        vocabulary: 49_152,
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
    };
    const LOAD: Load = Load { tokens: 512, sequence: 512, bytes_per_weight: 4, recompute: true };

    #[test]
    fn the_terms_follow_the_formulas() {
        let run = memory(&SMALL, Work::Run, LOAD);
        assert_eq!(run.weights, 538_060_032);
        assert_eq!(run.kv_cache, 2 * 30 * 512 * 192 * 4);
        assert_eq!((run.adapter, run.gradients, run.optimizer), (0, 0, 0));

        // PEFT counts 4,884,480 trainable parameters for rank 16 on all linear layers.
        let lora = memory(&SMALL, Work::Lora { rank: 16 }, LOAD);
        assert_eq!(lora.adapter, 4_884_480 * 4);
        assert_eq!(lora.gradients, lora.adapter);
        assert_eq!(lora.optimizer, 2 * lora.adapter);

        let full = memory(&SMALL, Work::Full, LOAD);
        assert_eq!(full.gradients, full.weights);
        assert_eq!(full.optimizer, 2 * full.weights);
        assert_eq!(full.logits, 256 * 49_152 * 4 * 3);
    }

    #[test]
    fn recomputation_saves_and_more_work_needs_more() {
        let kept = memory(&SMALL, Work::Full, Load { recompute: false, ..LOAD });
        let again = memory(&SMALL, Work::Full, LOAD);
        assert!(again.activations * 4 < kept.activations);

        let needs = memory_needs(&SMALL, 512, 4);
        assert!(needs.run < needs.lora && needs.lora < needs.full, "{needs:?}");
        let longer = memory_needs(&SMALL, 2048, 4);
        assert!(longer.run > needs.run && longer.lora > needs.lora && longer.full > needs.full);
    }
}
