//! OpenAI's API for one run's model: `/v1/models` and `/v1/chat/completions`.

mod answer;
mod error;
mod fields;
mod question;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::ALLOW;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sanbao_contract::Fault;
use sanbao_contract::app::{ChatModel, Project, Serving};
use serde_json::{Value, json};

use crate::body;
use crate::engine::Engine;
use crate::gate::{Senders, admit, bearer};
use crate::json::json as json_answer;
use crate::listen::{self, Running};
use crate::secret::Secret;
use answer::Head;
use error::ApiError;
use question::Question;

/// Ports that are tried first, so that the address is mostly the same; then any.
const PORTS: std::ops::RangeInclusive<u16> = 8080..=8089;
/// Bytes of a request.
const BODY_LIMIT: usize = 1 << 20;
/// Characters of a model's name.
const NAME_LIMIT: usize = 48;

/// A run's model that is served.
pub struct Served {
    /// Where and what.
    pub serving: Serving,
    /// The server.
    pub running: Running,
}

struct Api {
    engine: Arc<dyn Engine>,
    project: String,
    model: ChatModel,
    name: String,
    created: u64,
    key: Secret,
    port: u16,
}

/// Serves a run of a project under a new key.
///
/// # Errors
/// When no port can be opened, or there are no random numbers for a key.
pub async fn start(
    engine: Arc<dyn Engine>,
    project: &Project,
    run: String,
) -> Result<Served, Fault> {
    let key = Secret::fresh("sk-sanbao-")?;
    let (listener, port) = listen::open(PORTS.chain([0])).await?;
    let serving = Serving {
        project: project.summary.id.clone(),
        run: run.clone(),
        address: format!("http://127.0.0.1:{port}/v1"),
        key: key.text().to_owned(),
        model: model_name(&project.summary.name),
    };
    let created = project.runs.iter().find(|found| found.id == run).map_or(0, |run| run.created);
    let api = Arc::new(Api {
        engine,
        project: serving.project.clone(),
        model: ChatModel::Run { run, epoch: None },
        name: serving.model.clone(),
        created: created / 1000,
        key,
        port,
    });
    let running = Running::start(listener, |_| router(api));
    Ok(Served { serving, running })
}

fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/models", get(models))
        .route("/v1/models/{model}", get(model))
        .route("/v1/chat/completions", post(chat))
        .method_not_allowed_fallback(wrong_method)
        .fallback(wrong_path)
        .layer(from_fn_with_state(Arc::clone(&api), gate))
        .with_state(api)
}

/// A project's name as programs like to carry it: `Film reviews 2` becomes `film-reviews-2`.
fn model_name(project: &str) -> String {
    let lower = project.to_lowercase();
    let words = lower.split(|letter: char| !letter.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(NAME_LIMIT).collect();
    if name.is_empty() { "sanbao".to_owned() } else { name }
}

async fn gate(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if let Err(refusal) = admit(headers, api.port, Senders::Tools) {
        return ApiError::refused(refusal, api.port).into_response();
    }
    if request.method() == Method::OPTIONS {
        // Without permissions in it, which keeps pages of other servers out.
        return (StatusCode::NO_CONTENT, [(ALLOW, "GET, POST, OPTIONS")]).into_response();
    }
    match bearer(headers) {
        None => ApiError::no_key().into_response(),
        Some(key) if !api.key.is(key) => ApiError::wrong_key().into_response(),
        Some(_) => next.run(request).await,
    }
}

async fn wrong_path(request: Request) -> ApiError {
    ApiError::unknown_path(request.method().as_str(), request.uri().path())
}

async fn wrong_method(request: Request) -> ApiError {
    ApiError::wrong_method(request.method().as_str(), request.uri().path())
}

async fn models(State(api): State<Arc<Api>>) -> Response {
    json_answer(StatusCode::OK, &json!({ "object": "list", "data": [shown(&api)] }))
}

async fn model(
    State(api): State<Arc<Api>>,
    Path(model): Path<String>,
) -> Result<Response, ApiError> {
    check_model(&api, &model)?;
    Ok(json_answer(StatusCode::OK, &shown(&api)))
}

fn shown(api: &Api) -> Value {
    json!({ "id": api.name, "object": "model", "created": api.created, "owned_by": "sanbao" })
}

fn check_model(api: &Api, asked: &str) -> Result<(), ApiError> {
    if asked == api.name { Ok(()) } else { Err(ApiError::unknown_model(asked, &api.name)) }
}

async fn chat(State(api): State<Arc<Api>>, request: Request) -> Result<Response, ApiError> {
    let body = body::read(request.into_body(), BODY_LIMIT)
        .await
        .map_err(|unread| ApiError::unread(unread, BODY_LIMIT))?;
    let question = Question::read(&body)?;
    check_model(&api, &question.model)?;
    let head = Head::new(&api.name)?;
    let words = api
        .engine
        .ask(&api.project, &api.model, question.messages, question.sampling)
        .await
        .map_err(|fault| ApiError::of(&fault))?;
    if question.stream {
        answer::streamed(head, words, question.with_usage).await
    } else {
        answer::whole(head, words).await
    }
}

#[cfg(test)]
mod tests {
    use super::model_name;

    #[test]
    fn a_models_name_can_be_typed() {
        assert_eq!(model_name("Film reviews, 2nd try!"), "film-reviews-2nd-try");
        assert_eq!(model_name("影评 2"), "影评-2");
        assert_eq!(model_name(" -- "), "sanbao");
        assert_eq!(model_name(&"long ".repeat(50)).chars().count(), 48);
    }
}
