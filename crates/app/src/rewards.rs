//! What answers are rewarded for, tried on real answers; reward models examined.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sanbao_contract::Fault;
use sanbao_contract::data::Content;
use sanbao_contract::doctor::Examined;
use sanbao_contract::feedback::BallotFilter;
use sanbao_contract::reward::{Reward, Scored};
use sanbao_contract::rpc::Reply;
use sanbao_contract::worker::{Job, Message};
use sanbao_data::{Mapper, Table};
use sanbao_project::{Pointer, RunFolder, read_json};
use sanbao_reward::{Answered, Rewarder};
use sanbao_worker::Ended;
use tokio::sync::Notify;

use crate::App;

/// Answers that a reward is tried on.
const TRIED: usize = 12;

/// Reward models that are being examined, by project and run.
#[derive(Default)]
pub struct Examining(Mutex<BTreeMap<(String, String), Arc<Notify>>>);

/// An examination; dropping it makes room for the next.
struct Examination<'a> {
    of: &'a Examining,
    key: (String, String),
    stop: Arc<Notify>,
}

impl Examining {
    fn begin(&self, project: &str, run: &str) -> Result<Examination<'_>, Fault> {
        let key = (project.to_owned(), run.to_owned());
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.contains_key(&key) {
            let text = "this reward model is being examined; stop it or wait for it";
            return Err(Fault::new("app.examining_already", text));
        }
        let stop = Arc::new(Notify::new());
        under_way.insert(key.clone(), Arc::clone(&stop));
        Ok(Examination { of: self, key, stop })
    }

    fn stop(&self, project: &str, run: &str) {
        let under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = under_way.get(&(project.to_owned(), run.to_owned())) {
            stop.notify_one();
        }
    }
}

impl Drop for Examination<'_> {
    fn drop(&mut self) {
        self.of.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// A real answer.
struct Tried {
    prompt: String,
    answer: String,
    reference: Option<String>,
}

impl App {
    /// What a reward gives answers of the project: those of its ballots, then those of its data. A
    /// part that a model has to judge is left open.
    pub(crate) fn try_reward(&self, project: &str, reward: &Reward) -> Result<Reply, Fault> {
        let rewarder = Rewarder::new(reward)?;
        let mut tried = self.real_answers(project)?;
        if rewarder.needs_reference() {
            tried.retain(|tried| tried.reference.is_some());
        }
        let answers: Vec<Answered<'_>> = tried
            .iter()
            .map(|tried| Answered {
                prompt: &tried.prompt,
                answer: &tried.answer,
                reference: tried.reference.as_deref(),
            })
            .collect();
        let scores = rewarder.score_by_rules(&answers)?.scores;
        let mut scored: Vec<Scored> = tried
            .iter()
            .zip(scores)
            .map(|(tried, mut parts)| {
                // What the reward model says takes a model to find out.
                parts.extend(reward.model.iter().map(|_| None));
                let known = parts.iter().zip(rewarder.weights());
                let sum = known.filter_map(|(score, weight)| Some((*score)? * weight)).sum();
                let (prompt, answer) = (tried.prompt.clone(), tried.answer.clone());
                Scored { prompt, answer, reward: sum, parts }
            })
            .collect();
        scored.sort_by(|a, b| b.reward.total_cmp(&a.reward));
        Ok(Reply::TryReward { scored })
    }

    /// What was found of a run's reward model before, unless it was trained further since.
    pub(crate) fn reward_examined(&self, project: &str, run: &str) -> Result<Reply, Fault> {
        let folder = RunFolder::look(&self.run_folder(project, run)?)?;
        let path = folder.doctor_path();
        if !path.exists() {
            return Ok(Reply::RewardExamined { examined: None });
        }
        let examined: Examined = read_json(&path)?;
        let is_of_this_model = folder.pointed(Pointer::Best)? == Some(examined.step);
        Ok(Reply::RewardExamined { examined: is_of_this_model.then(|| Box::new(examined)) })
    }

    /// Examines a run's reward model; one examination of a run at a time.
    pub(crate) async fn examine_reward(&self, project: &str, run: &str) -> Result<Reply, Fault> {
        let examination = self.0.examining.begin(project, run)?;
        let job = Job::Examine { run: self.run_folder(project, run)? };
        let stop = examination.stop.notified();
        match self.work(project, "examine_reward", job, stop).await? {
            Ended::Done(Message::Examined(examined)) => Ok(Reply::ExamineReward { examined }),
            _ => Err(Fault::new("app.stopped", "examining the reward model was stopped")),
        }
    }

    pub(crate) fn stop_examine_reward(&self, project: &str, run: &str) -> Reply {
        self.0.examining.stop(project, run);
        Reply::StopExamineReward
    }

    fn real_answers(&self, project: &str) -> Result<Vec<Tried>, Fault> {
        let store = self.store(project)?;
        let mut tried = Vec::new();
        for ballot in store.ballots(0, TRIED as u64 / 4, BallotFilter::All)? {
            let prompt = ballot.prompt.last().map_or("", |turn| turn.text()).to_owned();
            for answer in ballot.answers {
                let answer = answer.text;
                tried.push(Tried { prompt: prompt.clone(), answer, reference: None });
            }
        }
        for spec in self.plan_request(project)?.sources {
            let table = Table::open(&spec.path)?;
            let recognised = table.recognition(spec.mapping.as_ref())?;
            let mapper = Mapper::new(&recognised.mapping)?;
            for record in table.records()? {
                let example = mapper.example(&record?);
                if tried.len() >= TRIED {
                    break;
                }
                tried.extend(of_row(&example?.content));
            }
        }
        tried.truncate(TRIED);
        Ok(tried)
    }
}

/// The answers of a row; the data's own answer is also what answers are compared with.
fn of_row(content: &Content) -> Vec<Tried> {
    let text = |turns: &[sanbao_contract::Message]| {
        turns.last().map_or("", sanbao_contract::Message::text).to_owned()
    };
    let tried = |prompt: String, answer: String, reference: &str| Tried {
        prompt,
        answer,
        reference: Some(reference.to_owned()),
    };
    match content {
        Content::Classify { text, label } => vec![tried(text.clone(), label.clone(), label)],
        Content::Instruct { messages } => {
            let answer = text(messages);
            let asked = messages.iter().rfind(|turn| turn.role == "user");
            let prompt = asked.map_or("", |turn| turn.text()).to_owned();
            vec![tried(prompt, answer.clone(), &answer)]
        }
        // A row that does not say which answer is better.
        Content::Preference { chosen, .. } if chosen.is_empty() => Vec::new(),
        Content::Preference { prompt, chosen, rejected, .. } => {
            let (prompt, chosen) = (text(prompt), text(chosen));
            vec![
                tried(prompt.clone(), chosen.clone(), &chosen),
                tried(prompt, text(rejected), &chosen),
            ]
        }
        Content::Unpaired { prompt, completion, .. } => {
            let answer = text(completion);
            vec![Tried { prompt: text(prompt), answer, reference: None }]
        }
        Content::Prompt { .. } | Content::Prose { .. } => Vec::new(),
    }
}
