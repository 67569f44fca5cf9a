//! Running a job in a child process, and watching over it.
//!
//! A fault of a graphics driver or an out-of-memory kill ends the child, never the program
//! that a person looks at. The child is the same executable, started with the hidden argument
//! `worker`: the job comes on standard input, messages leave on standard output, one JSON
//! object a line; the end of standard input makes it write a checkpoint and end.

mod answering;
mod child;
pub mod devices;
mod error;
mod inbox;
pub mod jobs;
mod parent;
mod process;
mod report;
mod run_spec;

pub use answering::Answering;
pub use child::child_main;
pub use error::Error;
pub use parent::{Ended, supervise};
pub use report::write_report;
pub use run_spec::{RUN_SPEC_FORMAT, RunSpec};
