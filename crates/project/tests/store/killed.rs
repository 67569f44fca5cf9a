//! A process that is killed in the middle of adding and removing files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sanbao_contract::app::Filter;
use sanbao_project::store::{Error, ProjectStore, Projects};

use crate::{names, recognition};

const VARIABLE: &str = "SANBAO_TEST_PROJECTS";
const ROWS: u64 = 3000;

/// Not a test by itself: the process that the next test kills.
#[test]
fn writer_to_be_killed() {
    let Some(root) = std::env::var_os(VARIABLE) else { return };
    let projects = Projects::at(Path::new(&root)).unwrap();
    let id = projects.list().unwrap().remove(0).id;
    let store = projects.open(&id).unwrap();
    for round in 0u64.. {
        let name = format!("round {}.csv", std::process::id() as u64 * 1000 + round);
        let content = name.repeat(10_000);
        let incoming = store.write_in(&name, content.as_bytes()).unwrap();
        let rows = (1..=ROWS).map(|row| Ok::<_, Error>(vec![name.clone(), row.to_string()]));
        store.add_file(incoming, &recognition(&["text", "label"]), rows).unwrap();
        fs::write(Path::new(&root).join(".begun"), "").unwrap();
        if round % 2 == 1 {
            let oldest = store.files().unwrap().remove(0);
            store.remove_file(&oldest.name).unwrap();
        }
    }
}

/// Every file is there with its copy and all its rows, and there is nothing else.
fn assert_whole(store: &ProjectStore) {
    let files = store.files().unwrap();
    let mut recorded: Vec<_> = files.iter().map(|file| file.name.clone()).collect();
    recorded.sort();
    assert_eq!(names(&store.data_folder()), recorded);
    for file in files {
        let content = fs::read_to_string(store.file_path(&file.name).unwrap()).unwrap();
        assert_eq!(content, file.name.repeat(10_000), "{} is torn", file.name);
        let page = store.page(&file.name, ROWS - 1, 2, &file.name, Filter::All).unwrap();
        assert_eq!((file.rows, page.total), (ROWS, ROWS));
        assert_eq!(page.rows[0].values, [file.name, ROWS.to_string()]);
    }
}

#[test]
fn a_process_killed_at_any_moment_leaves_each_file_wholly_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let id = Projects::at(folder.path()).unwrap().create("a").unwrap().id().to_owned();
    for attempt in 0..12u64 {
        let begun = folder.path().join(".begun");
        let _ = fs::remove_file(&begun);
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::writer_to_be_killed", "--nocapture"])
            .env(VARIABLE, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !begun.exists() {
            assert!(writer.try_wait().unwrap().is_none(), "the writer ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(attempt * 7_701));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let projects = Projects::at(folder.path()).unwrap();
        assert_whole(&projects.open(&id).unwrap());
    }
}

/// The two moments that a kill seldom meets: after the change of the database, before the file
/// has its place; and the other way round when a file is removed.
#[test]
fn what_is_left_between_database_and_folder_is_settled_when_the_project_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let projects = Projects::at(folder.path()).unwrap();
    let store = projects.create("a").unwrap();
    let file = crate::add(&store, "reviews.csv", &[["a", "b"]]);
    let (id, data) = (store.id().to_owned(), store.data_folder());
    drop((store, projects));

    let half = data.join(".reviews.csv.x1.unfinished");
    fs::create_dir(&half).unwrap();
    fs::rename(data.join(&file), half.join(&file)).unwrap();
    let waiting = data.join(".reviews.csv.x2.unfinished");
    fs::create_dir_all(waiting.join("new")).unwrap();
    fs::write(waiting.join("new").join(&file), "never added").unwrap();
    let removed = data.join(".old.csv.x3.unfinished");
    fs::create_dir(&removed).unwrap();
    fs::write(removed.join("old.csv"), "removed").unwrap();

    let projects = Projects::at(folder.path()).unwrap();
    // Only to look at it settles nothing.
    assert_eq!(projects.list().unwrap()[0].files, ["reviews.csv"]);
    assert!(half.exists());
    let store = projects.open(&id).unwrap();
    assert_eq!(names(&data), ["reviews.csv"]);
    assert_eq!(fs::read_to_string(store.file_path(&file).unwrap()).unwrap(), "text,label\n");
}

/// Somebody else's unfinished work is not swept away.
#[test]
fn a_file_that_is_being_copied_survives_another_opening_of_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let projects = Projects::at(folder.path()).unwrap();
    let store = projects.create("a").unwrap();
    let incoming = store.write_in("reviews.csv", b"text").unwrap();
    let others = Projects::at(folder.path()).unwrap();
    let same = others.open(store.id()).unwrap();
    assert!(incoming.path().exists());
    let rows = std::iter::empty::<Result<Vec<String>, Error>>();
    store.add_file(incoming, &recognition(&[]), rows).unwrap();
    assert_eq!(same.files().unwrap().len(), 1);
}
