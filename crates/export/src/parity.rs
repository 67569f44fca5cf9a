//! Whether an export answers as the trained model does.

use sanbao_contract::Message;
use sanbao_models::host::to_vec;
use sanbao_models::weights::StoredType;
use sanbao_models::{BaseModel, Decoder, Layout};
use sanbao_text::{ChatOptions, Tokenizer};
use sanbao_train::lora::load_adapter;

use crate::difference::differences;
use crate::job::{Job, Reread, Written};
use crate::{Error, reread};

/// How close an export is to the trained model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parity {
    /// Largest difference of a logit, over all tokens and the whole vocabulary; of a reward model's
    /// score, over all tokens.
    pub max_logit_difference: f64,
    /// Largest difference allowed.
    pub tolerance: f64,
    /// Tokens compared.
    pub tokens: usize,
}

/// Tokens of each probe.
const PROBE_TOKENS: usize = 64;

/// Ordinary writing with what tokenizers treat differently: digits, punctuation, indentation,
/// code, accents, Chinese.
const PROBE: &str = "The quick brown fox didn't jump over 12 lazy dogs in 2024; it cost $3.50 (about 15%).\n\n\
    def area(width, height):\n    return width * height  # in m²\n\nÀ bientôt, señor! 今天天气很好，我们去公园散步吧。";

const PROBE_QUESTION: &str =
    "My parcel arrived broken. Can I send it back, and who pays for the 2 labels?";
const PROBE_ANSWER: &str =
    "I am sorry to hear that. Yes, you can: we pay for both labels, and a new one leaves today.";

/// Texts that both models read.
pub(crate) struct Probes {
    pub(crate) ids: Vec<u32>,
    pub(crate) layout: Layout,
}

impl Probes {
    /// A conversation in the model's own layout and a plain text, each cut to `limit` tokens.
    pub(crate) fn new(tokenizer: &Tokenizer, limit: usize) -> Result<Self, Error> {
        let mut texts = Vec::new();
        // A template may refuse conversations; the plain text is then all there is to compare.
        if let Some(text) = conversation(tokenizer) {
            texts.push(tokenizer.encode(&text, false)?);
        }
        texts.push(tokenizer.encode(PROBE, true)?);
        let mut ids = Vec::new();
        let mut lengths = Vec::new();
        for mut text in texts {
            text.truncate(PROBE_TOKENS.min(limit));
            lengths.push(text.len());
            ids.extend(text);
        }
        Ok(Self { ids, layout: Layout::packed(lengths.into_iter().filter(|length| *length > 0)) })
    }
}

/// A short conversation as the model's template lays it out; `None` when the template refuses.
fn conversation(tokenizer: &Tokenizer) -> Option<String> {
    let messages = [Message::new("user", PROBE_QUESTION), Message::new("assistant", PROBE_ANSWER)];
    tokenizer.chat_template().render(&messages, &ChatOptions::default()).ok()
}

/// Reads an export back and compares it with the trained model.
///
/// # Errors
/// When it cannot be read, is another model, splits text differently, or its logits (a reward
/// model's scores) differ by more than its number format explains.
pub(crate) fn check(job: &Job, written: &Written) -> Result<Parity, Error> {
    let base = job.source.base;
    let context = base.spec.max_position_embeddings;
    let probes =
        Probes::new(&base.tokenizer, written.agrees_up_to.unwrap_or(context).min(context))?;
    let mut trained = job.source.model.clone();
    trained.set_adapters(true);
    let expected = outputs(&trained, &probes)?;
    let found = match &written.reread {
        Reread::Adapter(folder) => {
            let mut model = without_adapters(trained);
            load_adapter(&mut model, folder)?;
            outputs(&model, &probes)?
        }
        Reread::Model(path) => {
            let scores = job.source.scores();
            let again = if scores { BaseModel::open_scoring(path) } else { BaseModel::open(path) }?;
            let lost = differences(&again.spec, written.expected_spec(base));
            if !lost.is_empty() {
                return Err(Error::Changed { what: format!("it differs in {}", lost.join(", ")) });
            }
            same_tokens(&base.tokenizer, &again.tokenizer)?;
            let device = trained.device();
            reread::outputs(&again, scores, &device, &probes.ids, &probes.layout, &job.meter)?
        }
    };
    compare(&expected, &found, written.stored, probes.ids.len())
}

/// The model that was trained from, its weights shared.
fn without_adapters(mut model: Decoder) -> Decoder {
    model.linears_mut().for_each(|linear| linear.adapter = None);
    model.score = None;
    model
}

/// What a model says of every token: its logits, or a reward model's score.
fn outputs(model: &Decoder, probes: &Probes) -> Result<Vec<f32>, sanbao_models::Error> {
    match model.score {
        Some(_) => model.scores(&probes.ids, &probes.layout, &every_row(&probes.ids)),
        None => to_vec(model.logits(&probes.ids, &probes.layout)),
    }
}

/// The rows of all tokens.
pub(crate) fn every_row(ids: &[u32]) -> Vec<u32> {
    (0..ids.len() as u32).collect()
}

