//! What is read off the hidden states, and the gradients that come back from it: losses of tokens,
//! scores.

use burn::tensor::Tensor;

use super::{Decoder, Trace, scatter_rows, select_rows};
use crate::error::Error;
use crate::host::{from_vec, to_vec};
use crate::ops::{
    Gradients, Layout, TokenLoss, Trainable, token_losses, token_losses_with_gradient,
};

/// What the loss of a batch is about: hidden state `row` predicts `token`, which counts `weight`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Targets {
    /// Rows of the hidden state, ascending.
    pub rows: Vec<u32>,
    /// Token to be predicted from each.
    pub tokens: Vec<u32>,
    /// Factor of each token's loss in the sum.
    pub weights: Vec<f32>,
}

/// Scores that something depends on: the score head reads hidden state `row`, and the derivative
/// by that score is `slope`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreTargets {
    /// Rows of the hidden state, ascending.
    pub rows: Vec<u32>,
    /// Derivative by the score of each.
    pub slopes: Vec<f32>,
}

/// Name of the score head's weight, as transformers gives it.
pub const SCORE: &str = "score.weight";
/// The same beside adapters, as PEFT writes what it saves with them.
pub const SCORE_WITH_ADAPTERS: &str = "base_model.model.score.weight";

impl Decoder {
    /// Logits of every token, `[tokens, vocab]`.
    pub fn logits(&self, ids: &[u32], layout: &Layout) -> Tensor<2> {
        self.logits_of(self.hidden(ids, layout))
    }

    /// Logits of hidden states as [`Self::hidden`] gives them.
    pub fn logits_of(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.loss_head(None).logits(self.final_norm.forward(hidden))
    }

    /// Negative log-likelihood (nats) of each target.
    ///
    /// # Errors
    /// When the device does not deliver.
    pub fn losses(
        &self,
        ids: &[u32],
        layout: &Layout,
        targets: &Targets,
    ) -> Result<Vec<f32>, Error> {
        let hidden = select_rows(&self.hidden(ids, layout), &targets.rows);
        token_losses(&self.loss_head(None), self.final_norm.forward(hidden), &targets.tokens)
    }

    /// Losses of the targets of a pass that was computed, without its gradients.
    ///
    /// # Errors
    /// When the device does not deliver.
    pub fn traced_losses(&self, trace: &Trace, targets: &Targets) -> Result<Vec<f32>, Error> {
        let hidden = select_rows(&trace.last, &targets.rows);
        token_losses(&self.loss_head(None), self.final_norm.forward(hidden), &targets.tokens)
    }

    /// What the score head says of some rows of a pass.
    ///
    /// # Errors
    /// When there is no score head, or the device does not deliver.
    pub fn traced_scores(&self, trace: &Trace, rows: &[u32]) -> Result<Vec<f32>, Error> {
        self.scores_of(&trace.last, rows)
    }

    /// What the score head says of some rows, without a pass to follow.
    ///
    /// # Errors
    /// As [`Self::traced_scores`].
    pub fn scores(&self, ids: &[u32], layout: &Layout, rows: &[u32]) -> Result<Vec<f32>, Error> {
        self.scores_of(&self.hidden(ids, layout), rows)
    }

    /// What the score head says of some rows of hidden states as [`Self::hidden`] gives them.
    ///
    /// # Errors
    /// As [`Self::traced_scores`].
    pub fn scores_of(&self, hidden: &Tensor<2>, rows: &[u32]) -> Result<Vec<f32>, Error> {
        let score = self.score.as_ref().ok_or(Error::NoScoreHead)?;
        let hidden = self.final_norm.forward(select_rows(hidden, rows));
        to_vec(hidden.matmul(score.clone().transpose()))
    }

    /// Losses of the targets, and the gradients of `Σ weight · loss`, added to `grads`.
    ///
    /// # Errors
    /// When the device does not deliver.
    pub fn backward(
        &self,
        trace: Trace,
        targets: &Targets,
        trainable: Trainable,
        grads: &mut Gradients,
    ) -> Result<Vec<f32>, Error> {
        let (losses, grad) = self.loss_gradient(&trace, targets, trainable, grads)?;
        self.backward_from(trace, grad, trainable, grads);
        Ok(losses)
    }

    /// The gradients of `Σ weight · loss + Σ slope · score`, added to `grads`; either sum may be
    /// empty, not both.
    ///
    /// # Errors
    /// When there is no score head, or the device does not deliver.
    pub fn backward_scored(
        &self,
        trace: Trace,
        targets: &Targets,
        scores: &ScoreTargets,
        trainable: Trainable,
        grads: &mut Gradients,
    ) -> Result<(), Error> {
        let mut grad = None;
        if !targets.rows.is_empty() {
            grad = Some(self.loss_gradient(&trace, targets, trainable, grads)?.1);
        }
        if !scores.rows.is_empty() {
            let of_scores = self.score_gradient(&trace, scores, trainable, grads)?;
            grad = Some(match grad {
                Some(grad) => grad + of_scores,
                None => of_scores,
            });
        }
        if let Some(grad) = grad {
            self.backward_from(trace, grad, trainable, grads);
        }
        Ok(())
    }

    /// Gradient of `Σ slope · score` with respect to the last layer's output; the score head is
    /// always trained.
    fn score_gradient(
        &self,
        trace: &Trace,
        targets: &ScoreTargets,
        trainable: Trainable,
        grads: &mut Gradients,
    ) -> Result<Tensor<2>, Error> {
        let score = self.score.as_ref().ok_or(Error::NoScoreHead)?;
        let selected = select_rows(&trace.last, &targets.rows);
        let hidden = self.final_norm.forward(selected.clone());
        let slopes = from_vec(targets.slopes.clone(), [targets.slopes.len(), 1], &self.device());
        let name = match trainable {
            Trainable::Adapters => SCORE_WITH_ADAPTERS,
            Trainable::Everything => SCORE,
        };
        grads.add(name, slopes.clone().transpose().matmul(hidden));
        let grad = slopes.matmul(score.clone());
        let grad = self.final_norm.backward(selected, grad, trainable, grads);
        Ok(scatter_rows(grad, &targets.rows, trace.layout.tokens()))
    }

    /// Losses of the targets, and the gradient of `Σ weight · loss` with respect to the last
    /// layer's output.
    fn loss_gradient(
        &self,
        trace: &Trace,
        targets: &Targets,
        trainable: Trainable,
        grads: &mut Gradients,
    ) -> Result<(Vec<f32>, Tensor<2>), Error> {
        let head_name = match &self.head {
            Some(_) => format!("{}.weight", self.spec.names.head),
            None => format!("{}.weight", self.spec.names.embed),
        };
        let trained_as = (trainable == Trainable::Everything).then_some(head_name.as_str());
        let selected = select_rows(&trace.last, &targets.rows);
        let (losses, grad) = token_losses_with_gradient(
            &self.loss_head(trained_as),
            self.final_norm.forward(selected.clone()),
            &targets.tokens,
            &targets.weights,
            grads,
        )?;
        let grad = self.final_norm.backward(selected, grad, trainable, grads);
        Ok((losses, scatter_rows(grad, &targets.rows, trace.layout.tokens())))
    }

    fn loss_head<'a>(&'a self, trained_as: Option<&'a str>) -> TokenLoss<'a> {
        TokenLoss {
            head: self.head.as_ref().unwrap_or(&self.embed),
            softcap: self.spec.final_softcap,
            trained_as,
        }
    }
}
