//! `sanbao reward`: what answers are rewarded for.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use sanbao_contract::app::ParameterKind;
use sanbao_contract::doctor::Examined;
use sanbao_contract::reward::{Card, CardInfo, Reward, RewardModelPart};
use sanbao_data::Table;
use sanbao_project::write_atomic;
use sanbao_worker::jobs::{examine, score_file};
use serde_json::Value;

use crate::arguments::{JsonArgs, TrainArgs};
use crate::show;

/// `sanbao reward`.
#[derive(Debug, Subcommand)]
pub enum RewardCommand {
    /// List the rules that answers can be rewarded by
    Cards(JsonArgs),
    /// Train a reward model from preferred and rejected answers
    Train(TrainArgs),
    /// Examine a reward model: does it agree with people, and why not?
    Doctor(DoctorArgs),
    /// Reward the answers of a file
    Score(ScoreArgs),
}

/// `sanbao reward doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Folder of a finished run of the recipe reward_model
    #[arg(long, value_name = "RUN")]
    pub run: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `sanbao reward score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// File with the columns prompt and answer, and reference for cards that compare
    #[arg(long = "data", value_name = "FILE")]
    pub data: PathBuf,
    /// A rule, as for `sanbao train`; may be given several times
    #[arg(long = "reward", value_name = "CARD")]
    pub reward: Vec<String>,
    /// Folder of a finished run of the recipe reward_model
    #[arg(long, value_name = "RUN")]
    pub reward_model: Option<PathBuf>,
    /// Base model, for rules that a model judges; that of the reward model when left out
    #[arg(long, value_name = "FOLDER|FILE")]
    pub model: Option<PathBuf>,
    /// CSV file to write: the columns, each part's score, and reward
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `sanbao reward cards`.
pub fn cards(args: &JsonArgs) -> Result<()> {
    let cards = sanbao_reward::infos();
    if args.json {
        return show::json(&cards);
    }
    for card in cards {
        let text = |words: &std::collections::BTreeMap<String, String>| {
            words.get("en").cloned().unwrap_or_default()
        };
        show::line(&format!("{:<18} {}", card.name, text(&card.help)));
        for parameter in &card.parameters {
            let default = card.defaults.get(&parameter.name).map(Value::to_string);
            let default = default.unwrap_or_default();
            show::line(&format!("    {} = {default}: {}", parameter.name, text(&parameter.help)));
        }
    }
    Ok(())
}

/// `sanbao reward train`.
pub fn train(mut args: TrainArgs) -> Result<()> {
    match args.recipe.recipe.as_deref() {
        None => args.recipe.recipe = Some("reward_model".to_owned()),
        Some("reward_model") => {}
        Some(other) => {
            bail!("'{other}' trains no reward model; use `sanbao train --recipe {other}`")
        }
    }
    super::run::train(&args)
}

/// `sanbao reward doctor`.
pub fn doctor(args: &DoctorArgs) -> Result<()> {
    let bar = show::spinner("Scoring answers that it has not seen");
    let examined = examine(&args.run, &mut |_| ())?;
    bar.finish_and_clear();
    if args.json {
        return show::json(&examined);
    }
    for line in sentences(&examined) {
        show::line(&line);
    }
    Ok(())
}

fn sentences(examined: &Examined) -> Vec<String> {
    let percent = |value: f64| format!("{:.0} %", 100.0 * value);
    let share = |share: &sanbao_contract::feedback::Share| {
        format!("{} ({} to {})", percent(share.value), percent(share.low), percent(share.high))
    };
    let mut lines = vec![
        format!(
            "On {} held-out pairs it agrees with people {} of the time.",
            examined.agreement.of,
            share(&examined.agreement)
        ),
        format!(
            "The longer answer was preferred {}; the untuned model finds the preferred answer likelier {}.",
            share(&examined.longer_wins),
            share(&examined.untuned)
        ),
        format!(
            "Its scores and the lengths of answers go together with a correlation of {:+.2}.",
            examined.length_correlation
        ),
    ];
    lines.push(examined.advice.to_string());
    lines.push(examined.more_votes.advice.to_string());
    for bin in &examined.calibration {
        lines.push(format!(
            "  where it is {} sure: right {} of {}",
            percent(bin.confidence),
            percent(bin.right),
            bin.pairs
        ));
    }
    if !examined.learning_curve.is_empty() {
        let points: Vec<String> = examined
            .learning_curve
            .iter()
            .map(|point| format!("{} after {}", percent(point.accuracy), point.pairs))
            .collect();
        lines.push(format!("While it learnt, it was right {} pairs.", points.join(", ")));
    }
    for (at, row) in examined.disagreements.iter().enumerate() {
        lines.push(format!(
            "{}. {}\n   preferred ({:+.2}): {}\n   rejected ({:+.2}): {}",
            at + 1,
            row.prompt,
            row.chosen_score,
            row.chosen,
            row.rejected_score,
            row.rejected
        ));
    }
    lines
}

/// `sanbao reward score`.
pub fn score(args: &ScoreArgs) -> Result<()> {
    let reward = wanted(&args.reward, args.reward_model.as_deref())?
        .context("say what answers are rewarded for, with --reward or --reward-model")?;
    let table = Table::open(&args.data)?;
    let bar = show::spinner("Scoring");
    let scored = score_file(&reward, &table, args.model.as_deref())?;
    bar.finish_and_clear();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&scored.columns)?;
    for row in &scored.rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner()?;
    write_atomic(&args.out, |file| file.write_all(&bytes))
        .with_context(|| format!("{} cannot be written", args.out.display()))?;
    show::line(&format!(
        "{} answers, on average {:.3}; written to {}",
        scored.rows.len(),
        scored.mean,
        args.out.display()
    ));
    Ok(())
}

/// The reward that was asked for; `None` when none was.
///
/// # Errors
/// When a card is not written as one.
pub fn wanted(cards: &[String], model: Option<&Path>) -> Result<Option<Reward>> {
    if cards.is_empty() && model.is_none() {
        return Ok(None);
    }
    let model = match model {
        Some(run) => {
            let run = std::path::absolute(run)?.display().to_string();
            Some(RewardModelPart { run, weight: 1.0 })
        }
        None => None,
    };
    let cards = cards.iter().map(|text| card(text)).collect::<Result<_>>()?;
    Ok(Some(Reward { cards, model }))
}

/// `length:min=20,max=80,weight=2`; entries of a list are parted by `|`.
fn card(text: &str) -> Result<Card> {
    let (name, settings) = text.split_once(':').unwrap_or((text, ""));
    let infos = sanbao_reward::infos();
    let Some(info) = infos.iter().find(|info| info.name == name) else {
        let known: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
        bail!("there is no reward card '{name}'; there are {}", known.join(", "));
    };
    let mut card = Card { card: name.to_owned(), weight: 1.0, settings: Default::default() };
    for pair in settings.split(',').filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            bail!("'{pair}' in --reward {text} is not of the form NAME=VALUE");
        };
        if name == "weight" {
            let weight = value.parse::<f64>().ok().filter(|weight| weight.is_finite());
            card.weight = weight.with_context(|| format!("the weight '{value}' is no number"))?;
        } else {
            card.settings.insert(name.to_owned(), setting(info, name, value));
        }
    }
    Ok(card)
}

/// A setting as its card wants it; what the card does not know is refused by the card.
fn setting(info: &CardInfo, name: &str, text: &str) -> Value {
    let parameter = info.parameters.iter().find(|parameter| parameter.name == name);
    match parameter.map(|parameter| &parameter.kind) {
        Some(ParameterKind::Lines) => text.split('|').map(Value::from).collect(),
        Some(ParameterKind::Text | ParameterKind::Choice { .. } | ParameterKind::Names) => {
            Value::from(text)
        }
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cards_are_read_as_they_are_typed() {
        let card = card("contains:texts=please|thank you,weight=-0.5").unwrap();
        assert_eq!(card.weight, -0.5);
        assert_eq!(card.settings["texts"], serde_json::json!(["please", "thank you"]));
        assert!(super::card("lenght").unwrap_err().to_string().contains("length"));
        assert!(super::card("length:20").is_err());
        assert!(wanted(&[], None).unwrap().is_none());
    }
}
