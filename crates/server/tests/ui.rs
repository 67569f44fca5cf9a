//! The window in a browser, through a socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::browser;
use common::http::{Client, Exchange};
use sanbao_contract::rpc::{Event, Request};
use sanbao_server::{Files, UiOptions, serve_ui};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

fn piece(text: &str) -> Event {
    Event::ChatPiece { chat: "c".to_owned(), text: text.to_owned() }
}

#[tokio::test]
async fn the_page_is_shown_to_everyone_and_answers_only_who_knows_the_token() {
    let (server, client, _) = browser(|_| {}).await;
    assert_eq!(
        server.address(),
        format!("http://127.0.0.1:{}/#token={}", server.port(), server.token())
    );
    let about = json!({"request": "about"});
    let stranger = client.clone().without("authorization");
    assert_eq!(stranger.get("/").await.status, 200);
    for client in [stranger.clone(), stranger.key("guess")] {
        for (method, path) in [
            ("POST", "/rpc"),
            ("GET", "/events"),
            ("GET", "/events?token=guess"),
            ("POST", "/upload?name=a.csv"),
            ("GET", "/rpc"),
        ] {
            let response = client.send(method, path, about.to_string().as_bytes()).await;
            assert_eq!(response.status, 401, "{method} {path}");
            assert_eq!(response.json()["code"], "serve.token");
        }
    }
    // Only where a header cannot be sent: addresses are written down in many places.
    let path = format!("/rpc?token={}", server.token());
    let in_address = client.clone().without("authorization").post(&path, &about).await;
    assert_eq!(in_address.status, 401);
    assert_eq!(client.post("/rpc", &about).await.status, 200);
}

#[tokio::test]
async fn requests_from_other_pages_are_refused() {
    let (server, client, engine) = browser(|_| {}).await;
    let about = json!({"request": "about"});
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "http://localhost:5173"),
        ("origin", "vscode-webview://x"),
    ] {
        let client = client.clone().with(name, value);
        for response in [client.post("/rpc", &about).await, client.get("/").await] {
            assert_eq!(response.status, 403, "{name}: {value}");
            assert_eq!(response.json()["code"], format!("serve.{name}"));
        }
    }
    assert!(engine.handled.lock().unwrap().is_empty());
    let own = client.with("origin", &format!("http://127.0.0.1:{}", server.port()));
    assert_eq!(own.post("/rpc", &about).await.status, 200);
    let preflight = own.without("authorization").send("OPTIONS", "/rpc", b"").await;
    assert_eq!(preflight.status, 401);
    assert!(!preflight.headers.keys().any(|name| name.starts_with("access-control")));
}

#[tokio::test]
async fn files_have_the_right_headers() {
    let (_server, client, _) = browser(|_| {}).await;
    for (path, kind, kept) in [
        ("/", "text/html; charset=utf-8", "no-store"),
        ("/index.html", "text/html; charset=utf-8", "no-store"),
        ("/assets/a.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/icon.svg?v=1", "image/svg+xml", "no-cache"),
    ] {
        let response = client.get(path).await;
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.headers["content-type"], kind);
        assert_eq!(response.headers["cache-control"], kept);
        let policy = &response.headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("connect-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers["x-content-type-options"], "nosniff");
        assert_eq!(response.headers["referrer-policy"], "no-referrer");
    }
    let head = client.send("HEAD", "/", b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let missing = client.get("/assets/b.js").await;
    assert_eq!((missing.status, missing.json()["code"].clone()), (404, json!("serve.not_found")));
    assert!(missing.headers.contains_key("content-security-policy"));
    assert_eq!(client.send("POST", "/", b"").await.status, 405);
}

#[tokio::test]
async fn nothing_outside_the_folder_is_shown() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("dist");
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    std::fs::write(folder.join("index.html"), "page").unwrap();
    std::fs::write(folder.join("assets/a.css"), "a {}").unwrap();
    std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.txt", folder.join("link.txt")).unwrap();

    let (_server, client, _) = browser(|options| options.ui = Files::Folder(folder)).await;
    assert_eq!(client.get("/").await.body, b"page");
    assert_eq!(
        client.get("/assets/a.css").await.headers["content-type"],
        "text/css; charset=utf-8"
    );
    for path in [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets",
        "/assets/",
        "/link.txt",
        "//secret.txt",
    ] {
        let response = client.get(path).await;
        assert_eq!(response.status, 404, "{path}");
        assert!(!response.text().contains("secret.txt"));
    }
}

