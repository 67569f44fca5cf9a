//! Losses of what a model says of whole sequences: the log-probabilities of their tokens, or the
//! scores of a score head. One optimizer step, and a measurement.
//!
//! A loss sees all sequences of a step at once, however they fall into portions: with several
//! portions, a first pass without gradients finds what the loss reads and a second one sends the
//! derivatives back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sanbao_data::Sequence;
use sanbao_models::{Activations, Decoder, Gradients, ScoreTargets, Trace, Trainable};

use crate::Error;
use crate::batch::{MicroBatch, pack_members};
use crate::losses::Metrics;
use crate::step::{Accumulated, Portions, halve, is_out_of_memory, panic_message};

/// What a loss reads of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// The log-probability of each token to learn.
    LogProbabilities,
    /// The score of the last token: what a reward model says.
    LastScore,
    /// The log-probability of each token to learn, and the score of the position before it: what a
    /// value head says there.
    LogProbabilitiesAndValues,
}

impl Reads {
    fn log_probabilities(self) -> bool {
        self != Self::LastScore
    }

    fn scores(self) -> bool {
        self != Self::LogProbabilities
    }
}

/// What was read, one list for each sequence; empty lists for what is not read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Log-probabilities (nats).
    pub log_probabilities: Vec<Vec<f64>>,
    /// Scores.
    pub scores: Vec<Vec<f64>>,
}

/// A loss of what was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lowered {
    /// The loss.
    pub loss: f64,
    /// Its derivative by each log-probability, in the same shape.
    pub by_log_probability: Vec<Vec<f64>>,
    /// Its derivative by each score, in the same shape.
    pub by_score: Vec<Vec<f64>>,
    /// Figures for the log.
    pub metrics: Metrics,
}

/// A loss as a function of what was read.
pub type Loss<'a> = &'a dyn Fn(&Found) -> Result<Lowered, Error>;

