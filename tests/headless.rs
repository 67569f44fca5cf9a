//! The whole job from the command line, on a tiny model, and what happens to bad input.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use support::{fixtures, sanbao, tiny_model, triage_csv};

fn run(arguments: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(sanbao());
    // Without a session, graphics drivers complain on standard error.
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn succeeds(arguments: &[&str]) -> String {
    let (success, out, errors) = run(arguments);
    assert!(success, "{arguments:?}\n{out}\n{errors}");
    out
}

/// Fails with one sentence on standard error, and says the given words.
fn refuses(arguments: &[&str], words: &[&str]) {
    let (success, _, errors) = run(arguments);
    assert!(!success, "{arguments:?} should fail");
    assert!(errors.starts_with("error: "), "{arguments:?}: {errors}");
    assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
    for word in words {
        assert!(errors.contains(word), "{arguments:?}: {errors} lacks {word}");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn classify_from_csv_to_export() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (tiny_model(), triage_csv(folder.path(), 150));
    let out = folder.path().join("run");
    let text = succeeds(&[
        "make",
        "--model",
        path(&model),
        "--data",
        path(&data),
        "--out",
        path(&out),
        "--device",
        "cpu",
        "--set",
        "num_train_epochs=12",
        "--set",
        "learning_rate=0.01",
        "--export",
        "peft,hf,gguf,ollama",
    ]);
    let verdict: Value =
        serde_json::from_str(&fs::read_to_string(out.join("verdict.json")).unwrap()).unwrap();
    assert_eq!(verdict["outcome"], "better", "{text}");
    let accuracy = verdict["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["metric"] == "accuracy")
        .unwrap();
    assert!(accuracy["after"]["value"].as_f64().unwrap() > 0.9, "{accuracy}");
    assert!(fs::read_to_string(out.join("report.html")).unwrap().contains("<svg"));
    for file in ["peft/adapter_model.safetensors", "hf/model.safetensors", "hf/tokenizer.json"] {
        assert!(out.join("export").join(file).is_file(), "{file}");
    }
    let card = fs::read_to_string(out.join("export/ollama/README.md")).unwrap();
    assert!(card.contains("labels only: broken, late, money.\n\n    <the text>\n"), "{card}");
    // What was exported answers as the trained model does.
    let question = "Classify the text. Answer with one of these labels only: broken, late, money.\n\nabout my lamp";
    let ask = |source: &[&str]| {
        let mut arguments =
            vec!["chat", "--temperature", "0", "--device", "cpu", "--max-new-tokens", "8"];
        arguments.extend(source);
        arguments.push(question);
        succeeds(&arguments)
    };
    let trained = ask(&["--run", path(&out)]);
    assert_eq!(trained, ask(&["--model", path(&out.join("export/hf"))]));
    assert_eq!(
        trained,
        ask(&["--model", path(&model), "--adapter", path(&out.join("export/peft"))])
    );
    let gguf = fs::read_dir(out.join("export/gguf"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "gguf"))
        .unwrap();
    assert_eq!(trained, ask(&["--model", path(&gguf)]));
    // A run knows how it learnt to be asked.
    assert_eq!(
        trained,
        succeeds(&[
            "chat",
            "--run",
            path(&out),
            "--temperature",
            "0",
            "--device",
            "cpu",
            "about my lamp"
        ])
    );

    let answers = folder.path().join("answers.csv");
    succeeds(&[
        "batch",
        "--run",
        path(&out),
        "--data",
        path(&data),
        "--device",
        "cpu",
        "--out",
        path(&answers),
    ]);
    let mut reader = csv::Reader::from_path(&answers).unwrap();
    assert_eq!(
        reader.headers().unwrap(),
        &csv::StringRecord::from(vec!["text", "label", "answer", "probability"])
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let right = rows.iter().filter(|row| row[1] == row[2]).count();
    assert!(rows.len() == 150 && right > 135, "{right} of {}", rows.len());
    let sure = rows.iter().all(|row| (1.0 / 3.0..=1.0).contains(&row[3].parse::<f64>().unwrap()));
    assert!(sure, "the likeliest of three labels has a third at least");
}

#[test]
fn instruct_and_prose_train_too() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model();
    let instructions = folder.path().join("answers.jsonl");
    let rows: String = (0..40)
        .map(|row| {
            format!("{{\"instruction\":\"Say number {row}\",\"output\":\"It is {row}.\"}}\n")
        })
        .collect();
    fs::write(&instructions, rows).unwrap();
    let prose = folder.path().join("story.txt");
    let story: String =
        (0..60).map(|row| format!("The whale swam past the ship on day {row}.\n\n")).collect();
    fs::write(&prose, story).unwrap();
    for (data, task, recipe) in
        [(&instructions, "instruct", "full"), (&prose, "prose", "continued")]
    {
        let out = folder.path().join(task);
        succeeds(&[
            "make",
            "--model",
            path(&model),
            "--data",
            path(data),
            "--out",
            path(&out),
            "--device",
            "cpu",
            "--recipe",
            recipe,
            "--dial",
            "quick",
            "--set",
            "max_length=64",
            "--export",
            "hf",
        ]);
        let verdict: Value =
            serde_json::from_str(&fs::read_to_string(out.join("verdict.json")).unwrap()).unwrap();
        assert_eq!(verdict["task"], task);
    }
}

/// The tiny model finds the rude answer unlikely until it is taught to prefer it.
#[test]
fn preferences_are_learnt_from_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("votes.jsonl");
    let rows: String = (0..160)
        .map(|row| {
            format!("{{\"prompt\":\"Say hello to customer {row}\",\"chosen\":\"What do you want, {row}?\",\"rejected\":\"Hello, dear customer {row}!\"}}\n")
        })
        .collect();
    fs::write(&data, rows).unwrap();
    for recipe in ["dpo", "orpo", "simpo", "cpo"] {
        let out = folder.path().join(recipe);
        succeeds(&[
            "make",
            "--model",
            path(&tiny_model()),
            "--data",
            path(&data),
            "--out",
            path(&out),
            "--device",
            "cpu",
            "--recipe",
            recipe,
            "--set",
            "learning_rate=0.005",
            "--export",
            "peft",
        ]);
        let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
        let verdict: Value = serde_json::from_str(&read("verdict.json")).unwrap();
        assert_eq!(verdict["sentence_code"], "preference.better", "{recipe}: {verdict}");
        assert!(read("metrics.jsonl").contains("rewards/accuracies"), "{recipe}");
        assert_eq!(out.join("reference/train.f32").is_file(), recipe == "dpo");
    }
}

#[test]
fn the_plan_shows_every_setting_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let data = triage_csv(folder.path(), 60);
    let text = succeeds(&[
        "plan",
        "--model",
        path(&tiny_model()),
        "--data",
        path(&data),
        "--device",
        "cpu",
        "--json",
    ]);
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert!(plan["trained_tokens"].as_u64().unwrap() > 0);
    assert!(plan["seconds"].as_f64().unwrap() > 0.0);
    for setting in plan["settings"].as_array().unwrap() {
        for language in ["en", "zh"] {
            assert!(!setting["reason"][language].as_str().unwrap().is_empty(), "{setting}");
        }
    }
}

#[test]
fn data_show_marks_what_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let data = triage_csv(folder.path(), 30);
    let text = succeeds(&[
        "data",
        "show",
        "--model",
        path(&tiny_model()),
        "--data",
        path(&data),
        "--rows",
        "1",
    ]);
    assert!(text.contains('⟦') && text.contains('⟧'), "{text}");
}

