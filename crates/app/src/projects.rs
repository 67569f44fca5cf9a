//! Projects: the list, and what is in one.

use std::path::PathBuf;
use std::sync::Arc;

use sanbao_contract::Fault;
use sanbao_contract::app::Project;
use sanbao_contract::rpc::Reply;
use sanbao_models::BaseModel;
use sanbao_project::store::{Base, ProjectStore};

use crate::App;

impl App {
    pub(crate) fn store(&self, project: &str) -> Result<Arc<ProjectStore>, Fault> {
        Ok(self.0.projects.open(project)?)
    }

    pub(crate) fn projects(&self) -> Result<Reply, Fault> {
        Ok(Reply::Projects { projects: self.0.projects.list()? })
    }

    pub(crate) fn create_project(&self, name: &str) -> Result<Reply, Fault> {
        let store = self.0.projects.create(name)?;
        Ok(Reply::CreateProject { project: self.project(store.id())? })
    }

    /// Everything about a project.
    pub(crate) fn project(&self, id: &str) -> Result<Project, Fault> {
        let store = self.store(id)?;
        let mut project = store.project()?;
        for run in &mut project.runs {
            run.epochs = epochs(&store.run_folder(&run.id)?);
        }
        if let Some(base) = &mut project.base {
            let path = self.0.models.path(&base.model);
            base.card = path.and_then(|path| BaseModel::open(&path).ok()).map(|base| base.card);
        }
        Ok(project)
    }

    pub(crate) fn rename_project(&self, id: &str, name: &str) -> Result<Reply, Fault> {
        self.0.projects.rename(id, name)?;
        Ok(Reply::RenameProject)
    }

    pub(crate) fn duplicate_project(&self, id: &str, name: &str) -> Result<Reply, Fault> {
        self.refuse_while_active(id)?;
        let copy = self.0.projects.duplicate(id, name)?;
        Ok(Reply::DuplicateProject { project: self.project(copy.id())? })
    }

    /// Puts a project into the bin; its models must not be in use there.
    pub(crate) async fn delete_project(&self, id: String) -> Result<Reply, Fault> {
        self.refuse_while_active(&id)?;
        self.cancel_planning(&id).await;
        let folder = self.store(&id)?.folder().to_owned();
        self.silence(&folder).await;
        self.blocking(move |app| {
            app.0.projects.delete(&id)?;
            Ok(Reply::DeleteProject)
        })
        .await
    }

    pub(crate) fn restore_project(&self, id: &str) -> Result<Reply, Fault> {
        self.0.projects.restore(id)?;
        Ok(Reply::RestoreProject)
    }

    /// The folder of a run.
    pub(crate) fn run_folder(&self, project: &str, run: &str) -> Result<PathBuf, Fault> {
        let store = self.store(project)?;
        store.run(run)?;
        Ok(store.run_folder(run)?)
    }

    /// Chooses the base model of a project.
    pub(crate) fn choose_base(&self, project: &str, model: &str) -> Result<Project, Fault> {
        let path = self.0.models.path(model).ok_or_else(|| {
            let text =
                format!("the base model {model} is not on this machine; fetch or add it first");
            Fault::new("app.model_missing", text).with("model", model)
        })?;
        let base = Base { id: model.to_owned(), name: BaseModel::open(&path)?.card.name };
        self.store(project)?.set_base(Some(&base))?;
        self.project(project)
    }

    /// Where a project's base model lies.
    pub(crate) fn base_path(&self, project: &str) -> Result<PathBuf, Fault> {
        let Some(Base { id, name }) = self.store(project)?.base()? else {
            return Err(Fault::new("app.no_base", "choose a base model first"));
        };
        self.0.models.path(&id).ok_or_else(|| {
            let gone = format!("the base model {name} is no longer where it was ({id})");
            Fault::new("app.base_gone", format!("{gone}; choose it again")).with("model", name)
        })
    }

    /// Runs that were active when the program last ended were broken off by that.
    pub(crate) fn settle_broken_runs(&self) -> Result<(), Fault> {
        for summary in self.0.projects.list()? {
            // One that cannot be opened is shown as such in the list.
            if let Ok(store) = self.0.projects.open(&summary.id) {
                store.settle_runs(|_| false)?;
            }
        }
        Ok(())
    }
}

/// Epochs after which a run kept its model.
fn epochs(run: &std::path::Path) -> Vec<u64> {
    let number = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.ok()?.file_name();
        name.to_str()?.strip_prefix("epoch-")?.parse().ok()
    };
    let Ok(entries) = std::fs::read_dir(run.join("epochs")) else { return Vec::new() };
    let mut epochs: Vec<u64> = entries.filter_map(number).collect();
    epochs.sort_unstable();
    epochs
}
