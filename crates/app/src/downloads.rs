//! Fetching base models while the window stays free.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sanbao_contract::Fault;
use sanbao_contract::app::Download;
use sanbao_contract::rpc::{Event, Reply};
use sanbao_hub::{Outcome, Progress, begun, catalogue, repository, starter_model_in};

use crate::App;
use crate::machine::Pace;
use crate::models::STARTER_ID;
use crate::token::hub_token;

/// What is being fetched, or was.
#[derive(Default)]
pub struct Downloads(Mutex<BTreeMap<String, Fetching>>);

struct Fetching {
    state: Download,
    paused: Arc<AtomicBool>,
}

impl App {
    /// A download that was begun, now or in an earlier session.
    pub(crate) fn download_of(&self, model: &str) -> Option<Download> {
        let models = &self.0.models;
        let downloads = models.downloads.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetching) = downloads.get(model) {
            return Some(fetching.state.clone());
        }
        let earlier = begun(&models.folder).into_iter().find(|begun| begun.id == model)?;
        Some(Download {
            bytes: earlier.bytes,
            total: Some(earlier.total),
            ..beginning(model, false)
        })
    }

    /// Starts fetching a model, or goes on.
    pub(crate) fn download_model(&self, model: &str) -> Result<Reply, Fault> {
        if model != STARTER_ID && !catalogue().iter().any(|entry| entry.id == model) {
            let text = format!("there is no model {model} to fetch");
            return Err(Fault::new("app.model_unknown", text).with("model", model));
        }
        let paused = Arc::new(AtomicBool::new(false));
        {
            let downloads = &self.0.models.downloads.0;
            let mut downloads = downloads.lock().unwrap_or_else(PoisonError::into_inner);
            if downloads.get(model).is_some_and(|fetching| fetching.state.active) {
                return Ok(Reply::DownloadModel);
            }
            let state = beginning(model, true);
            downloads.insert(model.to_owned(), Fetching { state, paused: Arc::clone(&paused) });
        }
        let (app, model) = (self.clone(), model.to_owned());
        self.beside(async move {
            let id = model.clone();
            let fetched = app.blocking(move |app| app.fetch(&id, &paused)).await;
            app.update_download(&model, |state| {
                (state.active, state.eta_seconds) = (false, None);
                state.fault = fetched.err();
            });
        });
        Ok(Reply::DownloadModel)
    }

    fn fetch(&self, model: &str, paused: &AtomicBool) -> Result<(), Fault> {
        let folder = &self.0.models.folder;
        let mut meter = Meter { app: self, model, pace: Pace::default(), began: None };
        if model == STARTER_ID {
            starter_model_in(folder, &mut |progress| meter.note(&progress))?;
            return Ok(());
        }
        let endpoint = self.endpoint()?;
        let token = hub_token();
        let repository = repository(&endpoint, model, token.as_deref())?;
        let download = sanbao_hub::Download::new(folder, &endpoint, token.as_deref(), repository)?;
        let stop = || paused.load(Ordering::SeqCst);
        match download.run(&stop, &mut |progress| meter.note(&progress))? {
            Outcome::Complete(_) | Outcome::Paused => Ok(()),
        }
    }

    /// Stops fetching; what is there is kept.
    pub(crate) fn pause_download(&self, model: &str) -> Reply {
        let downloads = self.0.models.downloads.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetching) = downloads.get(model) {
            fetching.paused.store(true, Ordering::SeqCst);
        }
        Reply::PauseDownload
    }

    /// Changes what is known about a download, and tells it.
    fn update_download(&self, model: &str, change: impl FnOnce(&mut Download)) {
        let downloads = &self.0.models.downloads.0;
        let mut downloads = downloads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetching) = downloads.get_mut(model) {
            change(&mut fetching.state);
            self.tell(Event::Download { download: fetching.state.clone() });
        }
    }
}

fn beginning(model: &str, active: bool) -> Download {
    Download {
        model: model.to_owned(),
        bytes: 0,
        total: None,
        eta_seconds: None,
        active,
        fault: None,
    }
}

/// Tells how a download goes and when it will be done.
struct Meter<'a> {
    app: &'a App,
    model: &'a str,
    pace: Pace,
    /// When it began to be measured, and what was there then.
    began: Option<(Instant, u64)>,
}

impl Meter<'_> {
    fn note(&mut self, progress: &Progress) {
        let Progress::Fetched { bytes, total } = *progress else { return };
        let (since, first) = *self.began.get_or_insert_with(|| (Instant::now(), bytes));
        if !self.pace.allows() && bytes < total {
            return;
        }
        let rate = bytes.saturating_sub(first) as f64 / since.elapsed().as_secs_f64().max(0.1);
        let left = total.saturating_sub(bytes) as f64;
        self.app.update_download(self.model, |state| {
            (state.bytes, state.total) = (bytes, Some(total));
            state.eta_seconds = (rate > 0.0).then(|| left / rate);
        });
    }
}
