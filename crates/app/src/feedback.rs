//! Ballots: having answers written, taking votes, making rows of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use sanbao_contract::app::{ChatModel, Sampling};
use sanbao_contract::data::{Content, Part};
use sanbao_contract::feedback::{
    Author, Ballot, BallotAnswer, BallotFilter, Choice, FeedbackForm, Vote,
};
use sanbao_contract::rpc::{Event, Reply};
use sanbao_contract::{Fault, Message};
use sanbao_data::{Mapper, Prepared, Table};
use sanbao_feedback::{check, merge, name_rater, read_file, rows, stats, write, write_lines};
use sanbao_project::store::NewBallot;
use sanbao_project::write_atomic;

use crate::App;
use crate::answers::Heard;

/// Ballots that are given at once.
const MOST: u64 = 500;
/// Name of the file that votes become in a project's data.
const FILE: &str = "feedback.jsonl";

/// Projects whose ballots are being written, with how many are still to come.
#[derive(Default)]
pub struct Writing(Mutex<BTreeMap<String, u64>>);

impl App {
    pub(crate) fn feedback(
        &self,
        project: &str,
        filter: BallotFilter,
        offset: u64,
        limit: u64,
    ) -> Result<Reply, Fault> {
        let store = self.store(project)?;
        let all = store.ballots(0, u64::MAX, BallotFilter::All)?;
        let total = all.iter().filter(|ballot| passes(ballot, filter)).count() as u64;
        let shown = store.ballots(offset, limit.min(MOST), filter)?;
        Ok(Reply::Feedback {
            ballots: shown.into_iter().map(anonymous).collect(),
            total,
            stats: stats(&all)?,
            writing: self.writing(project),
        })
    }

    /// Questions of the project's data: of the last run those that were kept for its verdict, then
    /// those of the files.
    pub(crate) fn feedback_prompts(&self, project: &str, count: u64) -> Result<Reply, Fault> {
        let store = self.store(project)?;
        let count = usize::try_from(count.min(MOST)).unwrap_or_default();
        let mut prompts: Vec<String> = Vec::new();
        let mut known = BTreeSet::new();
        let mut take = |prompt: String| {
            let prompt = prompt.trim().to_owned();
            if !prompt.is_empty() && prompts.len() < count && known.insert(prompt.clone()) {
                prompts.push(prompt);
            }
            prompts.len() < count
        };
        for run in store.runs()? {
            // A run whose rows cannot be read any more has no questions to offer.
            let Ok(data) = Prepared::open(&store.run_folder(&run.id)?.join("prepared")) else {
                continue;
            };
            let Ok(examples) = data.examples(Part::Test) else { continue };
            if examples.iter().all(|example| question(&example.content).is_none_or(&mut take)) {
                continue;
            }
            break;
        }
        for spec in self.plan_request(project)?.sources {
            let table = Table::open(&spec.path)?;
            let recognised = table.recognition(spec.mapping.as_ref())?;
            let mapper = Mapper::new(&recognised.mapping)?;
            for record in table.records()? {
                let example = mapper.example(&record?);
                if !question(&example?.content).is_none_or(&mut take) {
                    break;
                }
            }
        }
        Ok(Reply::FeedbackPrompts { prompts })
    }

    /// Has questions answered one after the other; the ballots come as they are there.
    pub(crate) fn add_ballots(
        &self,
        project: String,
        prompts: Vec<String>,
        authors: Vec<ChatModel>,
        sampling: Sampling,
    ) -> Result<Reply, Fault> {
        if !(2..=4).contains(&authors.len()) {
            return Err(Fault::new("app.answers_per_ballot", "a ballot has two to four answers"));
        }
        let names = authors
            .iter()
            .map(|author| self.author(&project, author, &sampling))
            .collect::<Result<Vec<_>, _>>()?;
        {
            let mut writing = self.lock_writing();
            *writing.entry(project.clone()).or_default() += prompts.len() as u64;
        }
        let app = self.clone();
        self.beside(async move {
            let mut fault = None;
            for (at, prompt) in prompts.into_iter().enumerate() {
                if app.writing(&project) == 0 {
                    break;
                }
                let seed = sampling.seed.wrapping_add(at as u64 * 7919);
                let sampling = Sampling { seed, ..sampling.clone() };
                if let Err(error) =
                    app.write_ballot(&project, prompt, &authors, &names, sampling).await
                {
                    fault = Some(error);
                    app.lock_writing().remove(&project);
                    break;
                }
                {
                    let mut writing = app.lock_writing();
                    if let Some(left) = writing.get_mut(&project) {
                        *left = left.saturating_sub(1);
                    }
                }
                app.tell_ballots(&project, None);
            }
            app.tell_ballots(&project, fault);
        });
        Ok(Reply::AddBallots)
    }