#[test]
fn files_of_their_own_are_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, label: &str, rows: std::ops::Range<usize>| {
        let rows: String =
            rows.map(|row| format!("\"A message, number {row}\",{label}{}\n", row % 2)).collect();
        let path = folder.path().join(name);
        fs::write(&path, format!("text,label\n{rows}")).unwrap();
        path
    };
    let learnt = file("learnt.csv", "kind ", 0..40);
    let (steering, judging) =
        (file("steering.csv", "kind ", 40..50), file("judging.csv", "kind ", 50..70));
    let text = succeeds(&[
        "data",
        "show",
        "--model",
        path(&tiny_model()),
        "--data",
        path(&learnt),
        "--validation",
        path(&steering),
        "--test",
        path(&judging),
        "--json",
    ]);
    let shown: Value = serde_json::from_str(&text).unwrap();
    let rows = |part: &str| shown["report"][part]["rows"].as_u64();
    assert_eq!([rows("train"), rows("validation"), rows("test")], [Some(40), Some(10), Some(20)]);
}

#[test]
fn bad_input_gets_one_sentence_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (model, good) = (tiny_model(), triage_csv(folder.path(), 60));
    let (model, good) = (path(&model), path(&good));
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let out = folder.path().join("out");
    let train = |model: &str, data: &str, more: &[&str], words: &[&str]| {
        let mut arguments =
            vec!["train", "--model", model, "--data", data, "--out", path(&out), "--device", "cpu"];
        arguments.extend(more);
        refuses(&arguments, words);
        assert!(!out.exists(), "a refused run left its folder");
    };
    train(model, "missing.csv", &[], &["missing.csv"]);
    train(model, &file("empty.csv", b""), &[], &["empty.csv"]);
    train(model, &file("header.csv", b"text,label\n"), &[], &["header.csv"]);
    train(
        model,
        &file("broken.jsonl", b"{\"instruction\":\"a\",\"output\":\"b\"}\n{oops\n"),
        &[],
        &["broken.jsonl", "2"],
    );
    train(model, &file("few.csv", b"text,label\na long text here,x\nanother text,y\n"), &[], &[]);
    let one_label: String = (0..40).map(|row| format!("text number {row},same\n")).collect();
    train(
        model,
        &file("one.csv", format!("text,label\n{one_label}").as_bytes()),
        &["--shape", "text_label"],
        &["label"],
    );
    train(model, good, &["--map", "text={{nope}}"], &["nope", "text", "label"]);
    train(model, good, &["--recipe", "magic"], &["magic", "lora"]);
    train(model, good, &["--set", "learning_rate=fast"], &["learning_rate", "fast"]);
    train(model, good, &["--set", "speed=1"], &["speed"]);
    train(model, good, &["--set", "target_modules=left_proj"], &["left_proj", "q_proj"]);
    refuses(&["plan", "--model", model, "--data", good, "--device", "gpu:77"], &["gpu:77", "cpu"]);
    train(path(folder.path()), good, &[], &["config.json"]);
    refuses(&["model", &file("fake.gguf", b"GGUF\x03\0\0\0garbage")], &["fake.gguf"]);
    refuses(&["train", "--resume", "--out", path(&folder.path().join("nothing"))], &["nothing"]);
    refuses(&["evaluate", "--run", path(folder.path())], &[]);
    refuses(
        &["export", "--run", path(folder.path()), "--target", "peft", "--out", path(&out)],
        &[],
    );
}

#[test]
fn an_unknown_architecture_is_refused_by_name() {
    let bert = fixtures().join("goldens/models/bert_cls");
    refuses(&["model", path(&bert)], &["bert", "llama", "gemma3"]);
}

/// The path that graphics cards take, on a graphics driver that computes on the CPU: a forward
/// and a backward pass must give what the CPU backend gives.
#[test]
#[cfg(target_os = "linux")]
fn a_software_graphics_device_computes_what_the_cpu_does() {
    let driver = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
    assert!(Path::new(driver).is_file(), "mesa-vulkan-drivers is missing: run cargo xtask setup");
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(sanbao())
        .args(["devices", "--check", "--json"])
        .env("SANBAO_HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env("VK_ICD_FILENAMES", driver)
        .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
        .output()
        .unwrap();
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let software = list.as_array().unwrap().iter().find(|d| d["id"] == "software:0").unwrap();
    assert_eq!(software["usable"], true, "{software}");
    assert!(software["self_check"].as_f64().unwrap() < 1e-3, "{software}");
}
