//! `sanbao feedback`: votes on answers, brought together, looked at, made into rows to train on.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use sanbao_contract::feedback::{Ballot, FeedbackForm, FeedbackStats, Share};
use sanbao_project::store::read_ballots;

use crate::show;

/// `sanbao feedback`.
#[derive(Debug, Subcommand)]
pub enum FeedbackCommand {
    /// Bring the votes of several people together in one file
    Import(ImportArgs),
    /// Write votes as rows to train on
    Export(ExportArgs),
    /// Show what the votes say
    Stats(StatsArgs),
}

/// `sanbao feedback import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Feedback files or project folders
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub files: Vec<PathBuf>,
    /// Name for every vote that has none; import one person's file at a time to tell people apart
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub rater: String,
    /// Feedback file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `sanbao feedback export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Feedback files or project folders
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub files: Vec<PathBuf>,
    /// What to make of the votes
    #[arg(long = "as", value_enum, value_name = "ROWS")]
    pub form: FormArg,
    /// JSONL file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `sanbao feedback stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Feedback files or project folders
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `--as`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FormArg {
    /// Two answers, one liked better: prompt, chosen, rejected
    Preference,
    /// Single answers, liked or not: prompt, completion, label
    Unpaired,
    /// Corrected answers: messages
    Examples,
}

impl From<FormArg> for FeedbackForm {
    fn from(form: FormArg) -> Self {
        match form {
            FormArg::Preference => Self::Preference,
            FormArg::Unpaired => Self::Unpaired,
            FormArg::Examples => Self::Examples,
        }
    }
}

/// `sanbao feedback import`.
pub fn import(args: &ImportArgs) -> Result<()> {
    let mut lists = read(&args.files)?;
    let given: usize = lists.iter().map(Vec::len).sum();
    lists.iter_mut().for_each(|list| sanbao_feedback::name_rater(list, args.rater.trim()));
    let merged = sanbao_feedback::merge(lists);
    write_file(&args.out, |to| sanbao_feedback::write(&merged, to))?;
    let twice = given - merged.len();
    show::line(&format!(
        "{} ballots written to {} ({twice} left out that were there twice)",
        merged.len(),
        args.out.display()
    ));
    Ok(())
}

/// `sanbao feedback export`.
pub fn export(args: &ExportArgs) -> Result<()> {
    let ballots = sanbao_feedback::merge(read(&args.files)?);
    let rows = sanbao_feedback::rows(&ballots, args.form.into())?;
    if rows.is_empty() {
        bail!("the votes give no rows of this kind, so nothing was written; try another --as");
    }
    write_file(&args.out, |to| sanbao_feedback::write_lines(&rows, to))?;
    show::line(&format!("{} rows written to {}", rows.len(), args.out.display()));
    Ok(())
}

/// `sanbao feedback stats`.
pub fn stats(args: &StatsArgs) -> Result<()> {
    let stats = sanbao_feedback::stats(&sanbao_feedback::merge(read(&args.files)?))?;
    if args.json {
        return show::json(&stats);
    }
    told(&stats).iter().for_each(|line| show::line(line));
    Ok(())
}

/// A list of ballots for each file or project folder, every one checked.
fn read(paths: &[PathBuf]) -> Result<Vec<Vec<Ballot>>> {
    paths
        .iter()
        .map(|path| match path.is_dir() {
            true => {
                let ballots = read_ballots(path)?;
                ballots.iter().try_for_each(sanbao_feedback::check)?;
                Ok(ballots)
            }
            false => Ok(sanbao_feedback::read_file(path)?),
        })
        .collect()
}

fn write_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<()> {
    let written = sanbao_project::write_atomic(path, |file| {
        let mut to = BufWriter::new(file);
        write(&mut to)?;
        to.flush()
    });
    written.map_err(|error| anyhow!("could not write {}: {error}", path.display()))
}

/// Figures in words, a line each.
fn told(stats: &FeedbackStats) -> Vec<String> {
    let mut lines = vec![
        format!("{} ballots: {} voted, {} skipped", stats.ballots, stats.votes, stats.skipped),
        format!(
            "They give {} preference pairs, {} liked or disliked answers, {} corrected answers",
            stats.pairs, stats.unpaired, stats.edits
        ),
    ];
    lines.extend(
        stats.median_seconds.map(|seconds| format!("A vote takes {seconds:.1} seconds (median)")),
    );
    lines.extend(stats.duels.iter().map(|duel| {
        format!(
            "{} against {}: {} to {}, {} ties; wins {}, p = {:.3}",
            duel.first,
            duel.second,
            duel.first_wins,
            duel.second_wins,
            duel.ties,
            share(duel.win_rate),
            duel.p_value
        )
    }));
    lines.extend(stats.longer_preferred.map(|longer| {
        format!("The longer of two answers is preferred {} of {} times", share(longer), longer.of)
    }));
    lines.extend(stats.agreement.map(|alpha| {
        format!(
            "Agreement between people on {} questions: {alpha:.2} (Krippendorff's alpha; 1 is full agreement, 0 is chance)",
            stats.judged_by_several
        )
    }));
    lines
}

fn share(share: Share) -> String {
    let percent = |value: f64| value * 100.0;
    format!(
        "{:.0} % ({:.0} to {:.0} %)",
        percent(share.value),
        percent(share.low),
        percent(share.high)
    )
}
