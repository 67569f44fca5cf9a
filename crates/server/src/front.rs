//! What the window and a browser talk to.

use std::sync::Arc;

use sanbao_app::App;
use sanbao_contract::Fault;
use sanbao_contract::app::{Project, RunState, Serving};
use sanbao_contract::rpc::{Event, Reply, Request};
use tokio::sync::{Mutex, broadcast};

use crate::api::{self, Served};
use crate::engine::Engine;

/// The app together with the server for a run's model. Clones are the same front.
#[derive(Clone)]
pub struct Front {
    engine: Arc<dyn Engine>,
    served: Arc<Mutex<Option<Served>>>,
}

impl Front {
    /// A front for an app; no model is served yet.
    pub fn new(app: App) -> Self {
        Self::over(Arc::new(app))
    }

    /// A front for whatever stands in for an app.
    pub fn over(engine: Arc<dyn Engine>) -> Self {
        Self { engine, served: Arc::default() }
    }

    /// Answers a request of the window.
    ///
    /// # Errors
    /// What is wrong, where, and what to do, with a stable code.
    pub async fn handle(&self, request: Request) -> Result<Reply, Fault> {
        match request {
            Request::StartServing { project, run } => {
                Ok(Reply::StartServing { serving: self.start_serving(project, run).await? })
            }
            Request::StopServing => {
                self.stop_serving().await;
                Ok(Reply::StopServing)
            }
            Request::Serving => {
                let served = self.served.lock().await;
                Ok(Reply::Serving { serving: served.as_ref().map(|it| it.serving.clone()) })
            }
            other => {
                let removed = removed_by(&other);
                let reply = self.engine.handle(other).await?;
                if let Some((project, run)) = removed {
                    self.forget(&project, run.as_deref()).await;
                }
                Ok(reply)
            }
        }
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.engine.events()
    }

    /// Serves a run's model, instead of any other. One that is served already goes on with its
    /// address and key.
    async fn start_serving(&self, project: String, run: String) -> Result<Serving, Fault> {
        let mut served = self.served.lock().await;
        if let Some(Served { serving, .. }) = &*served
            && (&serving.project, &serving.run) == (&project, &run)
        {
            return Ok(serving.clone());
        }
        let shown = match self.engine.handle(Request::Project { project }).await? {
            Reply::Project { project } => project,
            other => return Err(Fault::new("serve.broke", format!("no project, but {other:?}"))),
        };
        check_run(&shown, &run)?;
        if let Some(before) = served.take() {
            before.running.stop().await;
        }
        let started = api::start(Arc::clone(&self.engine), &shown, run).await?;
        let serving = started.serving.clone();
        *served = Some(started);
        Ok(serving)
    }

    async fn stop_serving(&self) {
        if let Some(served) = self.served.lock().await.take() {
            served.running.stop().await;
        }
    }

    /// Stops serving a run that is no longer there.
    async fn forget(&self, project: &str, run: Option<&str>) {
        let mut served = self.served.lock().await;
        let is_gone = served.as_ref().is_some_and(|Served { serving, .. }| {
            serving.project == project && run.is_none_or(|run| serving.run == run)
        });
        if is_gone && let Some(served) = served.take() {
            served.running.stop().await;
        }
    }
}

/// The project that a request removes, or its run.
fn removed_by(request: &Request) -> Option<(String, Option<String>)> {
    match request {
        Request::DeleteProject { project } => Some((project.clone(), None)),
        Request::DeleteRun { project, run } => Some((project.clone(), Some(run.clone()))),
        _ => None,
    }
}

/// Makes sure that there is a model to serve.
fn check_run(project: &Project, run: &str) -> Result<(), Fault> {
    let fault = match project.runs.iter().find(|found| found.id == run).map(|found| found.state) {
        None => Fault::new(
            "serve.unknown_run",
            format!("the project has no run {run}; choose one of its runs"),
        ),
        Some(RunState::Waiting | RunState::Training) => Fault::new(
            "serve.not_trained",
            format!("the run {run} is not done training; wait for it or stop it"),
        ),
        Some(_) => return Ok(()),
    };
    Err(fault.with("run", run))
}
