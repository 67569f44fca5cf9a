//! Learning from thumbs, reward models and rewards, from the command line, on a tiny model.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::{sanbao, tiny_model};

fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(sanbao()).args(arguments).output().unwrap();
    let both = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&both).into_owned())
}

fn succeeds(arguments: &[&str]) -> String {
    let (success, text) = run(arguments);
    assert!(success, "{arguments:?}\n{text}");
    text
}

fn refuses(arguments: &[&str], words: &[&str]) {
    let (success, text) = run(arguments);
    assert!(!success, "{arguments:?} went through:\n{text}");
    for word in words {
        assert!(text.contains(word), "'{word}' is missing in: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn write_lines(path: &Path, rows: impl Iterator<Item = Value>) {
    let text: String = rows.map(|row| format!("{row}\n")).collect();
    fs::write(path, text).unwrap();
}

fn verdict(run: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(run.join("verdict.json")).unwrap()).unwrap()
}

fn make(recipe: &str, data: &Path, out: &Path, more: &[&str]) -> String {
    let model = tiny_model();
    let arguments = [
        "make",
        "--model",
        path(&model),
        "--data",
        path(data),
        "--out",
        path(out),
        "--device",
        "cpu",
        "--recipe",
        recipe,
    ];
    let export = if more.contains(&"--export") { &[][..] } else { &["--export", "peft"] };
    succeeds(&[&arguments[..], more, export].concat())
}

#[test]
fn thumbs_are_learnt_from_single_answers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("thumbs.jsonl");
    let row = |row: usize| {
        let (answer, label) = match row % 2 {
            0 => (format!("What do you want, {row}?"), true),
            _ => (format!("Hello, dear customer {row}!"), false),
        };
        json!({"prompt": format!("Say hello to customer {row}"), "completion": answer, "label": label})
    };
    write_lines(&data, (0..240).map(row));
    let out = folder.path().join("kto");
    make("kto", &data, &out, &["--set", "learning_rate=0.005"]);
    let verdict = verdict(&out);
    assert_eq!(verdict["sentence_code"], "preference.better", "{verdict}");
    let metrics = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    assert!(metrics.contains("\"kl\":") && metrics.contains("rewards/margins"), "{metrics}");
    refuses(
        &[
            "train",
            "--model",
            path(&tiny_model()),
            "--data",
            path(&data),
            "--device",
            "cpu",
            "--recipe",
            "dpo",
            "--out",
            path(&folder.path().join("no")),
        ],
        &["dpo", "kto"],
    );
}

/// People prefer the answer that thanks, whatever its length.
fn thankful_pairs(path: &Path, rows: usize) {
    let row = |row: usize| {
        let padding = "and so on ".repeat(row % 4);
        let (thanks, none) = (
            format!("Thank you for case {row}. {padding}"),
            format!("Case {row} is noted. {padding}"),
        );
        json!({"prompt": format!("Close case {row}"), "chosen": thanks, "rejected": none})
    };
    write_lines(path, (0..rows).map(row));
}

