//! The parent's side of a worker that answers questions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sanbao_contract::Fault;
use sanbao_contract::worker::{Answerer, Command, Job, Message};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::Error;
use crate::process::{Death, Ear, Process};

/// A loaded model in a process of its own. Dropping it ends the process.
pub struct Answering {
    commands: UnboundedSender<Command>,
    open: Arc<Mutex<BTreeSet<String>>>,
    over: watch::Receiver<bool>,
}

impl Answering {
    /// Starts a worker and waits until its model is loaded. `on_message` gets
    /// [`Message::Piece`] and [`Message::Answered`]; every question is answered once, with a fault
    /// when the worker dies.
    ///
    /// # Errors
    /// When the worker cannot be started, or the model cannot be loaded.
    pub async fn start(
        program: &Path,
        answerer: Answerer,
        device: String,
        on_message: impl Fn(Message) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let (mut process, ear) = Process::start(program, &Job::Answer { answerer, device }).await?;
        loop {
            match process.next().await? {
                Some(Message::Ready) => break,
                Some(Message::Failed { fault }) => return Err(Error::Reported(fault)),
                Some(_) => {}
                None => {
                    let (status, words) = process.end().await?;
                    return Err(crashed(Death::of(status, &words)));
                }
            }
        }
        let (commands, orders) = unbounded_channel();
        let (finish, over) = watch::channel(false);
        let open = Arc::new(Mutex::new(BTreeSet::new()));
        let unanswered = Arc::clone(&open);
        tokio::spawn(async move {
            let fault = converse(process, ear, orders, &unanswered, &on_message).await;
            let _ = finish.send(true);
            let left =
                std::mem::take(&mut *unanswered.lock().unwrap_or_else(PoisonError::into_inner));
            for chat in left {
                on_message(Message::Answered {
                    chat,
                    tokens: 0,
                    prompt_tokens: 0,
                    seconds: 0.0,
                    finish: "stop".to_owned(),
                    fault: Some(fault.clone()),
                });
            }
        });
        Ok(Self { commands, open, over })
    }

    /// Whether the process is gone.
    pub fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Asks a question ([`Command::Ask`]) or ends an answer ([`Command::Hush`]).
    ///
    /// # Errors
    /// When the process is gone.
    pub fn tell(&self, command: Command) -> Result<(), Error> {
        if let Command::Ask { chat, .. } = &command {
            self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(chat.clone());
        }
        self.commands.send(command).map_err(|_| {
            let how = "it is no longer there".to_owned();
            Error::Crashed { how, hint: ". Ask again".to_owned() }
        })
    }
}

/// Carries words in both directions until the worker or its owner is gone; what to say to those
/// who still wait.
async fn converse(
    mut process: Process,
    mut ear: Ear,
    mut orders: tokio::sync::mpsc::UnboundedReceiver<Command>,
    open: &Mutex<BTreeSet<String>>,
    on_message: &(impl Fn(Message) + Sync),
) -> Fault {
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(command) => ear.tell(&command).await,
                None => return Fault::new("worker.closed", "the model was closed"),
            },
            message = process.next() => match message {
                Ok(Some(message)) => {
                    if let Message::Answered { chat, .. } = &message {
                        open.lock().unwrap_or_else(PoisonError::into_inner).remove(chat);
                    }
                    on_message(message);
                }
                Ok(None) => break,
                Err(error) => return error.into(),
            },
        }
    }
    match process.end().await {
        Ok((status, words)) => crashed(Death::of(status, &words)).into(),
        Err(error) => error.into(),
    }
}

fn crashed(death: Death) -> Error {
    let hint = match (death.out_of_memory, death.device_lost) {
        (true, _) => ": there is not enough memory. Close other programs or choose a smaller model",
        (_, true) => ": the graphics driver gave up. Ask again, or use the CPU",
        _ => ". Ask again",
    };
    Error::Crashed { how: death.how, hint: hint.to_owned() }
}
