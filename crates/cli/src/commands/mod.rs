//! What the commands do.

mod answer;
mod data;
pub mod feedback;
mod make;
mod model;
pub mod reward;
mod run;
mod serve;
mod setup;

use anyhow::Result;

use crate::arguments::{Command, DataCommand};
use feedback::FeedbackCommand;
use reward::RewardCommand;

/// Runs a command.
///
/// # Errors
/// One sentence for the person.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Make(args) => make::make(&args),
        Command::Model(args) => model::model(&args),
        Command::Devices(args) => model::devices(&args),
        Command::Data(DataCommand::Show(args)) => data::show(&args),
        Command::Plan(args) => run::plan(&args),
        Command::Train(args) => run::train(&args),
        Command::Evaluate(args) => run::evaluate(&args),
        Command::Export(args) => run::export(&args),
        Command::Chat(args) => answer::chat(&args),
        Command::Batch(args) => answer::batch(&args),
        Command::Recipes(args) => model::recipes(&args),
        Command::Feedback(FeedbackCommand::Import(args)) => feedback::import(&args),
        Command::Feedback(FeedbackCommand::Export(args)) => feedback::export(&args),
        Command::Feedback(FeedbackCommand::Stats(args)) => feedback::stats(&args),
        Command::Reward(RewardCommand::Cards(args)) => reward::cards(&args),
        Command::Reward(RewardCommand::Train(args)) => reward::train(args),
        Command::Reward(RewardCommand::Doctor(args)) => reward::doctor(&args),
        Command::Reward(RewardCommand::Score(args)) => reward::score(&args),
        Command::Serve(args) => serve::serve(&args),
        Command::Worker => Ok(()),
    }
}
