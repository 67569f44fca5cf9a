//! Training: recipes, plans, the loop, adapters, checkpoints.
//!
//! A [`recipes::Recipe`] turns facts about model, data and machine into [`TrainSettings`];
//! [`Run::train`] carries them out and can be killed at any moment: the next run goes on from
//! the last checkpoint and gives the same numbers.

pub mod batch;
pub mod checkpoint;
mod error;
mod estimate;
pub mod lora;
pub mod losses;
mod memory;
mod objective;
pub mod online;
pub mod optimizer;
mod plan;
pub mod preference;
pub mod recipes;
pub mod reward_model;
mod run;
pub mod schedule;
pub mod scored;
mod settings;
pub mod step;
pub mod unpaired;

pub use error::Error;
pub use estimate::estimate_seconds;
pub use lora::LoraConfig;
pub use memory::{available_bytes, peak_resident_bytes, resident_bytes, total_bytes};
pub use plan::{PlanInput, facts, plan};
pub use run::{Outcome, Run};
pub use settings::{Learns, SamplingStrategy, TrainSettings};
