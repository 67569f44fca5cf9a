//! Name, base model, recipe, and what the window remembers.

use std::collections::BTreeMap;

use rusqlite::OptionalExtension;
use sanbao_contract::app::RecipeChoice;
use serde_json::Value;

use super::database::{from_json, to_json};
use super::error::Error;
use super::names::shown_name;
use super::{ProjectStore, Stop};

/// The base model that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Id in the list of models.
    pub id: String,
    /// Name for people, also where the model is not.
    pub name: String,
}

impl ProjectStore {
    /// Gives the project another name. Its folder keeps its own.
    ///
    /// # Errors
    /// [`Error::NoName`].
    pub fn rename(&self, name: &str) -> Result<(), Error> {
        let name = shown_name(name).ok_or(Error::NoName)?;
        self.change(|change| {
            change.execute("UPDATE project SET name = ?1", [name])?;
            Ok(())
        })
    }

    /// The base model; `None` when none was chosen.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn base(&self) -> Result<Option<Base>, Error> {
        self.with(|open| {
            let sql = "SELECT base_id, base_name FROM project";
            let (id, name): (Option<String>, Option<String>) =
                open.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(id.map(|id| Base { name: name.unwrap_or_else(|| id.clone()), id }))
        })
    }

    /// Chooses the base model.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn set_base(&self, base: Option<&Base>) -> Result<(), Error> {
        self.change(|change| {
            let sql = "UPDATE project SET base_id = ?1, base_name = ?2";
            change.execute(sql, (base.map(|base| &base.id), base.map(|base| &base.name)))?;
            Ok(())
        })
    }

    /// What was chosen for the next run.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn recipe(&self) -> Result<RecipeChoice, Error> {
        self.with(|open| Ok(recipe(&open.connection)?))
    }

    /// Chooses recipe, dial, device and hyper-parameters of the next run.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn set_recipe(&self, choice: &RecipeChoice) -> Result<(), Error> {
        self.change(|change| {
            change.execute("UPDATE project SET recipe = ?1", [to_json(choice)?])?;
            Ok(())
        })
    }

    /// Everything that the window remembers of the project, by key.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn settings(&self) -> Result<BTreeMap<String, Value>, Error> {
        self.with(|open| {
            let mut query = open.connection.prepare_cached("SELECT key, value FROM setting")?;
            let pairs = query.query_map([], |row| {
                let value: String = row.get(1)?;
                Ok((row.get(0)?, from_json(&value)?))
            })?;
            Ok(pairs.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Something that the window remembers.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn setting(&self, key: &str) -> Result<Option<Value>, Error> {
        self.with(|open| {
            let sql = "SELECT value FROM setting WHERE key = ?1";
            let value: Option<String> =
                open.connection.query_row(sql, [key], |row| row.get(0)).optional()?;
            Ok(value.map(|value| from_json(&value)).transpose()?)
        })
    }

    /// Remembers something for the window, or forgets it. The project does not count as changed.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn set_setting(&self, key: &str, value: Option<&Value>) -> Result<(), Error> {
        self.with(|open| {
            let Some(value) = value else {
                open.connection.execute("DELETE FROM setting WHERE key = ?1", [key])?;
                return Ok(());
            };
            let sql = "INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)";
            open.connection.execute(sql, (key, to_json(value)?))?;
            Ok::<_, Stop<Error>>(())
        })
    }
}

/// What was chosen for the next run.
pub(super) fn recipe(connection: &rusqlite::Connection) -> rusqlite::Result<RecipeChoice> {
    let choice: Option<String> =
        connection.query_row("SELECT recipe FROM project", [], |row| row.get(0))?;
    choice.map_or_else(|| Ok(RecipeChoice::default()), |choice| from_json(&choice))
}
