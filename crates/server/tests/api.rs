//! The OpenAI-compatible API, through a socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;

use common::http::{Client, Response};
use common::stand_in::StandIn;
use common::{client_of, front, port_of, start};
use sanbao_contract::app::{ChatModel, Serving};
use sanbao_server::Front;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

async fn api() -> (Front, Arc<StandIn>, Serving, Client) {
    let (front, engine) = front();
    let serving = start(&front).await;
    let client = client_of(&serving);
    (front, engine, serving, client)
}

fn question(content: &str, fields: &Value) -> Value {
    let messages = json!([{"role": "user", "content": content}]);
    let mut question = json!({"model": "film-reviews", "messages": messages});
    question.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    question
}

/// `(type, param, code)`.
fn error_of(response: &Response) -> (Value, Value, Value) {
    let error = response.json()["error"].clone();
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    assert_eq!(error.as_object().unwrap().len(), 4, "{error}");
    (error["type"].clone(), error["param"].clone(), error["code"].clone())
}

#[tokio::test]
async fn only_who_knows_the_key_is_answered() {
    let (_front, engine, serving, client) = api().await;
    let invalid = json!("invalid_request_error");
    let asked = question("Hi", &json!({})).to_string();
    for (method, path) in [("GET", "/v1/models"), ("POST", CHAT), ("GET", "/v1/x"), ("GET", "/")] {
        let none = client.clone().without("authorization");
        let none = none.send(method, path, asked.as_bytes()).await;
        assert_eq!(none.status, 401);
        assert_eq!(none.headers["www-authenticate"], "Bearer");
        assert_eq!(error_of(&none), (invalid.clone(), Value::Null, Value::Null));

        let wrong = client.clone().key("sk-sanbao-guess");
        let wrong = wrong.send(method, path, asked.as_bytes()).await;
        assert_eq!(wrong.status, 401);
        assert_eq!(error_of(&wrong), (invalid.clone(), Value::Null, json!("invalid_api_key")));
    }
    assert!(engine.asked.lock().unwrap().is_none());
    assert!(serving.key.starts_with("sk-sanbao-") && serving.key.len() == 10 + 64);
    assert_eq!(client.get("/v1/models").await.status, 200);
}

#[tokio::test]
async fn requests_from_web_pages_are_refused() {
    let (_front, engine, serving, client) = api().await;
    let port = port_of(&serving);
    let asked = question("Hi", &json!({}));
    for (name, value) in [
        ("host", "evil.example".to_owned()),
        ("host", format!("evil.example:{port}")),
        ("host", "127.0.0.1:1".to_owned()),
        ("origin", "https://evil.example".to_owned()),
        ("origin", "null".to_owned()),
    ] {
        let response = client.clone().with(name, &value).post(CHAT, &asked).await;
        assert_eq!(response.status, 403, "{name}: {value}");
        assert_eq!(error_of(&response).2, format!("serve.{name}"));
    }
    assert_eq!(client.clone().without("host").post(CHAT, &asked).await.status, 403);
    assert!(engine.asked.lock().unwrap().is_none());

    let local = client.clone().with("host", &format!("localhost:{port}"));
    assert_eq!(local.post(CHAT, &asked).await.status, 200);
    let tool = client.clone().with("origin", "vscode-webview://x");
    assert_eq!(tool.post(CHAT, &asked).await.status, 200);

    // What a browser sends first for a page that wants to show a key.
    let preflight = client.clone().without("authorization").send("OPTIONS", CHAT, b"").await;
    assert_eq!(preflight.status, 204);
    assert!(!preflight.headers.keys().any(|name| name.starts_with("access-control")));
    let foreign = client.with("origin", "https://evil.example").send("OPTIONS", CHAT, b"").await;
    assert_eq!(foreign.status, 403);
}