#[test]
fn a_reward_model_is_trained_examined_and_learnt_from() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("pairs.jsonl");
    thankful_pairs(&data, 200);
    let judge = folder.path().join("judge");
    make("reward_model", &data, &judge, &["--set", "learning_rate=0.005"]);
    assert_eq!(verdict(&judge)["sentence_code"], "reward_model.better");
    assert!(verdict(&judge)["forgetting"].is_null());
    let adapter = fs::read_to_string(judge.join("export/peft/adapter_config.json")).unwrap();
    assert!(adapter.contains("SEQ_CLS") && adapter.contains("\"score\""), "{adapter}");

    let examined = succeeds(&["reward", "doctor", "--run", path(&judge), "--json"]);
    let examined: Value = serde_json::from_str(&examined).unwrap();
    assert!(examined["agreement"]["low"].as_f64().unwrap() > 0.7, "{examined}");
    assert!(examined["longer_wins"]["of"].as_u64().unwrap() > 10);
    assert!(!examined["learning_curve"].as_array().unwrap().is_empty());
    let told = succeeds(&["reward", "doctor", "--run", path(&judge)]);
    for advice in [&examined["advice"], &examined["more_votes"]["advice"]] {
        assert!(told.contains(advice["en"].as_str().unwrap()), "{told}");
    }

    let answers = folder.path().join("answers.csv");
    fs::write(
        &answers,
        "prompt,answer\nClose case 7,Thank you for case 7. \nClose case 7,Case 7 is noted. \n",
    )
    .unwrap();
    let scored = folder.path().join("scored.csv");
    succeeds(&[
        "reward",
        "score",
        "--data",
        path(&answers),
        "--reward-model",
        path(&judge),
        "--reward",
        "contains:texts=Thank,weight=0.5",
        "--out",
        path(&scored),
    ]);
    let mut table = csv::Reader::from_path(&scored).unwrap();
    assert_eq!(
        table.headers().unwrap().iter().collect::<Vec<_>>(),
        ["prompt", "answer", "contains", "reward_model", "reward"]
    );
    let rewards: Vec<[f64; 3]> = table
        .records()
        .map(|row| {
            let row = row.unwrap();
            [2, 3, 4].map(|at| row[at].parse().unwrap())
        })
        .collect();
    assert!(rewards[0][1] > rewards[1][1] && rewards[0][0] == 1.0 && rewards[1][0] == 0.0);
    for [rule, model, sum] in &rewards {
        assert!((0.5 * rule + model - sum).abs() < 1e-9);
    }

    let batch = folder.path().join("batch.csv");
    let asked = |data| ["batch", "--run", path(&judge), "--data", data, "--out", path(&batch)];
    let numbers = folder.path().join("numbers.csv");
    fs::write(&numbers, "no,count\n1,2\n2,5\n").unwrap();
    refuses(&asked(path(&numbers)), &["no, count", "which the answer"]);
    refuses(&["chat", "--run", path(&judge), "Hello"], &["reward model", "reward score"]);
    succeeds(&asked(path(&answers)));
    let mut table = csv::Reader::from_path(&batch).unwrap();
    let again: Vec<f64> = table.records().map(|row| row.unwrap()[2].parse().unwrap()).collect();
    for (score, [_, model, _]) in again.iter().zip(&rewards) {
        assert!((score - model).abs() < 1e-6, "{again:?}");
    }

    let tuned = folder.path().join("tuned");
    make(
        "rloo",
        &data,
        &tuned,
        &[
            "--reward-model",
            path(&judge),
            "--set",
            "max_steps=6",
            "--set",
            "num_generations=4",
            "--set",
            "max_completion_length=12",
            "--set",
            "learning_rate=0.01",
        ],
    );
    assert!(verdict(&tuned)["deciding_metric"] == "reward", "{}", verdict(&tuned));
    let metrics = fs::read_to_string(tuned.join("metrics.jsonl")).unwrap();
    assert!(metrics.contains("eval_agreement") && metrics.contains("rewards/1/reward_model"));
}

/// Questions whose own answers are short.
fn questions(path: &Path, rows: usize) {
    let row = |row: usize| json!({"prompt": format!("What is number {row}?"), "completion": format!("It is {row}.")});
    write_lines(path, (0..rows).map(row));
}

/// Answers are rewarded for an `e` in them.
fn reward_an_e(recipe: &str, data: &Path, out: &Path) -> Value {
    let mut more = vec!["--reward", "contains:texts=e", "--set", "learning_rate=0.01"];
    more.extend(["--set", "max_steps=24", "--set", "max_completion_length=10"]);
    if recipe != "ppo" {
        more.extend(["--set", "num_generations=4"]);
    }
    make(recipe, data, out, &more);
    verdict(out)
}

#[test]
fn every_way_of_learning_from_rewards_raises_the_reward() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("questions.jsonl");
    questions(&data, 160);
    for recipe in ["grpo", "rloo", "ppo", "best_of_n"] {
        let out = folder.path().join(recipe);
        let verdict = reward_an_e(recipe, &data, &out);
        assert_eq!(verdict["sentence_code"], "reward.better", "{recipe}: {verdict}");
        let metrics = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
        let steps: Vec<Value> =
            metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = &steps[steps.len() - 1]["figures"];
        for figure in ["reward", "completions/mean_length", "distinct_2", "eval_reward"] {
            assert!(last[figure].is_f64(), "{recipe} lacks {figure}: {last}");
        }
        assert!(metrics.contains("\"event\":\"sample\""), "{recipe}");
    }
}