    pub(crate) fn stop_ballots(&self, project: &str) -> Reply {
        self.lock_writing().remove(project);
        self.tell_ballots(project, None);
        Reply::StopBallots
    }

    async fn write_ballot(
        &self,
        project: &str,
        prompt: String,
        authors: &[ChatModel],
        names: &[Author],
        sampling: Sampling,
    ) -> Result<(), Fault> {
        let turns = vec![Message::new("user", prompt)];
        let mut answers = Vec::with_capacity(authors.len());
        for (at, (model, author)) in authors.iter().zip(names).enumerate() {
            let seed = sampling.seed.wrapping_add(at as u64);
            let sampling = Sampling { seed, ..sampling.clone() };
            let text = self.whole_answer(project, model, turns.clone(), sampling.clone()).await?;
            let author = Author { sampling: Some(sampling), ..author.clone() };
            answers.push(BallotAnswer { text, author: Some(author) });
        }
        let project = project.to_owned();
        self.blocking(move |app| {
            shuffle(&mut answers)?;
            let ballot = NewBallot { prompt: turns, answers, vote: None };
            app.store(&project)?.add_ballots(&[ballot])?;
            Ok(())
        })
        .await
    }

    async fn whole_answer(
        &self,
        project: &str,
        model: &ChatModel,
        turns: Vec<Message>,
        sampling: Sampling,
    ) -> Result<String, Fault> {
        let mut answer = self.ask(project, model, turns, sampling).await?;
        let mut text = String::new();
        while let Some(heard) = answer.pieces.recv().await {
            match heard {
                Heard::Piece(piece) => text.push_str(&piece),
                Heard::Ended { fault: Some(fault), .. } => return Err(fault),
                Heard::Ended { .. } => break,
            }
        }
        Ok(text.trim().to_owned())
    }

    fn author(
        &self,
        project: &str,
        model: &ChatModel,
        sampling: &Sampling,
    ) -> Result<Author, Fault> {
        let sampling = Some(sampling.clone());
        Ok(match model {
            ChatModel::Base => {
                let base = self.project(project)?.summary.base;
                let name = base.unwrap_or_else(|| "base".to_owned());
                Author { name, run: None, epoch: None, sampling }
            }
            ChatModel::Run { run, epoch } => {
                let summary = self.store(project)?.run(run)?;
                Author { name: summary.id.clone(), run: Some(summary.id), epoch: *epoch, sampling }
            }
        })
    }

    pub(crate) fn vote(
        &self,
        project: &str,
        ballot: u64,
        choice: Option<Choice>,
        seconds: f64,
    ) -> Result<Reply, Fault> {
        let store = self.store(project)?;
        let mut voted = store.ballot(ballot)?;
        voted.vote = choice.map(|choice| Vote { choice, rater: String::new(), at: now(), seconds });
        check(&voted)?;
        store.vote(ballot, voted.vote.as_ref())?;
        Ok(Reply::Vote { ballot: anonymous(voted) })
    }

