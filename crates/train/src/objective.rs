//! What a run lowers: the loss of examples, or a loss of pairs of answers.

use std::collections::BTreeMap;

use sanbao_contract::train::{RunEvent, StepMetrics};
use sanbao_data::{Part, Sequence};

use crate::Error;
use crate::losses::Metrics;
use crate::preference::{
    Pairs, Preference, Reference, accumulate_pairs, measure_pairs, read_reference, reference,
    write_reference,
};
use crate::run::Run;
use crate::step::{Accumulated, Portions, accumulate, mean_loss};

/// What a run lowers.
pub(crate) enum Objective {
    /// Negative log-likelihood of the tokens to learn.
    Likelihood,
    /// A loss of pairs, with what the base model says of them.
    Preference {
        /// Which.
        preference: Preference,
        /// The base model's log-probabilities of the training sequences.
        train: Reference,
        /// And of the validation sequences.
        validation: Reference,
    },
}

impl Objective {
    /// Gets ready what the loss needs; the reference is computed when the run begins.
    pub fn new(run: &mut Run, report: &mut dyn FnMut(RunEvent)) -> Result<Self, Error> {
        let Some(preference) = run.settings.preference.clone() else {
            return Ok(Self::Likelihood);
        };
        let (mut train, mut validation) = (Reference::new(), Reference::new());
        if preference.loss()?.needs_reference {
            train = known(run, Part::Train, report)?;
            validation = known(run, Part::Validation, report)?;
        }
        Ok(Self::Preference { preference, train, validation })
    }

    /// Loss and gradients of one step's rows, and its figures by TRL's names.
    pub fn accumulate(
        &self,
        run: &Run,
        members: &[usize],
        portions: &mut Portions,
        dropout_seed: Option<u64>,
        on_halved: &mut dyn FnMut(usize),
    ) -> Result<(Accumulated, Metrics), Error> {
        let sequences = run.sequences(Part::Train, members);
        let trainable = run.settings.trainable();
        match self {
            Self::Likelihood => {
                let sums = accumulate(
                    run.model,
                    &sequences,
                    trainable,
                    portions,
                    dropout_seed,
                    on_halved,
                )?;
                Ok((sums, Metrics::new()))
            }
            Self::Preference { preference, train, .. } => {
                let reference: Vec<&[f32]> = members
                    .iter()
                    .flat_map(|row| [2 * row, 2 * row + 1])
                    .filter_map(|at| train.get(at).map(Vec::as_slice))
                    .collect();
                let pairs = Pairs {
                    loss: preference.loss()?,
                    settings: preference.settings,
                    sequences: &sequences,
                    reference: &reference,
                };
                accumulate_pairs(run.model, &pairs, trainable, portions, dropout_seed, on_halved)
            }
        }
    }

    /// Mean loss over the validation rows, `None` without any; their figures go to `metrics`.
    pub fn validate(
        &self,
        run: &Run,
        sequences: &[Sequence],
        portion_tokens: usize,
        metrics: &mut StepMetrics,
    ) -> Result<Option<f64>, Error> {
        match self {
            Self::Likelihood => mean_loss(run.model, sequences, portion_tokens),
            Self::Preference { preference, validation, .. } => {
                let reference: Vec<&[f32]> = validation.iter().map(Vec::as_slice).collect();
                let pairs = Pairs {
                    loss: preference.loss()?,
                    settings: preference.settings,
                    sequences,
                    reference: &reference,
                };
                let measured =
                    measure_pairs(run.model, &pairs, run.settings.batch_size, portion_tokens)?;
                Ok(measured.map(|(loss, figures)| {
                    let validated = |(name, figure)| (format!("eval_{name}"), figure);
                    metrics.figures.extend(named(figures).into_iter().map(validated));
                    loss
                }))
            }
        }
    }
}

/// Figures with names of their own.
pub(crate) fn named(figures: Metrics) -> BTreeMap<String, f64> {
    figures.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect()
}

/// The base model's log-probabilities of a part, from the run's folder or computed now.
fn known(run: &mut Run, part: Part, report: &mut dyn FnMut(RunEvent)) -> Result<Reference, Error> {
    let sequences = run.all(part);
    let path = run.folder.root().join("reference").join(format!("{}.f32", part.name()));
    if let Some(reference) = read_reference(&path, &sequences)? {
        return Ok(reference);
    }
    // Adapters off, the model is its own base model; without adapters this is before step 1.
    run.model.set_adapters(false);
    let total = sequences.len() as u64;
    let found = reference(run.model, &sequences, run.settings.micro_batch_tokens, &mut |done| {
        report(RunEvent::Reference { done: done as u64, total });
    });
    run.model.set_adapters(true);
    let found = found?;
    write_reference(&path, &found)?;
    Ok(found)
}
