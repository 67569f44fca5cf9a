//! Learning from single answers that were liked or not (KTO): what a step needs besides the loss.

use sanbao_data::Sequence;
use sanbao_models::Decoder;

use crate::Error;
use crate::losses::kto::reference_point;
use crate::losses::{LossValue, PreferenceBatch, PreferenceLoss, PreferenceSettings, TokenRows};
use crate::preference::log_probabilities;
use crate::scored::{Found, Lowered};

/// Some answers with what is known about them.
pub struct Singles<'a> {
    /// The loss.
    pub loss: &'static PreferenceLoss,
    /// Its settings.
    pub settings: PreferenceSettings,
    /// Whether each answer was liked.
    pub desirable: &'a [bool],
    /// The reference's log-probabilities of the answers.
    pub reference: &'a [&'a [f32]],
    /// The reference point z0 (nats).
    pub kl: f64,
}

impl Singles<'_> {
    /// The loss of the answers' log-probabilities.
    ///
    /// # Errors
    /// When counts differ, or the loss is no number.
    pub fn value(&self, found: &Found) -> Result<Lowered, Error> {
        let policy = TokenRows::new(&found.log_probabilities)?;
        let reference = TokenRows::new(self.reference)?;
        let batch = PreferenceBatch {
            reference: Some(&reference),
            desirable: Some(self.desirable),
            kl: Some(self.kl),
            ..PreferenceBatch::new(&policy)
        };
        let LossValue { loss, gradient, metrics, .. } =
            (self.loss.compute)(&batch, &self.settings)?;
        let by_log_probability = gradient.iter().map(<[f64]>::to_vec).collect();
        Ok(Lowered { loss, by_log_probability, by_score: Vec::new(), metrics })
    }
}

/// The sequences of rows that are `liked, disliked` with one of the two empty, or both there; and
/// which of them were liked.
pub fn singles(slots: &[Sequence]) -> (Vec<usize>, Vec<bool>) {
    let there = (0..slots.len()).filter(|at| !slots[*at].ids.is_empty());
    there.map(|at| (at, at % 2 == 0)).unzip()
}

/// Each prompt with the answer of the row before it, which it does not belong to (TRL's
/// `KTOTrainer`).
pub fn mismatched(sequences: &[Sequence]) -> Vec<Sequence> {
    let split = |sequence: &Sequence| {
        let at = sequence.trained.iter().position(|trained| *trained);
        at.unwrap_or(sequence.ids.len())
    };
    let count = sequences.len();
    (0..count)
        .map(|at| {
            let (own, other) = (&sequences[at], &sequences[(at + count - 1) % count]);
            let (prompt, answer) = (split(own), split(other));
            Sequence {
                ids: [&own.ids[..prompt], &other.ids[answer..]].concat(),
                trained: [&own.trained[..prompt], &other.trained[answer..]].concat(),
            }
        })
        .collect()
}

/// The reference point of a step from its mismatched rows: how far the model has moved from the
/// reference on answers that it was not asked for.
///
/// # Errors
/// When the device does not deliver.
pub fn step_reference_point(
    policy: &Decoder,
    reference: &Decoder,
    mismatched: &[Sequence],
    portion_tokens: usize,
) -> Result<f64, Error> {
    let sums = |model: &Decoder| -> Result<Vec<f64>, Error> {
        let rows = log_probabilities(model, mismatched, portion_tokens)?;
        Ok(rows.iter().map(|row| row.iter().copied().map(f64::from).sum()).collect())
    };
    Ok(reference_point(&sums(policy)?, &sums(reference)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(ids: &[u32], answer_from: usize) -> Sequence {
        let trained = (0..ids.len()).map(|at| at >= answer_from).collect();
        Sequence { ids: ids.to_vec(), trained }
    }

    #[test]
    fn answers_go_to_the_next_prompt() {
        let rows = [sequence(&[1, 2, 10], 2), sequence(&[3, 20, 21], 1), sequence(&[4, 30], 1)];
        let expected = [sequence(&[1, 2, 30], 2), sequence(&[3, 10], 1), sequence(&[4, 20, 21], 1)];
        assert_eq!(mismatched(&rows), expected);
    }

    #[test]
    fn a_row_is_liked_or_not_by_its_place() {
        let (a, none) = (sequence(&[1, 2], 1), Sequence::default());
        let slots = [a.clone(), none.clone(), none, a.clone(), a.clone(), a];
        assert_eq!(singles(&slots), (vec![0, 3, 4, 5], vec![true, false, true, false]));
    }
}
