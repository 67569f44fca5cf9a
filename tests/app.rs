//! What the window asks for, from the first project to a served model, on a tiny model.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sanbao_app::{App, Heard};
use sanbao_contract::app::{ChatModel, Project, RunState, RunSummary, Sampling};
use sanbao_contract::rpc::{Reply, Request};
use sanbao_contract::verdict::Outcome;
use sanbao_contract::{Fault, Message};
use serde_json::{Value, json};
use support::{sanbao, tiny_model, triage_csv};

/// One test kills its workers, which the other's would look like.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn greedy() -> Sampling {
    Sampling {
        temperature: 0.0,
        top_p: 1.0,
        top_k: 0,
        min_p: 0.0,
        repetition_penalty: 1.0,
        max_new_tokens: 8,
        stop: Vec::new(),
        seed: 0,
    }
}

struct Window {
    app: App,
    project: String,
}

impl Window {
    /// An app whose home is a folder, with a new project on the tiny model.
    async fn open(home: &Path) -> Self {
        let app = App::open(home, PathBuf::from(sanbao())).unwrap();
        let mut window = Self { app, project: String::new() };
        let created = window.ask(json!({"request": "create_project", "name": "Triage 分拣"})).await;
        window.project = created["project"]["summary"]["id"].as_str().unwrap().to_owned();
        let added = window.ask(json!({"request": "add_model", "path": tiny_model()})).await;
        let model = &added["model"]["id"];
        window
            .ask(json!({"request": "choose_base", "project": window.project, "model": model}))
            .await;
        window
    }

    async fn try_ask(&self, request: Value) -> Result<Value, Fault> {
        let request: Request = serde_json::from_value(request).unwrap();
        self.app.handle(request).await.map(|reply| serde_json::to_value(reply).unwrap())
    }

    async fn ask(&self, request: Value) -> Value {
        let what = request.to_string();
        self.try_ask(request).await.unwrap_or_else(|fault| panic!("{what}: {fault}"))
    }

    async fn refuses(&self, request: Value, code: &str) {
        let what = request.to_string();
        assert_eq!(self.try_ask(request).await.unwrap_err().code, code, "{what}");
    }

    async fn project(&self) -> Project {
        let request = Request::Project { project: self.project.clone() };
        let Reply::Project { project } = self.app.handle(request).await.unwrap() else { panic!() };
        project
    }

