//! The training loop.

use std::time::Instant;

use sanbao_contract::train::{RunEvent, StepMetrics};
use sanbao_data::{Part, Prepared, Sequence};
use sanbao_models::Decoder;
use sanbao_project::{MetricsLog, Pointer, RunFolder};

use crate::Error;
use crate::batch::epoch_order;
use crate::checkpoint::{self, State};
use crate::lora;
use crate::memory::resident_bytes;
use crate::objective::{Objective, named};
use crate::optimizer::{AdamW, clip_factor, gradient_norm};
use crate::settings::TrainSettings;
use crate::step::Portions;

/// What a run works on.
pub struct Run<'a> {
    /// The base model; trained in place.
    pub model: &'a mut Decoder,
    /// Its name, noted in adapters.
    pub base_model: &'a str,
    /// Every number.
    pub settings: &'a TrainSettings,
    /// Rows as tokens.
    pub data: &'a Prepared,
    /// Hash of the prepared rows; a checkpoint of other rows is refused.
    pub data_hash: &'a str,
    /// Where checkpoints and metrics go.
    pub folder: &'a RunFolder,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Whether all epochs were done, or validation stopped improving.
    pub finished: bool,
    /// The last step.
    pub last_step: u64,
    /// The step whose weights are the result: the lowest validation loss, or the last.
    pub best_step: u64,
    /// Its validation loss.
    pub best_loss: Option<f64>,
}

