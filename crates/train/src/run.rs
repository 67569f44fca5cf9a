//! The training loop.

mod measuring;

use std::time::Instant;

use sanbao_contract::train::{RunEvent, StepMetrics};
use sanbao_data::{Part, Prepared, Sequence};
use sanbao_models::Decoder;
use sanbao_project::{MetricsLog, Pointer, RunFolder};
use sanbao_text::Tokenizer;

use crate::Error;
use crate::batch::epoch_order;
use crate::checkpoint::{self, State};
use crate::lora;
use crate::memory::resident_bytes;
use crate::objective::{Objective, named};
use crate::online::rewards::Rewards;
use crate::online::watch::Watch;
use crate::online::{Method, Mission, Moving};
use crate::optimizer::{AdamW, clip_factor, gradient_norm};
use crate::reward_model::{attach_score, attach_zero_score};
use crate::settings::{Learns, TrainSettings};
use crate::step::{Accumulated, Portions};

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
    /// The model's tokenizer.
    pub tokenizer: &'a Tokenizer,
    /// What answers are rewarded for, when that is what is learnt from.
    pub rewards: Option<&'a Rewards<'a>>,
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

impl<'a> Run<'a> {
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
        let mission = Mission::new(self)?;
        let mut log = self.log(state.step)?;
        let validation = self.all(Part::Validation);
        let mut portions = Portions {
            tokens: self.settings.micro_batch_tokens,
            activations: self.settings.activations(),
        };
        let mut clock = Clock::new(state.seconds, state.step);
        let mut early = false;
        let mut order = (u64::MAX, Vec::new());

