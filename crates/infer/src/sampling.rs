//! Choosing the next token.
//!
//! Every step has the order and the meaning of transformers' `generate` with `do_sample`:
//! repetition penalty, no repeated n-grams, temperature, top-k, top-p, min-p, typical-p,
//! epsilon cutoff. Tokens that are removed never come back, so that later steps look at what
//! earlier steps left.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How answers are drawn. Names and meanings are those of transformers' `GenerationConfig`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Divides the logits; 0 always takes the likeliest token. Default 0.7.
    pub temperature: f64,
    /// Keeps the likeliest tokens whose probabilities just reach this sum (Holtzman et al.
    /// 2020); 1 keeps all. Default 0.9.
    pub top_p: f64,
    /// Keeps this many of the likeliest tokens; 0 keeps all. Default 50.
    pub top_k: usize,
    /// Keeps tokens at least this likely, as a share of the likeliest one's probability (Nguyen
    /// et al. 2024); 0 keeps all. Default 0.
    pub min_p: f64,
    /// Keeps tokens whose surprise is nearest to the expected one until their probabilities
    /// reach this sum (Meister et al. 2022); 1 keeps all. Default 1.
    pub typical_p: f64,
    /// Removes tokens less likely than this (Hewitt et al. 2022); 0 keeps all. Default 0.
    pub epsilon_cutoff: f64,
    /// Divides positive and multiplies negative logits of tokens that the prompt or the answer
    /// has already (Keskar et al. 2019); 1 changes nothing. Default 1.
    pub repetition_penalty: f64,
    /// No run of this many tokens occurs twice; 0 allows all. Default 0.
    pub no_repeat_ngram_size: usize,
    /// An answer ends after this many tokens. Default 512.
    pub max_new_tokens: usize,
    /// An answer ends where one of these texts would begin. Default none.
    pub stop: Vec<String>,
    /// The same seed gives the same answers. Default 0.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.7,
            top_p: 0.9,
            top_k: 50,
            min_p: 0.0,
            typical_p: 1.0,
            epsilon_cutoff: 0.0,
            repetition_penalty: 1.0,
            no_repeat_ngram_size: 0,
            max_new_tokens: 512,
            stop: Vec::new(),
            seed: 0,
        }
    }
}

impl Sampling {
    /// Always the likeliest token, for at most `max_new_tokens`.
    pub fn greedy(max_new_tokens: usize) -> Self {
        Self { temperature: 0.0, max_new_tokens, ..Self::default() }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first setting that is outside its range.
    pub fn validate(&self) -> Result<(), Error> {
        let share = |x: f64| x > 0.0 && x <= 1.0;
        let checks: [(&'static str, f64, bool, &'static str); 6] = [
            (
                "temperature",
                self.temperature,
                self.temperature >= 0.0 && self.temperature.is_finite(),
                "0 (always the likeliest token) or a positive number",
            ),
            ("top_p", self.top_p, share(self.top_p), "above 0 and at most 1"),
            ("min_p", self.min_p, (0.0..=1.0).contains(&self.min_p), "between 0 and 1"),
            ("typical_p", self.typical_p, share(self.typical_p), "above 0 and at most 1"),
            (
                "epsilon_cutoff",
                self.epsilon_cutoff,
                (0.0..1.0).contains(&self.epsilon_cutoff),
                "0 or more and below 1",
            ),
            (
                "repetition_penalty",
                self.repetition_penalty,
                self.repetition_penalty > 0.0 && self.repetition_penalty.is_finite(),
                "a positive number (1 changes nothing)",
            ),
        ];
        for (name, value, good, rule) in checks {
            if !good {
                return Err(Error::Setting { name, value: value.to_string(), rule });
            }
        }
        if self.max_new_tokens == 0 {
            let value = "0".to_owned();
            return Err(Error::Setting { name: "max_new_tokens", value, rule: "1 or more" });
        }
        if self.stop.iter().any(String::is_empty) {
            let (value, rule) = ("an empty text".to_owned(), "at least one character long");
            return Err(Error::Setting { name: "stop", value, rule });
        }
        Ok(())
    }
}

/// Draws the tokens of one sequence; its state can be stored and continued.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sampler {
    sampling: Sampling,
    random: ChaCha8Rng,
}

impl Sampler {
    /// The sampler of sequence `index`: each has a ChaCha8 stream of its own under one seed.
    ///
    /// # Errors
    /// When a setting is outside its range.
    pub fn new(sampling: Sampling, index: usize) -> Result<Self, Error> {
        sampling.validate()?;
        let mut random = ChaCha8Rng::seed_from_u64(sampling.seed);
        random.set_stream(index as u64);
        Ok(Self { sampling, random })
    }

    /// The next token, given the logits `[vocabulary]` and all tokens before it, prompt
    /// included.
    ///
    /// # Errors
    /// When a logit is not finite, or `no_repeat_ngram_size` forbids every token.
    pub fn next(&mut self, logits: &[f32], previous: &[u32]) -> Result<u32, Error> {
        let penalised = penalise(&self.sampling, logits, previous)?;
        if self.sampling.temperature == 0.0 {
            return likeliest(&penalised).ok_or(Error::NoTokenLeft);
        }
        let candidates = warp(&self.sampling, &penalised);
        let probabilities = softmax(&candidates);
        // 53 random bits, uniform in [0, 1).
        let draw = (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut sum = 0.0;
        for (candidate, probability) in candidates.iter().zip(&probabilities) {
            sum += probability;
            if draw < sum {
                return Ok(candidate.token);
            }
        }
        // Rounding can leave the sum a hair below the draw.
        candidates.last().map(|candidate| candidate.token).ok_or(Error::NoTokenLeft)
    }
}

/// A token that is still in the draw.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    token: u32,
    logit: f32,
}

