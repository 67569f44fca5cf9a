//! What a run lowers: the loss of examples, a loss of what was liked and what was not, the loss of a
//! reward model. What learns from rewards of its own answers is in [`crate::online`].

use std::collections::BTreeMap;

use sanbao_contract::train::RunEvent;
use sanbao_data::{Part, Sequence};
use sanbao_models::Decoder;
use sanbao_project::Pointer;

use crate::Error;
use crate::losses::Metrics;
use crate::preference::{
    Pairs, Preference, Reference, accumulate_pairs, measure_pairs, read_reference, reference,
    write_reference,
};
use crate::reward_model::RewardModel;
use crate::run::Run;
use crate::scored::{Reads, accumulate_scored, find};
use crate::settings::Learns;
use crate::step::{Accumulated, Portions, accumulate, mean_loss};
use crate::unpaired::{Singles, mismatched, singles, step_reference_point};

/// What a run lowers.
pub(crate) enum Objective {
    /// Negative log-likelihood of the tokens to learn.
    Likelihood,
    /// A loss of pairs, or of single answers, with what the base model says of them.
    Preference {
        /// Which.
        preference: Preference,
        /// The base model's log-probabilities of the training sequences.
        train: Reference,
        /// And of the validation sequences.
        validation: Reference,
    },
    /// How far scores are from telling liked answers from others.
    RewardModel(RewardModel),
}

impl Objective {
    /// Gets ready what the loss needs; the reference is computed when the run begins.
    pub fn new(run: &mut Run, report: &mut dyn FnMut(RunEvent)) -> Result<Self, Error> {
        let preference = match &run.settings.learns {
            Learns::Examples | Learns::Reward(_) => return Ok(Self::Likelihood),
            Learns::RewardModel(model) => return Ok(Self::RewardModel(*model)),
            Learns::Preference(preference) => preference.clone(),
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
                let loss = preference.loss()?;
                if loss.paired {
                    let pairs = Pairs {
                        loss,
                        settings: preference.settings,
                        sequences: &sequences,
                        reference: &reference,
                    };
                    return accumulate_pairs(
                        run.model,
                        &pairs,
                        trainable,
                        portions,
                        dropout_seed,
                        on_halved,
                    );
                }
                let rows = LikedOrNot::new(run, &sequences, &reference, portions.tokens)?;
                accumulate_scored(
                    run.model,
                    &rows.sequences,
                    Reads::LogProbabilities,
                    &|found| rows.with(preference)?.value(found),
                    trainable,
                    portions,
                    dropout_seed,
                    on_halved,
                )
            }
            Self::RewardModel(model) => {
                let margins = run.data.margins(Part::Train);
                let margins: Vec<f64> =
                    members.iter().filter_map(|row| margins.get(*row).copied()).collect();
                accumulate_scored(
                    run.model,
                    &sequences,
                    Reads::LastScore,
                    &|found| model.value(found, &margins),
                    trainable,
                    portions,
                    dropout_seed,
                    on_halved,
                )
            }
        }
    }

    /// Mean loss over the validation rows, `None` without any, and their figures.
    pub fn validate(
        &self,
        run: &Run,
        sequences: &[Sequence],
        portion_tokens: usize,
    ) -> Result<Option<(f64, Metrics)>, Error> {
        match self {
            Self::Likelihood => {
                let loss = mean_loss(run.model, sequences, portion_tokens)?;
                Ok(loss.map(|loss| (loss, Metrics::new())))
            }
            Self::RewardModel(model) => {
                let margins = run.data.margins(Part::Validation);
                model.measure(run.model, sequences, margins, portion_tokens)
            }
            Self::Preference { preference, validation, .. } => {
                let reference: Vec<&[f32]> = validation.iter().map(Vec::as_slice).collect();
                let loss = preference.loss()?;
                if loss.paired {
                    let settings = preference.settings;
                    let pairs = Pairs { loss, settings, sequences, reference: &reference };
                    let at_once = run.settings.batch_size;
                    return measure_pairs(run.model, &pairs, at_once, portion_tokens);
                }
                if sequences.is_empty() {
                    return Ok(None);
                }
                let rows = LikedOrNot::new(run, sequences, &reference, portion_tokens)?;
                let reads = Reads::LogProbabilities;
                let found = find(run.model, &rows.sequences, reads, portion_tokens)?;
                let value = rows.with(preference)?.value(&found)?;
                Ok(Some((value.loss, value.metrics)))
            }
        }
    }
}

/// Single answers, as a loss over them needs them.
struct LikedOrNot<'a> {
    sequences: Vec<Sequence>,
    desirable: Vec<bool>,
    reference: Vec<&'a [f32]>,
    kl: f64,
}

impl<'a> LikedOrNot<'a> {
    /// `slots` are two sequences a row, `reference` what the base model says of them.
    fn new(
        run: &Run,
        slots: &[Sequence],
        reference: &[&'a [f32]],
        portion_tokens: usize,
    ) -> Result<Self, Error> {
        let (there, desirable) = singles(slots);
        let sequences: Vec<Sequence> = there.iter().map(|at| slots[*at].clone()).collect();
        let reference = there.iter().filter_map(|at| reference.get(*at).copied()).collect();
        let kl = step_reference_point(
            run.model,
            &without_adapters(run.model),
            &mismatched(&sequences),
            portion_tokens,
        )?;
        Ok(Self { sequences, desirable, reference, kl })
    }

    fn with(&self, preference: &Preference) -> Result<Singles<'_>, Error> {
        Ok(Singles {
            loss: preference.loss()?,
            settings: preference.settings,
            desirable: &self.desirable,
            reference: &self.reference,
            kl: self.kl,
        })
    }
}

/// The model as it was before: with its adapters off, it is its own base model. Weights are shared.
pub(crate) fn without_adapters(model: &Decoder) -> Decoder {
    let mut base = model.clone();
    base.set_adapters(false);
    base
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
    if run.settings.lora.is_none() && run.folder.pointed(Pointer::Last)?.is_some() {
        return Err(Error::BadCheckpoint {
            path: path.display().to_string(),
            problem: "is gone: what the base model says, which cannot be computed once every weight has moved; start a new run"
                .to_owned(),
        });
    }
    // Without adapters, or before step 1, this is the base model.
    let base = without_adapters(run.model);
    let total = sequences.len() as u64;
    let found = reference(&base, &sequences, run.settings.micro_batch_tokens, &mut |done| {
        report(RunEvent::Reference { done: done as u64, total });
    })?;
    write_reference(&path, &found)?;
    Ok(found)
}
