//! What is printed.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sanbao_contract::app::ShownRow;
use sanbao_contract::data::DataReport;
use sanbao_contract::model::{DeviceReport, ModelCard};
use sanbao_contract::train::{Plan, RunEvent, StepMetrics};
use sanbao_contract::worker::{Message, Progress};
use serde::Serialize;

/// One line on standard output.
#[allow(clippy::print_stdout)]
pub fn line(text: &str) {
    println!("{text}");
}

/// JSON on standard output.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn json<T: Serialize>(value: &T) -> Result<()> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A bar with time left.
pub fn bar(title: &str) -> ProgressBar {
    styled(title, "{prefix} {wide_bar:.cyan/dim} {pos}/{len} {msg} {eta}")
}

/// A bar for bytes.
pub fn download_bar(title: &str) -> ProgressBar {
    styled(title, "{prefix} {wide_bar:.cyan/dim} {bytes}/{total_bytes} {eta}")
}

/// Something is going on whose end is not known.
pub fn spinner(title: &str) -> ProgressBar {
    styled(title, "{spinner} {prefix} {msg}")
}

fn styled(title: &str, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(title.to_owned());
    bar
}

/// A stage of a job in words.
pub fn stage(name: &str) -> String {
    match name {
        "reading" => "reading and checking".to_owned(),
        "tokenising" => "turning text into tokens".to_owned(),
        "measuring" => "measuring how fast this machine is".to_owned(),
        "before" => "the base model".to_owned(),
        "after" => "your model".to_owned(),
        other => other.to_owned(),
    }
}

/// Bytes for people.
pub fn bytes(count: u64) -> String {
    let mib = count as f64 / f64::from(1 << 20);
    match mib {
        mib if mib >= 1024.0 => format!("{:.1} GiB", mib / 1024.0),
        mib if mib >= 1.0 => format!("{mib:.0} MiB"),
        _ => format!("{:.0} KiB", mib * 1024.0),
    }
}

/// Seconds for people.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min", (whole + 30) / 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

fn pair(name: &str, value: &str) {
    line(&format!("  {name:<20} {value}"));
}

/// A model card.
pub fn card(card: &ModelCard) {
    line(&card.name);
    pair("architecture", &card.architecture);
    pair("parameters", &count(card.parameters));
    pair("context", &format!("{} tokens", count(card.context)));
    pair("vocabulary", &format!("{} tokens", count(card.vocabulary)));
    pair("stored as", &format!("{} ({})", card.stored_as, bytes(card.bytes_on_disk)));
    pair("languages", if card.languages.is_empty() { "not stated" } else { "" });
    if !card.languages.is_empty() {
        pair("", &card.languages.join(", "));
    }
    pair("chat template", if card.has_chat_template { "its own" } else { "a plain one" });
    pair("licence", card.licence.id.as_deref().unwrap_or("not stated"));
    pair("", &card.licence.summary);
    pair("memory to run", &bytes(card.memory.run));
    pair("memory for LoRA", &bytes(card.memory.lora));
    pair("memory for full", &bytes(card.memory.full));
}

/// Devices.
pub fn devices(list: &[DeviceReport]) {
    for device in list {
        line(&format!("{:<12} {}", device.id, device.name));
        pair("kind", &device.kind);
        if !device.driver.is_empty() {
            pair("driver", &device.driver);
        }
        pair("memory", &device.memory.map_or_else(|| "not known".to_owned(), bytes));
        let check = match (device.usable, device.self_check) {
            (Some(true), Some(apart)) => format!("passed (differs by {apart:.1e})"),
            (Some(false), _) => "FAILED: not used".to_owned(),
            _ => "not run yet; add --check".to_owned(),
        };
        pair("self-check", &check);
        if let Some(gflops) = device.gflops {
            pair("speed", &format!("{gflops:.0} GFLOP/s"));
        }
    }
}

/// What the pre-flight found.
pub fn data_report(report: &DataReport) {
    for file in &report.files {
        line(&format!("{} ({}): {}", file.format, file.encoding, file.reason));
    }
    line(&format!(
        "{} rows read, {} left out: {} to learn from, {} to steer by, {} for the verdict",
        count(report.rows_read),
        count(report.rows_dropped),
        count(report.train.rows),
        count(report.validation.rows),
        count(report.test.rows)
    ));
    line(&format!(
        "{} tokens, {} of them learnt; longest row {} tokens",
        count(report.train.tokens),
        count(report.train.trained_tokens),
        count(report.train.longest)
    ));
    if !report.labels.is_empty() {
        let labels = report.labels.iter().take(20).map(|(label, rows)| format!("{label} ({rows})"));
        line(&format!("labels: {}", labels.collect::<Vec<_>>().join(", ")));
    }
    for finding in &report.findings {
        line(&format!("- {}", finding.message));
    }
}

/// Rows as the model sees them, learnt tokens in brackets (or in colour on a terminal).
pub fn rows(rows: &[ShownRow]) {
    let colour = std::io::stdout().is_terminal();
    let (on, off) = if colour { ("\u{1b}[32m", "\u{1b}[0m") } else { ("⟦", "⟧") };
    for row in rows {
        line("");
        line(&format!(
            "--- {} row {} ({}, {} tokens) as the model sees it; marked: what it learns",
            row.origin.file,
            row.origin.row,
            row.part.name(),
            row.length
        ));
        let mut text = String::new();
        let mut inside = false;
        for token in &row.tokens {
            if token.trained != inside {
                text.push_str(if token.trained { on } else { off });
                inside = token.trained;
            }
            text.push_str(&token.text);
        }
        if inside {
            text.push_str(off);
        }
        line(&text);
    }
}

