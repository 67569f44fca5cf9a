//! A run that is killed at random moments and resumed gives the losses and the weights, bit
//! for bit, of one that was never disturbed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use support::{sanbao, tiny_model, triage_csv};

/// What a run is started with beside model, data and folder.
const LORA: &[&str] = &[
    "num_train_epochs=12",
    "lora_dropout=0.1",
    "r=8",
    "evals_per_epoch=2",
    "early_stopping_patience=0",
];
const PAIRS: &[&str] = &[
    "num_train_epochs=6",
    "lora_dropout=0.1",
    "r=8",
    "evals_per_epoch=2",
    "early_stopping_patience=0",
];
const EVERY_WEIGHT: &[&str] =
    &["num_train_epochs=6", "use_peft=false", "evals_per_epoch=2", "early_stopping_patience=0"];
const REWARDS: &[&str] =
    &["max_steps=30", "lora_dropout=0.1", "r=8", "evals_per_epoch=4", "max_completion_length=24"];

fn train(out: &Path, data: &Path, recipe: &str, set: &[&str], resume: bool) -> Command {
    let mut command = Command::new(sanbao());
    command.arg("train").arg("--out").arg(out).arg("--json").args(["--device", "cpu"]);
    if resume {
        command.arg("--resume");
    } else {
        command.arg("--model").arg(tiny_model()).arg("--data").arg(data);
        command.args(["--recipe", recipe]);
        command.args(set.iter().flat_map(|set| ["--set", *set]));
        if set == REWARDS {
            command.args(["--reward", "contains:texts=e"]);
        }
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Pairs of answers, which every recipe can use but those for labels.
fn pairs(folder: &Path) -> PathBuf {
    let path = folder.join("pairs.jsonl");
    let row = |row: usize| {
        format!(
            "{{\"prompt\":\"Say hello to {row}\",\"chosen\":\"Good day, {row}.\",\"rejected\":\"What is it, {row}?\",\"margin\":{}}}\n",
            row % 3
        )
    };
    fs::write(&path, (0..90).map(row).collect::<String>()).unwrap();
    path
}

/// What must be equal in every line of the metrics; speed and memory may differ.
fn metrics(run: &Path) -> Vec<(u64, [String; 6])> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            let part = |key: &str| value[key].to_string();
            (
                value["step"].as_u64().unwrap(),
                ["loss", "grad_norm", "learning_rate", "validation_loss", "figures", "events"]
                    .map(part),
            )
        })
        .collect()
}

/// How many steps a run has told, be the last one half-written.
fn lines(run: &Path) -> usize {
    fs::read(run.join("metrics.jsonl")).unwrap_or_default().split(|byte| *byte == b'\n').count()
}