#[tokio::test]
async fn the_served_model_is_listed() {
    let (_front, _, serving, client) = api().await;
    assert_eq!(serving.model, "film-reviews");
    let model = json!({
        "id": "film-reviews", "object": "model", "created": 1_700_000_000, "owned_by": "sanbao"
    });
    assert_eq!(
        client.get("/v1/models").await.json(),
        json!({"object": "list", "data": [model.clone()]})
    );
    assert_eq!(client.get("/v1/models/film-reviews").await.json(), model);
    let other = client.get("/v1/models/gpt").await;
    assert_eq!((other.status, error_of(&other).2), (404, json!("model_not_found")));
}

#[tokio::test]
async fn an_answer_comes_whole_with_its_numbers() {
    let (_front, engine, _, client) = api().await;
    let fields = json!({"temperature": 0.2, "top_p": 0.5, "max_tokens": 9, "stop": "END",
        "seed": 4, "of_no_meaning": {}});
    let response = client.post(CHAT, &question("Hi", &fields)).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["content-type"], "application/json");
    let mut answer = response.json();
    assert!(answer["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert!(answer["created"].as_u64().unwrap() > 1_700_000_000);
    answer.as_object_mut().unwrap().retain(|name, _| !["id", "created"].contains(&name.as_str()));
    let expected = json!({
        "object": "chat.completion",
        "model": "film-reviews",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": "Good day, \"世界\"\n\n", "refusal": null},
            "logprobs": null,
            "finish_reason": "length",
        }],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
    });
    assert_eq!(answer, expected);

    let (project, model, messages, sampling) = engine.asked.lock().unwrap().take().unwrap();
    assert_eq!(project, "p1");
    assert_eq!(model, ChatModel::Run { run: "r1".to_owned(), epoch: None });
    assert_eq!(messages, [sanbao_contract::Message::new("user", "Hi")]);
    assert_eq!((sampling.temperature, sampling.top_p, sampling.top_k), (0.2, 0.5, 50));
    assert_eq!((sampling.max_new_tokens, sampling.seed), (9, 4));
    assert_eq!(sampling.stop, ["END"]);

    client.post(CHAT, &question("Hi", &json!({"stop": ["a", "b"]}))).await;
    let (.., sampling) = engine.asked.lock().unwrap().take().unwrap();
    assert_eq!(sampling.stop, ["a", "b"]);
}

#[tokio::test]
async fn an_answer_comes_in_chunks() {
    let (_front, _, _, client) = api().await;
    for with_usage in [false, true] {
        let options = json!({"include_usage": with_usage});
        let fields = json!({"stream": true, "stream_options": options});
        let response = client.post(CHAT, &question("Hi", &fields)).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.headers["content-type"], "text/event-stream");
        assert_eq!(response.headers["cache-control"], "no-cache");
        let mut lines = response.events();
        assert_eq!(lines.pop().unwrap(), "[DONE]");
        let mut chunks: Vec<Value> =
            lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        for chunk in &chunks {
            assert_eq!(chunk["id"], chunks[0]["id"]);
            assert_eq!(chunk["object"], "chat.completion.chunk");
            assert_eq!(chunk["model"], "film-reviews");
            assert!(chunk["created"].is_u64() && chunk.get("system_fingerprint").is_none());
            assert_eq!(chunk.get("usage").is_some(), with_usage, "{chunk}");
        }
        if with_usage {
            let last = chunks.pop().unwrap();
            assert_eq!(last["choices"], json!([]));
            let usage = json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8});
            assert_eq!(last["usage"], usage);
        }
        let choices: Vec<&Value> = chunks.iter().map(|chunk| &chunk["choices"][0]).collect();
        assert_eq!(choices[0]["delta"]["role"], "assistant");
        let (end, words) = choices.split_last().unwrap();
        assert_eq!((&end["delta"], &end["finish_reason"]), (&json!({}), &json!("length")));
        assert!(words.iter().all(|choice| choice["finish_reason"].is_null()));
        let words = words.iter().map(|choice| choice["delta"]["content"].as_str().unwrap());
        assert_eq!(words.collect::<Vec<_>>(), ["", "Good ", "day, ", "\"世界\"\n\n"]);
    }
}

