//! What the commands do.

mod answer;
mod data;
mod make;
mod model;
mod run;
mod serve;
mod setup;

use anyhow::Result;

use crate::arguments::{Command, DataCommand};

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
        Command::Serve(args) => serve::serve(&args),
        Command::Worker => Ok(()),
    }
}