/// Weights, optimizer state and snapshots by relative path.
fn tensors(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![run.join("checkpoints"), run.join("epochs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "safetensors") {
                let name = path.strip_prefix(run).unwrap().display().to_string();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The worker that a `sanbao train` started, while there is one.
fn worker_of(parent: u32) -> Option<String> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let child = children.split_whitespace().next()?.to_owned();
    let line = fs::read_to_string(format!("/proc/{child}/cmdline")).ok()?;
    line.contains("worker").then_some(child)
}

#[test]
#[cfg(target_os = "linux")]
fn killed_and_resumed_equals_undisturbed() {
    let folder = tempfile::tempdir().unwrap();
    let data = triage_csv(folder.path(), 120);
    equals_undisturbed(folder.path(), &data, "lora", LORA, 8);
}

#[test]
#[cfg(target_os = "linux")]
fn so_does_every_way_of_learning_from_choices() {
    let folder = tempfile::tempdir().unwrap();
    let data = pairs(folder.path());
    for recipe in ["dpo", "kto", "reward_model"] {
        equals_undisturbed(&folder.path().join(recipe), &data, recipe, PAIRS, 3);
    }
    for recipe in ["dpo", "reward_model"] {
        let folder = folder.path().join(recipe).join("every weight");
        equals_undisturbed(&folder, &data, recipe, EVERY_WEIGHT, 3);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn so_does_every_way_of_learning_from_rewards() {
    let folder = tempfile::tempdir().unwrap();
    let data = pairs(folder.path());
    for recipe in ["grpo", "rloo", "ppo", "best_of_n"] {
        equals_undisturbed(&folder.path().join(recipe), &data, recipe, REWARDS, 3);
    }
}

#[cfg(target_os = "linux")]
fn equals_undisturbed(folder: &Path, data: &Path, recipe: &str, set: &[&str], most_kills: u32) {
    let calm = folder.join("calm");
    let output = train(&calm, data, recipe, set, false).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let disturbed = folder.join("disturbed");
    let steps_at_once = metrics(&calm).len() / 3;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut kills, mut resume) = (0, false);
    loop {
        let mut run = train(&disturbed, data, recipe, set, resume).spawn().unwrap();
        let worker = loop {
            // The first worker plans; the one that trains begins by opening the metrics.
            let trains = resume || disturbed.join("metrics.jsonl").exists();
            if let Some(worker) = worker_of(run.id()).filter(|_| trains) {
                break Some(worker);
            }
            if run.try_wait().unwrap().is_some() {
                break None;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        if let Some(worker) = worker.filter(|_| kills < most_kills) {
            // Counted in steps, the first two hit a running worker however fast the machine is.
            let until = lines(&disturbed) + random.random_range(0..steps_at_once);
            while lines(&disturbed) < until && run.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(random.random_range(0..30)));
            Command::new("kill").args(["-9", &worker]).status().unwrap();
        }
        let output = run.wait_with_output().unwrap();
        if output.status.success() {
            break;
        }
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains("--resume"), "{message}");
        kills += 1;
        resume = true;
        assert!(kills < 50, "it never gets done: {message}");
    }
    assert!(kills >= 2, "{recipe}: only {kills} kills hit a running worker");
    let (steps, again) = (metrics(&calm), metrics(&disturbed));
    assert_eq!(steps.len(), again.len(), "{recipe}");
    for (step, again) in steps.iter().zip(&again) {
        assert_eq!(step, again, "{recipe}");
    }
    let (calm, disturbed) = (tensors(&calm), tensors(&disturbed));
    let names =
        |list: &[(String, Vec<u8>)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&calm), names(&disturbed));
    for ((name, calm), (_, disturbed)) in calm.iter().zip(&disturbed) {
        assert!(calm == disturbed, "{recipe}: {name} differs after {kills} kills");
    }
}

#[test]
fn a_run_resumes_only_as_itself() {
    let folder = tempfile::tempdir().unwrap();
    let data = triage_csv(folder.path(), 60);
    let run = folder.path().join("run");
    assert!(train(&run, &data, "lora", LORA, false).output().unwrap().status.success());
    // The same folder again, without --resume, is refused and nothing in it changes.
    let before = tensors(&run);
    let output = train(&run, &data, "lora", LORA, false).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: "));
    assert_eq!(before, tensors(&run));
}

#[test]
fn a_run_of_every_weight_does_not_go_on_without_its_reference() {
    let folder = tempfile::tempdir().unwrap();
    let data = pairs(folder.path());
    let run = folder.path().join("run");
    assert!(train(&run, &data, "dpo", EVERY_WEIGHT, false).output().unwrap().status.success());
    fs::remove_dir_all(run.join("reference")).unwrap();
    let output = train(&run, &data, "dpo", EVERY_WEIGHT, true).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && message.contains("start a new run"), "{message}");
}

#[test]
fn what_was_killed_between_its_pointers_finds_its_best() {
    let folder = tempfile::tempdir().unwrap();
    let data = triage_csv(folder.path(), 60);
    for validation in ["evals_per_epoch=2", "evals_per_epoch=0"] {
        let run = folder.path().join(validation);
        let set = &["num_train_epochs=4", "early_stopping_patience=0", validation];
        assert!(train(&run, &data, "lora", set, false).output().unwrap().status.success());
        let best = run.join("checkpoints/best");
        let before = fs::read_to_string(&best).unwrap();
        fs::remove_file(&best).unwrap();
        assert!(train(&run, &data, "lora", set, true).output().unwrap().status.success());
        assert_eq!(fs::read_to_string(&best).unwrap(), before);
    }
}
