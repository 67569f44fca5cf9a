//! The parent's side of a job with a result: listening, and what to do when the worker dies.

use std::future::Future;
use std::path::{Path, PathBuf};

use sanbao_contract::train::RunEvent;
use sanbao_contract::worker::{Command, Job, Message};

use crate::process::{Death, Process};
use crate::{Error, RunSpec};

/// Portions are not halved below this many tokens.
const SMALLEST_PORTION: u64 = 32;

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// With its result.
    Done(Message),
    /// Because it was asked to stop before it had a result.
    Stopped,
}

/// Runs a job in a child process of the same program until it is done. When `stop` completes,
/// the child is asked to write a checkpoint and end. A child that ran out of memory is started
/// again with half the portion; it goes on from its last checkpoint.
///
/// # Errors
/// When the child cannot be started, reports a fault, or dies of anything else.
pub async fn supervise(
    program: &Path,
    mut job: Job,
    stop: impl Future<Output = ()>,
    on_message: &mut (dyn FnMut(&Message) + Send),
) -> Result<Ended, Error> {
    tokio::pin!(stop);
    let unfinished = NewFolder::of(&job);
    loop {
        match attend(program, &job, stop.as_mut(), on_message).await? {
            Attempt::Ended(Ended::Done(message)) => {
                unfinished.keep();
                return Ok(Ended::Done(message));
            }
            Attempt::Ended(ended) => return Ok(ended),
            Attempt::OutOfMemory(how) => match halved(&job) {
                Some((smaller, tokens)) => {
                    job = smaller;
                    let halved = RunEvent::MemoryHalved { micro_batch_tokens: tokens };
                    on_message(&Message::Run(halved));
                }
                None => {
                    let hint = ": the memory is not enough even for the smallest portion. Choose a smaller base model or a smaller max_length";
                    return Err(Error::Crashed { how, hint: hint.to_owned() });
                }
            },
        }
    }
}

/// The folder that a job is to make. It is removed again unless the job succeeds, so that a run that
/// was refused or broken off leaves nothing and a second try can have the same name.
struct NewFolder(Option<PathBuf>);

impl NewFolder {
    fn of(job: &Job) -> Self {
        let Job::Plan { run, .. } = job else { return Self(None) };
        let taken = std::fs::read_dir(run).is_ok_and(|mut entries| entries.next().is_some());
        Self((!taken).then(|| run.clone()))
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        // A folder that is not there needs no removing; one that cannot be removed is named when
        // it is next asked for.
        if let Some(folder) = &self.0 {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

enum Attempt {
    Ended(Ended),
    OutOfMemory(String),
}

/// The same job with half the portion, when there is one.
fn halved(job: &Job) -> Option<(Job, u64)> {
    let Job::Train { run, micro_batch_tokens } = job else { return None };
    let now = match micro_batch_tokens {
        Some(tokens) => *tokens,
        None => {
            let spec: RunSpec = sanbao_project::read_json(&run.join("plan.json")).ok()?;
            spec.settings.micro_batch_tokens as u64
        }
    };
    let tokens = now / 2;
    let job = Job::Train { run: run.clone(), micro_batch_tokens: Some(tokens) };
    (tokens >= SMALLEST_PORTION).then_some((job, tokens))
}

async fn attend(
    program: &Path,
    job: &Job,
    mut stop: std::pin::Pin<&mut impl Future<Output = ()>>,
    on_message: &mut (dyn FnMut(&Message) + Send),
) -> Result<Attempt, Error> {
    let there = sanbao_train::available_bytes().unwrap_or(u64::MAX);
    let (mut process, mut ear) = Process::start(program, job).await?;
    let (mut result, mut asked, mut used) = (None, false, None);
    loop {
        tokio::select! {
            message = process.next() => match message? {
                None => break,
                Some(Message::Failed { fault }) => return Err(Error::Reported(fault)),
                Some(message) => {
                    on_message(&message);
                    match message {
                        Message::Run(RunEvent::Step(metrics)) => used = Some(metrics.memory),
                        message if message.is_result() => result = Some(message),
                        _ => {}
                    }
                }
            },
            () = &mut stop, if !asked => {
                // Looking at things has nothing to save.
                if matches!(job, Job::Plan { .. } | Job::Examine { .. } | Job::Devices) {
                    return Ok(Attempt::Ended(Ended::Stopped));
                }
                asked = true;
                ear.tell(&Command::Stop).await;
            }
        }
    }
    let (status, words) = process.end().await?;
    match result {
        Some(message) => Ok(Attempt::Ended(Ended::Done(message))),
        None if asked => Ok(Attempt::Ended(Ended::Stopped)),
        None => {
            let needed = used.or_else(|| planned_memory(job));
            let memory_was_short = needed.is_some_and(|needed| needed > there / 2);
            classify(job, Death::of(status, &words), memory_was_short)
        }
    }
}

/// What a training run was expected to need.
fn planned_memory(job: &Job) -> Option<u64> {
    let Job::Train { run, .. } = job else { return None };
    let spec: RunSpec = sanbao_project::read_json(&run.join("plan.json")).ok()?;
    Some(spec.plan.memory_needed)
}

/// Whether to try again. A kill without words is the system's answer to a lack of memory when the
/// child used, or was going to use, most of what there was.
fn classify(job: &Job, death: Death, memory_was_short: bool) -> Result<Attempt, Error> {
    if death.out_of_memory || (death.killed && memory_was_short) {
        return Ok(Attempt::OutOfMemory(death.how));
    }
    let hint = match (job, death.device_lost) {
        (Job::Train { .. }, true) => {
            ": the graphics driver gave up. Continue from the last checkpoint with --resume, or use --device cpu"
        }
        (Job::Train { .. }, false) => ". Continue from the last checkpoint with --resume",
        (_, true) => ": the graphics driver gave up. Try again, or use --device cpu",
        (_, false) => ". Try again; nothing is lost",
    };
    Err(Error::Crashed { how: death.how, hint: hint.to_owned() })
}
