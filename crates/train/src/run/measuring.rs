//! Measuring a run while it trains, on rows that it does not learn from.

use sanbao_contract::data::Task;
use sanbao_contract::train::{RunEvent, StepMetrics};
use sanbao_data::{Part, Sequence};
use sanbao_infer::{DEFAULT_TOKEN_BUDGET, Flow, Generated, Sampling, generate};
use sanbao_project::MetricsLog;

use super::Run;
use crate::Error;
use crate::checkpoint::State;
use crate::memory::resident_bytes;
use crate::objective::{Objective, named};
use crate::online::Mission;
use crate::online::rollout::{Prompt, Questions};
use crate::online::watch::Meaning;
use crate::settings::Learns;
use crate::step::Portions;

/// Held-out questions that are answered at each validation, and how long the answers may be.
const SAMPLES: usize = 2;
const SAMPLE_TOKENS: usize = 48;

impl Run<'_> {
    /// Measures the validation rows; whether training is to end.
    pub(super) fn validate(
        &self,
        objective: &Objective,
        validation: &[Sequence],
        state: &mut State,
        metrics: &mut StepMetrics,
        portions: &Portions,
    ) -> Result<bool, Error> {
        let Some((loss, figures)) = objective.validate(self, validation, portions.tokens)? else {
            return Ok(false);
        };
        let validated = |(name, figure)| (format!("eval_{name}"), figure);
        metrics.figures.extend(named(figures).into_iter().map(validated));
        metrics.validation_loss = Some(loss);
        metrics.events.extend(self.samples(metrics.step)?);
        let best = state.best.is_none_or(|(lowest, _)| loss < lowest);
        state.evaluations_without_improvement =
            if best { 0 } else { state.evaluations_without_improvement + 1 };
        if best {
            state.best = Some((loss, state.step));
        }
        let patience = self.settings.early_stopping_patience;
        Ok(patience > 0 && state.evaluations_without_improvement >= patience)
    }

    /// What the model answers now to some held-out questions.
    fn samples(&self, step: u64) -> Result<Vec<RunEvent>, Error> {
        let task = self.data.report().task;
        if !matches!(task, Task::Instruct | Task::Classify)
            || self.settings.learns != Learns::Examples
        {
            return Ok(Vec::new());
        }
        let rows = self.data.part(Part::Validation).len().min(SAMPLES);
        let questions = Questions::new(self.tokenizer)?;
        let asked = self.sequences(Part::Validation, &(0..rows).collect::<Vec<_>>());
        let prompts = asked.iter().map(|row| questions.read(row)).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<Vec<u32>> = prompts.iter().map(|prompt| prompt.ids.clone()).collect();
        let sampling = Sampling::greedy(SAMPLE_TOKENS);
        let answers = generate(
            self.model,
            self.tokenizer,
            &ids,
            &sampling,
            DEFAULT_TOKEN_BUDGET,
            &mut |_, _| Flow::Continue,
        )?;
        let sample = |(prompt, answer): (Prompt, Generated)| RunEvent::Sample {
            step,
            prompt: prompt.text,
            answer: answer.text,
            reward: None,
            parts: Vec::new(),
        };
        Ok(prompts.into_iter().zip(answers).map(sample).collect())
    }

    /// Looks at held-out questions before the first step: what later looks are compared with.
    pub(super) fn first_look(
        &self,
        mission: &Mission,
        state: &mut State,
        log: &mut MetricsLog,
        portions: &Portions,
        report: &mut dyn FnMut(RunEvent),
    ) -> Result<(), Error> {
        let mut metrics = StepMetrics { memory: resident_bytes(), ..StepMetrics::default() };
        self.look(mission, state, &mut metrics, portions)?;
        log.append(&metrics)?;
        for event in metrics.events {
            report(event);
        }
        Ok(())
    }

    /// Looks at held-out questions while learning from rewards; whether training is to end.
    pub(super) fn look(
        &self,
        mission: &Mission,
        state: &mut State,
        metrics: &mut StepMetrics,
        portions: &Portions,
    ) -> Result<bool, Error> {
        match mission.look(self, &mut state.watch, metrics, portions.tokens)? {
            Meaning::Fine(reward) => {
                if state.best.is_none_or(|(lowest, _)| -reward < lowest) {
                    state.best = Some((-reward, state.step));
                }
                Ok(false)
            }
            Meaning::Suspicious => Ok(false),
            Meaning::OverOptimised { reward_gain, guard_loss } => {
                metrics.events.push(RunEvent::OverOptimised {
                    step: state.step,
                    best_step: state.best.map_or(0, |(_, step)| step),
                    guard: mission.guard().to_owned(),
                    reward_gain,
                    guard_loss,
                });
                Ok(true)
            }
        }
    }
}
