//! Learning from pairs of answers: one optimizer step, and a measurement.
//!
//! Sequences come as `chosen, rejected, chosen, rejected, …`; see [`crate::scored`] for how they are
//! computed.

use std::path::Path;

use sanbao_data::Sequence;
use sanbao_models::{Decoder, Trainable};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::losses::{
    Metrics, PreferenceBatch, PreferenceLoss, PreferenceSettings, TokenRows, preference_loss,
};
use crate::scored::{Found, Lowered, Reads, accumulate_scored, find};
use crate::step::{Accumulated, Portions};

/// Which loss, and how it is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preference {
    /// Name in [`crate::losses::PREFERENCE_LOSSES`].
    pub loss: String,
    /// Its settings, in TRL's names.
    pub settings: PreferenceSettings,
}

impl Preference {
    /// The loss of that name.
    ///
    /// # Errors
    /// When there is none, or a setting is out of range.
    pub fn loss(&self) -> Result<&'static PreferenceLoss, Error> {
        self.settings.check()?;
        Ok(preference_loss(&self.loss)?)
    }
}

/// Log-probabilities (nats) that the reference model gives the tokens to learn of each sequence.
pub type Reference = Vec<Vec<f32>>;

/// Finds the reference's log-probabilities, `told` sequences at a time.
///
/// # Errors
/// When the device does not deliver.
pub fn reference(
    model: &Decoder,
    sequences: &[Sequence],
    portion_tokens: usize,
    told: &mut dyn FnMut(usize),
) -> Result<Reference, Error> {
    let mut reference = Vec::with_capacity(sequences.len());
    for part in sequences.chunks(32) {
        reference.extend(log_probabilities(model, part, portion_tokens)?);
        told(reference.len());
    }
    Ok(reference)
}

/// What the model gives the tokens to learn of each sequence.
pub(crate) fn log_probabilities(
    model: &Decoder,
    sequences: &[Sequence],
    portion_tokens: usize,
) -> Result<Reference, Error> {
    let found = find(model, sequences, Reads::LogProbabilities, portion_tokens)?;
    let row = |row: Vec<f64>| row.into_iter().map(|value| value as f32).collect();
    Ok(found.log_probabilities.into_iter().map(row).collect())
}

/// Loss and gradients of one step's pairs, and TRL's figures. When the device's memory runs out,
/// portions are halved (`on_halved` is told) and the step starts over.
///
/// # Errors
/// When not even the smallest portion fits, the device fails otherwise, or the loss is no number.
pub fn accumulate_pairs(
    model: &Decoder,
    pairs: &Pairs<'_>,
    trainable: Trainable,
    portions: &mut Portions,
    dropout_seed: Option<u64>,
    on_halved: &mut dyn FnMut(usize),
) -> Result<(Accumulated, Metrics), Error> {
    accumulate_scored(
        model,
        &pairs.computed(),
        Reads::LogProbabilities,
        &|found| pairs.value(found),
        trainable,
        portions,
        dropout_seed,
        on_halved,
    )
}

/// Some pairs with what is known about them.
pub struct Pairs<'a> {
    /// The loss.
    pub loss: &'static PreferenceLoss,
    /// Its settings.
    pub settings: PreferenceSettings,
    /// `chosen, rejected, chosen, rejected, …`
    pub sequences: &'a [Sequence],
    /// The reference's log-probabilities of the same sequences; not read by a loss that needs none.
    pub reference: &'a [&'a [f32]],
}

