//! What is made of a hub's answer, also of a hostile one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::TcpListener;

use serde_json::json;

use super::*;
use crate::stand_in::{Asked, File, GOOD_TOKEN, ID, IMPATIENT, SHA, StandIn, description, model};

fn ask_for(hub: &StandIn, token: Option<&str>) -> Result<Repository, Error> {
    repository_with(&hub.endpoint, ID, token, IMPATIENT)
}

/// What is made of a model with these files.
fn of_files(files: Vec<File>) -> Result<Repository, Error> {
    ask_for(&StandIn::new(files), None)
}

/// What is made of an answer.
fn of_answer(answer: &Value) -> Result<Repository, Error> {
    let hub = StandIn::new(Vec::new());
    hub.will_answer(200, "", answer.to_string());
    ask_for(&hub, None)
}

fn names(repository: &Repository) -> Vec<&str> {
    repository.files.iter().map(|file| file.path.as_str()).collect()
}

/// A model with these names instead of `model.safetensors`.
fn with(weights: &[&str]) -> Vec<File> {
    let mut files = model();
    files.retain(|file| file.path != "model.safetensors");
    files.extend(weights.iter().map(|name| File::large(name, 100)));
    files
}

#[test]
fn the_files_that_are_needed_are_listed_with_their_hashes() {
    let found = of_files(model()).unwrap();
    assert_eq!(found.id, ID);
    assert_eq!(found.revision, SHA);
    assert!(!found.gated);
    let expected = [
        "README.md",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
    ];
    assert_eq!(names(&found), expected);
    for file in &found.files {
        let there = model().into_iter().find(|other| other.path == file.path).unwrap();
        assert_eq!((file.size, file.digest), (there.content.len() as u64, there.digest()));
    }
    let sizes = found.files.iter().map(|file| file.size);
    assert_eq!(found.bytes(), sizes.sum::<u64>());
}

#[test]
fn of_several_weights_those_are_taken_that_belong_together() {
    let index = "model.safetensors.index.json";
    let (one, two) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    // As in Mistral's models, where the same weights are there twice.
    let mut found = of_files(with(&[two, index, "consolidated.safetensors", one])).unwrap();
    assert_eq!(
        found.files.split_off(5).iter().map(|f| &f.path[..]).collect::<Vec<_>>(),
        [index, one, two]
    );
    let found = of_files(with(&[index, one, two, "model.safetensors"])).unwrap();
    assert_eq!(names(&found)[5..], ["model.safetensors"]);
    for missing in [&[index, one][..], &[index], &[index, "model-00001-of-99999.safetensors"]] {
        let error = of_files(with(missing)).unwrap_err();
        assert_eq!(error.code(), "hub.unusable", "{missing:?}");
    }
}

