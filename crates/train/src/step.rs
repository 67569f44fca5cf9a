//! One optimizer step: gradients over portions, and what to do when memory runs out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sanbao_data::Sequence;
use sanbao_models::{Activations, Decoder, Gradients, Trainable};

use crate::Error;
use crate::batch::{pack, step_batches};

/// Portions are not halved below this many tokens.
const SMALLEST_PORTION: usize = 32;

/// How a step is computed.
#[derive(Debug, Clone, Copy)]
pub struct Portions {
    /// Tokens computed at once.
    pub tokens: usize,
    /// How activations are kept.
    pub activations: Activations,
}

/// The sums of a step, before the optimizer acts.
pub struct Accumulated {
    /// Mean loss over the step's trained tokens (nats).
    pub loss: f64,
    /// Tokens with loss.
    pub trained_tokens: usize,
    /// All tokens computed.
    pub tokens: usize,
    /// Gradients of the mean loss.
    pub grads: Gradients,
}

/// Loss and gradients of one step's rows. When the device's memory runs out, portions are
/// halved (`on_halved` is told) and the step starts over: nothing has changed by then.
///
/// # Errors
/// When not even the smallest portion fits, or the device fails otherwise.
pub fn accumulate(
    model: &Decoder,
    rows: &[Sequence],
    trainable: Trainable,
    portions: &mut Portions,
    dropout_seed: Option<u64>,
    on_halved: &mut dyn FnMut(usize),
) -> Result<Accumulated, Error> {
    loop {
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            accumulate_once(model, rows, trainable, *portions, dropout_seed)
        }));
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

/// Halves the portions after memory ran out.
///
/// # Errors
/// When they are the smallest already.
pub(crate) fn halve(
    model: &Decoder,
    portions: &mut Portions,
    on_halved: &mut dyn FnMut(usize),
) -> Result<(), Error> {
    if portions.tokens / 2 < SMALLEST_PORTION {
        let device = format!("{:?}", model.device());
        return Err(Error::OutOfMemory { device, tokens: portions.tokens });
    }
    portions.tokens /= 2;
    model.device().memory_cleanup();
    on_halved(portions.tokens);
    Ok(())
}

fn accumulate_once(
    model: &Decoder,
    rows: &[Sequence],
    trainable: Trainable,
    portions: Portions,
    dropout_seed: Option<u64>,
) -> Result<Accumulated, Error> {
    let mut sums =
        Accumulated { loss: 0.0, trained_tokens: 0, tokens: 0, grads: Gradients::default() };
    for (index, batch) in step_batches(rows, portions.tokens)?.into_iter().enumerate() {
        let seed = dropout_seed.map(|seed| seed.wrapping_add(index as u64));
        let trace = model.forward(&batch.ids, &batch.layout, portions.activations, seed);
        let losses = model.backward(trace, &batch.targets, trainable, &mut sums.grads)?;
        sums.loss += losses.iter().map(|loss| f64::from(*loss)).sum::<f64>();
        sums.trained_tokens += losses.len();
        sums.tokens += batch.ids.len();
    }
    sums.loss /= sums.trained_tokens.max(1) as f64;
    Ok(sums)
}

/// Mean loss (nats per token) over rows, without gradients; `None` when no token has loss.
///
/// # Errors
/// When the device does not deliver.
pub fn mean_loss(
    model: &Decoder,
    rows: &[Sequence],
    portion_tokens: usize,
) -> Result<Option<f64>, Error> {
    let (mut sum, mut count) = (0.0, 0);
    for batch in pack(rows, portion_tokens)? {
        let losses = model.losses(&batch.ids, &batch.layout, &batch.targets)?;
        sum += losses.iter().map(|loss| f64::from(*loss)).sum::<f64>();
        count += losses.len();
    }
    Ok((count > 0).then(|| sum / count as f64))
}

pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned()
}

/// Whether a device layer's words mean that memory ran out.
pub fn is_out_of_memory(message: &str) -> bool {
    let message = message.to_lowercase();
    ["out of memory", "outofmemory", "out-of-memory", "not enough memory", "memory allocation of"]
        .iter()
        .any(|words| message.contains(words))
}
