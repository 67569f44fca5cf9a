//! Running code that works on hostile input where it can do no harm.
//!
//! A template may nest values or expressions so deeply that walking or dropping them needs far
//! more stack than a thread usually has, and may make the engine busy for hours without using
//! fuel (comparing two lists that hold each other many times). A thread of its own with a large
//! stack answers the first, a deadline the second, and a panic inside a library ends in an error.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Enough for what [`crate::chat::limits`] lets a template nest (measured: 0.6 KB a level, at
/// most 360,000 levels). The memory is only reserved; pages are taken when they are touched.
const STACK: usize = 256 << 20;

/// Why isolated work gave no result.
#[derive(Debug)]
pub(crate) enum Interrupted {
    /// It took longer than it may. Its thread goes on until it ends by itself or with the process.
    TooSlow,
    /// It panicked.
    Panicked,
    /// The system gave no thread.
    NoThread(std::io::Error),
}

impl Interrupted {
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::TooSlow => "it did not end in time".to_owned(),
            Self::Panicked => "it made the program stumble".to_owned(),
            Self::NoThread(error) => format!("no thread could be started for it: {error}"),
        }
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that wait for work: starting one costs more than most of the work they do.
static IDLE: Mutex<Vec<Sender<Job>>> = Mutex::new(Vec::new());

/// Work that took longer may have touched much stack, which its thread would keep.
const SHORT: Duration = Duration::from_millis(100);

/// Runs `work` on a thread of its own and waits for it, at most for `limit`.
pub(crate) fn isolated<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Interrupted> {
    let start = Instant::now();
    let (sender, receiver) = mpsc::sync_channel(1);
    let job: Job = Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        // Nobody listens any more when the deadline has passed.
        let _ = sender.send(result);
    });
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let thread = match idle {
        Some(thread) => thread,
        None => started().map_err(Interrupted::NoThread)?,
    };
    thread.send(job).map_err(|_| Interrupted::Panicked)?;
    let result = match receiver.recv_timeout(limit) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(Interrupted::Panicked),
        Err(RecvTimeoutError::Timeout) => return Err(Interrupted::TooSlow),
    };
    if start.elapsed() < SHORT {
        IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }
    result
}

/// A thread that works as long as somebody can send it work.
fn started() -> std::io::Result<Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name("text".to_owned())
        .stack_size(STACK)
        .spawn(move || jobs.into_iter().for_each(|job| job()))?;
    Ok(sender)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn gives_the_result_or_the_reason() {
        assert_eq!(isolated(Duration::from_secs(60), || 7).unwrap(), 7);
        assert!(matches!(
            isolated(Duration::from_secs(60), || panic!("no")),
            Err(Interrupted::Panicked)
        ));
        let slow = isolated(Duration::from_millis(1), || thread::sleep(Duration::from_millis(300)));
        assert!(matches!(slow, Err(Interrupted::TooSlow)));
    }
}