#[tokio::test]
async fn an_empty_answer_is_an_answer() {
    let (_front, _, _, client) = api().await;
    let whole = client.post(CHAT, &question("nothing", &json!({}))).await.json();
    assert_eq!(whole["choices"][0]["message"]["content"], "");
    let streamed = client.post(CHAT, &question("nothing", &json!({"stream": true}))).await;
    assert_eq!(streamed.events().len(), 3);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_answer() {
    let asked = |stream: bool, content: &str| {
        question(content, &json!({"stream": stream})).to_string().into_bytes()
    };
    let (_front, engine, _, client) = api().await;
    let mut exchange = client.open("POST", CHAT, &asked(true, "forever")).await;
    exchange.until("and ").await;
    assert!(!engine.dropped());
    drop(exchange);
    engine.an_answer_is_dropped().await;

    for stream in [false, true] {
        let (_front, engine, _, client) = api().await;
        let exchange = client.open("POST", CHAT, &asked(stream, "silence")).await;
        engine.a_question_is_asked().await;
        assert!(!engine.dropped());
        drop(exchange);
        engine.an_answer_is_dropped().await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_told() {
    let (_front, engine, _, client) = api().await;
    for body in ["", "{\"model\": ", "[1]", "\u{1}"] {
        let response = client.send("POST", CHAT, body.as_bytes()).await;
        assert_eq!(response.status, 400, "{body}");
        assert_eq!(error_of(&response).0, "invalid_request_error");
    }
    let hot = client.post(CHAT, &question("Hi", &json!({"temperature": "hot"}))).await;
    assert_eq!(hot.status, 400);
    assert_eq!(error_of(&hot).1, "temperature");
    let two = client.post(CHAT, &question("Hi", &json!({"n": 2}))).await;
    assert_eq!((two.status, error_of(&two).1), (400, json!("n")));
    let other = client.post(CHAT, &question("Hi", &json!({"model": "gpt"}))).await;
    assert_eq!((other.status, error_of(&other).2), (404, json!("model_not_found")));
    let large = question(&"x".repeat(1 << 20), &json!({}));
    let large = client.post(CHAT, &large).await;
    assert_eq!((large.status, error_of(&large).2), (413, json!("request_too_large")));
    assert!(engine.asked.lock().unwrap().is_none());

    let path = client.get("/v1/completions").await;
    assert_eq!((path.status, error_of(&path).2), (404, json!("unknown_url")));
    let method = client.get(CHAT).await;
    assert_eq!((method.status, error_of(&method).2), (405, json!("method_not_supported")));
    assert_eq!(method.headers["allow"], "POST");
}

#[tokio::test]
async fn what_goes_wrong_behind_it_is_told() {
    let (_front, _, _, client) = api().await;
    for stream in [false, true] {
        let ask = async |content: &str| {
            client.post(CHAT, &question(content, &json!({"stream": stream}))).await
        };
        let long = ask("too long").await;
        assert_eq!((long.status, error_of(&long).2), (400, json!("context_length_exceeded")));
        let unloaded = ask("not loaded").await;
        assert_eq!(unloaded.status, 500);
        let (kind, _, code) = error_of(&unloaded);
        assert_eq!((kind, code), (json!("server_error"), json!("worker.not_trained")));
        for (content, code) in [("break", json!("worker.crashed")), ("vanish", Value::Null)] {
            let broken = ask(content).await;
            if stream {
                // Half of it was sent before.
                assert_eq!(broken.status, 200);
                let lines = broken.events();
                assert_eq!(lines.last().unwrap(), "[DONE]");
                let error: Value = serde_json::from_str(&lines[lines.len() - 2]).unwrap();
                assert_eq!(error["error"]["code"], code);
            } else {
                assert_eq!((broken.status, error_of(&broken).2), (500, code));
            }
        }
    }
}