impl Pairs<'_> {
    /// What is computed: the sequences, or for a loss over prompts too, with the prompts of the
    /// chosen answers to be learnt as well.
    fn computed(&self) -> Vec<Sequence> {
        let mut sequences = self.sequences.to_vec();
        if self.loss.needs_prompts {
            sequences.iter_mut().step_by(2).for_each(|chosen| chosen.trained.fill(true));
        }
        sequences
    }

    /// The loss of the computed sequences' log-probabilities.
    fn value(&self, found: &Found) -> Result<Lowered, Error> {
        let computed = &found.log_probabilities;
        let order = chosen_first(self.sequences.len());
        // A sequence is its prompt and what is learnt of it, in this order.
        let own = |at: usize| self.sequences[at].trained_tokens().min(computed[at].len());
        let parts = |at: usize| computed[at].split_at(computed[at].len() - own(at));
        let policy: Vec<&[f64]> = order.iter().map(|at| parts(*at).1).collect();
        let policy = TokenRows::new(&policy)?;
        let reference = match self.loss.needs_reference {
            true => {
                let rows: Vec<&[f32]> = order.iter().map(|at| self.reference[*at]).collect();
                Some(TokenRows::new(&rows)?)
            }
            false => None,
        };
        let prompts = match self.loss.needs_prompts {
            true => {
                let chosen = &order[..order.len() / 2];
                let rows: Vec<&[f64]> = chosen.iter().map(|at| parts(*at).0).collect();
                Some(TokenRows::new(&rows)?)
            }
            false => None,
        };
        let batch = PreferenceBatch {
            reference: reference.as_ref(),
            prompts: prompts.as_ref(),
            ..PreferenceBatch::new(&policy)
        };
        let value = (self.loss.compute)(&batch, &self.settings)?;
        let mut derivatives = vec![Vec::new(); computed.len()];
        if let Some(prompts) = &value.prompt_gradient {
            for (at, row) in order.iter().zip(prompts.iter()) {
                derivatives[*at].extend_from_slice(row);
            }
        }
        for (at, row) in order.iter().zip(value.gradient.iter()) {
            derivatives[*at].extend_from_slice(row);
        }
        Ok(Lowered {
            loss: value.loss,
            by_log_probability: derivatives,
            by_score: Vec::new(),
            metrics: value.metrics,
        })
    }
}

/// Indices of the chosen sequences, then of the rejected ones.
fn chosen_first(count: usize) -> Vec<usize> {
    (0..count).step_by(2).chain((1..count).step_by(2)).collect()
}

/// Mean loss and figures over pairs, without gradients, `at_once` pairs at a time.
///
/// # Errors
/// When the device does not deliver, or the loss is no number.
pub fn measure_pairs(
    model: &Decoder,
    pairs: &Pairs<'_>,
    at_once: usize,
    portion_tokens: usize,
) -> Result<Option<(f64, Metrics)>, Error> {
    let (mut loss, mut metrics, mut count) = (0.0, Metrics::new(), 0.0);
    let size = 2 * at_once.max(1);
    for (index, sequences) in pairs.sequences.chunks(size).enumerate() {
        let reference = pairs.reference.get(index * size..).unwrap_or_default();
        let reference = &reference[..reference.len().min(sequences.len())];
        let part = Pairs { sequences, reference, ..*pairs };
        let computed = part.computed();
        let value =
            part.value(&find(model, &computed, Reads::LogProbabilities, portion_tokens)?)?;
        let share = (sequences.len() / 2) as f64;
        loss += value.loss * share;
        for (name, figure) in value.metrics {
            *metrics.entry(name).or_default() += figure * share;
        }
        count += share;
    }
    metrics.values_mut().for_each(|figure| *figure /= count);
    Ok((count > 0.0).then(|| (loss / count, metrics)))
}

/// Writes a reference beside a run, so that it is computed once.
///
/// # Errors
/// When the disk refuses.
pub fn write_reference(path: &Path, reference: &Reference) -> Result<(), Error> {
    let flat: Vec<u8> = reference.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    }
    sanbao_project::write_atomic(path, |file| std::io::Write::write_all(file, &flat))
        .map_err(|error| Error::io(path, error))
}

/// Reads what [`write_reference`] wrote for the same sequences; `None` when there is no such file.
///
/// # Errors
/// When the file does not belong to the sequences, or cannot be read.
pub fn read_reference(path: &Path, sequences: &[Sequence]) -> Result<Option<Reference>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(path, error)),
    };
    let wanted: usize = sequences.iter().map(Sequence::trained_tokens).sum();
    if bytes.len() != wanted * 4 {
        let problem = format!("{} bytes where {} are needed", bytes.len(), wanted * 4);
        return Err(Error::io(path, std::io::Error::other(problem)));
    }
    let mut values = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let row = |sequence: &Sequence| values.by_ref().take(sequence.trained_tokens()).collect();
    Ok(Some(sequences.iter().map(row).collect()))
}
