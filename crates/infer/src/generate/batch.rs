//! Decoding a batch that answers leave and join.

use std::collections::VecDeque;
use std::time::Instant;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::live::{Live, limit};
use super::{FinishReason, Flow, Generated, Job, Piece};
use crate::cache::{Cache, SequenceId};
use crate::error::Error;
use crate::logits::in_chunks;
use crate::prefill::Beginning;

pub struct Batch<'a> {
    job: &'a Job<'a>,
    cache: Cache<'a>,
    beginning: Option<Beginning>,
    waiting: VecDeque<usize>,
    live: Vec<Live>,
    done: Vec<Option<Generated>>,
}

impl<'a> Batch<'a> {
    pub fn new(job: &'a Job<'a>) -> Self {
        Self {
            job,
            cache: Cache::new(job.model),
            beginning: None,
            waiting: VecDeque::new(),
            live: Vec::new(),
            done: job.prompts.iter().map(|_| None).collect(),
        }
    }

    /// Ends the answers of prompts that fill the context; the others wait.
    pub fn refuse_long(&mut self, on_piece: &mut dyn FnMut(usize, Piece) -> Flow) -> Flow {
        for (index, prompt) in self.job.prompts.iter().enumerate() {
            if prompt.len() < self.job.model.spec.max_position_embeddings {
                self.waiting.push_back(index);
                continue;
            }
            let reason = FinishReason::Context;
            self.done[index] = Some(unanswered(prompt, reason));
            let piece = Piece { text: String::new(), finish: Some(reason) };
            if on_piece(index, piece) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::Continue
    }

    pub fn has_work(&self) -> bool {
        !(self.live.is_empty() && self.waiting.is_empty())
    }

    /// One token for every answer, and the first one for those that join.
    pub fn step(&mut self, on_piece: &mut dyn FnMut(usize, Piece) -> Flow) -> Result<Flow, Error> {
        let mut tokens = self.advance()?;
        tokens.extend(self.join()?);

        let answers = std::mem::take(&mut self.live);
        let mut flow = Flow::Continue;
        for (mut answer, token) in answers.into_iter().zip(tokens) {
            if flow == Flow::Stop {
                self.live.push(answer);
                continue;
            }
            let index = answer.index;
            let (mut text, ended) = answer.take(token, self.job.stop_ids);
            let mut finish = None;
            match ended {
                None => self.live.push(answer),
                Some(reason) => {
                    self.cache.remove(answer.sequence);
                    let (generated, rest) = answer.end(reason);
                    text.push_str(&rest);
                    finish = Some(generated.finish);
                    self.done[index] = Some(generated);
                }
            }
            flow = on_piece(index, Piece { text, finish });
        }
        Ok(flow)
    }

    /// All answers; those that are not finished are cancelled.
    pub fn finish(mut self) -> Vec<Generated> {
        for answer in self.live {
            let index = answer.index;
            self.done[index] = Some(answer.end(FinishReason::Cancelled).0);
        }
        let answers = self.done.into_iter().zip(self.job.prompts);
        let or_none = |(done, prompt): (Option<_>, &Vec<u32>)| {
            done.unwrap_or_else(|| unanswered(prompt, FinishReason::Cancelled))
        };
        answers.map(or_none).collect()
    }

    /// The next token of every answer in the batch.
    fn advance(&mut self) -> Result<Vec<u32>, Error> {
        let feeds: Vec<(SequenceId, &[u32])> = self
            .live
            .iter()
            .map(|answer| (answer.sequence, &answer.ids[answer.ids.len() - 1..]))
            .collect();
        if feeds.is_empty() {
            return Ok(Vec::new());
        }
        let hidden = self.cache.extend(&feeds)?;
        let rows: Vec<usize> = (0..self.live.len()).collect();
        draw(self.job, &hidden, &rows, &mut self.live)
    }

    /// Takes up as many waiting prompts as the budget allows; returns their first tokens.
    fn join(&mut self) -> Result<Vec<u32>, Error> {
        let prompts = self.job.prompts;
        let mut reserved: usize = self.live.iter().map(Live::reserved).sum();
        let mut taken = Vec::new();
        while let Some(index) = self.waiting.front().copied() {
            reserved += limit(self.job, &prompts[index]).0;
            let alone = self.live.is_empty() && taken.is_empty();
            if reserved > self.job.token_budget && !alone {
                break;
            }
            taken.push(index);
            self.waiting.pop_front();
        }
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        let began = Instant::now();
        let beginning = match &self.beginning {
            Some(beginning) => beginning,
            None => {
                let all = taken.iter().chain(&self.waiting);
                let all: Vec<&[u32]> = all.map(|index| prompts[*index].as_slice()).collect();
                self.beginning.insert(Beginning::read(&mut self.cache, &all)?)
            }
        };
        let batch: Vec<&[u32]> = taken.iter().map(|index| prompts[*index].as_slice()).collect();
        let read = beginning.prefill(&mut self.cache, &batch)?;
        let joining = taken.into_iter().zip(read.sequences);
        let mut joining = joining
            .map(|(index, sequence)| Live::new(self.job, index, sequence, began))
            .collect::<Result<Vec<Live>, Error>>()?;
        let tokens = draw(self.job, &read.hidden, &read.rows, &mut joining)?;
        self.live.append(&mut joining);
        Ok(tokens)
    }
}

/// Draws each answer's next token from its row of hidden states.
fn draw(
    job: &Job,
    hidden: &Tensor<2>,
    rows: &[usize],
    answers: &mut [Live],
) -> Result<Vec<u32>, Error> {
    let mut tokens = vec![0; answers.len()];
    in_chunks(job.model, hidden, |range, logits| {
        let vocabulary = logits.len() / range.len();
        let jobs = answers.par_iter_mut().zip(rows).zip(&mut tokens);
        jobs.filter(|((_, row), _)| range.contains(*row)).try_for_each(|((answer, row), token)| {
            *token = answer.draw(&logits[(row - range.start) * vocabulary..][..vocabulary])?;
            Ok(())
        })
    })?;
    Ok(tokens)
}

fn unanswered(prompt: &[u32], finish: FinishReason) -> Generated {
    let (ids, text) = (Vec::new(), String::new());
    Generated { ids, text, finish, prompt_tokens: prompt.len(), seconds: 0.0 }
}