    /// Makes a file of the project's data out of the votes; one that was made before goes.
    pub(crate) fn use_feedback(&self, project: &str, form: FeedbackForm) -> Result<Reply, Fault> {
        let store = self.store(project)?;
        let rows = rows(&store.ballots(0, u64::MAX, BallotFilter::Voted)?, form)?;
        if rows.is_empty() {
            let text = "the votes give no row of this kind yet; vote on more answers, or choose another kind";
            return Err(Fault::new("app.no_rows_from_votes", text));
        }
        let mut bytes = Vec::new();
        write_lines(&rows, &mut bytes)
            .map_err(|error| Fault::new("app.unwritable", error.to_string()))?;
        if store.files()?.iter().any(|file| file.name == FILE) {
            store.remove_file(FILE)?;
        }
        let text =
            String::from_utf8(bytes).map_err(|error| Fault::new("app.broke", error.to_string()))?;
        let project = self.add_named(project, FILE, &text)?;
        Ok(Reply::UseFeedback { project })
    }

    pub(crate) fn export_feedback(
        &self,
        project: &str,
        form: Option<FeedbackForm>,
        path: &str,
    ) -> Result<Reply, Fault> {
        let ballots = self.store(project)?.ballots(0, u64::MAX, BallotFilter::All)?;
        let path = Path::new(path);
        let rows = form.map(|form| rows(&ballots, form)).transpose()?;
        let count = rows.as_ref().map_or(ballots.len(), Vec::len) as u64;
        write_atomic(path, |file| match &rows {
            Some(rows) => write_lines(rows, file),
            None => write(&ballots, file),
        })
        .map_err(|error| {
            let text = format!("{} cannot be written: {error}", path.display());
            Fault::new("app.unwritable", text)
        })?;
        Ok(Reply::ExportFeedback { rows: count })
    }

    pub(crate) fn import_feedback(
        &self,
        project: &str,
        path: &str,
        rater: &str,
    ) -> Result<Reply, Fault> {
        let store = self.store(project)?;
        let mut theirs = read_file(Path::new(path))?;
        name_rater(&mut theirs, rater);
        let known = merge([store.ballots(0, u64::MAX, BallotFilter::All)?]);
        let all = merge([known.clone(), theirs]);
        let new: Vec<NewBallot> = all
            .into_iter()
            .skip(known.len())
            .map(|Ballot { prompt, answers, vote, .. }| NewBallot { prompt, answers, vote })
            .collect();
        store.add_ballots(&new)?;
        Ok(Reply::ImportFeedback { added: new.len() as u64 })
    }

    fn lock_writing(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.writing.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self, project: &str) -> u64 {
        self.lock_writing().get(project).copied().unwrap_or(0)
    }

    fn tell_ballots(&self, project: &str, fault: Option<Fault>) {
        let writing = self.writing(project);
        self.tell(Event::Ballots { project: project.to_owned(), writing, fault });
    }
}

fn passes(ballot: &Ballot, filter: BallotFilter) -> bool {
    match filter {
        BallotFilter::All => true,
        BallotFilter::Open => ballot.vote.is_none(),
        BallotFilter::Voted => ballot.vote.is_some(),
    }
}

/// Who wrote an answer is not told before the vote.
fn anonymous(mut ballot: Ballot) -> Ballot {
    if ballot.vote.is_none() {
        ballot.answers.iter_mut().for_each(|answer| answer.author = None);
    }
    ballot
}

/// What is asked in a row; `None` for prose.
fn question(content: &Content) -> Option<String> {
    let last = |turns: &[Message]| {
        turns.iter().rfind(|turn| turn.role == "user").map(|turn| turn.text().to_owned())
    };
    match content {
        Content::Classify { text, .. } => Some(text.clone()),
        Content::Instruct { messages } | Content::Prompt { messages } => last(messages),
        Content::Preference { prompt, .. } | Content::Unpaired { prompt, .. } => last(prompt),
        Content::Prose { .. } => None,
    }
}

/// A random order, which nothing about an answer can be told from.
fn shuffle<T>(items: &mut [T]) -> Result<(), Fault> {
    for last in (1..items.len()).rev() {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| {
            Fault::new("app.broke", format!("the system gives no random numbers: {error}"))
        })?;
        let other = u64::from_le_bytes(bytes) % (last as u64 + 1);
        items.swap(last, other as usize);
    }
    Ok(())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