impl Run<'_> {
    /// Trains until the end, or until `stop` says so; goes on from the last checkpoint when
    /// there is one. Afterwards the model holds the weights of [`Outcome::best_step`].
    ///
    /// # Errors
    /// When the run's folder cannot be written, the device fails, or the loss stops being a
    /// number; the last checkpoint stays.
    pub fn train(
        &mut self,
        stop: &dyn Fn() -> bool,
        report: &mut dyn FnMut(RunEvent),
    ) -> Result<Outcome, Error> {
        let rows = self.data.part(Part::Train).len() / self.settings.sequences_per_row();
        let total = self.settings.total_steps(rows);
        let per_epoch = self.settings.steps_per_epoch(rows);
        let (mut optimizer, mut state) = self.start(report)?;
        let objective = Objective::new(self, report)?;
        let mut log = MetricsLog::open_until(&self.folder.metrics_path(), state.step)?;
        let validation = self.all(Part::Validation);
        let mut portions = Portions {
            tokens: self.settings.micro_batch_tokens,
            activations: self.settings.activations(),
        };
        let mut clock = Clock::new(state.seconds, state.step);
        let mut early = false;
        let mut order = (u64::MAX, Vec::new());

        while state.step < total && !early {
            if stop() {
                self.checkpoint(&optimizer, &mut state, &clock, report)?;
                return Ok(self.outcome(&state, false));
            }
            let epoch = state.step / per_epoch;
            if order.0 != epoch {
                order = (epoch, epoch_order(rows, self.settings.seed, epoch));
            }
            let first = (state.step % per_epoch) as usize * self.settings.batch_size;
            let members = &order.1[first..(first + self.settings.batch_size).min(rows)];
            state.step += 1;
            let moment = Moment { step: state.step, total };
            let mut metrics =
                self.step(members, &objective, &mut optimizer, moment, &mut portions, report)?;
            metrics.epoch = state.step as f64 / per_epoch as f64;
            clock.step(&mut metrics, total);

            let ends_epoch = state.step.is_multiple_of(per_epoch);
            let every = self.settings.eval_steps;
            let evaluates = !validation.is_empty()
                && every > 0
                && (state.step.is_multiple_of(every) || state.step == total);
            if evaluates {
                let loss = objective.validate(self, &validation, portions.tokens, &mut metrics)?;
                metrics.validation_loss = loss;
                if let Some(loss) = loss {
                    let best = state.best.is_none_or(|(lowest, _)| loss < lowest);
                    state.evaluations_without_improvement =
                        if best { 0 } else { state.evaluations_without_improvement + 1 };
                    if best {
                        state.best = Some((loss, state.step));
                    }
                    let patience = self.settings.early_stopping_patience;
                    early = patience > 0 && state.evaluations_without_improvement >= patience;
                }
            }
            log.append(&metrics)?;
            let validation_loss = metrics.validation_loss;
            report(RunEvent::Step(metrics));
            if let Some(loss) = validation_loss {
                let best = state.best.is_some_and(|(_, step)| step == state.step);
                report(RunEvent::Validation { step: state.step, loss, best });
            }

            let is_best = state.best.is_some_and(|(_, step)| step == state.step);
            let saves = state.step.is_multiple_of(self.settings.save_steps.max(1));
            if is_best || saves || ends_epoch || early || state.step == total {
                log.sync()?;
                self.checkpoint(&optimizer, &mut state, &clock, report)?;
            }
            if ends_epoch {
                let epoch = state.step / per_epoch;
                checkpoint::save_snapshot(
                    &self.folder.epoch(epoch),
                    self.model,
                    self.settings,
                    self.base_model,
                )?;
                report(RunEvent::Epoch { epoch });
            }
        }
        let outcome = self.outcome(&state, true);
        if early {
            report(RunEvent::EarlyStop { step: state.step, best_step: outcome.best_step });
        }
        if outcome.best_step != state.step {
            checkpoint::load_weights(&self.folder.checkpoint(outcome.best_step), self.model)?;
        }
        Ok(outcome)
    }

    /// Fresh, or from the last checkpoint.
    fn start(&mut self, report: &mut dyn FnMut(RunEvent)) -> Result<(AdamW, State), Error> {
        if let Some(step) = self.folder.pointed(Pointer::Last)? {
            let folder = self.folder.checkpoint(step);
            let loaded = checkpoint::load(&folder, self.model, self.settings, self.data_hash)?;
            report(RunEvent::Resumed { step });
            return Ok(loaded);
        }
        if let Some(config) = &self.settings.lora {
            lora::attach(self.model, config, self.settings.seed)?;
        }
        let state = State {
            step: 0,
            settings: self.settings.clone(),
            data: self.data_hash.to_owned(),
            best: None,
            evaluations_without_improvement: 0,
            seconds: 0.0,
        };
        Ok((AdamW::new(self.settings.adamw), state))
    }

    fn step(
        &mut self,
        members: &[usize],
        objective: &Objective,
        optimizer: &mut AdamW,
        Moment { step, total }: Moment,
        portions: &mut Portions,
        report: &mut dyn FnMut(RunEvent),
    ) -> Result<StepMetrics, Error> {
        let settings = self.settings;
        let dropout = settings.lora.as_ref().is_some_and(|lora| lora.lora_dropout > 0.0);
        let seed = dropout
            .then(|| settings.seed.rotate_left(17) ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut halved = |tokens: usize| {
            report(RunEvent::MemoryHalved { micro_batch_tokens: tokens as u64 });
        };
        let (mut sums, figures) =
            objective.accumulate(self, members, portions, seed, &mut halved)?;
        let learning_rate = settings.lr_scheduler.learning_rate(
            step,
            total,
            settings.warmup_steps,
            settings.learning_rate,
        );
        let grad_norm = gradient_norm(&sums.grads)?;
        if !sums.loss.is_finite() || !grad_norm.is_finite() {
            return Err(Error::Diverged { step, loss: sums.loss, learning_rate });
        }
        let clip = clip_factor(grad_norm, settings.max_grad_norm);
        optimizer.step(self.model, settings.trainable(), &mut sums.grads, learning_rate, clip);
        Ok(StepMetrics {
            step,
            steps: total,
            loss: sums.loss,
            learning_rate,
            grad_norm,
            trained_tokens: sums.trained_tokens as u64,
            tokens: sums.tokens as u64,
            memory: resident_bytes(),
            figures: named(figures),
            ..StepMetrics::default()
        })
    }

    fn checkpoint(
        &mut self,
        optimizer: &AdamW,
        state: &mut State,
        clock: &Clock,
        report: &mut dyn FnMut(RunEvent),
    ) -> Result<(), Error> {
        state.seconds = clock.seconds();
        let folder = self.folder.checkpoint(state.step);
        checkpoint::save(&folder, self.model, optimizer, state, self.base_model)?;
        self.folder.point(Pointer::Last, state.step)?;
        if state.best.is_none_or(|(_, step)| step == state.step) {
            self.folder.point(Pointer::Best, state.step)?;
        }
        self.folder.prune_checkpoints()?;
        report(RunEvent::Checkpoint { step: state.step });
        Ok(())
    }

    fn outcome(&self, state: &State, finished: bool) -> Outcome {
        Outcome {
            finished,
            last_step: state.step,
            best_step: state.best.map_or(state.step, |(_, step)| step),
            best_loss: state.best.map(|(loss, _)| loss),
        }
    }

    /// The sequences of some rows.
    pub(crate) fn sequences(&self, part: Part, rows: &[usize]) -> Vec<Sequence> {
        let store = self.data.part(part);
        let each = self.settings.sequences_per_row();
        rows.iter()
            .flat_map(|row| row * each..(row + 1) * each)
            .map(|at| store.sequence(at))
            .collect()
    }

    pub(crate) fn all(&self, part: Part) -> Vec<Sequence> {
        let store = self.data.part(part);
        (0..store.len()).map(|at| store.sequence(at)).collect()
    }
}

/// Where a run is.
#[derive(Clone, Copy)]
struct Moment {
    step: u64,
    total: u64,
}

/// Time, speed and what is left.
struct Clock {
    before: f64,
    started: Instant,
    last: Instant,
    first_step: u64,
}

impl Clock {
    fn new(before: f64, first_step: u64) -> Self {
        let now = Instant::now();
        Self { before, started: now, last: now, first_step }
    }

    fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    fn step(&mut self, metrics: &mut StepMetrics, total: u64) {
        let took = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        metrics.tokens_per_second = metrics.tokens as f64 / took.max(1e-9);
        let done = (metrics.step - self.first_step).max(1) as f64;
        let mean = self.started.elapsed().as_secs_f64() / done;
        metrics.eta_seconds = mean * (total - metrics.step) as f64;
    }
}
