//! Talking to models.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sanbao_contract::app::{ChatModel, Sampling};
use sanbao_contract::rpc::{Event, Reply};
use sanbao_contract::worker::{Answerer, Command, Message as Said};
use sanbao_contract::{Fault, Message};
use sanbao_project::RunFolder;
use sanbao_worker::Answering;
use sanbao_worker::jobs::labels_of;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::App;

/// Models that are kept loaded: base and tuned, side by side.
const LOADED: usize = 2;

/// What is heard of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// The next words.
    Piece(String),
    /// It is complete; nothing follows.
    Ended {
        /// Tokens of the answer.
        tokens: u64,
        /// Tokens of the conversation that was answered.
        prompt_tokens: u64,
        /// Seconds from the question.
        seconds: f64,
        /// `stop` or `length`.
        finish: String,
        /// What went wrong, if something did.
        fault: Option<Fault>,
    },
}

/// An answer as it comes. Dropping it ends it.
pub struct Answer {
    /// What is heard.
    pub pieces: UnboundedReceiver<Heard>,
    hush: Hush,
}

/// Ends its answer when dropped; one that is complete does not mind.
struct Hush {
    chat: String,
    voice: Arc<Voice>,
}

impl Hush {
    fn now(&self) {
        // A process that is gone says nothing anyway.
        let _ = self.voice.process.tell(Command::Hush { chat: self.chat.clone() });
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        self.now();
    }
}

/// A loaded model and who listens to it.
struct Voice {
    process: Answering,
    listeners: Arc<Listeners>,
}

/// Who waits for which answer.
type Listeners = Mutex<BTreeMap<String, UnboundedSender<Heard>>>;

/// Hands what a worker says to who waits for it. Those who no longer listen do not matter.
fn pass_on(message: Said, listeners: &Listeners) {
    let mut listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
    match message {
        Said::Piece { chat, text } => {
            if let Some(listener) = listeners.get(&chat) {
                let _ = listener.send(Heard::Piece(text));
            }
        }
        Said::Answered { chat, tokens, prompt_tokens, seconds, finish, fault } => {
            if let Some(listener) = listeners.remove(&chat) {
                let ended = Heard::Ended { tokens, prompt_tokens, seconds, finish, fault };
                let _ = listener.send(ended);
            }
        }
        _ => {}
    }
}

/// The models that are loaded, and the answers that the window waits for.
#[derive(Default)]
pub struct Answers {
    /// The latest last.
    voices: tokio::sync::Mutex<Vec<(Answerer, Arc<Voice>)>>,
    chats: Mutex<BTreeMap<String, tokio::sync::oneshot::Sender<()>>>,
    count: AtomicU64,
}

impl App {
    /// Asks a model of a project. Models stay loaded for the next question.
    ///
    /// # Errors
    /// When the model cannot be loaded; what goes wrong later is heard.
    pub async fn ask(
        &self,
        project: &str,
        model: &ChatModel,
        messages: Vec<Message>,
        sampling: Sampling,
    ) -> Result<Answer, Fault> {
        let voice = self.voice(self.answerer(project, model)?).await?;
        let chat = self.0.answers.count.fetch_add(1, Ordering::Relaxed).to_string();
        let (hear, pieces) = unbounded_channel();
        voice.listeners.lock().unwrap_or_else(PoisonError::into_inner).insert(chat.clone(), hear);
        voice.process.tell(Command::Ask { chat: chat.clone(), messages, sampling })?;
        Ok(Answer { pieces, hush: Hush { chat, voice } })
    }

    pub(crate) fn answerer(&self, project: &str, model: &ChatModel) -> Result<Answerer, Fault> {
        Ok(match model {
            ChatModel::Base => {
                let model = self.base_path(project)?;
                Answerer::Base { model, labels: self.labels(project)? }
            }
            ChatModel::Run { run, epoch } => {
                Answerer::Run { run: self.run_folder(project, run)?, epoch: *epoch }
            }
        })
    }

    /// The labels that the newest run learnt to choose among: its base model is asked the same, so
    /// that the two can be compared.
    fn labels(&self, project: &str) -> Result<Vec<String>, Fault> {
        let store = self.store(project)?;
        for run in store.runs()? {
            // A run whose rows cannot be read any more, or are not read yet, says nothing of labels.
            let Ok(folder) = RunFolder::look(&store.run_folder(&run.id)?) else { continue };
            let Ok(labels) = labels_of(&folder) else { continue };
            return Ok(labels);
        }
        Ok(Vec::new())
    }

    /// A loaded model; the one that was not asked for longest makes room.
    async fn voice(&self, answerer: Answerer) -> Result<Arc<Voice>, Fault> {
        let mut voices = self.0.answers.voices.lock().await;
        voices.retain(|(_, voice)| !voice.process.is_over());
        if let Some(at) = voices.iter().position(|(loaded, _)| *loaded == answerer) {
            let found = voices.remove(at);
            let voice = Arc::clone(&found.1);
            voices.push(found);
            return Ok(voice);
        }
        while voices.len() >= LOADED {
            voices.remove(0);
        }
        let listeners: Arc<Listeners> = Arc::default();
        let hearing = Arc::clone(&listeners);
        let on_message = move |message| pass_on(message, &hearing);
        let device = "auto".to_owned();
        let process =
            Answering::start(&self.0.program, answerer.clone(), device, on_message).await?;
        let voice = Arc::new(Voice { process, listeners });
        voices.push((answerer, Arc::clone(&voice)));
        Ok(voice)
    }

    /// Forgets loaded models of a folder, which is about to change or go.
    pub(crate) async fn silence(&self, folder: &PathBuf) {
        self.0.answers.voices.lock().await.retain(|(answerer, _)| match answerer {
            Answerer::Run { run, .. } => !run.starts_with(folder),
            Answerer::Base { .. } => true,
        });
    }

    /// Answers a conversation of the window.
    pub(crate) async fn chat(
        &self,
        chat: String,
        project: String,
        model: ChatModel,
        messages: Vec<Message>,
        sampling: Sampling,
    ) -> Result<Reply, Fault> {
        let mut answer = self.ask(&project, &model, messages, sampling).await?;
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let chats = &self.0.answers.chats;
        chats.lock().unwrap_or_else(PoisonError::into_inner).insert(chat.clone(), stop);
        let app = self.clone();
        self.beside(async move {
            let mut hushed = false;
            loop {
                let heard = tokio::select! {
                    heard = answer.pieces.recv() => heard,
                    _ = &mut stopped, if !hushed => {
                        // Its end is still heard, with what was on its way.
                        hushed = true;
                        answer.hush.now();
                        continue;
                    }
                };
                match heard {
                    Some(Heard::Piece(text)) => {
                        app.tell(Event::ChatPiece { chat: chat.clone(), text });
                    }
                    Some(Heard::Ended { tokens, seconds, fault, .. }) => {
                        app.tell(Event::ChatEnded { chat: chat.clone(), tokens, seconds, fault });
                        break;
                    }
                    None => break,
                }
            }
            let chats = &app.0.answers.chats;
            chats.lock().unwrap_or_else(PoisonError::into_inner).remove(&chat);
        });
        Ok(Reply::Chat)
    }

    /// Ends an answer of the window early.
    pub(crate) fn stop_chat(&self, chat: &str) -> Reply {
        let chats = &self.0.answers.chats;
        if let Some(stop) = chats.lock().unwrap_or_else(PoisonError::into_inner).remove(chat) {
            let _ = stop.send(());
        }
        Reply::StopChat
    }
}
