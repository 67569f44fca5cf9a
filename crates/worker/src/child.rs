//! The child's side.

use std::io::Write;
use std::process::ExitCode;

use sanbao_contract::Fault;
use sanbao_contract::worker::{Job, Message, Progress};

use crate::inbox::Inbox;
use crate::{Error, devices, jobs};

/// Runs the job that standard input brings, until it is done or standard input ends.
pub fn child_main() -> ExitCode {
    let mut line = String::new();
    let job = match std::io::stdin().read_line(&mut line) {
        Ok(1..) => serde_json::from_str::<Job>(&line),
        _ => return ExitCode::SUCCESS,
    };
    let ended = match job {
        Ok(job) => run(job, &Inbox::listen()).map_err(Fault::from),
        Err(error) => {
            Err(Fault::new("worker.bad_job", format!("the job is not understood: {error}")))
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say(Message::Failed { fault });
            ExitCode::FAILURE
        }
    }
}

fn run(job: Job, inbox: &Inbox) -> Result<(), Error> {
    let stop = || inbox.is_stopped();
    match job {
        Job::Plan { request, run } => {
            let plan =
                jobs::plan(&request, &run, &mut |progress| say(Message::Progress(progress)))?;
            say(Message::Planned { plan: Box::new(plan) });
        }
        Job::Train { run, micro_batch_tokens } => {
            jobs::train(&run, micro_batch_tokens, &stop, &mut say)?;
        }
        Job::Evaluate { run } => {
            if let Some(verdict) = jobs::evaluate(&run, &stop, &mut say)? {
                say(Message::Verdict(Box::new(verdict)));
            }
        }
        Job::Examine { run } => {
            let mut tell = |progress| say(Message::Progress(progress));
            let examined = jobs::examine(&run, &mut tell)?;
            say(Message::Examined(Box::new(examined)));
        }
        Job::Export { run, target, options, epoch, folder } => {
            let mut tell = |progress| say(Message::Progress(export_progress(progress)));
            let exported = jobs::export(&run, &target, &options, epoch, &folder, &mut tell)?;
            say(Message::Exported(sanbao_contract::app::Exported {
                folder: folder.display().to_string(),
                files: exported.files,
                bytes: exported.bytes,
                max_logit_difference: exported.parity.max_logit_difference,
                tolerance: exported.parity.tolerance,
                notes: exported.notes,
            }));
        }
        Job::Batch(batch) => {
            let mut tell = |progress| say(Message::Progress(progress));
            if let Some(rows) = jobs::batch(&batch, &stop, &mut tell)? {
                say(Message::Batched { rows });
            }
        }
        Job::Devices => say(Message::Devices { devices: devices::measure_all(false) }),
        Job::Answer { answerer, device } => jobs::answer(&answerer, &device, inbox, &mut say)?,
    }
    Ok(())
}

fn export_progress(progress: sanbao_export::Progress) -> Progress {
    let stage = match progress.stage {
        sanbao_export::Stage::Writing => "writing",
        sanbao_export::Stage::ReadingBack => "reading_back",
    };
    Progress { stage: stage.to_owned(), done: progress.done, total: progress.total }
}

/// Writes one message. A parent that is gone cannot be told anything: the job notices by the
/// end of standard input.
fn say(message: Message) {
    if let Ok(line) = serde_json::to_string(&message) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
