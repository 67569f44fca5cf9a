//! A run that learns from rewards: its step, and its look at held-out prompts.

use sanbao_contract::train::{RunEvent, StepMetrics};
use sanbao_data::Part;

use super::Online;
use super::learn::Lesson;
use super::rewards::Rewards;
use super::rollout::{Drawing, Prompt, Questions, figures, roll};
use super::watch::{Meaning, WATCHED, Watch, Watched};
use crate::Error;
use crate::losses::Metrics;
use crate::objective::{named, without_adapters};
use crate::optimizer::AdamW;
use crate::run::{Moment, Run};
use crate::scored::accumulate_scored;
use crate::settings::Learns;
use crate::step::Portions;

/// Held-out prompts whose answers are shown as it learns.
const SHOWN: usize = 3;

/// What a step changes beside the model.
pub(crate) struct Moving<'a> {
    pub watch: &'a mut Watch,
    pub optimizer: &'a mut AdamW,
    pub portions: &'a mut Portions,
}

/// What a run that learns from rewards needs beside the model.
pub(crate) struct Mission<'a> {
    online: &'a Online,
    rewards: &'a Rewards<'a>,
    questions: Questions<'a>,
    watched: Watched,
}

impl<'a> Mission<'a> {
    /// `None` for a run that does not learn from rewards.
    pub fn new(run: &Run<'a>) -> Result<Option<Self>, Error> {
        let Learns::Reward(online) = &run.settings.learns else { return Ok(None) };
        let rewards = run.rewards.ok_or(Error::NoRewardModel)?;
        let each = run.settings.sequences_per_row();
        let rows = run.data.part(Part::Validation).len() / each;
        let rows: Vec<usize> =
            (0..rows.min(WATCHED)).map(|at| at * rows / rows.min(WATCHED)).collect();
        let questions = Questions::new(run.tokenizer)?;
        let sequences = run.sequences(Part::Validation, &rows);
        let prompts = sequences
            .iter()
            .step_by(each)
            .map(|row| questions.read(row))
            .collect::<Result<_, _>>()?;
        let pairs = if run.settings.paired { sequences } else { Vec::new() };
        Ok(Some(Self { online, rewards, questions, watched: Watched::new(prompts, pairs) }))
    }

    /// Whether there are held-out prompts to look at.
    pub fn watches(&self) -> bool {
        !self.watched.is_empty()
    }

    fn drawing(&self, run: &Run, step: u64) -> Drawing {
        Drawing {
            answers: self.online.num_generations,
            max_completion_length: self.online.max_completion_length,
            temperature: 1.0,
            seed: run.settings.seed.rotate_left(29) ^ step.wrapping_mul(0xd134_2543_de82_ef95),
        }
    }

    /// One step: answers, rewards, and the optimizer's steps on them.
    pub fn step(
        &self,
        run: &mut Run,
        members: &[usize],
        Moving { watch, optimizer, portions }: Moving<'_>,
        moment: Moment,
        report: &mut dyn FnMut(RunEvent),
    ) -> Result<StepMetrics, Error> {
        let each = run.settings.sequences_per_row();
        let prompts: Vec<Prompt> = run
            .sequences(Part::Train, members)
            .iter()
            .step_by(each)
            .map(|row| self.questions.read(row))
            .collect::<Result<_, _>>()?;
        let asked: Vec<&Prompt> = prompts.iter().collect();
        let drawing = self.drawing(run, moment.step);
        let rolled = roll(run.model, run.tokenizer, &asked, self.rewards, drawing)?;
        if rolled.is_empty() {
            return Err(Error::NoAnswers { context: run.model.spec.max_position_embeddings });
        }
        let mut kl_coef = watch.kl_coef.unwrap_or(self.online.beta);
        let base = without_adapters(run.model);
        let lesson =
            Lesson::new(self.online, run.model, &base, &rolled, portions.tokens, &mut kl_coef)?;
        watch.kl_coef = Some(kl_coef);

        let mut halved = |tokens: usize| {
            report(RunEvent::MemoryHalved { micro_batch_tokens: tokens as u64 });
        };
        let mut metrics = StepMetrics::default();
        let mut all = Metrics::new();
        for iteration in 0..self.online.num_iterations.max(1) {
            let (sums, figures) = accumulate_scored(
                run.model,
                &lesson.sequences,
                lesson.reads(),
                &|found| lesson.value(found),
                run.settings.trainable(),
                portions,
                run.dropout_seed(moment.step.wrapping_add((iteration as u64) << 40)),
                &mut halved,
            )?;
            metrics.trained_tokens += sums.trained_tokens as u64;
            metrics.tokens += sums.tokens as u64;
            metrics.loss = sums.loss;
            (metrics.learning_rate, metrics.grad_norm) = run.update(sums, optimizer, moment)?;
            all.extend(figures);
        }
        all.extend(lesson.metrics);
        all.extend(figures(&rolled));
        metrics.figures = named(all);
        for (at, name) in self.rewards.names().iter().enumerate() {
            let sum: f64 = rolled.iter().filter_map(|answer| answer.earned.parts.get(at)).sum();
            let key = format!("rewards/{}/{name}", at + 1);
            metrics.figures.insert(key, sum / rolled.len() as f64);
        }
        Ok(metrics)
    }

    /// Answers the held-out prompts and says what that means.
    pub fn look(
        &self,
        run: &Run,
        watch: &mut Watch,
        metrics: &mut StepMetrics,
        portion_tokens: usize,
    ) -> Result<Meaning, Error> {
        // Always the same random numbers: what differs is the model.
        let drawing = self.drawing(run, u64::MAX);
        let (look, answers) = self.watched.look(
            run.model,
            run.tokenizer,
            self.rewards,
            drawing,
            portion_tokens,
            metrics.step,
        )?;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        metrics.figures.insert("eval_reward".to_owned(), mean(&look.rewards));
        if !look.guards.is_empty() {
            let name = format!("eval_{}", self.watched.guard());
            metrics.figures.insert(name, mean(&look.guards));
        }
        for (prompt, answer) in answers.into_iter().take(SHOWN) {
            metrics.events.push(RunEvent::Sample {
                step: metrics.step,
                prompt: prompt.text,
                answer: answer.text,
                reward: Some(answer.earned.reward),
                parts: answer.earned.parts,
            });
        }
        Ok(watch.take(look))
    }

    /// Name of the second measure.
    pub fn guard(&self) -> &'static str {
        self.watched.guard()
    }
}
