//! Answering whole files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sanbao_contract::Fault;
use sanbao_contract::app::{ChatModel, Sampling};
use sanbao_contract::rpc::Reply;
use sanbao_contract::worker::{Batch, Job, Message};
use sanbao_worker::Ended;
use sanbao_worker::jobs::{Proposed, propose};
use tokio::sync::Notify;

use crate::App;

/// Files that are being answered, by project.
#[derive(Default)]
pub struct Batches(Mutex<BTreeMap<String, Arc<Notify>>>);

/// A file, what of its rows is asked or scored, and where that is written.
pub(crate) struct AskedFile {
    pub(crate) path: String,
    pub(crate) prompt: Option<String>,
    pub(crate) answer: Option<String>,
    pub(crate) out: Option<String>,
}

impl App {
    pub(crate) fn look_at_file(
        &self,
        project: &str,
        model: &ChatModel,
        path: &str,
    ) -> Result<Reply, Fault> {
        let answerer = self.answerer(project, model)?;
        let Proposed { columns, prompt, answer } = propose(&answerer, Path::new(path))?;
        Ok(Reply::LookAtFile { columns, prompt, answer })
    }

    /// Answers a file's rows with a model of a project, or scores their answers with a reward model;
    /// one file of a project at a time.
    pub(crate) async fn answer_file(
        &self,
        project: String,
        model: ChatModel,
        file: AskedFile,
        sampling: Sampling,
    ) -> Result<Reply, Fault> {
        let AskedFile { path, prompt, answer, out } = file;
        let data = PathBuf::from(path);
        let ending = if answer.is_some() { "scores" } else { "answers" };
        let out = out.map_or_else(|| beside(&data, ending), PathBuf::from);
        let answerer = self.answerer(&project, &model)?;
        let stop = Arc::new(Notify::new());
        {
            let batches = &self.0.batches.0;
            let mut batches = batches.lock().unwrap_or_else(PoisonError::into_inner);
            if batches.contains_key(&project) {
                let text = "a file of this project is being answered; stop it or wait for it";
                return Err(Fault::new("app.answering_already", text));
            }
            batches.insert(project.clone(), Arc::clone(&stop));
        }
        let job = Job::Batch(Box::new(Batch {
            answerer,
            device: "auto".to_owned(),
            data,
            prompt,
            answer,
            system: None,
            sampling,
            out: out.clone(),
        }));
        let ended = self.work(&project, "answer_file", job, stop.notified()).await;
        self.0.batches.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&project);
        match ended? {
            Ended::Done(Message::Batched { rows }) => {
                Ok(Reply::AnswerFile { path: out.display().to_string(), rows })
            }
            _ => Err(Fault::new("app.stopped", "answering was stopped; nothing was written")),
        }
    }

    pub(crate) fn stop_answer_file(&self, project: &str) -> Reply {
        let batches = self.0.batches.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = batches.get(project) {
            stop.notify_one();
        }
        Reply::StopAnswerFile
    }
}

/// `NAME.ENDING.csv` in the same folder, with a number when there is one already.
fn beside(data: &Path, ending: &str) -> PathBuf {
    let name = data.file_stem().map_or_else(|| "file".into(), |name| name.to_string_lossy());
    let named = |number: String| data.with_file_name(format!("{name}.{ending}{number}.csv"));
    let numbered = (2..).map(|number| named(format!("-{number}")));
    let first = named(String::new());
    std::iter::once(first.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(first)
}
