//! Projects of other versions.
//!
//! `version_1.sql` is what version 1 wrote. When the layout changes, it stays as it is, the next
//! (`version_2.sql`, …) is written by the then current version, and all are opened here.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sanbao_contract::app::{Filter, ProjectState, RunState};
use sanbao_contract::data::Shape;
use sanbao_contract::feedback::{BallotFilter, Choice};
use sanbao_contract::train::Dial;
use sanbao_contract::verdict::Outcome;
use sanbao_project::store::{FeedbackCount, Projects, read_ballots};

use crate::projects;

const VERSION_1: &str = include_str!("version_1.sql");
const VERSION_2: &str = include_str!("version_2.sql");

/// A project of an older version in the list.
fn put(projects: &Projects, id: &str, sql: &str) -> PathBuf {
    let folder = projects.root().join(id);
    fs::create_dir_all(folder.join("data")).unwrap();
    fs::write(folder.join("data").join("reviews.csv"), "text,label\n").unwrap();
    database(&folder).execute_batch(sql).unwrap();
    folder
}

fn database(folder: &Path) -> Connection {
    Connection::open(folder.join("project.db")).unwrap()
}

#[test]
fn a_project_of_version_1_is_all_there() {
    let (_folder, projects) = projects();
    put(&projects, "movies-2x4k7q", VERSION_1);
    let summary = projects.list().unwrap().remove(0);
    assert_eq!((summary.name.as_str(), summary.state), ("电影 reviews", ProjectState::Judged));
    assert_eq!(summary.changed, 1_790_000_000_500);

    let store = projects.open("movies-2x4k7q").unwrap();
    let project = store.project().unwrap();
    assert_eq!(project.base.unwrap().model, "starter");
    assert_eq!((project.recipe.dial, project.recipe.recipe), (Dial::Thorough, Some("lora".into())));
    assert_eq!(project.files.len(), 1);
    let file = &project.files[0];
    assert_eq!((file.rows, file.excluded, file.edited), (3, 1, 1));
    assert_eq!(file.recognition.columns, ["text", "label"]);
    assert_eq!(file.mapping.as_ref().unwrap().shape, Shape::TextLabel);
    let page = store.page("reviews.csv", 0, 9, "", Filter::All).unwrap();
    let rows: Vec<_> = page
        .rows
        .iter()
        .map(|row| (row.row, row.values[0].as_str(), row.excluded, row.edited))
        .collect();
    assert_eq!(
        rows,
        [(1, "很好", false, false), (2, "still \"bad\"", false, true), (3, "", true, false)]
    );
    let runs: Vec<_> = project.runs.iter().map(|run| (run.id.as_str(), run.state)).collect();
    assert_eq!(runs, [("lora-b2", RunState::Judged), ("lora-a1", RunState::Failed)]);
    assert_eq!(project.runs[0].outcome, Some(Outcome::CannotTell));
    assert_eq!(project.runs[0].best_loss, Some(0.5));
    assert_eq!(project.runs[1].fault.as_ref().unwrap().code, "worker.killed");
    assert_eq!(store.setting("step").unwrap(), Some("data".into()));

    // It can be worked with, too.
    store.edit_row("reviews.csv", 2, None).unwrap();
    store.exclude_rows("reviews.csv", &[3], false).unwrap();
    assert!(!store.has_changed_rows("reviews.csv").unwrap());
    store.remove_file("reviews.csv").unwrap();
}

#[test]
fn a_project_of_version_1_takes_ballots() {
    let (_folder, projects) = projects();
    let folder = put(&projects, "movies-2x4k7q", VERSION_1);
    let store = projects.open("movies-2x4k7q").unwrap();
    assert_eq!(store.feedback_count().unwrap(), FeedbackCount { open: 0, voted: 0 });
    assert_eq!(store.add_ballots(&[crate::feedback::ballot("Sky?")]).unwrap(), [1]);
    drop((store, projects));
    assert_eq!(read_ballots(&folder).unwrap()[0].prompt[1].text(), "Sky?");
}

#[test]
fn a_project_of_version_2_has_its_ballots() {
    let (_folder, projects) = projects();
    put(&projects, "movies-2x4k7q", VERSION_2);
    let store = projects.open("movies-2x4k7q").unwrap();
    let ballots = store.ballots(0, 9, BallotFilter::All).unwrap();
    let told: Vec<_> = ballots.iter().map(|ballot| (ballot.id, ballot.prompt[0].text())).collect();
    assert_eq!(told, [(2, "天空?"), (3, "Sea?")]);
    let author = ballots[0].answers[1].author.as_ref().unwrap();
    assert_eq!((author.run.as_deref(), author.epoch), (Some("lora-b2"), Some(3)));
    assert_eq!(author.sampling.as_ref().unwrap().temperature, 0.7);
    let vote = ballots[0].vote.as_ref().unwrap();
    assert_eq!((&vote.choice, vote.seconds), (&Choice::Best { answer: 0 }, 4.5));
    assert_eq!(store.add_ballots(&[crate::feedback::ballot("Sky?")]).unwrap(), [6]);
    assert_eq!(store.project().unwrap().runs.len(), 2);
}

