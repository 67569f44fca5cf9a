//! What is set for the whole program, and how busy the machine is.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use sanbao_contract::Fault;
use sanbao_contract::app::{MachineLoad, Settings};
use sanbao_contract::rpc::Reply;
use sanbao_hub::{check_endpoint, hub_endpoint};
use sanbao_project::{read_json, write_json};
use serde::{Deserialize, Serialize};
use sysinfo::System;

use crate::App;
use crate::token::hub_token;

/// What is kept in `settings.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    hub_mirror: Option<String>,
}

/// The system's counters, once they were asked for; the load is what passed between two looks.
#[derive(Default)]
pub struct Counters(Mutex<Option<System>>);

impl App {
    fn settings_path(&self) -> PathBuf {
        self.0.home.join("settings.json")
    }

    fn kept(&self) -> Kept {
        // Settings that cannot be read are those of a fresh program.
        read_json(&self.settings_path()).unwrap_or_default()
    }

    pub(crate) fn settings(&self) -> Reply {
        let hub_mirror = self.kept().hub_mirror;
        Reply::Settings { settings: Settings { hub_mirror, has_hub_token: hub_token().is_some() } }
    }

    /// Fetches models from another address from now on.
    pub(crate) fn set_hub_mirror(&self, mirror: Option<&str>) -> Result<Reply, Fault> {
        let mirror = mirror.map(str::trim).filter(|mirror| !mirror.is_empty());
        let hub_mirror = mirror.map(check_endpoint).transpose()?;
        let path = self.settings_path();
        write_json(&path, &Kept { hub_mirror }).map_err(|error| {
            Fault::new("app.unwritable", format!("{} cannot be written: {error}", path.display()))
        })?;
        Ok(Reply::SetHubMirror)
    }

    /// Where models are fetched from.
    pub(crate) fn endpoint(&self) -> Result<String, Fault> {
        match self.kept().hub_mirror {
            Some(mirror) => Ok(mirror),
            None => Ok(hub_endpoint()?),
        }
    }

    pub(crate) fn machine_load(&self) -> Result<Reply, Fault> {
        let mut counters = self.0.counters.0.lock().unwrap_or_else(PoisonError::into_inner);
        let system = match &mut *counters {
            Some(system) => system,
            None => counters.insert(System::new().map_err(|error| {
                Fault::new("app.no_load", format!("the system does not tell its load: {error}"))
            })?),
        };
        system.refresh_cpu_usage();
        system.refresh_memory();
        let load = MachineLoad {
            cpu: f64::from(system.global_cpu_usage()) / 100.0,
            memory_used: system.used_memory(),
            memory_total: system.total_memory(),
        };
        Ok(Reply::MachineLoad { load })
    }
}
