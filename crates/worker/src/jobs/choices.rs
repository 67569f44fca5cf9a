//! Choosing among labels.

use sanbao_contract::Message as Turn;
use sanbao_contract::data::Task;
use sanbao_data::classify_messages;
use sanbao_infer::{label_log_probabilities, probabilities};
use sanbao_models::Decoder;
use sanbao_project::RunFolder;
use sanbao_text::{ChatOptions, Tokenizer};

use super::report;
use crate::Error;

/// The labels that the rows of a run have; none where its rows have other answers.
///
/// # Errors
/// When the run's data is not there.
pub fn labels_of(folder: &RunFolder) -> Result<Vec<String>, Error> {
    let report = report(folder)?;
    let labels = report.labels.into_iter().map(|(label, _)| label);
    Ok(if report.task == Task::Classify { labels.collect() } else { Vec::new() })
}

/// Labels to choose among.
pub(super) struct Choices {
    labels: Vec<String>,
    /// What follows the prompt for each label, end of turn included.
    ids: Vec<Vec<u32>>,
}

impl Choices {
    /// # Errors
    /// When the model's chat template refuses a label.
    pub(super) fn new(labels: &[String], tokenizer: &Tokenizer) -> Result<Self, Error> {
        let prompt = classify_messages("", labels);
        let mut all = Vec::with_capacity(labels.len());
        for label in labels {
            let mut turns = prompt.clone();
            turns.push(Turn::new("assistant", label.clone()));
            let chat = tokenizer.encode_chat(&turns, &ChatOptions::default())?;
            let ids = chat.ids.iter().zip(&chat.trained).filter(|(_, trained)| **trained);
            all.push(ids.map(|(id, _)| *id).collect());
        }
        Ok(Self { labels: labels.to_vec(), ids: all })
    }

    /// Tokens of the longest label.
    pub(super) fn longest(&self) -> usize {
        self.ids.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The likeliest label of each prompt, and the probability of every one.
    ///
    /// # Errors
    /// When a prompt is longer than the model's context, or the model fails.
    pub(super) fn choose(
        &self,
        model: &Decoder,
        prompts: &[Vec<u32>],
    ) -> Result<Vec<(String, Vec<f64>)>, Error> {
        let scores = label_log_probabilities(model, prompts, &self.ids)?;
        let chosen = scores.iter().map(|scores| {
            let probabilities = probabilities(scores);
            let likeliest = probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let label = likeliest.and_then(|(at, _)| self.labels.get(at)).cloned();
            (label.unwrap_or_default(), probabilities)
        });
        Ok(chosen.collect())
    }
}
