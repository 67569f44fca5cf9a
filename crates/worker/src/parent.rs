//! The parent's side: starting a worker, listening, and what to do when it dies.

use std::future::Future;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use sanbao_contract::train::RunEvent;
use sanbao_contract::worker::{Command, Job, Message};
use sanbao_train::step::is_out_of_memory;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::{Error, RunSpec};

/// Portions are not halved below this many tokens.
const SMALLEST_PORTION: u64 = 32;
/// How much of the child's last words is kept.
const LAST_WORDS: usize = 16 * 1024;

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// With its final message.
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
    loop {
        match attend(program, &job, stop.as_mut(), on_message).await? {
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
            let plan = Path::new(run).join("plan.json");
            let spec: RunSpec = sanbao_project::read_json(&plan).ok()?;
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
    let mut command = tokio::process::Command::new(program);
    command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    // Ctrl-C in a terminal reaches the whole group; the child is to be asked, not interrupted.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(Error::Spawn)?;
    let missing = || Error::Spawn(std::io::Error::other("its pipes are missing"));
    let mut input = child.stdin.take().ok_or_else(missing)?;
    let output = child.stdout.take().ok_or_else(missing)?;
    let errors = child.stderr.take().ok_or_else(missing)?;
    let last_words = tokio::spawn(last_words(errors));

    let line = serde_json::to_string(job).map_err(|error| Error::Spawn(error.into()))?;
    input.write_all(format!("{line}\n").as_bytes()).await.map_err(Error::Spawn)?;

    let mut lines = BufReader::new(output).lines();
    let there = sanbao_train::available_bytes().unwrap_or(u64::MAX);
    let (mut last, mut asked, mut used) = (None, false, None);
    loop {
        tokio::select! {
            line = lines.next_line() => match line.map_err(Error::Spawn)? {
                None => break,
                Some(line) => {
                    // Libraries may print; only our own lines are messages.
                    let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
                    match message {
                        Message::Failed(fault) => return Err(Error::Reported(fault)),
                        Message::Trained { .. } | Message::Verdict(_) => last = Some(message.clone()),
                        Message::Run(RunEvent::Step(ref metrics)) => used = Some(metrics.memory),
                        Message::Run(_) | Message::Progress(_) => {}
                    }
                    on_message(&message);
                }
            },
            () = &mut stop, if !asked => {
                asked = true;
                let line = serde_json::to_string(&Command::Stop).unwrap_or_default();
                // A child that is already gone needs no asking.
                let _ = input.write_all(format!("{line}\n").as_bytes()).await;
            }
        }
    }
    let status = child.wait().await.map_err(Error::Spawn)?;
    let words = last_words.await.unwrap_or_default();
    match last {
        Some(message) => Ok(Attempt::Ended(Ended::Done(message))),
        None if asked => Ok(Attempt::Ended(Ended::Stopped)),
        None => {
            classify(status, &words, memory_was_short(used.or_else(|| planned_memory(job)), there))
        }
    }
}

/// The end of what the child wrote to standard error.
async fn last_words(mut errors: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = errors.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..count]);
        let excess = kept.len().saturating_sub(LAST_WORDS);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// What a training run was expected to need.
fn planned_memory(job: &Job) -> Option<u64> {
    let Job::Train { run, .. } = job else { return None };
    let spec: RunSpec = sanbao_project::read_json(&Path::new(run).join("plan.json")).ok()?;
    Some(spec.plan.memory_needed)
}

/// Whether a kill without words was the system's answer to a lack of memory: the child used,
/// or was going to use, most of what there was.
fn memory_was_short(used: Option<u64>, there: u64) -> bool {
    used.is_some_and(|used| used > there / 2)
}

/// What a dead child died of.
fn classify(status: ExitStatus, words: &str, memory_was_short: bool) -> Result<Attempt, Error> {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let how = match signal {
        Some(signal) => format!("signal {signal}"),
        None => format!("exit code {}", status.code().unwrap_or(-1)),
    };
    // The kernel kills with 9 when memory is short.
    if (signal == Some(9) && memory_was_short) || is_out_of_memory(words) {
        return Ok(Attempt::OutOfMemory(how));
    }
    let device_lost =
        words.to_lowercase().contains("device") && words.to_lowercase().contains("lost");
    let hint = if device_lost {
        ": the graphics driver gave up. Continue from the last checkpoint with --resume, or use --device cpu"
    } else {
        ". Continue from the last checkpoint with --resume"
    };
    let last_line = words.lines().rev().find(|line| !line.trim().is_empty());
    let how = match last_line {
        Some(line) => format!("{how}: {}", line.trim().chars().take(300).collect::<String>()),
        None => how,
    };
    Err(Error::Crashed { how, hint: hint.to_owned() })
}
