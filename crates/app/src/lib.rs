//! What the window asks for, done.
//!
//! An [`App`] answers requests ([`App::handle`]) and tells unasked what happens ([`App::events`]).
//! It knows nothing of windows: Sanbao's own one and a browser are served by the same code. What
//! computes runs in child processes; this process stays small and alive.

mod answers;
mod batches;
mod data;
mod downloads;
mod exports;
mod feedback;
mod machine;
mod models;
mod planning;
mod projects;
mod recipes;
mod rewards;
mod runs;
mod settings;
mod token;
mod words;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sanbao_contract::Fault;
use sanbao_contract::rpc::{Event, Reply, Request};
use sanbao_project::store::Projects;
use tokio::sync::broadcast;

pub use answers::{Answer, Heard};

/// Everything that is behind the window. Clones are the same app.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    home: PathBuf,
    /// This program, which is the worker too.
    program: PathBuf,
    projects: Projects,
    events: broadcast::Sender<Event>,
    machine: machine::Machine,
    planning: planning::Planning,
    runs: runs::Runs,
    answers: answers::Answers,
    models: models::Models,
    writing: feedback::Writing,
    batches: batches::Batches,
    examining: rewards::Examining,
    counters: settings::Counters,
}

/// Events that a listener may fall behind by before it misses some.
const EVENTS_KEPT: usize = 1024;