        if let Some(mission) = mission.as_ref().filter(|mission| mission.watches())
            && state.watch.safest.is_none()
        {
            self.first_look(mission, &mut state, &mut log, &portions, report)?;
            self.checkpoint(&optimizer, &mut state, &clock, report)?;
        }
        while state.step < total && !early {
            if stop() {
                self.checkpoint(&optimizer, &mut state, &clock, report)?;
                return Ok(self.outcome(&state, false));
            }
            let epoch = state.step / per_epoch;
            if order.0 != epoch {
                let strategy = self.settings.train_sampling_strategy;
                order = (epoch, epoch_order(rows, strategy, self.settings.seed, epoch));
            }
            let first = (state.step % per_epoch) as usize * self.settings.batch_size;
            let members = &order.1[first..(first + self.settings.batch_size).min(rows)];
            state.step += 1;
            let moment = Moment { step: state.step, total };
            let mut metrics = match &mission {
                Some(mission) => {
                    let moving = Moving {
                        watch: &mut state.watch,
                        optimizer: &mut optimizer,
                        portions: &mut portions,
                    };
                    mission.step(self, members, moving, moment, report)?
                }
                None => {
                    self.step(members, &objective, &mut optimizer, moment, &mut portions, report)?
                }
            };
            (metrics.step, metrics.steps) = (state.step, total);
            metrics.memory = resident_bytes();
            metrics.epoch = state.step as f64 / per_epoch as f64;
            clock.step(&mut metrics, total);

            let ends_epoch = state.step.is_multiple_of(per_epoch);
            let every = self.settings.eval_steps;
            let evaluates = !validation.is_empty()
                && every > 0
                && (state.step.is_multiple_of(every) || state.step == total);
            if evaluates {
                early = match &mission {
                    Some(mission) => self.look(mission, &mut state, &mut metrics, &portions)?,
                    None => {
                        self.validate(&objective, &validation, &mut state, &mut metrics, &portions)?
                    }
                };
            }
            log.append(&metrics)?;
            let validation_loss = metrics.validation_loss;
            for event in std::mem::take(&mut metrics.events) {
                report(event);
            }
            report(RunEvent::Step(metrics));
            if let Some(loss) = validation_loss {
                let best = state.best.is_some_and(|(_, step)| step == state.step);
                report(RunEvent::Validation { step: state.step, loss, best });
            }

            // Before the checkpoint: what a checkpoint lies behind is not done again.
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
            let is_best = state.best.is_some_and(|(_, step)| step == state.step);
            let saves = state.step.is_multiple_of(self.settings.save_steps.max(1));
            if is_best || saves || ends_epoch || early || state.step == total {
                log.sync()?;
                self.checkpoint(&optimizer, &mut state, &clock, report)?;
            }
        }
        let outcome = self.outcome(&state, true);
        if early && mission.is_none() {
            report(RunEvent::EarlyStop { step: state.step, best_step: outcome.best_step });
        }
        if outcome.best_step != state.step {
            checkpoint::load_weights(&self.folder.checkpoint(outcome.best_step), self.model)?;
        }
        Ok(outcome)
    }

    /// The metrics up to a step; a run that has no checkpoint yet begins anew.
    fn log(&self, step: u64) -> Result<MetricsLog, Error> {
        let path = self.folder.metrics_path();
        if self.folder.pointed(Pointer::Last)?.is_none() && path.exists() {
            std::fs::remove_file(&path).map_err(|error| Error::io(&path, error))?;
        }
        Ok(MetricsLog::open_until(&path, step)?)
    }

    /// Fresh, or from the last checkpoint.
    fn start(&mut self, report: &mut dyn FnMut(RunEvent)) -> Result<(AdamW, State), Error> {
        if let Some(step) = self.folder.pointed(Pointer::Last)? {
            let folder = self.folder.checkpoint(step);
            let (optimizer, state) =
                checkpoint::load(&folder, self.model, self.settings, self.data_hash)?;
            // What was killed between the two pointers has set only the first.
            self.folder.point(Pointer::Best, state.best.map_or(step, |(_, best)| best))?;
            report(RunEvent::Resumed { step });
            return Ok((optimizer, state));
        }
        if let Some(config) = &self.settings.lora {
            lora::attach(self.model, config, self.settings.seed)?;
        }
        match &self.settings.learns {
            Learns::RewardModel(_) => attach_score(self.model, self.settings.seed),
            Learns::Reward(online) if matches!(online.method, Method::Ppo { .. }) => {
                attach_zero_score(self.model);
            }
            _ => {}
        }
        let state = State {
            step: 0,
            settings: self.settings.clone(),
            data: self.data_hash.to_owned(),
            best: None,
            evaluations_without_improvement: 0,
            seconds: 0.0,
            watch: Watch::default(),
        };
        Ok((AdamW::new(self.settings.adamw), state))
    }

    fn step(
        &mut self,
        members: &[usize],
        objective: &Objective,
        optimizer: &mut AdamW,
        moment: Moment,
        portions: &mut Portions,
        report: &mut dyn FnMut(RunEvent),
    ) -> Result<StepMetrics, Error> {
        let mut halved = |tokens: usize| {
            report(RunEvent::MemoryHalved { micro_batch_tokens: tokens as u64 });
        };
        let seed = self.dropout_seed(moment.step);
        let (sums, figures) = objective.accumulate(self, members, portions, seed, &mut halved)?;
        let (trained_tokens, tokens) = (sums.trained_tokens as u64, sums.tokens as u64);
        let loss = sums.loss;
        let (learning_rate, grad_norm) = self.update(sums, optimizer, moment)?;
        Ok(StepMetrics {
            loss,
            learning_rate,
            grad_norm,
            trained_tokens,
            tokens,
            figures: named(figures),
            ..StepMetrics::default()
        })
    }

    /// Where dropout begins in a step; `None` without dropout.
    pub(crate) fn dropout_seed(&self, step: u64) -> Option<u64> {
        let drops = self.settings.lora.as_ref().is_some_and(|lora| lora.lora_dropout > 0.0);
        let seed = self.settings.seed.rotate_left(17);
        drops.then(|| seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// One step of the optimizer; gives the learning rate and the norm of the gradients.
    pub(crate) fn update(
        &mut self,
        mut sums: Accumulated,
        optimizer: &mut AdamW,
        Moment { step, total }: Moment,
    ) -> Result<(f64, f64), Error> {
        let settings = self.settings;
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
        Ok((learning_rate, grad_norm))
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
            best_loss: match self.settings.learns {
                Learns::Reward(_) => None,
                _ => state.best.map(|(loss, _)| loss),
            },
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
pub(crate) struct Moment {
    pub step: u64,
    pub total: u64,
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