#[test]
fn questions_without_answers_are_learnt_from_rewards_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("questions.csv");
    let rows: String = (0..160).map(|row| format!("{row},What is number {row}?\n")).collect();
    fs::write(&data, format!("id,question\n{rows}")).unwrap();
    let shown = succeeds(&["data", "show", "--data", path(&data), "--model", path(&tiny_model())]);
    assert!(shown.contains("there are no answers"), "{shown}");
    for recipe in ["grpo", "rloo", "ppo", "best_of_n"] {
        let out = folder.path().join(recipe);
        let verdict = reward_an_e(recipe, &data, &out);
        assert_eq!(verdict["task"], "prompt_only");
        assert_eq!(verdict["sentence_code"], "reward.better", "{recipe}: {verdict}");
        assert_eq!(verdict["deciding_metric"], "reward");
        let report = fs::read_to_string(out.join("report.html")).unwrap();
        assert!(!report.contains("NaN"), "{recipe}");
    }
    let out = folder.path().join("taught");
    let model = tiny_model();
    let without = ["train", "--model", path(&model), "--data", path(&data), "--out", path(&out)];
    refuses(&[&without[..], &["--recipe", "lora"]].concat(), &["lora", "grpo"]);
    refuses(&without, &["rewarded for"]);
    assert!(!out.exists(), "something was left behind");
}

/// A reward that loves length alone: the answers grow away from the data's own, and that is told.
#[test]
fn a_reward_that_is_gamed_rings_the_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("questions.jsonl");
    questions(&data, 200);
    let first = folder.path().join("taught");
    make("full", &data, &first, &["--set", "learning_rate=0.01", "--export", "hf"]);
    let taught = first.join("export/hf");
    let out = folder.path().join("gamed");
    succeeds(&[
        "train",
        "--model",
        path(&taught),
        "--data",
        path(&data),
        "--out",
        path(&out),
        "--device",
        "cpu",
        "--recipe",
        "grpo",
        "--reward",
        "length:unit=characters,min=60,max=1000,tolerance=60",
        "--set",
        "learning_rate=0.01",
        "--set",
        "max_steps=60",
        "--set",
        "num_generations=4",
        "--set",
        "max_completion_length=60",
        "--set",
        "beta=0",
        "--set",
        "evals_per_epoch=12",
    ]);
    let metrics = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let steps: Vec<Value> =
        metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let alarm = steps
        .iter()
        .flat_map(|step| step["events"].as_array().cloned().unwrap_or_default())
        .find(|event| event["event"] == "over_optimised");
    let alarm = alarm.unwrap_or_else(|| panic!("no alarm in {metrics}"));
    assert_eq!(alarm["guard"], "similarity");
    assert!(
        alarm["reward_gain"].as_f64().unwrap() > 0.0 && alarm["guard_loss"].as_f64().unwrap() > 0.0
    );
    assert!(alarm["best_step"].as_u64().unwrap() < alarm["step"].as_u64().unwrap());
    assert!(steps.len() < 61, "it went on after the alarm");
}

#[test]
fn bad_rewards_are_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("questions.jsonl");
    questions(&data, 60);
    let model = tiny_model();
    let out = folder.path().join("out");
    let with = |more: &[&str], words: &[&str]| {
        let arguments = [
            "train",
            "--model",
            path(&model),
            "--data",
            path(&data),
            "--device",
            "cpu",
            "--out",
            path(&out),
            "--recipe",
            "grpo",
        ];
        refuses(&[&arguments[..], more].concat(), words);
        assert!(!out.exists(), "something was left behind");
    };
    with(&[], &["grpo", "rewarded for"]);
    with(&["--reward", "lenght"], &["lenght", "length"]);
    with(&["--reward", "regex:pattern=(a"], &["regex"]);
    with(&["--reward", "regex:pattern=(?=a)"], &["regex"]);
    with(&["--reward", "json:weight=nan"], &["weight"]);
    with(&["--reward-model", path(&folder.path().join("nothing"))], &["nothing"]);
    with(&["--reward", "json", "--set", "num_generations=1"], &["num_generations"]);
    // A reward that no answer differs in is no error, and is shown for what it is.
    succeeds(&[
        "train",
        "--model",
        path(&model),
        "--data",
        path(&data),
        "--device",
        "cpu",
        "--out",
        path(&out),
        "--recipe",
        "grpo",
        "--reward",
        "regex:pattern=zzzzzzzz",
        "--set",
        "max_steps=2",
        "--set",
        "num_generations=2",
        "--set",
        "max_completion_length=4",
    ]);
    let metrics = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let last: Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    assert_eq!(last["figures"]["frac_reward_zero_std"], 1.0);
}
