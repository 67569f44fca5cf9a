//! Folders: made, renamed, copied, moved, deleted, taken back.

use std::fs;
use std::path::Path;

use sanbao_contract::app::{Filter, ProjectState, RunState};
use sanbao_project::RunFolder;
use sanbao_project::store::{ProjectStore, Projects};

use crate::runs::run;
use crate::{add, names, projects};

/// A project with a file, a changed row, and a run with a folder of which it is said that it trains.
fn full(projects: &Projects) -> std::sync::Arc<ProjectStore> {
    let store = projects.create("Movie reviews 电影").unwrap();
    let file = add(&store, "reviews.csv", &[["good", "1"], ["bad", "0"]]);
    store.edit_row(&file, 2, Some(&["worse".into(), "0".into()])).unwrap();
    let mut record = run("lora-1", 1);
    record.state = RunState::Training;
    store.add_run(&record).unwrap();
    let folder = RunFolder::create(&store.run_folder("lora-1").unwrap()).unwrap();
    fs::write(folder.plan_path(), "{}").unwrap();
    store
}

/// Whether everything of [`full`] is there.
fn assert_full(store: &ProjectStore) {
    let page = store.page("reviews.csv", 0, 9, "", Filter::All).unwrap();
    let values: Vec<_> = page.rows.iter().map(|row| row.values[0].as_str()).collect();
    assert_eq!(values, ["good", "worse"]);
    assert_eq!(fs::read(store.file_path("reviews.csv").unwrap()).unwrap(), b"text,label\n");
    let run = RunFolder::open(&store.run_folder("lora-1").unwrap()).unwrap();
    assert_eq!(fs::read(run.plan_path()).unwrap(), b"{}");
    assert_eq!(store.runs().unwrap().len(), 1);
}

fn move_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, to).unwrap();
}

