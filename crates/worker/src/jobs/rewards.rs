//! Getting a reward ready to be given.

use std::path::Path;

use burn::tensor::Device;
use sanbao_contract::Fault;
use sanbao_contract::reward::Reward;
use sanbao_models::{BaseModel, Decoder};
use sanbao_project::RunFolder;
use sanbao_train::online::rewards::Rewards;

use super::trained;
use crate::{Error, RunSpec};

/// A reward on a base model whose weights are loaded; the reward model shares them.
///
/// # Errors
/// When a card is refused, or the reward model is not one of this base model.
pub fn rewards<'a>(
    reward: &Reward,
    base: &'a BaseModel,
    loaded: &Decoder,
) -> Result<Rewards<'a>, Error> {
    let model = match &reward.model {
        Some(part) => Some(with_scores(Path::new(&part.run), base, loaded.clone())?),
        None => None,
    };
    Ok(Rewards::new(reward, &base.tokenizer, loaded, model)?)
}

/// Loads a base model with the adapters and the score head of a reward model.
///
/// # Errors
/// As [`rewards`].
pub fn reward_model(run: &Path, base: &BaseModel, device: &Device) -> Result<Decoder, Error> {
    check(run, base)?;
    with_scores(run, base, base.load(device)?)
}

fn with_scores(run: &Path, base: &BaseModel, mut model: Decoder) -> Result<Decoder, Error> {
    check(run, base)?;
    trained(&RunFolder::look(run)?, None, &mut model)?;
    Ok(model)
}

/// Refuses a run that is no reward model of this base model.
fn check(run: &Path, base: &BaseModel) -> Result<(), Error> {
    let refuse = |code: &'static str, why: &str| {
        let text = format!("{} {why}", run.display());
        Err(Error::Reported(Fault::new(code, text)))
    };
    let spec = RunSpec::read(&RunFolder::look(run)?)?;
    if !spec.settings.learns.is_reward_model() {
        return refuse(
            "worker.not_a_reward_model",
            "is no reward model; choose a run of the recipe reward_model",
        );
    }
    if spec.plan.model != base.card.name {
        return refuse(
            "worker.other_base",
            &format!(
                "is a reward model of {}, not of {}; train one on the same base model",
                spec.plan.model, base.card.name
            ),
        );
    }
    Ok(())
}
