//! Runs: one at a time, the others wait.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sanbao_contract::Fault;
use sanbao_contract::app::{RunMetrics, RunState, RunSummary};
use sanbao_contract::rpc::{Event, Reply};
use sanbao_contract::train::RunEvent;
use sanbao_contract::verdict::Verdict;
use sanbao_contract::worker::{Job, Message};
use sanbao_evaluate::Language;
use sanbao_project::{MetricsLog, RunFolder, read_json};
use sanbao_worker::{Ended, RunSpec, supervise, write_report};
use tokio::sync::watch;

use crate::App;
use crate::machine::Pace;

/// How often a run's progress is written down.
const SAVED_EVERY: Duration = Duration::from_secs(2);

/// What a person wants of an active run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Go,
    Stop,
    Finish,
}

/// The active runs.
#[derive(Default)]
pub struct Runs {
    /// Held by the run that computes.
    turn: tokio::sync::Mutex<()>,
    active: Mutex<BTreeMap<(String, String), watch::Sender<Wish>>>,
}

impl Runs {
    pub fn any_active(&self) -> bool {
        !self.active.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub fn stop_all(&self) {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        for wish in active.values() {
            wish.send_replace(Wish::Stop);
        }
    }
}

impl App {
    /// Starts the run that was planned last; plans it when something has changed since.
    pub(crate) async fn start_run(&self, project: &str) -> Result<Reply, Fault> {
        self.plan(project).await?;
        let id = project.to_owned();
        let run = self.blocking(move |app| app.new_run(&id)).await?;
        self.launch(project, run.clone());
        Ok(Reply::StartRun { run })
    }

    /// Gives the planned run its name and its place in the list.
    fn new_run(&self, project: &str) -> Result<RunSummary, Fault> {
        let store = self.store(project)?;
        let next = self.next_folder(project)?;
        let spec: RunSpec = read_json(&next.join("plan.json"))?;
        let id = store.new_run_id(&spec.plan.recipe);
        let folder = store.run_folder(&id)?;
        std::fs::rename(&next, &folder).map_err(|error| {
            let text = format!("{} cannot be renamed: {error}", next.display());
            Fault::new("app.unwritable", text)
        })?;
        let run = RunSummary {
            id,
            recipe: spec.plan.recipe,
            dial: spec.dial,
            device: spec.device,
            base: spec.plan.model,
            state: RunState::Waiting,
            step: 0,
            steps: spec.plan.steps,
            best_loss: None,
            epochs: Vec::new(),
            outcome: None,
            created: now(),
            fault: None,
        };
        store.add_run(&run)?;
        Ok(run)
    }

    pub(crate) fn stop_run(&self, project: &str, run: &str) -> Result<Reply, Fault> {
        self.wish(project, run, Wish::Stop)?;
        Ok(Reply::StopRun)
    }

    /// Keeps the best so far and judges it; a run that is not active is judged as it is.
    pub(crate) async fn finish_run(&self, project: &str, run: &str) -> Result<Reply, Fault> {
        if self.wish(project, run, Wish::Finish).is_err() {
            let summary = self.store(project)?.run(run)?;
            self.launch_with(project, summary, Wish::Finish);
        }
        Ok(Reply::FinishRun)
    }

    pub(crate) async fn resume_run(&self, project: &str, run: &str) -> Result<Reply, Fault> {
        let summary = self.store(project)?.run(run)?;
        if !self.is_active(project, run) {
            self.launch(project, summary);
        }
        Ok(Reply::ResumeRun)
    }

    pub(crate) fn delete_run(&self, project: &str, run: &str) -> Result<Reply, Fault> {
        if self.is_active(project, run) {
            return Err(Fault::new("app.run_active", "stop the run before removing it"));
        }
        self.store(project)?.delete_run(run)?;
        Ok(Reply::DeleteRun)
    }

    pub(crate) fn run_metrics(&self, project: &str, run: &str) -> Result<Reply, Fault> {
        let folder = RunFolder::look(&self.run_folder(project, run)?)?;
        let mut steps = MetricsLog::read(&folder.metrics_path())?;
        let events = steps.iter_mut().flat_map(|step| std::mem::take(&mut step.events)).collect();
        // A look before the first step is no step.
        steps.retain(|step| step.step > 0);
        Ok(Reply::RunMetrics { metrics: RunMetrics { steps, events } })
    }

    pub(crate) fn verdict(&self, project: &str, run: &str) -> Result<Reply, Fault> {
        let verdict = read_verdict(&self.run_folder(project, run)?)?;
        Ok(Reply::Verdict { verdict: Box::new(verdict) })
    }

    pub(crate) fn report(&self, project: &str, run: &str, language: &str) -> Result<Reply, Fault> {
        let root = self.run_folder(project, run)?;
        let language = if language == "zh" { Language::Zh } else { Language::En };
        write_report(&root, &read_verdict(&root)?, language)?;
        let path = RunFolder::look(&root)?.report_path();
        Ok(Reply::Report { path: path.display().to_string() })
    }

    /// Refuses what cannot be done to a project while one of its runs is active.
    pub(crate) fn refuse_while_active(&self, project: &str) -> Result<(), Fault> {
        let active = self.0.runs.active.lock().unwrap_or_else(PoisonError::into_inner);
        match active.keys().any(|(of, _)| of == project) {
            true => Err(Fault::new("app.run_active", "stop the project's run first")),
            false => Ok(()),
        }
    }

    fn is_active(&self, project: &str, run: &str) -> bool {
        let active = self.0.runs.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.contains_key(&(project.to_owned(), run.to_owned()))
    }

