//! What the parent does when a worker dies, with real processes that die in real ways.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sanbao_contract::train::RunEvent;
use sanbao_contract::worker::{Job, Message};
use sanbao_worker::{Ended, Error, supervise};

/// A program that is started as a worker: it keeps the job it was given and then does `script`.
fn program(folder: &Path, script: &str) -> PathBuf {
    let jobs = folder.join("jobs.txt");
    executable(folder, &format!("read job\necho \"$job\" >> '{}'\n{script}\n", jobs.display()))
}

/// A shell script that can be run. Another process copies it into place: a program that this one
/// holds open for writing cannot be run ("text file busy"), and a child that another test starts
/// meanwhile holds a copy of every open file until it becomes its own program.
fn executable(folder: &Path, script: &str) -> PathBuf {
    let (text, path) = (folder.join("worker.txt"), folder.join("worker.sh"));
    fs::write(&text, format!("#!/bin/sh\n{script}")).unwrap();
    let installed = Command::new("install").args(["-m", "755"]).args([&text, &path]).status();
    assert!(installed.unwrap().success());
    path
}

fn train(folder: &Path, portion: u64) -> Job {
    Job::Train { run: folder.join("run"), micro_batch_tokens: Some(portion) }
}

async fn run(program: &Path, job: Job) -> (Result<Ended, Error>, Vec<Message>) {
    let mut heard = Vec::new();
    let mut listen = |message: &Message| heard.push(message.clone());
    let ended = supervise(program, job, std::future::pending(), &mut listen).await;
    (ended, heard)
}

const TRAINED: &str = r#"echo '{"message":"trained","finished":true,"last_step":3,"best_step":3,"best_loss":null,"peak_memory":1}'"#;

#[tokio::test]
async fn a_worker_that_runs_out_of_memory_is_started_again_with_half_the_portion() {
    let folder = tempfile::tempdir().unwrap();
    let dies = "echo 'memory allocation of 4096 bytes failed' >&2; kill -ABRT $$";
    let script = format!("case \"$job\" in *':256}}'*) {TRAINED} ;; *) {dies} ;; esac");
    let (ended, heard) = run(&program(folder.path(), &script), train(folder.path(), 1024)).await;
    assert!(matches!(ended.unwrap(), Ended::Done(Message::Trained { finished: true, .. })));
    let halved: Vec<u64> = heard
        .iter()
        .filter_map(|message| match message {
            Message::Run(RunEvent::MemoryHalved { micro_batch_tokens }) => {
                Some(*micro_batch_tokens)
            }
            _ => None,
        })
        .collect();
    assert_eq!(halved, [512, 256]);
    assert_eq!(fs::read_to_string(folder.path().join("jobs.txt")).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn a_worker_that_is_killed_before_it_listens_is_told_of_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let deaf = executable(folder.path(), "kill -KILL $$\n");
    // More than a pipe holds, so that somebody has to listen.
    let job = train(&folder.path().join("x".repeat(100_000)), 64);
    let (ended, _) = run(&deaf, job).await;
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("signal 9") && error.contains("--resume"), "{error}");
}

#[tokio::test]
async fn the_smallest_portion_that_does_not_fit_ends_the_run_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 'memory allocation of 4096 bytes failed' >&2; kill -ABRT $$";
    let (ended, _) = run(&program(folder.path(), script), train(folder.path(), 100)).await;
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("smaller base model"), "{error}");
}

#[tokio::test]
async fn a_worker_that_is_killed_or_loses_its_device_is_not_started_again() {
    for (script, words) in [
        ("kill -KILL $$", ["signal 9", "--resume"]),
        ("echo 'wgpu: Device is lost' >&2; exit 101", ["graphics driver", "--device cpu"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (ended, _) = run(&program(folder.path(), script), train(folder.path(), 64)).await;
        let error = ended.unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("jobs.txt")).unwrap().lines().count(), 1);
    }
}

#[tokio::test]
async fn a_plan_that_breaks_off_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let script = format!("mkdir -p '{0}/prepared'; touch '{0}/run.json'; exit 1", out.display());
    let request = sanbao_contract::worker::PlanRequest {
        model: "model".into(),
        sources: Vec::new(),
        task: None,
        recipe: None,
        dial: sanbao_contract::train::Dial::Quick,
        device: "cpu".into(),
        chosen: Default::default(),
        reward: None,
        seed: 1,
    };
    let job = Job::Plan { request: Box::new(request), run: out.clone() };
    let (ended, _) = run(&program(folder.path(), &script), job).await;
    assert!(ended.is_err() && !out.exists());
}
