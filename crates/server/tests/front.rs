//! Starting and stopping the API through a front.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::{Duration, Instant};

use common::{client_of, front, port_of, start};
use sanbao_contract::app::Serving;
use sanbao_contract::rpc::{Reply, Request};
use sanbao_server::Front;
use serde_json::json;
use tokio::net::TcpStream;

async fn served(front: &Front) -> Option<Serving> {
    match front.handle(Request::Serving).await.unwrap() {
        Reply::Serving { serving } => serving,
        other => panic!("{other:?}"),
    }
}

/// Whether it still answers. Its port may be another test's by now, which knows another key.
async fn answers(serving: &Serving) -> bool {
    TcpStream::connect(("127.0.0.1", port_of(serving))).await.is_ok()
        && client_of(serving).get("/v1/models").await.status == 200
}

#[tokio::test]
async fn a_run_is_served_until_it_is_stopped() {
    let (front, _) = front();
    assert_eq!(served(&front).await, None);
    let serving = start(&front).await;
    assert_eq!(served(&front).await.as_ref(), Some(&serving));
    assert_eq!(start(&front).await, serving, "what is served already goes on");
    assert!(answers(&serving).await);

    assert_eq!(front.handle(Request::StopServing).await.unwrap(), Reply::StopServing);
    assert_eq!(served(&front).await, None);
    assert!(!answers(&serving).await);
    assert_eq!(front.handle(Request::StopServing).await.unwrap(), Reply::StopServing);

    let again = start(&front).await;
    assert_ne!(again.key, serving.key, "an old key is worth nothing");
}

#[tokio::test]
async fn stopping_does_not_wait_for_an_answer_without_end() {
    let (front, engine) = front();
    let serving = start(&front).await;
    let question = json!({"model": serving.model, "stream": true,
        "messages": [{"role": "user", "content": "forever"}]});
    let client = client_of(&serving);
    let body = question.to_string().into_bytes();
    let mut exchange = client.open("POST", "/v1/chat/completions", &body).await;
    exchange.until("and ").await;
    let began = Instant::now();
    front.handle(Request::StopServing).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(engine.dropped());
    assert!(!answers(&serving).await);
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_and_changes_nothing() {
    let (front, _) = front();
    let serving = start(&front).await;
    for (project, run, code) in [
        ("p1", "r2", "serve.not_trained"),
        ("p1", "r3", "serve.unknown_run"),
        ("p2", "r1", "app.unknown_project"),
    ] {
        let request = Request::StartServing { project: project.to_owned(), run: run.to_owned() };
        assert_eq!(front.handle(request).await.unwrap_err().code, code);
    }
    assert_eq!(served(&front).await, Some(serving));
}

#[tokio::test]
async fn a_run_that_is_removed_is_served_no_longer() {
    let project = || "p1".to_owned();
    let (front, _) = front();
    start(&front).await;
    for kept in [
        Request::DeleteRun { project: project(), run: "r2".to_owned() },
        Request::DeleteProject { project: "p2".to_owned() },
    ] {
        front.handle(kept).await.unwrap();
        assert!(served(&front).await.is_some());
    }
    front.handle(Request::DeleteRun { project: project(), run: "r1".to_owned() }).await.unwrap();
    assert_eq!(served(&front).await, None);
    start(&front).await;
    front.handle(Request::DeleteProject { project: project() }).await.unwrap();
    assert_eq!(served(&front).await, None);
}

#[tokio::test]
async fn a_front_that_is_dropped_takes_its_server_along() {
    let (front, _) = front();
    let serving = start(&front).await;
    let same = front.clone();
    drop(front);
    assert!(answers(&serving).await);
    drop(same);
    for _ in 0..100 {
        if !answers(&serving).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it still answers");
}

#[tokio::test]
async fn everything_else_is_the_apps() {
    let (front, engine) = front();
    let reply = front.handle(Request::About).await.unwrap();
    assert!(matches!(reply, Reply::About { .. }));
    assert_eq!(*engine.handled.lock().unwrap(), [Request::About]);
    let mut events = front.events();
    let event = sanbao_contract::rpc::Event::ChatPiece { chat: "c".into(), text: "t".into() };
    assert_eq!(engine.tell(event.clone()), 1);
    assert_eq!(events.recv().await.unwrap(), event);
}
