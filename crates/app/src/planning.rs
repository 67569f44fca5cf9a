//! What the next run would do.
//!
//! The plan is made in the folder `next` of a project. Starting the run only gives that folder its
//! place among the runs, so that what was shown is what is done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sanbao_contract::Fault;
use sanbao_contract::train::Plan;
use sanbao_contract::worker::{Job, Message, PlanRequest};
use sanbao_project::{hash_bytes, hash_file, read_json, write_json};
use sanbao_worker::{Ended, RunSpec};
use tokio::sync::Notify;

use crate::App;

/// Plans that are being made.
#[derive(Default)]
pub struct Planning {
    projects: Mutex<BTreeMap<String, Arc<Turn>>>,
}

/// One plan of a project is made at a time; the latest wish counts.
#[derive(Default)]
struct Turn {
    taken: tokio::sync::Mutex<()>,
    superseded: Notify,
}

impl App {
    /// Plans the next run, or gives the plan that was made from the same things before.
    ///
    /// # Errors
    /// Why it cannot be started; `app.superseded` when another plan was asked for meanwhile.
    pub(crate) async fn plan(&self, project: &str) -> Result<Plan, Fault> {
        let turn = self.turn(project);
        turn.superseded.notify_waiters();
        let superseded = turn.superseded.notified();
        tokio::pin!(superseded);
        superseded.as_mut().enable();
        let _taken = turn.taken.lock().await;
        let id = project.to_owned();
        let (next, request, fingerprint) = self
            .blocking(move |app| {
                let request = app.plan_request(&id)?;
                let fingerprint = fingerprint(&request)?;
                Ok((app.next_folder(&id)?, request, fingerprint))
            })
            .await?;
        if let Some(plan) = planned(&next, &fingerprint) {
            return Ok(plan);
        }
        if next.exists() {
            std::fs::remove_dir_all(&next).map_err(|error| unwritable(&next, &error))?;
        }
        let job = Job::Plan { request: Box::new(request), run: next.clone() };
        match self.work(project, "plan", job, superseded).await? {
            Ended::Done(Message::Planned { plan }) => {
                let path = fingerprint_path(&next);
                write_json(&path, &fingerprint).map_err(|error| unwritable(&path, &error))?;
                Ok(*plan)
            }
            _ => Err(Fault::new("app.superseded", "another plan was asked for meanwhile")),
        }
    }

    /// Breaks off a plan that is being made, and waits until it is.
    pub(crate) async fn cancel_planning(&self, project: &str) {
        let turn = self.turn(project);
        turn.superseded.notify_waiters();
        drop(turn.taken.lock().await);
    }

    /// The folder that the next plan is made in.
    pub(crate) fn next_folder(&self, project: &str) -> Result<PathBuf, Fault> {
        Ok(self.store(project)?.folder().join("next"))
    }

    fn turn(&self, project: &str) -> Arc<Turn> {
        let mut projects = self.0.planning.projects.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(projects.entry(project.to_owned()).or_default())
    }
}

/// The plan in a folder, when it was made from the same things.
fn planned(next: &Path, fingerprint: &str) -> Option<Plan> {
    let made_from: String = read_json(&fingerprint_path(next)).ok()?;
    let spec: RunSpec = read_json(&next.join("plan.json")).ok()?;
    (made_from == fingerprint).then_some(spec.plan)
}

/// Written last: a plan without it is not finished.
fn fingerprint_path(next: &Path) -> PathBuf {
    next.join("made-from.json")
}

/// Changes with whatever the plan depends on.
fn fingerprint(request: &PlanRequest) -> Result<String, Fault> {
    let mut text = serde_json::to_string(request)
        .map_err(|error| Fault::new("app.bad_request", error.to_string()))?;
    for source in &request.sources {
        let hash = hash_file(&source.path).map_err(|error| unwritable(&source.path, &error))?;
        text.push_str(&hash);
    }
    text.push_str(env!("CARGO_PKG_VERSION"));
    Ok(hash_bytes(text.as_bytes()))
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Fault {
    let text = format!("{} cannot be used: {error}", path.display());
    Fault::new("app.unwritable", text)
}
