//! An answer in the making.

use std::time::Instant;

use sanbao_text::StreamDecoder;

use super::{FinishReason, Generated, Job};
use crate::cache::SequenceId;
use crate::error::Error;
use crate::sampling::Sampler;
use crate::stop::{Passed, StopTexts};

pub struct Live {
    pub index: usize,
    pub sequence: SequenceId,
    /// Prompt and answer.
    pub ids: Vec<u32>,
    prompt_tokens: usize,
    /// Length of `ids` at which the answer ends, and why.
    limit: (usize, FinishReason),
    sampler: Sampler,
    decoder: StreamDecoder,
    stops: StopTexts,
    text: String,
    began: Instant,
}

/// Length of prompt and answer at which the answer ends, and why.
pub fn limit(job: &Job, prompt: &[u32]) -> (usize, FinishReason) {
    let context = job.model.spec.max_position_embeddings;
    let wanted = prompt.len().saturating_add(job.sampling.max_new_tokens);
    if wanted > context { (context, FinishReason::Context) } else { (wanted, FinishReason::Length) }
}

impl Live {
    pub fn new(
        job: &Job,
        index: usize,
        sequence: SequenceId,
        began: Instant,
    ) -> Result<Self, Error> {
        let prompt = &job.prompts[index];
        Ok(Self {
            index,
            sequence,
            ids: prompt.clone(),
            prompt_tokens: prompt.len(),
            limit: limit(job, prompt),
            sampler: Sampler::new(job.sampling.clone(), index)?,
            decoder: job.tokenizer.decoder(true),
            stops: StopTexts::new(&job.sampling.stop),
            text: String::new(),
            began,
        })
    }

    /// Tokens that the answer may come to, with its prompt.
    pub fn reserved(&self) -> usize {
        self.limit.0
    }

    /// Draws the next token.
    pub fn draw(&mut self, logits: &[f32]) -> Result<u32, Error> {
        self.sampler.next(logits, &self.ids)
    }

    /// Takes the next token: what may be shown, and whether the answer ends here.
    pub fn take(&mut self, token: u32, stop_ids: &[u32]) -> (String, Option<FinishReason>) {
        self.ids.push(token);
        if stop_ids.contains(&token) {
            return (String::new(), Some(FinishReason::Stop));
        }
        let piece = self.decoder.push(token).unwrap_or_default();
        let (text, finish) = match self.stops.push(&piece) {
            Passed::Stopped(text) => {
                // Nothing that is behind the stop text may still come out.
                self.decoder.finish();
                (text, Some(FinishReason::Stop))
            }
            Passed::Text(text) => (text, (self.ids.len() >= self.limit.0).then_some(self.limit.1)),
        };
        self.text.push_str(&text);
        (text, finish)
    }

    /// The finished answer, and text that was held back until now. If a stop text comes to
    /// light in it, that is why the answer ended.
    pub fn end(mut self, reason: FinishReason) -> (Generated, String) {
        let tail = self.decoder.finish().unwrap_or_default();
        let (rest, finish) = match self.stops.push(&tail) {
            Passed::Text(text) => (text + &self.stops.finish(), reason),
            Passed::Stopped(text) => (text, FinishReason::Stop),
        };
        self.text.push_str(&rest);
        let generated = Generated {
            ids: self.ids.split_off(self.prompt_tokens),
            text: self.text,
            finish,
            prompt_tokens: self.prompt_tokens,
            seconds: self.began.elapsed().as_secs_f64(),
        };
        (generated, rest)
    }
}