fn compare(
    expected: &[f32],
    found: &[f32],
    stored: StoredType,
    tokens: usize,
) -> Result<Parity, Error> {
    if expected.len() != found.len() {
        return Err(Error::Changed {
            what: format!("it gives {} numbers instead of {}", found.len(), expected.len()),
        });
    }
    let (mut largest, mut squares) = (0.0_f64, 0.0_f64);
    for (expected, found) in expected.iter().zip(found) {
        let difference = f64::from((expected - found).abs());
        // NaN must win, so that a broken export cannot pass.
        largest = if difference > largest || difference.is_nan() { difference } else { largest };
        squares += difference * difference;
    }
    let tolerance = tolerance(stored, expected);
    let average = (squares / expected.len().max(1) as f64).sqrt();
    let exceeds = |difference: f64, limit: f64| difference.is_nan() || difference > limit;
    if exceeds(largest, tolerance) {
        return Err(Error::Mismatch { measure: "up to", difference: largest, tolerance, tokens });
    }
    if exceeds(average, tolerance / AVERAGE) {
        let tolerance = tolerance / AVERAGE;
        return Err(Error::Mismatch {
            measure: "a root mean square of",
            difference: average,
            tolerance,
            tokens,
        });
    }
    Ok(Parity { max_logit_difference: largest, tolerance, tokens })
}

/// The root mean square of the differences may be this much smaller than the largest: among a
/// million of independent errors the largest is 5 to 10 times their root mean square.
const AVERAGE: f64 = 8.0;

/// How far a logit may be off when the weights are stored as `stored`.
///
/// In float32 the only difference is the order of sums (`(W + BA)x` against `Wx + BAx`), about
/// 1e-6 of the largest logit; 1e-4 leaves room for deep models and GPUs.
///
/// The other formats round every weight: by up to 2⁻¹² of itself in f16, 2⁻⁹ in bf16, 1/254 of the
/// largest of its 32 neighbours in q8_0. Such errors are independent, so in a sum of products they
/// grow as the sum itself does, and a layer passes the relative error on. Measured in standard
/// deviations of the logits, on SmolLM2-135M and the small models of the tests under an adapter of
/// random numbers: at most 0.02, 0.15 and 0.40, with root mean squares of 0.002, 0.016 and 0.05.
/// Four to six times that is allowed. A wrong matrix, order or sign gives a root mean square
/// of about 1.
fn tolerance(stored: StoredType, expected: &[f32]) -> f64 {
    let count = expected.len().max(1) as f64;
    let mean = expected.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let spread =
        expected.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
    let deviation = spread.sqrt();
    match stored {
        StoredType::F16 => 0.1 * deviation,
        StoredType::BF16 => 0.8 * deviation,
        StoredType::Q8_0 => 1.6 * deviation,
        _ => {
            let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            1e-4 * f64::from(largest).max(1.0)
        }
    }
}

/// Whether two tokenizers split the probe alike.
pub(crate) fn same_tokens(ours: &Tokenizer, theirs: &Tokenizer) -> Result<(), Error> {
    for special in [true, false] {
        let (expected, found) = (ours.encode(PROBE, special)?, theirs.encode(PROBE, special)?);
        if expected != found {
            let place = expected.iter().zip(&found).take_while(|(a, b)| a == b).count();
            let at = |tokenizer: &Tokenizer, ids: &[u32]| {
                ids.get(place).map_or_else(
                    || "nothing".to_owned(),
                    |id| format!("\"{}\"", tokenizer.token_text(*id)),
                )
            };
            return Err(Error::Changed {
                what: format!(
                    "its tokenizer gives {} instead of {} as token {place} of a test text",
                    at(theirs, &found),
                    at(ours, &expected)
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_that_are_not_numbers_never_pass() {
        let expected = [1.0, 2.0, 3.0];
        for bad in [f32::NAN, f32::INFINITY] {
            for place in 0..3 {
                let mut found = expected;
                found[place] = bad;
                assert_eq!(
                    compare(&expected, &found, StoredType::F32, 1).unwrap_err().code(),
                    "export.mismatch"
                );
            }
        }
        assert_eq!(
            compare(&expected, &expected[..2], StoredType::F32, 1).unwrap_err().code(),
            "export.changed"
        );
        assert_eq!(
            compare(&expected, &expected, StoredType::F32, 1).unwrap().max_logit_difference,
            0.0
        );
    }

    #[test]
    fn tolerances_follow_the_format() {
        let expected: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.7).sin() * 4.0).collect();
        let exact = tolerance(StoredType::F32, &expected);
        let half = tolerance(StoredType::F16, &expected);
        let rough = tolerance(StoredType::Q8_0, &expected);
        assert!(exact < half && half < rough, "{exact} {half} {rough}");
        // Numbers as large as the right ones, but others: what a wrong matrix gives.
        let wrong: Vec<f32> = expected.iter().map(|value| -value).collect();
        for stored in [StoredType::F16, StoredType::BF16, StoredType::Q8_0] {
            assert!(compare(&expected, &wrong, stored, 1).is_err(), "{stored}");
        }
        let shifted: Vec<f32> = expected.iter().map(|value| value + 0.9 * rough as f32).collect();
        let error = compare(&expected, &shifted, StoredType::Q8_0, 1).unwrap_err().to_string();
        assert!(
            error.contains("root mean square"),
            "small enough one by one, but not all together: {error}"
        );
    }
}
