//! Answering what is asked, one question after the other.

use std::path::Path;
use std::time::Instant;

use sanbao_contract::app::Sampling as Asked;
use sanbao_contract::worker::{Answerer, Message};
use sanbao_contract::{Fault, Message as Turn};
use sanbao_data::as_learnt;
use sanbao_infer::{
    DEFAULT_TOKEN_BUDGET, FinishReason, Flow, Generated, Sampling, chat_prompt, generate,
};
use sanbao_models::{BaseModel, Decoder};
use sanbao_project::RunFolder;

use super::choices::labels_of;
use super::trained;
use crate::inbox::{Inbox, Question};
use crate::{Error, RunSpec, devices};

/// A model with its tokenizer, ready to answer.
pub struct Voice {
    /// Tokenizer, template, card.
    pub base: BaseModel,
    /// The weights.
    pub model: Decoder,
    /// The labels that it chooses among; empty when it answers freely.
    pub labels: Vec<String>,
}

impl Voice {
    /// Loads a base model, or what a run made of it.
    ///
    /// # Errors
    /// When the model or the device is not there, or the run has no result or is a reward model.
    pub fn load(answerer: &Answerer, device: &str) -> Result<Self, Error> {
        match answerer {
            Answerer::Run { run, .. } if scores_answers(answerer)? => Err(scores_only(run)),
            _ => Self::load_any(answerer, device),
        }
    }

    /// As [`Self::load`], be it a reward model.
    pub(super) fn load_any(answerer: &Answerer, device: &str) -> Result<Self, Error> {
        let device = devices::open(device)?;
        match answerer {
            Answerer::Base { model, labels } => {
                let base = BaseModel::open(model)?;
                let model = base.load(&device.device)?;
                Ok(Self { base, model, labels: labels.clone() })
            }
            Answerer::Run { run, epoch } => {
                let folder = RunFolder::look(run)?;
                let spec = RunSpec::read(&folder)?;
                let base = BaseModel::open(&spec.model)?;
                let mut model = base.load(&device.device)?;
                trained(&folder, *epoch, &mut model)?;
                Ok(Self { base, model, labels: labels_of(&folder)? })
            }
        }
    }

    /// The tokens of a conversation, asked as the model learnt to be, up to where its answer begins.
    ///
    /// # Errors
    /// When the model's chat template refuses the conversation.
    pub fn prompt(&self, messages: Vec<Turn>) -> Result<Vec<u32>, Error> {
        Ok(chat_prompt(&self.base.tokenizer, &as_learnt(messages, &self.labels))?)
    }

    /// Answers one conversation; `say` gets the words as they come.
    fn answer(
        &self,
        messages: Vec<Turn>,
        sampling: &Sampling,
        say: &mut dyn FnMut(String) -> Flow,
    ) -> Result<Option<Generated>, Error> {
        let prompt = self.prompt(messages)?;
        let answers = generate(
            &self.model,
            &self.base.tokenizer,
            &[prompt],
            sampling,
            DEFAULT_TOKEN_BUDGET,
            &mut |_, piece| say(piece.text),
        )?;
        Ok(answers.into_iter().next())
    }
}

/// Whether what is asked is a reward model.
pub(super) fn scores_answers(answerer: &Answerer) -> Result<bool, Error> {
    Ok(match answerer {
        Answerer::Base { .. } => false,
        Answerer::Run { run, .. } => {
            let spec = RunSpec::read(&RunFolder::look(run)?)?;
            spec.settings.learns.is_reward_model()
        }
    })
}

/// The error for a reward model that is asked.
pub fn scores_only(path: &Path) -> Error {
    Error::Reported(Fault::new(
        "worker.scores_only",
        format!(
            "{} is a reward model, which scores answers and writes none; ask another run, or score answers with `sanbao reward score`",
            path.display()
        ),
    ))
}

/// Loads the model and answers until nobody asks any more.
///
/// # Errors
/// When the model cannot be loaded; what is wrong with one question ends only its answer.
pub fn answer(
    answerer: &Answerer,
    device: &str,
    inbox: &Inbox,
    say: &mut dyn FnMut(Message),
) -> Result<(), Error> {
    let voice = Voice::load(answerer, device)?;
    say(Message::Ready);
    while let Some(Question { chat, messages, sampling }) = inbox.next_question() {
        let began = Instant::now();
        let answered = sampling_of(&sampling).and_then(|sampling| {
            voice.answer(messages, &sampling, &mut |text| {
                if inbox.is_hushed(&chat) {
                    return Flow::Stop;
                }
                if !text.is_empty() {
                    say(Message::Piece { chat: chat.clone(), text });
                }
                Flow::Continue
            })
        });
        inbox.forget(&chat);
        let (answer, fault) = match answered {
            Ok(answer) => (answer, None),
            Err(error) => (None, Some(Fault::from(error))),
        };
        let finish = match answer.as_ref().map(|answer| answer.finish) {
            Some(FinishReason::Length | FinishReason::Context) => "length",
            _ => "stop",
        };
        say(Message::Answered {
            chat,
            tokens: answer.as_ref().map_or(0, |answer| answer.ids.len() as u64),
            prompt_tokens: answer.as_ref().map_or(0, |answer| answer.prompt_tokens as u64),
            seconds: began.elapsed().as_secs_f64(),
            finish: finish.to_owned(),
            fault,
        });
    }
    Ok(())
}

/// How an answer is drawn.
///
/// # Errors
/// Names the setting that is outside its range.
pub(super) fn sampling_of(asked: &Asked) -> Result<Sampling, Error> {
    let sampling = Sampling {
        temperature: asked.temperature,
        top_p: asked.top_p,
        top_k: asked.top_k as usize,
        min_p: asked.min_p,
        repetition_penalty: asked.repetition_penalty,
        max_new_tokens: asked.max_new_tokens as usize,
        stop: asked.stop.clone(),
        seed: asked.seed,
        ..Sampling::default()
    };
    sampling.validate()?;
    Ok(sampling)
}
