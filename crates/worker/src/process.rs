//! A child process with its pipes.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use sanbao_contract::worker::{Command, Job, Message};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::Error;

/// How much of the child's last words is kept.
const LAST_WORDS: usize = 16 * 1024;

/// A worker that was given its job. It is killed when this is dropped.
pub struct Process {
    child: Child,
    messages: Lines<BufReader<ChildStdout>>,
    last_words: tokio::task::JoinHandle<String>,
}

/// Where a worker listens.
pub struct Ear(ChildStdin);

impl Process {
    /// Starts a worker of the given program.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub async fn start(program: &Path, job: &Job) -> Result<(Self, Ear), Error> {
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
        match input.write_all(format!("{line}\n").as_bytes()).await {
            // It has ended already; its end says why.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            written => written.map_err(Error::Spawn)?,
        }
        let messages = BufReader::new(output).lines();
        Ok((Self { child, messages, last_words }, Ear(input)))
    }

    /// The next thing it says; `None` when it will say nothing more.
    ///
    /// # Errors
    /// When its pipe breaks.
    pub async fn next(&mut self) -> Result<Option<Message>, Error> {
        while let Some(line) = self.messages.next_line().await.map_err(Error::Spawn)? {
            // Libraries may print; only our own lines are messages.
            if let Ok(message) = serde_json::from_str(&line) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Waits for its end: how it ended, and the end of what it wrote to standard error.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn end(mut self) -> Result<(ExitStatus, String), Error> {
        let status = self.child.wait().await.map_err(Error::Spawn)?;
        Ok((status, self.last_words.await.unwrap_or_default()))
    }
}

impl Ear {
    /// Says something. A worker that is already gone need not be told anything.
    pub async fn tell(&mut self, command: &Command) {
        let line = serde_json::to_string(command).unwrap_or_default();
        let _ = self.0.write_all(format!("{line}\n").as_bytes()).await;
    }
}

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

/// What a dead worker died of.
pub struct Death {
    /// Signal or exit code, with its last line.
    pub how: String,
    /// Whether the system killed it without words (signal 9).
    pub killed: bool,
    /// Whether its last words speak of memory.
    pub out_of_memory: bool,
    /// Whether they speak of a graphics device that was lost.
    pub device_lost: bool,
}

impl Death {
    /// Reads the signs.
    pub fn of(status: ExitStatus, words: &str) -> Self {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal: Option<i32> = None;
        let how = match signal {
            Some(signal) => format!("signal {signal}"),
            None => format!("exit code {}", status.code().unwrap_or(-1)),
        };
        let last_line = words.lines().rev().find(|line| !line.trim().is_empty());
        let how = match last_line {
            Some(line) => format!("{how}: {}", line.trim().chars().take(300).collect::<String>()),
            None => how,
        };
        let lower = words.to_lowercase();
        Self {
            how,
            killed: signal == Some(9),
            out_of_memory: sanbao_train::step::is_out_of_memory(words),
            device_lost: lower.contains("device") && lower.contains("lost"),
        }
    }
}