/// How far planning is.
pub fn preparing(progress: &Progress) -> String {
    let step = stage(&progress.stage);
    match progress.total {
        0 => step,
        total => format!("{step}, {:.0} %", progress.done as f64 / total as f64 * 100.0),
    }
}

/// A plan.
pub fn plan(plan: &Plan) {
    line("");
    line(&format!("Plan: {} on {} ({})", plan.recipe, plan.model, plan.device));
    pair(
        "trained",
        &format!("{} of {} parameters", count(plan.trainable_parameters), count(plan.parameters)),
    );
    pair("steps", &count(plan.steps));
    pair(
        "tokens an epoch",
        &format!("{}, {} with loss", count(plan.tokens), count(plan.trained_tokens)),
    );
    if plan.truncated_rows > 0 {
        pair("rows cut", &count(plan.truncated_rows));
    }
    let there = plan.memory_there.map_or_else(|| "not known".to_owned(), bytes);
    let how = if plan.recompute { ", recomputing layers to save memory" } else { "" };
    pair("memory", &format!("about {} of {there}{how}", bytes(plan.memory_needed)));
    if let Some(seconds) = plan.seconds {
        pair("time", &format!("about {} to train", duration(seconds)));
    }
    for setting in &plan.settings {
        let value = match &setting.value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        pair(&setting.name, &format!("{value:<12} {}", setting.reason.en));
    }
    for warning in &plan.warnings {
        line(&format!("! {}", warning.en));
    }
    line("");
}

/// An export.
pub fn exported(exported: &sanbao_export::Exported, out: &Path) {
    line(&format!(
        "Exported to {} ({}); read back, its answers differ from the trained model's by {:.1e} at most (allowed: {:.1e})",
        out.display(),
        bytes(exported.bytes),
        exported.parity.max_logit_difference,
        exported.parity.tolerance
    ));
    for note in &exported.notes {
        line(&format!("- {note}"));
    }
}

/// A run as it goes on.
pub struct TrainingView {
    json: bool,
    bar: ProgressBar,
}

/// How far a step got: its mean reward where there is one, else its loss.
fn reached(metrics: &StepMetrics) -> String {
    match metrics.figures.get("reward") {
        Some(reward) => format!("reward {reward:.3}"),
        None => format!("loss {:.3}", metrics.loss),
    }
}

/// At most so many characters of a text.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

impl TrainingView {
    /// A view; with `json`, every message is printed as it is.
    pub fn new(json: bool) -> Self {
        let bar = bar("Training");
        if json {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { json, bar }
    }

    /// Shows a message.
    pub fn message(&mut self, message: &Message) {
        if self.json {
            if let Ok(text) = serde_json::to_string(message) {
                line(&text);
            }
            return;
        }
        match message {
            Message::Run(event) => self.event(event),
            Message::Trained { finished: true, last_step, best_step, best_loss, peak_memory } => {
                let loss = best_loss.map(|loss| format!(" (validation loss {loss:.3})"));
                self.say(&format!(
                    "Trained {last_step} steps; keeping step {best_step}{}. Highest memory: {}",
                    loss.unwrap_or_default(),
                    bytes(*peak_memory)
                ));
            }
            _ => {}
        }
    }

    fn event(&self, event: &RunEvent) {
        match event {
            RunEvent::Step(metrics) => {
                self.bar.set_length(metrics.steps);
                self.bar.set_position(metrics.step);
                let reached = reached(metrics);
                self.bar
                    .set_message(format!("{reached} · {:.0} tokens/s", metrics.tokens_per_second));
                let last = metrics.step == metrics.steps;
                if !std::io::stderr().is_terminal() && (metrics.step % 10 == 1 || last) {
                    line(&format!(
                        "step {}/{}  {reached}  {:.0} tokens/s  {} left",
                        metrics.step,
                        metrics.steps,
                        metrics.tokens_per_second,
                        duration(metrics.eta_seconds)
                    ));
                }
            }
            RunEvent::Validation { step, loss, best } => {
                let mark = if *best { ", the best so far" } else { "" };
                self.say(&format!("step {step}: validation loss {loss:.3}{mark}"));
            }
            RunEvent::Resumed { step } => self.say(&format!("Going on from step {step}")),
            RunEvent::MemoryHalved { micro_batch_tokens } => self.say(&format!(
                "Memory ran out; going on with portions of {micro_batch_tokens} tokens"
            )),
            RunEvent::EarlyStop { best_step, .. } => {
                self.say(&format!("Validation stopped improving; keeping step {best_step}"))
            }
            RunEvent::Reference { done, total } => {
                self.bar.set_length(*total);
                self.bar.set_position(*done);
                self.bar.set_message("asking the base model about every answer".to_owned());
            }
            RunEvent::Sample { step, prompt, answer, reward, .. } => {
                let earned = reward.map(|reward| format!(" ({reward:.2})")).unwrap_or_default();
                let short = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                self.say(&format!(
                    "step {step}: {}{earned}: {}",
                    shortened(&short(prompt), 60),
                    shortened(&short(answer), 120)
                ));
            }
            RunEvent::OverOptimised { best_step, guard, reward_gain, guard_loss, .. } => {
                self.say(&format!(
                    "Stopped: the reward rose by {reward_gain:.2} while the {guard} of held-out answers fell by {guard_loss:.2}, so it no longer stands for what is wanted. Keeping step {best_step}"
                ));
            }
            RunEvent::Checkpoint { .. } | RunEvent::Epoch { .. } => {}
        }
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| line(text));
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}