/// The fixture is what this version writes, as long as version 2 is the newest. Version 1 becomes
/// the same when it is opened.
#[test]
fn the_newest_fixture_has_the_tables_of_this_version() {
    let (_folder, projects) = projects();
    let tables = |folder: &Path| {
        let database = database(folder);
        let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        let mut query = database.prepare(sql).unwrap();
        let tables = query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<Vec<(String, String)>, _>>()
            .unwrap();
        let version: i64 =
            database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        (version, tables)
    };
    let fixture = put(&projects, "fixture-2", VERSION_2);
    let new = projects.create("new").unwrap();
    assert_eq!(tables(&fixture), tables(new.folder()));
    let old = put(&projects, "fixture-1", VERSION_1);
    projects.open("fixture-1").unwrap();
    assert_eq!(tables(&old), tables(new.folder()));
}

#[test]
fn a_project_of_a_newer_version_is_refused_and_left_as_it_is() {
    let (folder, projects) = projects();
    let there = put(&projects, "movies-2x4k7q", VERSION_1);
    database(&there)
        .execute_batch("ALTER TABLE row RENAME TO line; PRAGMA user_version = 9")
        .unwrap();
    let before = fs::read(there.join("project.db")).unwrap();

    let error = projects.open("movies-2x4k7q").unwrap_err();
    assert_eq!(error.code(), "project.newer_version");
    assert_eq!(
        error.to_string(),
        "The project '电影 reviews' was made by a newer version of Sanbao (format 9, this version \
         knows 2); update Sanbao to open it."
    );
    let summary = projects.list().unwrap().remove(0);
    assert_eq!((summary.name.as_str(), summary.state), ("电影 reviews", ProjectState::Unreadable));
    assert_eq!(summary.fault.unwrap().params["name"], "电影 reviews");
    assert_eq!(
        projects.duplicate("movies-2x4k7q", "b").unwrap_err().code(),
        "project.newer_version"
    );
    let other = Projects::at(&folder.path().join("other")).unwrap();
    let error = other.import(&there).unwrap_err();
    assert_eq!(error.code(), "project.newer_version");
    assert_eq!(fs::read(there.join("project.db")).unwrap(), before);
}

#[test]
fn a_damaged_project_is_refused_with_one_sentence() {
    let (_folder, projects) = projects();
    let harm = [
        "DROP TABLE file",
        "DELETE FROM project",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = -3",
        "UPDATE run SET state = 'dancing'",
        "UPDATE file SET rows = -1",
    ];
    for (number, harm) in harm.iter().enumerate() {
        let id = format!("harmed-{number}");
        let folder = put(&projects, &id, VERSION_1);
        database(&folder).execute_batch(harm).unwrap();
        let error = projects.open(&id).unwrap_err();
        assert_eq!(error.code(), "project.damaged", "{harm}");
        let sentence = error.to_string();
        assert!(sentence.contains(&folder.display().to_string()) && !sentence.contains('\n'));
    }
    // What is torn in a row shows only when the row is read.
    let folder = put(&projects, "torn-row", VERSION_1);
    database(&folder).execute_batch("UPDATE row SET original = 'x', edit = NULL").unwrap();
    let store = projects.open("torn-row").unwrap();
    let error = store.page("reviews.csv", 0, 9, "", Filter::All).unwrap_err();
    assert_eq!(error.code(), "project.damaged");
}

/// A stranger's project may carry instructions to the database.
#[test]
fn triggers_of_a_stranger_do_not_run() {
    let (_folder, projects) = projects();
    let folder = put(&projects, "trap", VERSION_1);
    database(&folder)
        .execute_batch("CREATE TRIGGER t AFTER UPDATE ON project BEGIN DELETE FROM file; END")
        .unwrap();
    let store = projects.open("trap").unwrap();
    store.rename("new name").unwrap();
    assert_eq!(store.files().unwrap().len(), 1);
}

#[test]
fn while_another_program_changes_the_project_a_change_waits_and_is_then_refused() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let other = database(store.folder());
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(store.rename("b").unwrap_err().code(), "project.busy");
    other.execute_batch("COMMIT").unwrap();
    store.rename("b").unwrap();
}