    /// A run once it is in one of some states.
    async fn run_in(&self, run: &str, states: &[RunState]) -> RunSummary {
        for _ in 0..1200 {
            let runs = self.project().await.runs;
            let found = runs.into_iter().find(|known| known.id == run).unwrap();
            if states.contains(&found.state) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{run} never came to {states:?}: {:?}", self.project().await.runs);
    }

    async fn start(&self, chosen: Value) -> String {
        let choice = json!({"recipe": null, "dial": "balanced", "device": "cpu", "chosen": chosen});
        self.ask(json!({"request": "set_recipe", "project": self.project, "choice": choice})).await;
        let started = self.ask(json!({"request": "start_run", "project": self.project})).await;
        started["run"]["id"].as_str().unwrap().to_owned()
    }

    async fn answer(&self, model: ChatModel, text: &str) -> String {
        let messages = vec![Message::new("user", text)];
        let mut answer = self.app.ask(&self.project, &model, messages, greedy()).await.unwrap();
        let mut said = String::new();
        while let Some(heard) = answer.pieces.recv().await {
            match heard {
                Heard::Piece(text) => said.push_str(&text),
                Heard::Ended { fault, .. } => assert_eq!(fault, None),
            }
        }
        said
    }
}

#[tokio::test]
async fn from_a_file_to_a_model_that_answers() {
    let _turn = TURN.lock().await;
    let home = tempfile::tempdir().unwrap();
    let window = Window::open(home.path()).await;
    let project = window.project.clone();
    window.refuses(json!({"request": "plan", "project": project}), "app.no_data").await;
    let data = triage_csv(home.path(), 150);
    window.ask(json!({"request": "add_files", "project": project, "paths": [data]})).await;
    let file = "triage-150.csv";
    let excluded = json!({"request": "exclude_rows", "project": project, "file": file, "rows": [5, 6], "excluded": true});
    window.ask(excluded).await;
    let edited = json!({"request": "edit_row", "project": project, "file": file, "row": 2, "values": ["Row 1: my refund!", "money"]});
    window.ask(edited).await;
    let checked = window.ask(json!({"request": "check_data", "project": project})).await;
    assert_eq!(checked["data"]["report"]["rows_read"], 148);

    let run = window.start(json!({"num_train_epochs": 12, "learning_rate": 0.01})).await;
    let judged = window.run_in(&run, &[RunState::Judged, RunState::Failed]).await;
    assert_eq!((judged.outcome, judged.fault), (Some(Outcome::Better), None));
    let metrics =
        window.ask(json!({"request": "run_metrics", "project": project, "run": run})).await;
    assert_eq!(metrics["metrics"]["steps"].as_array().unwrap().len() as u64, judged.step);
    let tuned = ChatModel::Run { run: run.clone(), epoch: None };
    assert_eq!(window.answer(tuned, "Row 3: about my refund, please help").await, "money");
    assert_ne!(window.answer(ChatModel::Base, "Row 3: about my refund").await, "money");
    // A whole file, without labels: what is asked is told by the columns that were learnt from.
    let file = home.path().join("new.csv");
    std::fs::write(&file, "no,text\n1,\"Row 3: about my refund, please help\"\n2,\n").unwrap();
    let model = json!({"kind": "run", "run": run, "epoch": null});
    let looked = window
        .ask(json!({"request": "look_at_file", "project": project, "model": model, "path": file}))
        .await;
    assert_eq!((&looked["columns"], &looked["answer"]), (&json!(["no", "text"]), &Value::Null));
    let answered = window
        .ask(json!({"request": "answer_file", "project": project, "model": model, "path": file,
            "prompt": looked["prompt"], "sampling": Sampling { max_new_tokens: 1, ..greedy() }, "out": null}))
        .await;
    let text = std::fs::read_to_string(answered["path"].as_str().unwrap()).unwrap();
    assert!(text.starts_with("no,text,answer,probability\n"), "{text}");
    assert!(text.contains("\n1,\"Row 3: about my refund, please help\",money,"), "{text}");
    assert!(text.ends_with("\n2,,,\n"), "{text}");
    let report = json!({"request": "report", "project": project, "run": run, "language": "zh"});
    let report = window.ask(report).await;
    assert!(std::fs::read_to_string(report["path"].as_str().unwrap()).unwrap().contains("准确率"));
    let export = json!({"request": "export", "project": project, "run": run, "target": "peft", "options": {}, "folder": null});
    let exported = window.ask(export).await;
    let folder = Path::new(exported["exported"]["folder"].as_str().unwrap());
    assert!(folder.join("adapter_model.safetensors").is_file());
    let examine = json!({"request": "examine_reward", "project": project, "run": run});
    window.refuses(examine, "worker.not_a_reward_model").await;

    // The next start of the program finds everything.
    drop(window);
    let again = App::open(home.path(), PathBuf::from(sanbao())).unwrap();
    let Reply::Projects { projects } = again.handle(Request::Projects).await.unwrap() else {
        panic!()
    };
    assert_eq!(projects[0].outcome, Some(Outcome::Better));
}

#[tokio::test]
async fn a_run_is_stopped_killed_resumed_and_finished() {
    let _turn = TURN.lock().await;
    let home = tempfile::tempdir().unwrap();
    let window = Window::open(home.path()).await;
    let project = window.project.clone();
    let data = triage_csv(home.path(), 120);
    window.ask(json!({"request": "add_files", "project": project, "paths": [data]})).await;
    let run = window.start(json!({"num_train_epochs": 400, "early_stopping_patience": 0})).await;
    let is_under_way = async |past: u64| {
        for _ in 0..600 {
            let runs = window.project().await.runs;
            if runs[0].state == RunState::Training && runs[0].step > past {
                return runs[0].step;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{:?}", window.project().await.runs);
    };
    is_under_way(5).await;
    window
        .refuses(json!({"request": "delete_project", "project": project}), "app.run_active")
        .await;
    window.ask(json!({"request": "stop_run", "project": project, "run": run})).await;
    let stopped = window.run_in(&run, &[RunState::Stopped]).await;
    window.ask(json!({"request": "resume_run", "project": project, "run": run})).await;
    is_under_way(stopped.step).await;
    #[cfg(unix)]
    {
        let kill = "pkill -KILL -P $PPID -f 'sanbao worker' || true";
        std::process::Command::new("sh").args(["-c", kill]).status().unwrap();
        let failed = window.run_in(&run, &[RunState::Failed]).await;
        assert_eq!(failed.fault.unwrap().code, "worker.crashed");
    }
    window.ask(json!({"request": "finish_run", "project": project, "run": run})).await;
    let judged = window.run_in(&run, &[RunState::Judged]).await;
    assert!(judged.outcome.is_some());
}

#[tokio::test]
async fn votes_become_data_and_files_are_answered() {
    let _turn = TURN.lock().await;
    let home = tempfile::tempdir().unwrap();
    let window = Window::open(home.path()).await;
    let project = window.project.clone();
    let ask = |request: Value| {
        let mut request = request;
        request["project"] = project.clone().into();
        window.ask(request)
    };
    let sampling = json!({
        "temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0,
        "max_new_tokens": 6, "stop": [], "seed": 3
    });
    let base = json!({"kind": "base"});
    let prompts: Vec<String> = (0..24).map(|at| format!("Say hello to {at}")).collect();
    ask(json!({"request": "add_ballots", "prompts": prompts, "authors": [base, base], "sampling": sampling})).await;
    let all = json!({"request": "feedback", "filter": "all", "offset": 0, "limit": 100});
    let mut written = Value::Null;
    for _ in 0..600 {
        written = ask(all.clone()).await;
        if written["total"] == 24 && written["writing"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let ballots = written["ballots"].as_array().unwrap();
    assert_eq!(ballots.len(), 24, "{written}");
    assert!(ballots.iter().all(|ballot| ballot["answers"][0]["author"].is_null()));
    assert_ne!(ballots[0]["answers"][0]["text"], ballots[0]["answers"][1]["text"]);

    for ballot in ballots {
        let choice = match ballot["id"].as_u64().unwrap() {
            1 => json!({"kind": "edit", "answer": 0, "text": "Hello to you!"}),
            2 => json!({"kind": "skip"}),
            _ => json!({"kind": "best", "answer": 0}),
        };
        let voted = ask(
            json!({"request": "vote", "ballot": ballot["id"], "choice": choice, "seconds": 2.5}),
        )
        .await;
        assert!(voted["ballot"]["answers"][0]["author"]["name"].is_string(), "{voted}");
    }
    let mut wrong = json!({"request": "vote", "ballot": 3, "choice": {"kind": "best", "answer": 7}, "seconds": 1.0});
    wrong["project"] = project.clone().into();
    window.refuses(wrong, "feedback.no_such_answer").await;
    let taken_back = json!({"request": "vote", "ballot": 3, "choice": null, "seconds": 0.0});
    assert!(ask(taken_back).await["ballot"]["answers"][0]["author"].is_null());
    let stats = ask(all).await["stats"].clone();
    assert_eq!(
        (stats["votes"].as_u64(), stats["skipped"].as_u64()),
        (Some(22), Some(1)),
        "{stats}"
    );
    assert_eq!((stats["edits"].as_u64(), stats["median_seconds"].as_f64()), (Some(1), Some(2.5)));

    // Elsewhere and back: what is known does not come twice.
    let file = home.path().join("votes.jsonl");
    let exported = ask(json!({"request": "export_feedback", "form": null, "path": file})).await;
    assert_eq!(exported["rows"], 24);
    let imported = ask(json!({"request": "import_feedback", "path": file, "rater": ""})).await;
    assert_eq!(imported["added"], 0);

    let used = ask(json!({"request": "use_feedback", "form": "preference"})).await;
    assert_eq!(used["project"]["files"][0]["name"], "feedback.jsonl", "{used}");
    let again = ask(json!({"request": "use_feedback", "form": "preference"})).await;
    assert_eq!(again["project"]["files"].as_array().unwrap().len(), 1);
    let recipes = ask(json!({"request": "recipes"})).await;
    assert_eq!(recipes["recommended"], "dpo");
    let reason = |name: &str| {
        let found = recipes["recipes"].as_array().unwrap().iter().find(|one| one["name"] == name);
        found.unwrap()["reason"]["zh"].as_str().unwrap_or_default().to_owned()
    };
    assert!(!reason("dpo").is_empty() && !reason("lora").is_empty());
    let prompts = ask(json!({"request": "feedback_prompts", "count": 5})).await;
    assert_eq!(prompts["prompts"].as_array().unwrap().len(), 5);

    let reward = json!({"cards": [
        {"card": "contains", "weight": 1.0, "settings": {"texts": ["Hello"]}},
        {"card": "judge", "weight": 1.0, "settings": {}}
    ], "model": null});
    let tried = ask(json!({"request": "try_reward", "reward": reward})).await;
    let best = &tried["scored"][0];
    assert!(best["answer"].as_str().unwrap().contains("Hello"), "{tried}");
    assert_eq!(best["parts"], json!([1.0, null]));

    let questions = home.path().join("questions.csv");
    std::fs::write(&questions, "question,who\nHow are you?,1\n你好吗？,2\n").unwrap();
    let answering = |prompt: Value| {
        json!({"request": "answer_file", "project": project, "model": {"kind": "base"},
            "path": questions, "prompt": prompt, "sampling": sampling, "out": null})
    };
    window.refuses(answering(Value::Null), "worker.which_column").await;
    window.refuses(answering("{{questoin}}".into()), "worker.no_column").await;
    let answered = window.ask(answering("{{question}}".into())).await;
    assert_eq!(answered["rows"], 2);
    let text = std::fs::read_to_string(answered["path"].as_str().unwrap()).unwrap();
    assert!(text.starts_with("question,who,answer\n") && text.contains("你好吗？,2,"), "{text}");

    window
        .refuses(
            json!({"request": "set_hub_mirror", "mirror": "not an address"}),
            "hub.bad_endpoint",
        )
        .await;
    window.ask(json!({"request": "set_hub_mirror", "mirror": "https://mirror.example"})).await;
    let settings = window.ask(json!({"request": "settings"})).await;
    assert_eq!(settings["settings"]["hub_mirror"], "https://mirror.example");
    let load = window.ask(json!({"request": "machine_load"})).await;
    assert!(load["load"]["memory_total"].as_u64().unwrap() > 0);
    let model = tiny_model();
    window.ask(json!({"request": "remove_model", "model": model})).await;
    assert!(tiny_model().exists(), "the person's own files were deleted");
}

#[tokio::test]
async fn a_reward_model_is_examined_and_what_was_found_is_kept() {
    let _turn = TURN.lock().await;
    let home = tempfile::tempdir().unwrap();
    let window = Window::open(home.path()).await;
    let project = window.project.clone();
    // People prefer the answer that thanks, whatever its length.
    let pair = |row: usize| {
        let padding = "and so on ".repeat(row % 4);
        json!({
            "prompt": format!("Close case {row}"),
            "chosen": format!("Thank you for case {row}. {padding}"),
            "rejected": format!("Case {row} is noted. {padding}"),
        })
    };
    let pairs: String = (0..200).map(|row| format!("{}\n", pair(row))).collect();
    let file = home.path().join("pairs.jsonl");
    std::fs::write(&file, pairs).unwrap();
    window.ask(json!({"request": "add_files", "project": project, "paths": [file]})).await;
    let choice = json!({"recipe": "reward_model", "dial": "balanced", "device": "cpu", "chosen": {"learning_rate": 0.005}});
    window.ask(json!({"request": "set_recipe", "project": project, "choice": choice})).await;
    let started = window.ask(json!({"request": "start_run", "project": project})).await;
    let run = started["run"]["id"].as_str().unwrap();
    let judged = window.run_in(run, &[RunState::Judged, RunState::Failed]).await;
    assert_eq!(judged.fault, None);

    let about = |request: &str| json!({"request": request, "project": project, "run": run});
    assert!(window.ask(about("reward_examined")).await["examined"].is_null());
    let (found, ()) = tokio::join!(
        window.ask(about("examine_reward")),
        window.refuses(about("examine_reward"), "app.examining_already"),
    );
    let examined = &found["examined"];
    assert!(examined["agreement"]["low"].as_f64().unwrap() > 0.7, "{found}");
    assert!(examined["longer_wins"]["of"].as_u64().unwrap() > 10, "{found}");
    assert!(examined["step"].as_u64().unwrap() > 0);
    for sentence in [&examined["advice"], &examined["more_votes"]["advice"]] {
        assert!(sentence["en"].is_string() && sentence["en"] != sentence["zh"], "{sentence}");
    }
    let kept = window.ask(about("reward_examined")).await;
    assert_eq!(&kept["examined"], examined);

    let (stopped, _) = tokio::join!(
        window.try_ask(about("examine_reward")),
        window.ask(about("stop_examine_reward")),
    );
    assert_eq!(stopped.unwrap_err().code, "app.stopped");
    assert_eq!(window.ask(about("reward_examined")).await, kept);

    // Of another model than the one that is kept now, it says nothing.
    let folder = PathBuf::from(window.project().await.folder).join("runs").join(run);
    let path = folder.join("doctor.json");
    let written = std::fs::read_to_string(&path).unwrap();
    let step = format!("\"step\": {}", examined["step"]);
    std::fs::write(&path, written.replacen(&step, "\"step\": 999999", 1)).unwrap();
    assert!(window.ask(about("reward_examined")).await["examined"].is_null());
}
