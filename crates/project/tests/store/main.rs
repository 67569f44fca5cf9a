//! A person's projects, from outside: what stays of them, whatever happens.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod feedback;
mod files;
mod folders;
mod killed;
mod model;
mod rows;
mod runs;
mod versions;

use sanbao_contract::Text;
use sanbao_contract::data::{Mapping, Recognition, Shape};
use sanbao_project::store::{Error, ProjectStore, Projects};
use tempfile::TempDir;

/// An empty list of projects, in a folder that is removed with the first of the pair.
fn projects() -> (TempDir, Projects) {
    let folder = tempfile::tempdir().unwrap();
    let projects = Projects::at(&folder.path().join("projects")).unwrap();
    (folder, projects)
}

/// What would be recognised of a table with these columns.
fn recognition(columns: &[&str]) -> Recognition {
    Recognition {
        format: "csv".into(),
        encoding: "UTF-8".into(),
        delimiter: Some(','),
        columns: columns.iter().map(|&column| column.into()).collect(),
        mapping: Mapping {
            shape: Shape::TextLabel,
            fields: vec![("text".into(), "{{text}}".into()), ("label".into(), "{{label}}".into())],
        },
        reason: Text::new("the columns are called text and label", "各列名为 text 和 label"),
    }
}

/// Adds a file of these rows with the columns `text` and `label`. Returns its name.
fn add(store: &ProjectStore, name: &str, rows: &[[&str; 2]]) -> String {
    let rows = rows.iter().map(|row| Ok::<_, Error>(row.map(String::from).to_vec()));
    let incoming = store.write_in(name, b"text,label\n").unwrap();
    store.add_file(incoming, &recognition(&["text", "label"]), rows).unwrap().name
}

/// Names of what lies in a folder, sorted, without the lock.
fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != ".lock").collect();
    names.sort();
    names
}