#[test]
fn any_name_gives_a_folder_that_every_system_takes() {
    let (_folder, projects) = projects();
    let odd =
        ["电影评论", "🎬", "a/b\\c", "../../x", "CON", "nul.", "dots...", " spaces ", "a:b*?"];
    for name in odd {
        let store = projects.create(name).unwrap();
        assert!(store.id().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        assert_eq!(store.folder().parent(), Some(projects.root()));
        assert_eq!(store.summary().unwrap().name, name.trim());
        assert_eq!(names(store.folder()), ["data", "project.db", "runs"]);
    }
    assert_eq!(projects.create(" \n ").unwrap_err().code(), "project.no_name");
    assert_eq!(projects.list().unwrap().len(), odd.len());
}

#[test]
fn the_list_has_the_last_changed_first_and_says_what_cannot_be_opened() {
    let (_folder, projects) = projects();
    let pause = || std::thread::sleep(std::time::Duration::from_millis(3));
    let first = projects.create("first").unwrap();
    pause();
    projects.create("second").unwrap();
    pause();
    projects.rename(first.id(), "renamed").unwrap();
    fs::create_dir(projects.root().join("holiday photos")).unwrap();
    fs::create_dir(projects.root().join("torn")).unwrap();
    fs::write(projects.root().join("torn/project.db"), "not a database at all").unwrap();
    fs::write(projects.root().join("a file.txt"), "").unwrap();

    let list = projects.list().unwrap();
    let (good, bad): (Vec<_>, Vec<_>) =
        list.into_iter().partition(|project| project.state != ProjectState::Unreadable);
    let good: Vec<_> = good.iter().map(|project| project.name.as_str()).collect();
    assert_eq!(good, ["renamed", "second"]);
    assert_eq!(bad.len(), 2);
    for project in bad {
        let fault = project.fault.unwrap();
        let code = if project.id == "torn" { "project.damaged" } else { "project.not_a_project" };
        assert_eq!(fault.code, code);
        assert!(fault.message.contains(&project.id), "{}", fault.message);
        assert_eq!(projects.open(&project.id).unwrap_err().code(), code);
        assert!(project.changed > 0);
    }
    // Also what cannot be opened can be put into the bin.
    projects.delete("torn").unwrap();
    assert_eq!(projects.list().unwrap().len(), 3);
}

#[test]
fn ids_that_lead_elsewhere_are_no_projects() {
    let (folder, projects) = projects();
    let elsewhere = Projects::at(&folder.path().join("elsewhere")).unwrap();
    let id = elsewhere.create("a").unwrap().id().to_owned();
    for id in [format!("../elsewhere/{id}"), "..".into(), ".bin".into(), String::new()] {
        assert_eq!(projects.open(&id).unwrap_err().code(), "project.not_found", "{id}");
        assert_eq!(projects.delete(&id).unwrap_err().code(), "project.not_found", "{id}");
        assert_eq!(projects.restore(&id).unwrap_err().code(), "project.not_in_bin", "{id}");
    }
}

#[test]
fn a_copy_has_everything_and_goes_its_own_way() {
    let (_folder, projects) = projects();
    let original = full(&projects);
    let copy = projects.duplicate(original.id(), "copy").unwrap();
    assert_ne!(copy.id(), original.id());
    assert_eq!(copy.summary().unwrap().name, "copy");
    assert_full(&copy);
    // Nobody works on the copy.
    assert_eq!(copy.summary().unwrap().state, ProjectState::Stopped);
    assert_eq!(original.summary().unwrap().state, ProjectState::Training);

    copy.remove_file("reviews.csv").unwrap();
    copy.delete_run("lora-1").unwrap();
    copy.rename("changed").unwrap();
    assert_full(&original);
    assert_eq!(original.summary().unwrap().name, "Movie reviews 电影");
    assert_eq!(names(projects.root()).len(), 3, "two projects and the bin");
}

#[test]
fn a_folder_that_was_moved_by_hand_is_opened_where_it_is() {
    let (folder, projects) = projects();
    let id = full(&projects).id().to_owned();
    let root = projects.root().to_owned();
    drop(projects);
    let other = folder.path().join("other machine").join("projects");
    move_folder(&root.join(&id), &other.join("moved and renamed"));
    let projects = Projects::at(&other).unwrap();
    let store = projects.open("moved and renamed").unwrap();
    assert_full(&store);
    let project = store.project().unwrap();
    assert!(project.folder.starts_with(&other.display().to_string()));
    assert_eq!(Projects::at(&root).unwrap().open(&id).unwrap_err().code(), "project.not_found");
}

#[test]
fn a_project_from_another_machine_is_copied_in() {
    let (folder, projects) = projects();
    let theirs = Projects::at(&folder.path().join("theirs")).unwrap();
    let id = full(&theirs).id().to_owned();
    let there = theirs.root().join(&id);
    drop(theirs);

    // As an archive leaves it: with a folder around it.
    let unpacked = folder.path().join("Downloads").join("project");
    move_folder(&there, &unpacked.join(&id));
    let store = projects.import(&unpacked).unwrap();
    assert_eq!(store.id(), id);
    assert_full(&store);
    assert_eq!(store.summary().unwrap().state, ProjectState::Stopped);
    assert!(unpacked.join(&id).join("project.db").exists());

    // Once more: another project; and from where it is already: the same.
    let again = projects.import(&unpacked.join(&id)).unwrap();
    assert_ne!(again.id(), id);
    assert_full(&again);
    assert_eq!(projects.import(again.folder()).unwrap().id(), again.id());
    // A deleted one keeps its id.
    projects.delete(&id).unwrap();
    assert_ne!(projects.import(&unpacked).unwrap().id(), id);
    projects.restore(&id).unwrap();
    assert_eq!(projects.list().unwrap().len(), 3);
}

#[test]
fn what_is_no_whole_project_is_not_imported() {
    let (folder, projects) = projects();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    assert_eq!(projects.import(&photos).unwrap_err().code(), "project.not_a_project");
    assert_eq!(projects.import(&folder.path().join("x")).unwrap_err().code(), "project.io");

    let theirs = Projects::at(&folder.path().join("theirs")).unwrap();
    let store = theirs.create("torn").unwrap();
    let rows: Vec<_> = (0..2000).map(|_| ["some text of a row", "label"]).collect();
    add(&store, "a.csv", &rows);
    let there = store.folder().to_owned();
    drop((store, theirs));
    let mut content = fs::read(there.join("project.db")).unwrap();
    let middle = content.len() / 2;
    content[middle..middle + 20_000].fill(7);
    fs::write(there.join("project.db"), content).unwrap();
    let error = projects.import(&there).unwrap_err();
    assert_eq!(error.code(), "project.damaged");
    assert!(error.to_string().contains(&there.display().to_string()), "{error}");
    assert!(projects.list().unwrap().is_empty());
    assert_eq!(names(projects.root()), [".bin"]);
}

#[cfg(unix)]
#[test]
fn a_project_with_a_link_in_it_is_not_imported() {
    let (folder, projects) = projects();
    let theirs = Projects::at(&folder.path().join("theirs")).unwrap();
    let there = full(&theirs).folder().to_owned();
    drop(theirs);
    std::os::unix::fs::symlink("/etc/passwd", there.join("data").join("notes.csv")).unwrap();
    assert_eq!(projects.import(&there).unwrap_err().code(), "project.link");
    assert_eq!(names(projects.root()), [".bin"]);
}

#[test]
fn a_deleted_project_comes_back_as_it_was() {
    let (_folder, projects) = projects();
    let store = full(&projects);
    let id = store.id().to_owned();
    projects.delete(&id).unwrap();
    assert!(projects.list().unwrap().is_empty());
    assert_eq!(projects.open(&id).unwrap_err().code(), "project.not_found");
    assert_eq!(projects.delete(&id).unwrap_err().code(), "project.not_found");
    // Who still has it open cannot write into the bin.
    assert_eq!(store.rename("late").unwrap_err().code(), "project.closed");

    projects.restore(&id).unwrap();
    assert_full(&projects.open(&id).unwrap());
    assert_eq!(projects.restore(&id).unwrap_err().code(), "project.not_in_bin");
    projects.delete(&id).unwrap();
    fs::create_dir(projects.root().join(&id)).unwrap();
    assert_eq!(projects.restore(&id).unwrap_err().code(), "project.exists");
}

#[test]
fn the_bin_is_emptied_of_what_was_deleted_long_ago() {
    let (folder, projects) = projects();
    let old = projects.create("old").unwrap().id().to_owned();
    let young = projects.create("young").unwrap().id().to_owned();
    for id in [&old, &young] {
        projects.delete(id).unwrap();
    }
    let bin = projects.root().join(".bin");
    let day = 24 * 60 * 60 * 1000;
    let age = |id: &str, days: u128| {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let name = names(&bin).into_iter().find(|name| name.starts_with(id)).unwrap();
        let aged = format!("{id}.{}", now - days * day);
        fs::rename(bin.join(name), bin.join(aged)).unwrap();
    };
    age(&old, 31);
    age(&young, 29);
    fs::write(bin.join("notes.txt"), "of somebody else").unwrap();
    drop(projects);
    let projects = Projects::at(&folder.path().join("projects")).unwrap();
    assert_eq!(names(&bin).len(), 2);
    assert_eq!(projects.restore(&old).unwrap_err().code(), "project.not_in_bin");
    projects.restore(&young).unwrap();
}

#[test]
fn what_a_killed_copy_left_is_swept_by_who_comes_alone() {
    let (folder, projects) = projects();
    let left = projects.root().join(".copy-abc.x1.unfinished");
    fs::create_dir(&left).unwrap();
    let second = Projects::at(&folder.path().join("projects")).unwrap();
    assert!(left.exists(), "somebody may be at work on it");
    drop((projects, second));
    Projects::at(&folder.path().join("projects")).unwrap();
    assert!(!left.exists());
}

#[test]
fn everybody_shares_one_open_project() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let same = projects.open(store.id()).unwrap();
    assert!(std::sync::Arc::ptr_eq(&store, &same));
    // Somebody removes the folder under our hands.
    fs::remove_dir_all(store.folder()).unwrap();
    assert_eq!(projects.open(store.id()).unwrap_err().code(), "project.not_found");
}
