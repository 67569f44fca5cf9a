//! The child's side.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sanbao_contract::Fault;
use sanbao_contract::worker::{Command, Job, Message};

use crate::{Error, jobs};

/// Runs the job that standard input brings, until it is done or standard input ends.
pub fn child_main() -> ExitCode {
    let mut line = String::new();
    let job = match std::io::stdin().read_line(&mut line) {
        Ok(1..) => serde_json::from_str::<Job>(&line),
        _ => return ExitCode::SUCCESS,
    };
    let job = match job {
        Ok(job) => job,
        Err(error) => {
            say(&Message::Failed(Fault::new(
                "worker.bad_job",
                format!("the job is not understood: {error}"),
            )));
            return ExitCode::FAILURE;
        }
    };
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if matches!(serde_json::from_str(&line), Ok(Command::Stop)) {
                break;
            }
        }
        flag.store(true, Ordering::SeqCst);
    });
    let stop = || stopped.load(Ordering::SeqCst);
    match run(&job, &stop) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&Message::Failed(error.into()));
            ExitCode::FAILURE
        }
    }
}

fn run(job: &Job, stop: &dyn Fn() -> bool) -> Result<(), Error> {
    let mut tell = |message: Message| say(&message);
    match job {
        Job::Train { run, micro_batch_tokens } => {
            jobs::train(Path::new(run), *micro_batch_tokens, stop, &mut tell)
        }
        Job::Evaluate { run } => {
            let verdict = jobs::evaluate(Path::new(run), stop, &mut tell)?;
            if let Some(verdict) = verdict {
                tell(Message::Verdict(Box::new(verdict)));
            }
            Ok(())
        }
    }
}

/// Writes one message. A parent that is gone cannot be told anything: the job notices by the
/// end of standard input.
fn say(message: &Message) {
    if let Ok(line) = serde_json::to_string(message) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
