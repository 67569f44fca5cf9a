//! Training a run.

use std::path::Path;

use sanbao_contract::worker::Message;
use sanbao_data::Prepared;
use sanbao_project::{Manifest, RunFolder};
use sanbao_train::{Learns, Run, peak_resident_bytes};

use super::{Opened, open};
use crate::run_spec::{MODEL, hash_model};
use crate::{Error, RunSpec};

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
    let rewards = match &settings.learns {
        Learns::Reward(online) => Some(super::rewards(&online.reward, &base, &model)?),
        _ => None,
    };
    let outcome = Run {
        model: &mut model,
        base_model: &base.card.name,
        settings: &settings,
        data: &data,
        data_hash: &data_hash,
        folder: &folder,
        tokenizer: &base.tokenizer,
        rewards: rewards.as_ref(),
    }
    .train(stop, &mut |event| say(Message::Run(event)))?;
    if outcome.finished {
        write_manifest(&folder, &spec, &data_hash)?;
    }
    say(Message::Trained {
        finished: outcome.finished,
        last_step: outcome.last_step,
        best_step: outcome.best_step,
        best_loss: outcome.best_loss,
        peak_memory: peak_resident_bytes(),
    });
    Ok(())
}

/// What the run was made from; written when everything else is there.
fn write_manifest(folder: &RunFolder, spec: &RunSpec, data_hash: &str) -> Result<(), Error> {
    let settings = serde_json::to_value(&spec.settings).map_err(std::io::Error::from)?;
    let manifest = Manifest::new("train", settings, spec.settings.seed)
        .with_input(MODEL, hash_model(&spec.model)?)
        .with_input("prepared", data_hash)
        .with_version("sanbao", env!("CARGO_PKG_VERSION"));
    Ok(manifest.write(&folder.manifest_path())?)
}