#[tokio::test]
async fn requests_are_answered_as_in_the_window() {
    let (_server, client, _) = browser(|_| {}).await;
    let about = client.post("/rpc", &json!({"request": "about"})).await;
    assert_eq!(about.headers["content-type"], "application/json");
    assert_eq!(about.json(), json!({"reply": "about", "version": "1.2.3", "home": "/home"}));
    let fault = client.post("/rpc", &json!({"request": "models"})).await;
    assert_eq!((fault.status, fault.json()["code"].clone()), (422, json!("app.unknown_project")));
    for body in ["", "{", "{\"request\": \"format_disk\"}", "null"] {
        let bad = client.send("POST", "/rpc", body.as_bytes()).await;
        assert_eq!((bad.status, bad.json()["code"].clone()), (400, json!("rpc.bad_request")));
    }
    let broken = client.post("/rpc", &json!({"request": "devices"})).await;
    assert_eq!((broken.status, broken.json()["code"].clone()), (500, json!("serve.broke")));
    let serving = client.post("/rpc", &json!({"request": "serving"})).await;
    assert_eq!(serving.json(), json!({"reply": "serving", "serving": null}));
}

#[tokio::test]
async fn a_request_is_brought_to_its_end_without_its_page() {
    let (_server, client, engine) = browser(|_| {}).await;
    let request = json!({"request": "check_data", "project": "p1"}).to_string();
    let exchange = client.open("POST", "/rpc", request.as_bytes()).await;
    sleep(Duration::from_millis(100)).await;
    drop(exchange);
    sleep(Duration::from_millis(500)).await;
    let expected = Request::CheckData { project: "p1".to_owned() };
    assert_eq!(*engine.handled.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn events_arrive_even_at_a_page_that_falls_behind() {
    let (server, client, engine) = browser(|_| {}).await;
    let stranger = client.clone().without("authorization");
    let path = format!("/events?token={}", server.token());
    let mut page = stranger.open("GET", &path, b"").await;
    let head = page.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert_eq!(engine.tell(piece("one")), 1);
    page.until("data: {\"event\":\"chat_piece\",\"chat\":\"c\",\"text\":\"one\"}\n\n").await;
    // The test runs on one thread: the server does not get to run between these.
    for number in 0..50 {
        engine.tell(piece(&format!("burst {number}")));
    }
    let read = page.until("burst 49").await;
    assert!(!read.contains("burst 0\""), "more than was kept");
    engine.tell(piece("after"));
    page.until("after").await;

    drop(page);
    let began = Instant::now();
    while engine.tell(piece("anyone?")) > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "a page that is gone is still told");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn upload(client: &Client, name: &str, content: &[u8]) -> PathBuf {
    let response = client.send("POST", &format!("/upload?name={name}"), content).await;
    assert_eq!(response.status, 200, "{response:?}");
    PathBuf::from(response.json()["path"].as_str().unwrap())
}

#[tokio::test]
async fn files_that_are_sent_keep_their_name_and_go_with_the_server() {
    let within = tempfile::tempdir().unwrap();
    let (server, client, engine) =
        browser(|options| options.uploads = Some(within.path().to_owned())).await;
    let first = upload(&client, "%E5%BD%B1%E8%AF%84+2.csv", b"a,b\n").await;
    assert_eq!(first.file_name().unwrap(), "影评 2.csv");
    assert_eq!(std::fs::read(&first).unwrap(), b"a,b\n");
    let second = upload(&client, "a.csv", &vec![b'x'; 300_000]).await;
    let third = upload(&client, "a.csv", b"").await;
    assert_ne!(second, third);
    assert_eq!(std::fs::metadata(&second).unwrap().len(), 300_000);

    for name in ["..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "..%5C..%5Cpasswd"] {
        let path = upload(&client, name, b"x").await;
        assert_eq!(path.file_name().unwrap(), "passwd");
        assert!(path.canonicalize().unwrap().starts_with(within.path().canonicalize().unwrap()));
    }
    for path in ["/upload", "/upload?name=", "/upload?name=..", "/upload?name=%2F"] {
        let response = client.send("POST", path, b"x").await;
        assert_eq!(
            (response.status, response.json()["code"].clone()),
            (400, json!("serve.file_name"))
        );
    }

    // Once a project has its copy, ours is in the way.
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let request = json!({"request": "add_files", "project": "p1", "paths": [first, kept]});
    assert_eq!(client.post("/rpc", &request).await.status, 200);
    assert!(!first.exists() && second.exists() && kept.exists());

    server.stop().await;
    drop(engine);
    assert_eq!(std::fs::read_dir(within.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_is_not_kept() {
    let within = tempfile::tempdir().unwrap();
    let (server, client, _) = browser(|options| {
        options.upload_limit = 1000;
        options.uploads = Some(within.path().to_owned());
    })
    .await;
    let told = client.send("POST", "/upload?name=a.csv", &[b'x'; 1001]).await;
    assert_eq!((told.status, told.json()["code"].clone()), (413, json!("serve.too_large")));
    assert_eq!(told.json()["params"]["limit"], "1000");

    let head = format!(
        "POST /upload?name=a.csv HTTP/1.1\r\nhost: localhost:{}\r\nauthorization: Bearer {}\r\n\
         connection: close\r\n",
        server.port(),
        server.token()
    );
    let mut untold = Exchange::connect(server.port()).await;
    let body =
        format!("transfer-encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    untold.stream.write_all((head.clone() + &body).as_bytes()).await.unwrap();
    assert_eq!(untold.whole().await.status, 413);

    let mut broken = Exchange::connect(server.port()).await;
    let body = "content-length: 100\r\n\r\nbut no more than this";
    broken.stream.write_all((head + body).as_bytes()).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    drop(broken);
    sleep(Duration::from_millis(200)).await;
    let own = std::fs::read_dir(within.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_dir(own).unwrap().count(), 0);
}

#[tokio::test]
async fn a_server_stops_although_pages_listen() {
    let (server, client, _) = browser(|_| {}).await;
    let mut page = client.open("GET", "/events", b"").await;
    page.until("\r\n\r\n").await;
    let _idle = Exchange::connect(server.port()).await;
    let port = server.port();
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
    assert!(page.whole().await.body.is_empty());
}

#[tokio::test]
async fn what_cannot_be_served_is_refused() {
    let (front, _) = common::front();
    let empty = tempfile::tempdir().unwrap();
    let options = UiOptions::new(Files::Folder(empty.path().to_owned()));
    let fault = serve_ui(front.clone(), options).await.unwrap_err();
    assert_eq!(fault.code, "serve.no_page");

    let (server, ..) = browser(|options| options.token = Some(String::new())).await;
    assert_eq!(server.token().len(), 64, "an empty token keeps nobody out");
    std::fs::write(empty.path().join("index.html"), "").unwrap();
    let mut options = UiOptions::new(Files::Folder(empty.path().to_owned()));
    options.port = server.port();
    let fault = serve_ui(front, options).await.unwrap_err();
    assert_eq!(fault.code, "serve.no_port");
    assert_eq!(fault.params["port"], server.port().to_string());
}