#[test]
fn without_safetensors_one_gguf_file_is_taken() {
    for (there, taken) in [
        (&["m.gguf"][..], "m.gguf"),
        (&["m.Q2_K.GGUF"], "m.Q2_K.GGUF"),
        (&["m-Q4_K_M.gguf", "m-q8_0.gguf", "m-IQ2_XXS.gguf", "m-f16.gguf"], "m-q8_0.gguf"),
        (&["m.Q4_1.gguf", "m.Q2_K.gguf"], "m.Q4_1.gguf"),
        (&["mmproj-F16.gguf", "模型 v1.gguf"], "模型 v1.gguf"),
        (&["m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "m-small.gguf"], "m-small.gguf"),
        (&["m.gguf", "model.safetensors"], "model.safetensors"),
    ] {
        let found = of_files(with(there)).unwrap();
        assert_eq!(*names(&found).last().unwrap(), taken);
        let has_tokenizer = names(&found).contains(&"tokenizer.json");
        assert_eq!(has_tokenizer, taken.ends_with(".safetensors"), "GGUF files have their own");
    }
}

#[test]
fn a_model_that_cannot_be_read_is_refused_with_the_reason() {
    let without = |name: &str| {
        let mut files = model();
        files.retain(|file| file.path != name);
        files
    };
    let mut empty = without("model.safetensors");
    empty.retain(|file| file.path == "README.md");
    let mut large = without("config.json");
    large.push(File::large("config.json", 17 << 20));
    for (files, reason) in [
        (without("model.safetensors"), "pickle"),
        (without("tokenizer.json"), "no tokenizer.json"),
        (without("config.json"), "no config.json"),
        (empty, "no weights"),
        (with(&["adapter_model.safetensors"]), "adapter"),
        (with(&["sub/model.gguf"]), "in a folder"),
        (with(&["a-IQ1_S.gguf", "b-IQ1_S.gguf"]), "2 GGUF files"),
        (large, "at most 16777216"),
    ] {
        let error = of_files(files).unwrap_err();
        assert_eq!(error.code(), "hub.unusable");
        let sentence = error.to_string();
        assert!(sentence.contains(reason) && sentence.contains(ID), "{sentence}");
        assert_eq!(sentence.matches(". ").count(), 0, "one sentence: {sentence}");
    }
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for path in ["../config.json", "/etc/passwd", "a/../../b.gguf", "a//b", "./a", "", ".."] {
        let mut files = model();
        files.push(File::small(path, "x"));
        assert_eq!(of_files(files).unwrap_err().code(), "hub.bad_answer", "{path}");
    }
    // They can be in a repository, but not under that name on every disk.
    for path in [
        "..\\..\\a.gguf",
        "C:a.gguf",
        "nul.gguf",
        "COM1.gguf",
        "-a.gguf",
        "a\n.gguf",
        "a\0.gguf",
        "~/a.gguf",
    ] {
        let error = of_files(with(&[path])).unwrap_err();
        assert_eq!(error.code(), "hub.unusable", "{path}");
    }
    let long = format!("{}.gguf", "模".repeat(100));
    assert_eq!(of_files(with(&[&long])).unwrap_err().code(), "hub.unusable");
}

#[test]
fn an_answer_that_makes_no_sense_is_refused() {
    let good = description(&model(), SHA, &json!(false));
    of_answer(&good).unwrap();
    let changed = |pointer: &str, value: Value| {
        let mut answer = good.clone();
        *answer.pointer_mut(pointer).unwrap() = value;
        answer
    };
    let weights = "/siblings/4";
    let huge = json!({"rfilename": "model.safetensors", "lfs": {"sha256": "a".repeat(64), "size": u64::MAX}});
    let no_hash = json!({"rfilename": "model.safetensors", "size": 3});
    let many = Value::Array(vec![json!({"rfilename": "a"}); 20_001]);
    let mut twice = good.clone();
    let again = twice["siblings"][2].clone();
    twice["siblings"].as_array_mut().unwrap().push(again);
    for answer in [
        json!([]),
        json!({"error": "Internal"}),
        changed("/sha", json!("main")),
        changed("/sha", json!("../../../main/0123456789abcdef0123456789abc")),
        changed("/sha", Value::Null),
        changed("/siblings", json!("many")),
        changed("/siblings", many),
        changed(weights, huge),
        changed(weights, no_hash),
        changed(weights, json!({"rfilename": 3})),
        changed("/siblings/4/lfs/sha256", json!("abc")),
        changed("/siblings/4/lfs/size", json!(-1)),
        changed("/siblings/2/blobId", json!("é".repeat(20))),
        changed("/siblings/2/size", Value::Null),
        twice,
    ] {
        let error = of_answer(&answer).unwrap_err();
        assert_eq!(error.code(), "hub.bad_answer", "{error}");
    }
    for text in ["", "<html>Log in to the hotel's network</html>", &"[".repeat(100_000)] {
        let hub = StandIn::new(Vec::new());
        hub.will_answer(200, "", text);
        assert_eq!(ask_for(&hub, None).unwrap_err().code(), "hub.bad_answer");
    }
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let hub = StandIn::new(Vec::new());
    hub.will_answer(200, "", vec![b' '; LARGEST_ANSWER as usize + 10]);
    let error = ask_for(&hub, None).unwrap_err();
    assert_eq!(error.code(), "hub.bad_answer");
    assert!(error.to_string().contains("more than 16777216 bytes"), "{error}");
}

#[test]
fn a_gate_is_told() {
    for (gated, is) in [(json!("auto"), true), (json!("manual"), true), (json!(false), false)] {
        let found = of_answer(&description(&model(), SHA, &gated)).unwrap();
        assert_eq!(found.gated, is, "{gated}");
    }
    let mut silent = description(&model(), SHA, &Value::Null);
    silent.as_object_mut().unwrap().remove("gated");
    assert!(!of_answer(&silent).unwrap().gated);
}

#[test]
fn each_refusal_has_its_own_code() {
    let unknown = "X-Error-Code: RepoNotFound\r\nX-Error-Message: Repository not found\r\n";
    let gated = "X-Error-Code: GatedRepo\r\n";
    let credentials = "X-Error-Message: Invalid credentials in Authorization header\r\n";
    let token = Some(GOOD_TOKEN);
    for (status, headers, token, code) in [
        (401, unknown, None, "hub.not_found"),
        (404, unknown, token, "hub.not_found"),
        (404, "", None, "hub.not_found"),
        (401, gated, None, "hub.gated"),
        (403, gated, token, "hub.gated"),
        (401, "", None, "hub.gated"),
        (403, "", token, "hub.gated"),
        (401, credentials, token, "hub.bad_token"),
        (418, "", None, "hub.bad_answer"),
        (206, "", None, "hub.bad_answer"),
        (302, "", None, "hub.bad_answer"),
        (302, "Location: ftp://a.example/\r\n", None, "hub.bad_answer"),
    ] {
        let hub = StandIn::new(model());
        hub.will_answer(status, headers, "{}");
        let error = ask_for(&hub, token).unwrap_err();
        assert_eq!(error.code(), code, "{status} {headers}");
        assert!(!error.to_string().contains(GOOD_TOKEN), "{error}");
        assert_eq!(hub.asked().len(), 1, "{status} was asked for again");
    }
    let hub = StandIn::new(model());
    hub.will_answer(401, gated, "");
    let sentence = ask_for(&hub, None).unwrap_err().to_string();
    assert!(sentence.contains(&format!("https://huggingface.co/{ID}")), "{sentence}");
    assert!(sentence.contains("licence") && sentence.contains("token"), "{sentence}");
    let error = repository_with(&hub.endpoint, "../admin", None, IMPATIENT).unwrap_err();
    assert_eq!(error.code(), "hub.bad_name");
    assert!(hub.asked().len() == 1);
}

#[test]
fn a_busy_hub_is_asked_again_and_one_that_is_not_there_is_told() {
    let hub = StandIn::new(model());
    hub.will_answer(503, "", "");
    hub.will_answer(429, "", "");
    ask_for(&hub, None).unwrap();
    assert_eq!(hub.asked().len(), 3);
    for _ in 0..3 {
        hub.will_answer(500, "", "");
    }
    assert_eq!(ask_for(&hub, None).unwrap_err().code(), "hub.network");

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = repository_with(&format!("http://{free}"), ID, None, IMPATIENT).unwrap_err();
    assert_eq!(error.code(), "hub.offline");
    assert!(error.to_string().contains(&free.to_string()), "{error}");
}

#[test]
fn the_token_goes_to_the_hub_and_to_no_other_server() {
    let hub = StandIn::new(model());
    let api = format!("/api/models/{ID}?blobs=true");
    // As for a model that got another name.
    hub.will_answer(307, &format!("Location: {api}\r\n"), "");
    ask_for(&hub, Some(GOOD_TOKEN)).unwrap();
    let token = Some(GOOD_TOKEN.to_owned());
    let asked = Asked { at_store: false, path: api, range: String::new(), token };
    assert_eq!(hub.asked(), [asked.clone(), asked]);

    // Another port is another server.
    let other = StandIn::new(model());
    hub.will_answer(
        302,
        &format!("Location: {}/api/models/{ID}?blobs=true\r\n", other.endpoint),
        "",
    );
    ask_for(&hub, Some(GOOD_TOKEN)).unwrap();
    assert_eq!(hub.asked().len(), 1);
    let asked = other.asked();
    assert_eq!((asked.len(), &asked[0].token), (1, &None));

    for _ in 0..20 {
        hub.will_answer(302, &format!("Location: {}/api/models/x\r\n", hub.endpoint), "");
    }
    assert_eq!(ask_for(&hub, None).unwrap_err().code(), "hub.bad_answer");
}
