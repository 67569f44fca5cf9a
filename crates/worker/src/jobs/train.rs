//! Training a run.

use std::path::Path;

use sanbao_contract::worker::Message;
use sanbao_data::Prepared;
use sanbao_train::{Run, peak_resident_bytes};

use super::{Opened, open};
use crate::Error;

/// Trains from the last checkpoint, or from the start.
///
/// # Errors
/// When the run cannot be opened, or training fails; the last checkpoint stays.
pub fn train(
    run: &Path,
    micro_batch_tokens: Option<u64>,
    stop: &dyn Fn() -> bool,
    say: &mut dyn FnMut(Message),
) -> Result<(), Error> {
    let Opened { folder, spec, base, device } = open(run)?;
    let mut settings = spec.settings.clone();
    if let Some(tokens) = micro_batch_tokens {
        settings.micro_batch_tokens = tokens as usize;
    }
    let data = Prepared::open(&folder.prepared())?;
    let data_hash = sanbao_project::hash_file(&folder.prepared().join("manifest.json"))?;
    let mut model = base.load(&device.device)?;
    let outcome = Run {
        model: &mut model,
        base_model: &base.card.name,
        settings: &settings,
        data: &data,
        data_hash: &data_hash,
        folder: &folder,
    }
    .train(stop, &mut |event| say(Message::Run(event)))?;
    say(Message::Trained {
        finished: outcome.finished,
        last_step: outcome.last_step,
        best_step: outcome.best_step,
        best_loss: outcome.best_loss,
        peak_memory: peak_resident_bytes(),
    });
    Ok(())
}
