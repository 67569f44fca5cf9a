//! Handing a trained model on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sanbao_contract::Fault;
use sanbao_contract::app::TargetInfo;
use sanbao_contract::rpc::Reply;
use sanbao_contract::worker::{Job, Message};
use sanbao_export::TARGETS;
use sanbao_worker::Ended;
use serde_json::Value;

use crate::App;
use crate::words::{by_language, parameter};

/// What a model can be exported as.
pub fn targets() -> Vec<TargetInfo> {
    TARGETS
        .iter()
        .map(|target| TargetInfo {
            name: target.name.to_owned(),
            title: by_language(target.title),
            help: by_language(target.help),
            options: target.options.iter().copied().map(parameter).collect(),
            holds_scores: target.holds_scores(),
        })
        .collect()
}

impl App {
    /// Exports a run's model into a folder of the person's, or into one of the run's.
    pub(crate) async fn export(
        &self,
        project: String,
        run: String,
        target: String,
        options: BTreeMap<String, Value>,
        folder: Option<String>,
    ) -> Result<Reply, Fault> {
        let root = self.run_folder(&project, &run)?;
        let folder = match folder {
            Some(folder) => PathBuf::from(folder),
            None => free_name(&root.join("export"), &target),
        };
        let job = Job::Export { run: root, target, options, epoch: None, folder };
        match self.work(&project, "export", job, std::future::pending()).await? {
            Ended::Done(Message::Exported(exported)) => Ok(Reply::Export { exported }),
            _ => Err(Fault::new("app.stopped", "the export was stopped")),
        }
    }
}

/// The target's name, with a number when there is one already.
fn free_name(parent: &std::path::Path, name: &str) -> PathBuf {
    let first = parent.join(name);
    let numbered = (2..).map(|number| parent.join(format!("{name}-{number}")));
    std::iter::once(first.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(first)
}
