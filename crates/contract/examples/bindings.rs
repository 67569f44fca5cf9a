//! Writes the types that the window shares with Rust as TypeScript, one file each:
//! `bindings FOLDER` brings the folder up to date, `bindings --check FOLDER` fails when it is not.
//!
//! What only processes say to each other (`worker`, but for `Progress`) is left out: the window
//! never sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use sanbao_contract::{
    Fault, Message, Text, app, data, doctor, feedback, model, reward, rpc, train, verdict, worker,
};
use ts_rs::{Config, TS};

type Files = BTreeMap<PathBuf, String>;

macro_rules! texts {
    ($($type:ty),* $(,)?) => {{
        let config = Config::new().with_large_int("number");
        let mut files = Files::new();
        $(add::<$type>(&config, &mut files)?;)*
        files
    }};
}

fn generated() -> Result<Files, Box<dyn Error>> {
    Ok(texts![
        Fault,
        Message,
        Text,
        app::ProjectState,
        app::ProjectSummary,
        app::Project,
        app::BaseChoice,
        app::ProjectFile,
        app::Filter,
        app::Row,
        app::RowPage,
        app::ShownToken,
        app::ShownRow,
        app::DataView,
        app::ModelSource,
        app::Fits,
        app::ModelEntry,
        app::Download,
        app::RecipeChoice,
        app::ParameterInfo,
        app::ParameterKind,
        app::RecipeInfo,
        app::RunState,
        app::RunSummary,
        app::RunMetrics,
        app::ChatModel,
        app::Sampling,
        app::TargetInfo,
        app::Exported,
        app::Serving,
        app::MachineLoad,
        app::Settings,
        feedback::Ballot,
        feedback::BallotAnswer,
        feedback::Author,
        feedback::Vote,
        feedback::Choice,
        feedback::FeedbackStats,
        feedback::Share,
        feedback::Duel,
        feedback::BallotFilter,
        feedback::FeedbackForm,
        reward::Reward,
        reward::Card,
        reward::RewardModelPart,
        reward::CardInfo,
        reward::Scored,
        doctor::Examined,
        doctor::CalibrationBin,
        doctor::LearningPoint,
        doctor::Trend,
        doctor::MoreVotes,
        doctor::Disagreement,
        data::Shape,
        data::Mapping,
        data::Recognition,
        data::Origin,
        data::Content,
        data::Example,
        data::Task,
        data::Part,
        data::Severity,
        data::Finding,
        data::PartReport,
        data::DataReport,
        model::Licence,
        model::MemoryNeeds,
        model::ModelCard,
        model::DeviceReport,
        rpc::Request,
        rpc::Reply,
        rpc::Event,
        worker::Progress,
        train::Dial,
        train::Setting,
        train::Plan,
        train::StepMetrics,
        train::RunEvent,
        verdict::Estimate,
        verdict::Comparison,
        verdict::Outcome,
        verdict::Confusion,
        verdict::Answer,
        verdict::Compared,
        verdict::Forgetting,
        verdict::Why,
        verdict::Pick,
        verdict::Score,
        verdict::Verdict,
        serde_json::Value,
    ])
}

fn add<T: TS + 'static>(config: &Config, files: &mut Files) -> Result<(), Box<dyn Error>> {
    let name = std::any::type_name::<T>();
    let path = T::output_path().ok_or_else(|| format!("{name} has no file of its own"))?;
    // Trailing spaces and CRLF depend on the comments that a type carries, not on the type.
    let text = T::export_to_string(config)?
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect();
    match files.insert(path.clone(), text) {
        None => Ok(()),
        Some(_) => Err(format!("{name} and another type both want {}", path.display()).into()),
    }
}

/// Names of the types in the sources that derive `TS`.
fn declared() -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))? {
        let path = entry?.path();
        if path.file_stem().is_some_and(|stem| stem == "worker") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        for (after, _) in text.match_indices("TS)]").chain(text.match_indices("TS, ")) {
            let declaration = text[after..].lines().find_map(|line| {
                line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))
            });
            let name =
                declaration.and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
            names.extend(name.map(str::to_owned));
        }
    }
    Ok(names)
}

fn present(folder: &Path, within: &Path, files: &mut Files) -> Result<(), Box<dyn Error>> {
    if !folder.join(within).is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder.join(within))? {
        let entry = entry?;
        let name = within.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            present(folder, &name, files)?;
        } else {
            files.insert(name, fs::read_to_string(entry.path())?.replace("\r\n", "\n"));
        }
    }
    Ok(())
}

fn run(check: bool, folder: &Path) -> Result<(), Box<dyn Error>> {
    let wanted = generated()?;
    let forgotten: Vec<String> = declared()?
        .into_iter()
        .filter(|name| !wanted.contains_key(Path::new(&format!("{name}.ts"))))
        .collect();
    if !forgotten.is_empty() {
        let names = forgotten.join(", ");
        return Err(
            format!("add {names} to the list in crates/contract/examples/bindings.rs").into()
        );
    }
    let mut found = Files::new();
    present(folder, Path::new(""), &mut found)?;
    let names: BTreeSet<&PathBuf> = wanted.keys().chain(found.keys()).collect();
    let differing: Vec<&PathBuf> =
        names.into_iter().filter(|name| wanted.get(*name) != found.get(*name)).collect();
    if check && !differing.is_empty() {
        let names: Vec<_> = differing.iter().map(|name| name.display().to_string()).collect();
        return Err(format!(
            "{} in {} no longer fit the Rust types: run `cargo xtask bindings`",
            names.join(", "),
            folder.display()
        )
        .into());
    }
    for name in differing {
        let path = folder.join(name);
        match wanted.get(name) {
            Some(text) => {
                fs::create_dir_all(path.parent().unwrap_or(folder))?;
                fs::write(path, text)?;
            }
            None => fs::remove_file(path)?,
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["--check", folder] => run(true, Path::new(folder)),
        [folder] if !folder.starts_with('-') => run(false, Path::new(folder)),
        _ => Err("usage: bindings [--check] FOLDER".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
