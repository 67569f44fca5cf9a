//! What is recorded of runs, and the state of a project that follows.

use std::fs;

use sanbao_contract::Fault;
use sanbao_contract::app::{ProjectState, RecipeChoice, RunState, RunSummary};
use sanbao_contract::train::Dial;
use sanbao_contract::verdict::Outcome;
use sanbao_project::RunFolder;
use sanbao_project::store::{Base, ProjectStore};
use serde_json::json;

use crate::{add, names, projects};

/// A run that waits.
pub(crate) fn run(id: &str, created: u64) -> RunSummary {
    RunSummary {
        id: id.into(),
        recipe: "lora".into(),
        dial: Dial::Quick,
        device: "cpu".into(),
        base: "SmolLM2".into(),
        state: RunState::Waiting,
        step: 0,
        steps: 100,
        best_loss: None,
        epochs: Vec::new(),
        outcome: None,
        created,
        fault: None,
    }
}

fn state(store: &ProjectStore) -> ProjectState {
    store.summary().unwrap().state
}

#[test]
fn the_state_of_a_project_follows_from_base_files_and_last_run() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    assert_eq!(state(&store), ProjectState::Empty);
    add(&store, "a.csv", &[["a", "b"]]);
    assert_eq!(state(&store), ProjectState::Empty);
    let base = Base { id: "starter".into(), name: "SmolLM2".into() };
    store.set_base(Some(&base)).unwrap();
    assert_eq!(store.base().unwrap(), Some(base));
    assert_eq!(state(&store), ProjectState::Ready);

    let mut first = run("first", 1);
    store.add_run(&first).unwrap();
    assert_eq!(state(&store), ProjectState::Training);
    for active in [RunState::Training, RunState::Judging] {
        first.state = active;
        store.update_run(&first).unwrap();
        assert_eq!(state(&store), ProjectState::Training);
    }
    first.state = RunState::Judged;
    first.outcome = Some(Outcome::Better);
    first.best_loss = Some(0.25);
    store.update_run(&first).unwrap();
    assert_eq!(state(&store), ProjectState::Judged);

    let mut second = run("second", 2);
    second.state = RunState::Failed;
    second.fault = Some(Fault::new("worker.killed", "It was killed.").with("step", 3));
    store.add_run(&second).unwrap();
    assert_eq!(state(&store), ProjectState::Stopped);
    let summary = store.summary().unwrap();
    assert_eq!(summary.outcome, Some(Outcome::Better));
    assert_eq!((summary.base.as_deref(), summary.rows), (Some("SmolLM2"), 1));
    assert_eq!(store.runs().unwrap(), [second.clone(), first]);
    assert_eq!(store.run("second").unwrap(), second);
}

#[test]
fn a_run_is_recorded_once_and_not_brought_back_by_news_of_it() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let id = store.new_run_id("lora");
    assert!(id.starts_with("lora-"), "{id}");
    let mut run = run(&id, 1);
    store.add_run(&run).unwrap();
    assert_eq!(store.add_run(&run).unwrap_err().code(), "project.run_taken");

    let folder = RunFolder::create(&store.run_folder(&id).unwrap()).unwrap();
    assert_eq!(store.delete_run(&id).unwrap_err().code(), "project.locked");
    assert_eq!(projects.delete(store.id()).unwrap_err().code(), "project.locked");
    assert_eq!(projects.duplicate(store.id(), "b").unwrap_err().code(), "project.locked");
    drop(folder);
    store.delete_run(&id).unwrap();
    assert!(names(&store.runs_folder()).is_empty());
    assert_eq!(store.delete_run(&id).unwrap_err().code(), "project.no_run");
    run.step = 5;
    assert_eq!(store.update_run(&run).unwrap_err().code(), "project.no_run");
    assert_eq!(store.run(&id).unwrap_err().code(), "project.no_run");
}

#[test]
fn ids_of_runs_do_not_lead_out_of_the_project() {
    let (folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    for id in ["../../../outside", "..", "", ".hidden", "a/b"] {
        assert_eq!(store.run_folder(id).unwrap_err().code(), "project.no_run", "{id}");
        assert_eq!(store.add_run(&run(id, 1)).unwrap_err().code(), "project.no_run", "{id}");
        assert_eq!(store.delete_run(id).unwrap_err().code(), "project.no_run", "{id}");
    }
    assert!(outside.exists());
}

#[test]
fn runs_that_nobody_works_on_are_settled() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    for (id, created) in [("waiting", 1), ("training", 2), ("alive", 3), ("done", 4)] {
        store.add_run(&run(id, created)).unwrap();
    }
    let mut done = run("done", 4);
    done.state = RunState::Judged;
    store.update_run(&done).unwrap();
    assert_eq!(store.settle_runs(|id| id == "alive").unwrap(), ["training", "waiting"]);
    assert!(store.settle_runs(|id| id == "alive").unwrap().is_empty());
    assert_eq!(store.run("waiting").unwrap().state, RunState::Stopped);
    assert_eq!(store.run("alive").unwrap().state, RunState::Waiting);
    assert_eq!(store.run("done").unwrap().state, RunState::Judged);
}

#[test]
fn choices_and_what_the_window_remembers_are_kept() {
    let (folder, projects) = projects();
    let store = projects.create("a").unwrap();
    assert_eq!(store.recipe().unwrap(), RecipeChoice::default());
    let choice = RecipeChoice {
        recipe: Some("lora".into()),
        dial: Dial::Thorough,
        device: None,
        chosen: [("learning_rate".to_owned(), json!(2e-4))].into(),
        reward: None,
    };
    store.set_recipe(&choice).unwrap();
    store.set_setting("step", Some(&json!("train"))).unwrap();
    store.set_setting("table", Some(&json!({"sort": "label", "widths": [1, 2]}))).unwrap();
    store.set_setting("step", Some(&json!("data"))).unwrap();
    let id = store.id().to_owned();
    drop((store, projects));

    let projects = sanbao_project::store::Projects::at(&folder.path().join("projects")).unwrap();
    let store = projects.open(&id).unwrap();
    assert_eq!(store.recipe().unwrap(), choice);
    assert_eq!(store.setting("step").unwrap(), Some(json!("data")));
    assert_eq!(store.settings().unwrap().len(), 2);
    let before = store.summary().unwrap();
    store.set_setting("table", None).unwrap();
    assert_eq!(store.setting("table").unwrap(), None);
    assert_eq!(store.summary().unwrap(), before, "looking around is no change");
    let project = store.project().unwrap();
    assert_eq!((project.summary, project.recipe), (before, choice));
}
