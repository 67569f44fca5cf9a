//! Base models: those on this machine, and those that can be fetched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sanbao_contract::Fault;
use sanbao_contract::app::{Fits, ModelEntry, ModelSource};
use sanbao_contract::model::MemoryNeeds;
use sanbao_contract::rpc::Reply;
use sanbao_hub::{
    CatalogueEntry, STARTER, STARTER_NAME, carried_starter_model, catalogue, installed,
};
use sanbao_models::{BaseModel, licence};
use sanbao_project::{read_json, write_json};

use crate::App;
use crate::downloads::Downloads;

/// Id of the model to begin with.
pub(crate) const STARTER_ID: &str = "starter";

/// Where models are kept, and which are being fetched.
pub struct Models {
    pub(crate) folder: PathBuf,
    pub(crate) downloads: Downloads,
}

impl Models {
    pub fn at(folder: PathBuf) -> Self {
        Self { folder, downloads: Downloads::default() }
    }

    /// Where a model lies; `None` when it is not on this machine.
    pub fn path(&self, id: &str) -> Option<PathBuf> {
        let path = match id {
            STARTER_ID => {
                let fetched = self.folder.join(STARTER_NAME);
                if fetched.exists() { fetched } else { carried_starter_model()? }
            }
            id if Path::new(id).is_absolute() => PathBuf::from(id),
            id => installed(&self.folder).into_iter().find(|model| model.id == id)?.path,
        };
        path.exists().then_some(path)
    }

    /// Folders and files of this machine that were added.
    fn added(&self) -> Vec<PathBuf> {
        read_json(&self.folder.join("added.json")).unwrap_or_default()
    }

    fn add(&self, path: &Path) -> Result<(), Fault> {
        let mut added = self.added();
        if !added.iter().any(|known| known == path) {
            added.insert(0, path.to_owned());
            let list = self.folder.join("added.json");
            std::fs::create_dir_all(&self.folder)
                .and_then(|()| write_json(&list, &added))
                .map_err(|error| unwritable(&list, &error))?;
        }
        Ok(())
    }
}

impl App {
    /// Those on this machine first, then what can be fetched.
    pub(crate) fn list_models(&self) -> Result<Reply, Fault> {
        let models = &self.0.models;
        let mut list = vec![self.starter_entry()];
        list.extend(models.added().iter().filter_map(|path| local_entry(path).ok()));
        list.extend(catalogue().iter().map(|entry| self.catalogue_entry(entry)));
        list.sort_by_key(|model| !model.installed);
        Ok(Reply::Models { models: list })
    }

    fn starter_entry(&self) -> ModelEntry {
        let base = self.0.models.path(STARTER_ID).and_then(|path| BaseModel::open(&path).ok());
        let summary = BTreeMap::from([
            ("en".to_owned(), "Small and quick: trains on any computer in minutes. Good for sorting texts and short answers in English.".to_owned()),
            ("zh".to_owned(), "小而快：在任何电脑上几分钟即可训练。适合英文文本分类和简短回答。".to_owned()),
        ]);
        let parameters = 134_515_008;
        ModelEntry {
            id: STARTER_ID.to_owned(),
            name: "SmolLM2 135M Instruct".to_owned(),
            source: ModelSource::Starter,
            installed: base.is_some(),
            parameters,
            bytes: STARTER.size,
            languages: vec!["en".to_owned()],
            instruct: true,
            gated: false,
            licence: licence("apache-2.0"),
            fits: fits(&base.as_ref().map_or_else(|| guessed(parameters), |base| base.card.memory)),
            card: base.map(|base| base.card),
            summary,
            download: self.download_of(STARTER_ID),
        }
    }

    fn catalogue_entry(&self, entry: &CatalogueEntry) -> ModelEntry {
        let base = self.0.models.path(&entry.id).and_then(|path| BaseModel::open(&path).ok());
        let memory =
            base.as_ref().map_or_else(|| guessed(entry.parameters), |base| base.card.memory);
        ModelEntry {
            id: entry.id.clone(),
            name: entry.name.clone(),
            source: ModelSource::Catalogue,
            installed: base.is_some(),
            parameters: entry.parameters,
            bytes: entry.bytes,
            languages: entry.languages.clone(),
            instruct: entry.instruct,
            gated: entry.gated,
            licence: licence(&entry.licence),
            fits: fits(&memory),
            card: base.map(|base| base.card),
            summary: entry.summary.clone(),
            download: self.download_of(&entry.id),
        }
    }

    /// Takes a model off the list. Files that Sanbao fetched go; others are the person's.
    pub(crate) fn remove_model(&self, model: &str) -> Result<Reply, Fault> {
        let models = &self.0.models;
        let added = models.added();
        if added.iter().any(|path| path.display().to_string() == model) {
            let left: Vec<_> =
                added.into_iter().filter(|path| path.display().to_string() != model).collect();
            let list = models.folder.join("added.json");
            write_json(&list, &left).map_err(|error| unwritable(&list, &error))?;
            return Ok(Reply::RemoveModel);
        }
        let path = models.path(model);
        if path.is_some() && path == carried_starter_model() {
            let text = "this model came with the program, and goes when the program is removed";
            return Err(Fault::new("app.model_carried", text));
        }
        let Some(path) = path.filter(|path| path.starts_with(&models.folder)) else {
            let text = format!("there is no model {model} on this machine");
            return Err(Fault::new("app.model_unknown", text).with("model", model));
        };
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        removed.map_err(|error| unwritable(&path, &error))?;
        Ok(Reply::RemoveModel)
    }

    /// Takes a model of this machine into the list.
    pub(crate) fn add_model(&self, path: &str) -> Result<Reply, Fault> {
        let path =
            std::path::absolute(path).map_err(|error| unwritable(Path::new(path), &error))?;
        let model = local_entry(&path)?;
        self.0.models.add(&path)?;
        Ok(Reply::AddModel { model })
    }
}

fn local_entry(path: &Path) -> Result<ModelEntry, Fault> {
    let card = BaseModel::open(path)?.card;
    Ok(ModelEntry {
        id: path.display().to_string(),
        name: card.name.clone(),
        source: ModelSource::Local,
        installed: true,
        parameters: card.parameters,
        bytes: card.bytes_on_disk,
        languages: card.languages.clone(),
        instruct: card.has_chat_template,
        gated: false,
        licence: card.licence.clone(),
        fits: fits(&card.memory),
        card: Some(card),
        summary: BTreeMap::new(),
        download: None,
    })
}

/// What a model of so many parameters needs, as far as that alone tells: weights in float32, for
/// full fine-tuning with gradients and two moments, and half as much again to work in.
fn guessed(parameters: u64) -> MemoryNeeds {
    let weights = 4 * parameters;
    MemoryNeeds {
        tokens: 1024,
        run: weights + weights / 8,
        lora: weights + weights / 2,
        full: 4 * weights + weights / 2,
    }
}

/// Whether what needs so much memory fits into this machine's.
fn fits(needs: &MemoryNeeds) -> Fits {
    let there = sanbao_train::total_bytes();
    let fits = |needed: u64| there.is_none_or(|there| needed <= there);
    Fits { run: fits(needs.run), lora: fits(needs.lora), full: fits(needs.full) }
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Fault {
    Fault::new("app.unwritable", format!("{} cannot be used: {error}", path.display()))
}