impl App {
    /// Opens what is kept in a folder ([`sanbao_project::data_dir`] for a person), which is created
    /// when it is not there. `program` is started with the argument `worker` for what computes.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn open(home: &Path, program: PathBuf) -> Result<Self, Fault> {
        let projects = Projects::at(&home.join("projects"))?;
        let app = Self(Arc::new(Inner {
            home: home.to_owned(),
            program,
            projects,
            events: broadcast::channel(EVENTS_KEPT).0,
            machine: machine::Machine::default(),
            planning: planning::Planning::default(),
            runs: runs::Runs::default(),
            answers: answers::Answers::default(),
            models: models::Models::at(home.join("models")),
            writing: feedback::Writing::default(),
            batches: batches::Batches::default(),
            examining: rewards::Examining::default(),
            counters: settings::Counters::default(),
        }));
        app.settle_broken_runs()?;
        Ok(app)
    }

    /// Whether a run is active.
    pub fn is_busy(&self) -> bool {
        self.0.runs.any_active()
    }

    /// Asks the window how it is to be closed while a run is active.
    pub fn ask_how_to_close(&self) {
        self.tell(Event::CloseAsked);
    }

    /// Stops every run so that it can go on later, and waits until they have stopped.
    pub async fn pause_all(&self) {
        self.0.runs.stop_all();
        self.until_idle().await;
    }

    /// Waits until no run is active.
    pub async fn until_idle(&self) {
        while self.is_busy() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Answers a request. Those that take long tell how far they are by [`Event::Progress`].
    ///
    /// # Errors
    /// What is wrong, where, and what to do, with a stable code.
    pub async fn handle(&self, request: Request) -> Result<Reply, Fault> {
        match request {
            Request::About => Ok(Reply::About {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                home: self.0.home.display().to_string(),
            }),
            Request::Devices => Ok(Reply::Devices { devices: self.devices().await? }),

            Request::Projects => self.blocking(|app| app.projects()).await,
            Request::CreateProject { name } => {
                self.blocking(move |app| app.create_project(&name)).await
            }
            Request::Project { project } => {
                let project = self.blocking(move |app| app.project(&project)).await?;
                Ok(Reply::Project { project })
            }
            Request::RenameProject { project, name } => {
                self.blocking(move |app| app.rename_project(&project, &name)).await
            }
            Request::DuplicateProject { project, name } => {
                self.blocking(move |app| app.duplicate_project(&project, &name)).await
            }
            Request::DeleteProject { project } => self.delete_project(project).await,
            Request::RestoreProject { project } => {
                self.blocking(move |app| app.restore_project(&project)).await
            }

            Request::Models => self.blocking(|app| app.list_models()).await,
            Request::DownloadModel { model } => self.download_model(&model),
            Request::PauseDownload { model } => Ok(self.pause_download(&model)),
            Request::AddModel { path } => self.blocking(move |app| app.add_model(&path)).await,
            Request::SetHubToken { token } => {
                self.blocking(move |app| app.set_hub_token(token.as_deref())).await
            }
            Request::RemoveModel { model } => {
                self.blocking(move |app| app.remove_model(&model)).await
            }
            Request::Settings => self.blocking(|app| Ok(app.settings())).await,
            Request::SetHubMirror { mirror } => {
                self.blocking(move |app| app.set_hub_mirror(mirror.as_deref())).await
            }
            Request::MachineLoad => self.blocking(|app| app.machine_load()).await,
            Request::ChooseBase { project, model } => {
                let project = self.blocking(move |app| app.choose_base(&project, &model)).await?;
                Ok(Reply::ChooseBase { project })
            }

            Request::AddFiles { project, paths } => {
                let project = self.blocking(move |app| app.add_files(&project, &paths)).await?;
                Ok(Reply::AddFiles { project })
            }
            Request::AddText { project, text } => {
                let project = self.blocking(move |app| app.add_text(&project, &text)).await?;
                Ok(Reply::AddText { project })
            }
            Request::AddSample { project, language } => {
                let project = self.blocking(move |app| app.add_sample(&project, &language)).await?;
                Ok(Reply::AddSample { project })
            }
            Request::RemoveFile { project, file } => {
                let project = self.blocking(move |app| app.remove_file(&project, &file)).await?;
                Ok(Reply::RemoveFile { project })
            }
            Request::SetMapping { project, file, mapping } => {
                let project =
                    self.blocking(move |app| app.set_mapping(&project, &file, mapping)).await?;
                Ok(Reply::SetMapping { project })
            }
            Request::Rows { project, file, offset, limit, search, filter } => {
                self.blocking(move |app| {
                    let store = app.store(&project)?;
                    let page = store.page(&file, offset, limit, &search, filter)?;
                    Ok(Reply::Rows { page })
                })
                .await
            }
            Request::EditRow { project, file, row, values } => {
                self.blocking(move |app| {
                    app.store(&project)?.edit_row(&file, row, values.as_deref())?;
                    Ok(Reply::EditRow)
                })
                .await
            }
            Request::ExcludeRows { project, file, rows, excluded } => {
                self.blocking(move |app| {
                    app.store(&project)?.exclude_rows(&file, &rows, excluded)?;
                    Ok(Reply::ExcludeRows)
                })
                .await
            }
            Request::CheckData { project } => {
                let data = self.blocking(move |app| app.check_data(&project)).await?;
                Ok(Reply::CheckData { data })
            }

            Request::Recipes { project } => self.blocking(move |app| app.recipes(&project)).await,
            Request::SetRecipe { project, choice } => {
                self.blocking(move |app| {
                    app.store(&project)?.set_recipe(&choice)?;
                    Ok(Reply::SetRecipe)
                })
                .await
            }
            Request::Plan { project } => Ok(Reply::Plan { plan: self.plan(&project).await? }),

            Request::StartRun { project } => self.start_run(&project).await,
            Request::StopRun { project, run } => self.stop_run(&project, &run),
            Request::FinishRun { project, run } => self.finish_run(&project, &run).await,
            Request::ResumeRun { project, run } => self.resume_run(&project, &run).await,
            Request::DeleteRun { project, run } => {
                self.blocking(move |app| app.delete_run(&project, &run)).await
            }
            Request::RunMetrics { project, run } => {
                self.blocking(move |app| app.run_metrics(&project, &run)).await
            }
            Request::Verdict { project, run } => {
                self.blocking(move |app| app.verdict(&project, &run)).await
            }
            Request::Report { project, run, language } => {
                self.blocking(move |app| app.report(&project, &run, &language)).await
            }

            Request::Chat { chat, project, model, messages, sampling } => {
                self.chat(chat, project, model, messages, sampling).await
            }
            Request::StopChat { chat } => Ok(self.stop_chat(&chat)),

            Request::LookAtFile { project, model, path } => {
                self.blocking(move |app| app.look_at_file(&project, &model, &path)).await
            }
            Request::AnswerFile { project, model, path, prompt, answer, sampling, out } => {
                let file = batches::AskedFile { path, prompt, answer, out };
                self.answer_file(project, model, file, sampling).await
            }
            Request::StopAnswerFile { project } => Ok(self.stop_answer_file(&project)),

            Request::Feedback { project, filter, offset, limit } => {
                self.blocking(move |app| app.feedback(&project, filter, offset, limit)).await
            }
            Request::FeedbackPrompts { project, count } => {
                self.blocking(move |app| app.feedback_prompts(&project, count)).await
            }
            Request::AddBallots { project, prompts, authors, sampling } => {
                self.add_ballots(project, prompts, authors, sampling)
            }
            Request::StopBallots { project } => Ok(self.stop_ballots(&project)),
            Request::Vote { project, ballot, choice, seconds } => {
                self.blocking(move |app| app.vote(&project, ballot, choice, seconds)).await
            }
            Request::DeleteBallot { project, ballot } => {
                self.blocking(move |app| {
                    app.store(&project)?.delete_ballot(ballot)?;
                    Ok(Reply::DeleteBallot)
                })
                .await
            }
            Request::UseFeedback { project, form } => {
                self.blocking(move |app| app.use_feedback(&project, form)).await
            }
            Request::ExportFeedback { project, form, path } => {
                self.blocking(move |app| app.export_feedback(&project, form, &path)).await
            }
            Request::ImportFeedback { project, path, rater } => {
                self.blocking(move |app| app.import_feedback(&project, &path, &rater)).await
            }

            Request::Cards => Ok(Reply::Cards { cards: sanbao_reward::infos() }),
            Request::TryReward { project, reward } => {
                self.blocking(move |app| app.try_reward(&project, &reward)).await
            }
            Request::RewardExamined { project, run } => {
                self.blocking(move |app| app.reward_examined(&project, &run)).await
            }
            Request::ExamineReward { project, run } => self.examine_reward(&project, &run).await,
            Request::StopExamineReward { project, run } => {
                Ok(self.stop_examine_reward(&project, &run))
            }

            Request::Targets => Ok(Reply::Targets { targets: exports::targets() }),
            Request::Export { project, run, target, options, folder } => {
                self.export(project, run, target, options, folder).await
            }
            Request::StartServing { .. } | Request::StopServing | Request::Serving => {
                Err(Fault::new("app.no_server", "there is no server in this program"))
            }
            Request::Close { .. } => {
                Err(Fault::new("app.no_window", "there is no window to close in this program"))
            }
        }
    }

    /// Runs what reads or writes files where it holds nobody up.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let app = self.clone();
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(result) => result,
            Err(error) => Err(Fault::new("app.broke", format!("this could not be done: {error}"))),
        }
    }

    /// Runs something that goes on after the reply.
    fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(work);
    }

    /// Tells the window. Nobody listening is fine.
    fn tell(&self, event: Event) {
        let _ = self.0.events.send(event);
    }
}