/// Loss and gradients of one step's sequences. When the device's memory runs out, portions are
/// halved (`on_halved` is told) and the step starts over.
///
/// # Errors
/// When not even the smallest portion fits, the device fails otherwise, or the loss is no number.
#[allow(clippy::too_many_arguments)]
pub fn accumulate_scored(
    model: &Decoder,
    sequences: &[Sequence],
    reads: Reads,
    loss: Loss<'_>,
    trainable: Trainable,
    portions: &mut Portions,
    dropout_seed: Option<u64>,
    on_halved: &mut dyn FnMut(usize),
) -> Result<(Accumulated, Metrics), Error> {
    loop {
        let pass = Pass { model, reads, portions: *portions, dropout_seed };
        let attempt =
            catch_unwind(AssertUnwindSafe(|| pass.accumulate(sequences, loss, trainable)));
        match attempt {
            Ok(result) => return result,
            Err(panic) if is_out_of_memory(&panic_message(&*panic)) => {
                drop(panic);
                halve(model, portions, on_halved)?;
            }
            // The process boundary is where other faults of the device layer are caught.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// What a loss reads, without gradients.
///
/// # Errors
/// When the device does not deliver, or a score is asked of a model without a score head.
pub fn find(
    model: &Decoder,
    sequences: &[Sequence],
    reads: Reads,
    portion_tokens: usize,
) -> Result<Found, Error> {
    let mut found = Found::of(sequences.len());
    for (members, batch) in pack_members(sequences, portion_tokens)? {
        if reads == Reads::LogProbabilities {
            let losses = model.losses(&batch.ids, &batch.layout, &batch.targets)?;
            found.take_losses(&members, sequences, &losses);
        } else if reads == Reads::LastScore {
            let scores = model.scores(&batch.ids, &batch.layout, &batch.last_rows)?;
            found.take_last_scores(&members, &scores);
        } else {
            let trace = model.forward(&batch.ids, &batch.layout, Activations::Recomputed, None);
            found.take(model, &trace, &members, &batch, sequences, reads)?;
        }
    }
    Ok(found)
}

struct Pass<'a> {
    model: &'a Decoder,
    reads: Reads,
    portions: Portions,
    dropout_seed: Option<u64>,
}

impl Pass<'_> {
    fn forward(&self, index: usize, batch: &MicroBatch, activations: Activations) -> Trace {
        let seed = self.dropout_seed.map(|seed| seed.wrapping_add(index as u64));
        self.model.forward(&batch.ids, &batch.layout, activations, seed)
    }

    fn accumulate(
        &self,
        sequences: &[Sequence],
        loss: Loss<'_>,
        trainable: Trainable,
    ) -> Result<(Accumulated, Metrics), Error> {
        let mut batches = pack_members(sequences, self.portions.tokens)?;
        let several = batches.len() > 1;
        let kept = if several { Activations::Recomputed } else { self.portions.activations };
        let mut found = Found::of(sequences.len());
        let mut only = None;
        for (index, (members, batch)) in batches.iter().enumerate() {
            let trace = self.forward(index, batch, kept);
            found.take(self.model, &trace, members, batch, sequences, self.reads)?;
            only = (!several).then_some(trace);
        }
        let lowered = loss(&found)?;

        let mut grads = Gradients::default();
        let (mut trained_tokens, mut tokens) = (0, 0);
        for (index, (members, batch)) in batches.iter_mut().enumerate() {
            let scores = self.weigh(batch, members, &lowered);
            let trace = only
                .take()
                .unwrap_or_else(|| self.forward(index, batch, self.portions.activations));
            self.model.backward_scored(trace, &batch.targets, &scores, trainable, &mut grads)?;
            trained_tokens += batch.targets.rows.len().max(scores.rows.len());
            tokens += batch.ids.len();
        }
        let sums = Accumulated { loss: lowered.loss, trained_tokens, tokens, grads };
        Ok((sums, lowered.metrics))
    }

    /// Puts the derivatives where the backward pass begins. A token's own loss is its negative
    /// log-probability: its weight is the negative derivative.
    fn weigh(&self, batch: &mut MicroBatch, members: &[usize], lowered: &Lowered) -> ScoreTargets {
        let of = |lists: &[Vec<f64>], sign: f64| -> Vec<f32> {
            let all = members.iter().filter_map(|member| lists.get(*member)).flatten();
            all.map(|derivative| (sign * derivative) as f32).collect()
        };
        let rows = match self.reads {
            Reads::LogProbabilities => Vec::new(),
            Reads::LastScore => batch.last_rows.clone(),
            Reads::LogProbabilitiesAndValues => batch.targets.rows.clone(),
        };
        let slopes = if rows.is_empty() { Vec::new() } else { of(&lowered.by_score, 1.0) };
        if self.reads.log_probabilities() {
            batch.targets.weights = of(&lowered.by_log_probability, -1.0);
        } else {
            batch.targets = Default::default();
        }
        ScoreTargets { rows, slopes }
    }
}

impl Found {
    fn of(sequences: usize) -> Self {
        let empty = vec![Vec::new(); sequences];
        Self { log_probabilities: empty.clone(), scores: empty }
    }

    fn take(
        &mut self,
        model: &Decoder,
        trace: &Trace,
        members: &[usize],
        batch: &MicroBatch,
        sequences: &[Sequence],
        reads: Reads,
    ) -> Result<(), Error> {
        if reads.log_probabilities() {
            let losses = model.traced_losses(trace, &batch.targets)?;
            self.take_losses(members, sequences, &losses);
        }
        if reads == Reads::LastScore {
            let scores = model.traced_scores(trace, &batch.last_rows)?;
            self.take_last_scores(members, &scores);
        } else if reads.scores() {
            let scores = model.traced_scores(trace, &batch.targets.rows)?;
            for (member, own) in members.iter().zip(by_member(members, sequences, &scores)) {
                self.scores[*member] = own.iter().copied().map(f64::from).collect();
            }
        }
        Ok(())
    }

    fn take_losses(&mut self, members: &[usize], sequences: &[Sequence], losses: &[f32]) {
        for (member, own) in members.iter().zip(by_member(members, sequences, losses)) {
            self.log_probabilities[*member] = own.iter().map(|loss| -f64::from(*loss)).collect();
        }
    }

    fn take_last_scores(&mut self, members: &[usize], scores: &[f32]) {
        for (member, score) in members.iter().zip(scores) {
            self.scores[*member] = vec![f64::from(*score)];
        }
    }
}

/// Cuts what was computed for a portion into what belongs to each of its sequences.
fn by_member<'a, T>(
    members: &'a [usize],
    sequences: &'a [Sequence],
    values: &'a [T],
) -> impl Iterator<Item = &'a [T]> {
    let mut rest = values;
    members.iter().map(move |member| {
        let (own, after) = rest.split_at(sequences[*member].trained_tokens().min(rest.len()));
        rest = after;
        own
    })
}