    fn wish(&self, project: &str, run: &str, wish: Wish) -> Result<(), Fault> {
        let active = self.0.runs.active.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = active.get(&(project.to_owned(), run.to_owned()));
        let sender =
            sender.ok_or_else(|| Fault::new("app.run_not_active", "this run is not active"))?;
        sender.send_replace(wish);
        Ok(())
    }

    fn launch(&self, project: &str, run: RunSummary) {
        self.launch_with(project, run, Wish::Go);
    }

    fn launch_with(&self, project: &str, run: RunSummary, wish: Wish) {
        let (sender, wishes) = watch::channel(wish);
        let key = (project.to_owned(), run.id.clone());
        let active = &self.0.runs.active;
        active.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), sender);
        let app = self.clone();
        self.beside(async move {
            let ledger = Ledger::new(app.clone(), key.0.clone(), run);
            app.drive(ledger, wishes, &key).await;
        });
    }

    /// Takes a run from where it is to its verdict, or to where it is stopped.
    async fn drive(
        &self,
        mut ledger: Ledger,
        mut wishes: watch::Receiver<Wish>,
        key: &(String, String),
    ) {
        ledger.run.fault = None;
        ledger.enter(RunState::Waiting);
        let turn = tokio::select! {
            turn = self.0.runs.turn.lock() => Some(turn),
            _ = wishes.wait_for(|wish| *wish == Wish::Stop) => None,
        };
        let ended = match turn {
            Some(_) => self.train_and_judge(&mut ledger, &mut wishes).await,
            None => Ok(RunState::Stopped),
        };
        let active = &self.0.runs.active;
        active.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        match ended {
            Ok(state) => ledger.enter(state),
            Err(fault) => {
                ledger.run.fault = Some(fault);
                ledger.enter(RunState::Failed);
            }
        }
    }

    async fn train_and_judge(
        &self,
        ledger: &mut Ledger,
        wishes: &mut watch::Receiver<Wish>,
    ) -> Result<RunState, Fault> {
        let root = self.run_folder(&ledger.project, &ledger.run.id)?;
        // A system that cannot be kept awake still trains.
        let _awake = keepawake::Builder::default()
            .idle(true)
            .sleep(true)
            .reason("Training a model")
            .app_name("Sanbao")
            .app_reverse_domain("app.sanbao.desktop")
            .create()
            .ok();
        let first = *wishes.borrow();
        if first == Wish::Go {
            ledger.enter(RunState::Training);
            let job = Job::Train { run: root.clone(), micro_batch_tokens: None };
            let mut stopper = wishes.clone();
            let stop = async move {
                // A sender that is gone wishes nothing.
                if stopper.wait_for(|wish| *wish != Wish::Go).await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let ended = supervise(&self.0.program, job, stop, &mut |message| {
                if let Message::Run(event) = message {
                    ledger.happened(event);
                }
            })
            .await?;
            let finished = matches!(ended, Ended::Done(Message::Trained { finished: true, .. }));
            if !finished && *wishes.borrow() != Wish::Finish {
                return Ok(RunState::Stopped);
            }
        }
        ledger.enter(RunState::Judging);
        let mut stopper = wishes.clone();
        let stop = async move {
            if stopper.wait_for(|wish| *wish == Wish::Stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let job = Job::Evaluate { run: root };
        match self.work(&ledger.project, "judge", job, stop).await? {
            Ended::Done(Message::Verdict(verdict)) => {
                ledger.run.outcome = Some(verdict.outcome);
                Ok(RunState::Judged)
            }
            _ => Ok(RunState::Stopped),
        }
    }
}

/// What is known about an active run, told and written down as it changes.
struct Ledger {
    app: App,
    project: String,
    run: RunSummary,
    saved: Instant,
    pace: Pace,
}

impl Ledger {
    fn new(app: App, project: String, run: RunSummary) -> Self {
        Self { app, project, run, saved: Instant::now(), pace: Pace::default() }
    }

    fn enter(&mut self, state: RunState) {
        self.run.state = state;
        self.save();
        self.app.tell(Event::Run { project: self.project.clone(), run: self.run.clone() });
    }

    fn happened(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Step(step) => {
                (self.run.step, self.run.steps) = (step.step, step.steps);
                if !self.pace.allows() && step.step != step.steps {
                    return;
                }
            }
            RunEvent::Validation { loss, best: true, .. } => self.run.best_loss = Some(*loss),
            RunEvent::Resumed { step } => self.run.step = *step,
            RunEvent::Epoch { epoch } => self.run.epochs.push(*epoch),
            _ => {}
        }
        if self.saved.elapsed() > SAVED_EVERY {
            self.save();
        }
        self.app.tell(Event::Training {
            project: self.project.clone(),
            run: self.run.id.clone(),
            happened: event.clone(),
        });
    }

    /// A state that cannot be written is still told; it is read from the run's folder next time.
    fn save(&mut self) {
        self.saved = Instant::now();
        let saved =
            self.app.store(&self.project).and_then(|store| Ok(store.update_run(&self.run)?));
        if let Err(fault) = saved {
            eprintln!("{fault}");
        }
    }
}

fn read_verdict(run: &Path) -> Result<Verdict, Fault> {
    let folder = RunFolder::look(run)?;
    if !folder.verdict_path().exists() {
        return Err(Fault::new("app.no_verdict", "this run has no verdict yet"));
    }
    Ok(read_json(&folder.verdict_path())?)
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
