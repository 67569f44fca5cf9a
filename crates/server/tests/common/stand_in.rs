//! An app that says what a test wants.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use sanbao_app::Heard;
use sanbao_contract::app::{
    ChatModel, Project, ProjectState, ProjectSummary, RecipeChoice, RunState, RunSummary, Sampling,
};
use sanbao_contract::rpc::{Event, Reply, Request};
use sanbao_contract::train::Dial;
use sanbao_contract::{Fault, Message};
use sanbao_server::{Engine, Later, Words};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{sleep, timeout};

/// Counts answers that were begun and dropped.
#[derive(Default)]
pub struct Counts {
    begun: AtomicUsize,
    dropped: AtomicUsize,
}

/// Project, model, conversation, sampling.
pub type Asked = (String, ChatModel, Vec<Message>, Sampling);

/// Stands in for the app. The last turn of a conversation says how it is answered.
pub struct StandIn {
    events: broadcast::Sender<Event>,
    counts: Arc<Counts>,
    /// What was asked last.
    pub asked: Mutex<Option<Asked>>,
    /// Requests that were answered.
    pub handled: Mutex<Vec<Request>>,
}

impl Default for StandIn {
    fn default() -> Self {
        Self {
            events: broadcast::channel(8).0,
            counts: Arc::default(),
            asked: Mutex::default(),
            handled: Mutex::default(),
        }
    }
}

impl StandIn {
    /// Tells all who listen; how many do.
    pub fn tell(&self, event: Event) -> usize {
        self.events.send(event).unwrap_or(0)
    }

    /// Waits until an answer was dropped.
    pub async fn an_answer_is_dropped(&self) {
        let dropped = async {
            while self.counts.dropped.load(Ordering::SeqCst) == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), dropped).await.expect("the answer goes on");
    }

    /// Waits until a question was asked.
    pub async fn a_question_is_asked(&self) {
        let asked = async {
            while self.counts.begun.load(Ordering::SeqCst) == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), asked).await.expect("nothing was asked");
    }

    /// Whether an answer was dropped.
    pub fn dropped(&self) -> bool {
        self.counts.dropped.load(Ordering::SeqCst) > 0
    }
}

impl Engine for StandIn {
    fn handle(&self, request: Request) -> Later<'_, Result<Reply, Fault>> {
        Box::pin(async move {
            let reply = match &request {
                Request::Project { project } if project == "p1" => {
                    Ok(Reply::Project { project: project_of_two_runs() })
                }
                Request::About => {
                    Ok(Reply::About { version: "1.2.3".to_owned(), home: "/home".to_owned() })
                }
                Request::AddFiles { .. } => Ok(Reply::AddFiles { project: project_of_two_runs() }),
                Request::CheckData { .. } => {
                    sleep(Duration::from_millis(300)).await;
                    Err(Fault::new("app.no_data", "add a file of examples first"))
                }
                Request::Devices => panic!("the devices are on fire"),
                Request::DeleteRun { .. } => Ok(Reply::DeleteRun),
                Request::DeleteProject { .. } => Ok(Reply::DeleteProject),
                _ => Err(Fault::new("app.unknown_project", "there is no such project")),
            };
            self.handled.lock().unwrap().push(request);
            reply
        })
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn ask<'a>(
        &'a self,
        project: &'a str,
        model: &'a ChatModel,
        messages: Vec<Message>,
        sampling: Sampling,
    ) -> Later<'a, Result<Words, Fault>> {
        Box::pin(async move {
            let wanted = messages.last().unwrap().text().to_owned();
            let asked = (project.to_owned(), model.clone(), messages, sampling);
            *self.asked.lock().unwrap() = Some(asked);
            self.counts.begun.fetch_add(1, Ordering::SeqCst);
            if wanted == "not loaded" {
                return Err(Fault::new("worker.not_trained", "the run has no model yet"));
            }
            let (say, heard) = mpsc::unbounded_channel();
            tokio::spawn(speak(wanted, say));
            Ok(Box::pin(Speech { heard, counts: Arc::clone(&self.counts) }) as Words)
        })
    }
}

/// Says what is wanted.
async fn speak(wanted: String, say: mpsc::UnboundedSender<Heard>) {
    let piece = |text: &str| say.send(Heard::Piece(text.to_owned())).is_ok();
    let end = |finish: &str, fault: Option<Fault>| {
        let (tokens, prompt_tokens, finish) = (3, 5, finish.to_owned());
        let _ = say.send(Heard::Ended { tokens, prompt_tokens, seconds: 0.1, finish, fault });
    };
    match wanted.as_str() {
        "forever" => {
            while piece("and ") {
                sleep(Duration::from_millis(10)).await;
            }
        }
        "silence" => say.closed().await,
        "nothing" => end("stop", None),
        "too long" => {
            end("stop", Some(Fault::new("infer.too_long", "the conversation is too long")))
        }
        "break" => {
            piece("Well");
            end("stop", Some(Fault::new("worker.crashed", "the worker is gone")));
        }
        "vanish" => {
            piece("Well");
        }
        _ => {
            for text in ["Good ", "", "day, ", "\"世界\"\n\n"] {
                piece(text);
            }
            end("length", None);
        }
    }
}

struct Speech {
    heard: mpsc::UnboundedReceiver<Heard>,
    counts: Arc<Counts>,
}

impl futures_util::Stream for Speech {
    type Item = Heard;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Heard>> {
        self.heard.poll_recv(context)
    }
}

impl Drop for Speech {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

fn project_of_two_runs() -> Project {
    let summary = ProjectSummary {
        id: "p1".to_owned(),
        name: "Film Reviews".to_owned(),
        base: Some("base".to_owned()),
        files: Vec::new(),
        rows: 0,
        state: ProjectState::Judged,
        outcome: None,
        changed: 0,
        fault: None,
    };
    let recipe = RecipeChoice::default();
    let runs = vec![run("r1", RunState::Judged), run("r2", RunState::Training)];
    Project { summary, folder: "/p1".to_owned(), base: None, files: Vec::new(), recipe, runs }
}

fn run(id: &str, state: RunState) -> RunSummary {
    RunSummary {
        id: id.to_owned(),
        recipe: "sft".to_owned(),
        dial: Dial::default(),
        device: "cpu".to_owned(),
        base: "base".to_owned(),
        state,
        step: 1,
        steps: 1,
        best_loss: None,
        epochs: Vec::new(),
        outcome: None,
        created: 1_700_000_000_123,
        fault: None,
    }
}
