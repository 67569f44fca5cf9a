//! Training: recipes, plans, the loop, adapters, checkpoints.
//!
//! A [`recipes::Recipe`] turns facts about model, data and machine into [`TrainSettings`];
//! [`Run::train`] carries them out and can be killed at any moment: the next run goes on from
//! the last checkpoint and gives the same numbers.

pub mod batch;
pub mod checkpoint;
mod error;
pub mod lora;
pub mod losses;
mod memory;
mod objective;
pub mod optimizer;
mod plan;
pub mod preference;
pub mod recipes;
mod run;
pub mod schedule;
mod settings;
pub mod step;

pub use error::Error;
pub use lora::LoraConfig;
pub use memory::{available_bytes, peak_resident_bytes, resident_bytes, total_bytes};
pub use plan::{PlanInput, estimate_seconds, facts, plan};
pub use run::{Outcome, Run};
pub use settings::TrainSettings;
