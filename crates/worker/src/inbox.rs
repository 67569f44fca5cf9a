//! What the parent says while a job runs.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};

use sanbao_contract::Message as Turn;
use sanbao_contract::app::Sampling;
use sanbao_contract::worker::Command;

/// Something to answer.
pub struct Question {
    /// To tell answers apart.
    pub chat: String,
    /// The conversation.
    pub messages: Vec<Turn>,
    /// How the answer is drawn.
    pub sampling: Sampling,
}

/// Commands as they come in; a thread of its own reads them.
pub struct Inbox {
    stopped: Arc<AtomicBool>,
    hushed: Arc<Mutex<BTreeSet<String>>>,
    questions: Receiver<Question>,
}

impl Inbox {
    /// Listens to standard input, whose end means [`Command::Stop`].
    pub fn listen() -> Self {
        let (stopped, hushed) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (ask, questions) = channel();
        let inbox = Self { stopped: Arc::clone(&stopped), hushed: Arc::clone(&hushed), questions };
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(Command::Stop) => break,
                    Ok(Command::Ask { chat, messages, sampling }) => {
                        if ask.send(Question { chat, messages, sampling }).is_err() {
                            break;
                        }
                    }
                    Ok(Command::Hush { chat }) => {
                        hushed.lock().unwrap_or_else(PoisonError::into_inner).insert(chat);
                    }
                    Err(_) => {}
                }
            }
            stopped.store(true, Ordering::SeqCst);
        });
        inbox
    }

    /// Whether the job is to end.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Waits for the next question; `None` when there will be none.
    pub fn next_question(&self) -> Option<Question> {
        self.questions.recv().ok().filter(|_| !self.is_stopped())
    }

    /// Whether an answer is to end.
    pub fn is_hushed(&self, chat: &str) -> bool {
        self.is_stopped()
            || self.hushed.lock().unwrap_or_else(PoisonError::into_inner).contains(chat)
    }

    /// An answer has ended: its name may be used again.
    pub fn forget(&self, chat: &str) {
        self.hushed.lock().unwrap_or_else(PoisonError::into_inner).remove(chat);
    }
}
