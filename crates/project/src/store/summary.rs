//! A project at a glance, and everything about it.

use std::sync::PoisonError;

use rusqlite::Connection;
use sanbao_contract::app::{
    BaseChoice, Project, ProjectState, ProjectSummary, RunState, RunSummary,
};

use super::database::unsigned;
use super::error::Error;
use super::{ProjectStore, files, runs, settings};

impl ProjectStore {
    /// The project at a glance.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn summary(&self) -> Result<ProjectSummary, Error> {
        let summary = self.look(|look| Ok(summary(look, &self.id)?))?;
        *self.glance.lock().unwrap_or_else(PoisonError::into_inner) = summary.clone();
        Ok(summary)
    }

    /// Everything about the project, except what is known elsewhere: the card of its base model
    /// is `None`, and runs have no epochs.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn project(&self) -> Result<Project, Error> {
        self.look(|look| {
            let base: Option<String> =
                look.query_row("SELECT base_id FROM project", [], |row| row.get(0))?;
            Ok(Project {
                summary: summary(look, &self.id)?,
                folder: self.folder.display().to_string(),
                base: base.map(|model| BaseChoice { model, card: None }),
                files: files::files(look)?,
                recipe: settings::recipe(look)?,
                runs: runs::runs(look)?,
            })
        })
    }
}

/// A project at a glance.
pub(super) fn summary(connection: &Connection, id: &str) -> rusqlite::Result<ProjectSummary> {
    let sql = "SELECT name, coalesce(base_name, base_id), changed FROM project";
    let (name, base, changed) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row, 2)?)))?;
    let sql = "SELECT name, rows FROM file ORDER BY id";
    let files: Vec<(String, u64)> = connection
        .prepare_cached(sql)?
        .query_map([], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let runs = runs::runs(connection)?;
    let base: Option<String> = base;
    Ok(ProjectSummary {
        id: id.to_owned(),
        name,
        state: state(&runs, base.is_some() && !files.is_empty()),
        base,
        rows: files.iter().map(|(_, rows)| rows).sum(),
        files: files.into_iter().map(|(name, _)| name).collect(),
        outcome: runs.iter().find_map(|run| run.outcome),
        changed,
        fault: None,
    })
}

/// `runs`: the latest first. What the last run came to is told even when the person has taken the
/// data away since: it can still be looked at and used.
fn state(runs: &[RunSummary], is_ready: bool) -> ProjectState {
    if runs.iter().any(|run| runs::is_under_way(run.state)) {
        return ProjectState::Training;
    }
    match runs.first().map(|run| run.state) {
        Some(RunState::Judged) => ProjectState::Judged,
        Some(_) => ProjectState::Stopped,
        None if is_ready => ProjectState::Ready,
        None => ProjectState::Empty,
    }
}
