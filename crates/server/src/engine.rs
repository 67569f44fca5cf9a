//! What stands behind a front.

use std::pin::Pin;

use futures_util::stream::{Stream, unfold};
use sanbao_app::{App, Heard};
use sanbao_contract::app::{ChatModel, Sampling};
use sanbao_contract::rpc::{Event, Reply, Request};
use sanbao_contract::{Fault, Message};
use tokio::sync::broadcast;

/// Something that will be there later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An answer as it comes: pieces, then its end. Dropping it ends the answer early.
pub type Words = Pin<Box<dyn Stream<Item = Heard> + Send>>;

/// What a [`crate::Front`] needs of the app; tests put something of their own in its place.
pub trait Engine: Send + Sync + 'static {
    /// Answers a request.
    ///
    /// # Errors
    /// What is wrong, where, and what to do.
    fn handle(&self, request: Request) -> Later<'_, Result<Reply, Fault>>;

    /// What happens from now on.
    fn events(&self) -> broadcast::Receiver<Event>;

    /// Asks a model of a project.
    ///
    /// # Errors
    /// When the model cannot be loaded; what goes wrong later is heard.
    fn ask<'a>(
        &'a self,
        project: &'a str,
        model: &'a ChatModel,
        messages: Vec<Message>,
        sampling: Sampling,
    ) -> Later<'a, Result<Words, Fault>>;
}

impl Engine for App {
    fn handle(&self, request: Request) -> Later<'_, Result<Reply, Fault>> {
        Box::pin(Self::handle(self, request))
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        Self::events(self)
    }

    fn ask<'a>(
        &'a self,
        project: &'a str,
        model: &'a ChatModel,
        messages: Vec<Message>,
        sampling: Sampling,
    ) -> Later<'a, Result<Words, Fault>> {
        Box::pin(async move {
            let answer = Self::ask(self, project, model, messages, sampling).await?;
            let words = unfold(answer, |mut answer| async move {
                answer.pieces.recv().await.map(|heard| (heard, answer))
            });
            Ok(Box::pin(words) as Words)
        })
    }
}