/// Logits after what looks at earlier tokens. Removed tokens are at −∞.
fn penalise(sampling: &Sampling, logits: &[f32], previous: &[u32]) -> Result<Vec<f32>, Error> {
    if !logits.iter().all(|logit| logit.is_finite()) {
        return Err(Error::NotFinite);
    }
    let mut logits = logits.to_vec();
    if sampling.repetition_penalty != 1.0 {
        let penalty = sampling.repetition_penalty as f32;
        let mut distinct = previous.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        for token in distinct {
            if let Some(logit) = logits.get_mut(token as usize) {
                *logit = if *logit < 0.0 { *logit * penalty } else { *logit / penalty };
            }
        }
    }
    let size = sampling.no_repeat_ngram_size;
    if size > 0 && previous.len() + 1 >= size {
        let ending = &previous[previous.len() + 1 - size..];
        for window in previous.windows(size).filter(|window| window.starts_with(ending)) {
            if let Some(logit) = logits.get_mut(window[size - 1] as usize) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
    Ok(logits)
}

/// The first of the likeliest tokens.
fn likeliest(logits: &[f32]) -> Option<u32> {
    let mut best = (None, f32::NEG_INFINITY);
    for (token, logit) in logits.iter().enumerate() {
        if *logit > best.1 {
            best = (Some(token as u32), *logit);
        }
    }
    best.0
}

/// What temperature and truncation leave, in the order of tokens.
fn warp(sampling: &Sampling, logits: &[f32]) -> Vec<Candidate> {
    let temperature = sampling.temperature as f32;
    let mut left: Vec<Candidate> = logits
        .iter()
        .enumerate()
        .filter(|(_, logit)| **logit > f32::NEG_INFINITY)
        .map(|(token, logit)| Candidate { token: token as u32, logit: logit / temperature })
        .collect();
    if sampling.top_k > 0 {
        top_k(&mut left, sampling.top_k);
    }
    if sampling.top_p < 1.0 {
        top_p(&mut left, sampling.top_p);
    }
    if sampling.min_p > 0.0 {
        let probabilities = softmax(&left);
        let floor = sampling.min_p * largest(&probabilities);
        keep(&mut left, |index, _| probabilities[index] >= floor);
    }
    if sampling.typical_p < 1.0 {
        typical_p(&mut left, sampling.typical_p);
    }
    if sampling.epsilon_cutoff > 0.0 {
        let probabilities = softmax(&left);
        let floor = sampling.epsilon_cutoff.min(largest(&probabilities));
        keep(&mut left, |index, _| probabilities[index] >= floor);
    }
    left
}

/// Ties with the last one kept are kept too.
fn top_k(left: &mut Vec<Candidate>, count: usize) {
    if count >= left.len() {
        return;
    }
    let mut logits: Vec<f32> = left.iter().map(|candidate| candidate.logit).collect();
    let (_, floor, _) = logits.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
    let floor = *floor;
    left.retain(|candidate| candidate.logit >= floor);
}

/// Removes the least likely tokens as long as their sum is at most `1 − mass`.
fn top_p(left: &mut Vec<Candidate>, mass: f64) {
    let probabilities = softmax(left);
    // Tokens below this cannot together exceed what may go: no need to sort them.
    let negligible = (1.0 - mass) / left.len() as f64;
    let mut order: Vec<usize> =
        (0..left.len()).filter(|index| probabilities[*index] >= negligible).collect();
    order.sort_by(|a, b| left[*a].logit.total_cmp(&left[*b].logit).then(a.cmp(b)));
    let mut sum: f64 = probabilities.iter().filter(|p| **p < negligible).sum();
    let mut kept = vec![false; left.len()];
    for (rank, index) in order.iter().enumerate() {
        sum += probabilities[*index];
        kept[*index] = sum > 1.0 - mass || rank + 1 == order.len();
    }
    keep(left, |index, _| kept[index]);
}

/// Tokens by the distance of their surprise from the entropy, until their sum reaches `mass`.
fn typical_p(left: &mut Vec<Candidate>, mass: f64) {
    let probabilities = softmax(left);
    let entropy: f64 = probabilities.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
    let distances: Vec<f64> = probabilities.iter().map(|p| (-p.ln() - entropy).abs()).collect();
    let mut order: Vec<usize> = (0..left.len()).collect();
    order.sort_by(|a, b| distances[*a].total_cmp(&distances[*b]).then(a.cmp(b)));
    let mut sum = 0.0;
    let mut farthest = f64::INFINITY;
    for index in order {
        sum += probabilities[index];
        if sum >= mass {
            farthest = distances[index];
            break;
        }
    }
    keep(left, |index, _| distances[index] <= farthest);
}

fn keep(left: &mut Vec<Candidate>, mut rule: impl FnMut(usize, &Candidate) -> bool) {
    let mut index = 0;
    left.retain(|candidate| {
        index += 1;
        rule(index - 1, candidate)
    });
}

fn largest(probabilities: &[f64]) -> f64 {
    probabilities.iter().copied().fold(0.0, f64::max)
}

fn softmax(candidates: &[Candidate]) -> Vec<f64> {
    let top = candidates.iter().map(|c| c.logit).fold(f32::NEG_INFINITY, f32::max);
    let exps: Vec<f64> = candidates.iter().map(|c| f64::from(c.logit - top).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|exp| exp / sum).collect()
}

#[cfg(test)]
mod tests;
