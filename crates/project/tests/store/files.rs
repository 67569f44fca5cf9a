//! Files: copied in, added, removed.

use std::fs;

use sanbao_contract::Fault;
use sanbao_contract::app::Filter;
use sanbao_contract::data::{Mapping, Shape};
use sanbao_project::store::Error;

use crate::{add, names, projects, recognition};

#[test]
fn a_file_is_copied_and_its_rows_are_there() {
    let (folder, projects) = projects();
    let store = projects.create("电影").unwrap();
    let original = folder.path().join("电影 评论.csv");
    fs::write(&original, "text,label\n好看,good\n难看,bad\n").unwrap();

    let incoming = store.copy_in(&original).unwrap();
    fs::write(&original, "changed meanwhile").unwrap();
    assert_eq!(incoming.path().file_name().unwrap(), "电影 评论.csv");
    let content = fs::read_to_string(incoming.path()).unwrap();
    let rows = content
        .lines()
        .skip(1)
        .map(|line| Ok::<_, Fault>(line.split(',').map(String::from).collect()));
    let file = store.add_file(incoming, &recognition(&["text", "label"]), rows).unwrap();

    assert_eq!((file.name.as_str(), file.rows, file.excluded), ("电影 评论.csv", 2, 0));
    assert_eq!(file.bytes, content.len() as u64);
    assert_eq!(store.files().unwrap(), [file]);
    assert_eq!(fs::read_to_string(store.file_path("电影 评论.csv").unwrap()).unwrap(), content);
    assert_eq!(names(&store.data_folder()), ["电影 评论.csv"]);
    let page = store.page("电影 评论.csv", 1, 10, "", Filter::All).unwrap();
    assert_eq!((page.total, page.columns.len()), (2, 2));
    assert_eq!((page.rows[0].row, &page.rows[0].values[0][..]), (2, "难看"));
}

#[test]
fn a_second_file_of_a_name_gets_another_name_whatever_its_case() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    // Put there by the person, who will miss it.
    fs::write(store.data_folder().join("reviews (3).csv"), "mine").unwrap();
    assert_eq!(add(&store, "reviews.csv", &[["a", "b"]]), "reviews.csv");
    assert_eq!(add(&store, "Reviews.csv", &[["c", "d"]]), "Reviews (2).csv");
    assert_eq!(add(&store, "reviews.csv", &[]), "reviews (4).csv");
    assert_eq!(add(&store, "CON.csv", &[]), "_CON.csv");
    let values =
        |file: &str| store.page(file, 0, 1, "", Filter::All).unwrap().rows[0].values.clone();
    assert_eq!(values("reviews.csv"), ["a", "b"]);
    assert_eq!(values("Reviews (2).csv"), ["c", "d"]);
    assert_eq!(fs::read(store.data_folder().join("reviews (3).csv")).unwrap(), b"mine");
}

#[test]
fn a_file_whose_rows_break_off_leaves_nothing() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let recognition = recognition(&["text", "label"]);
    let rows = (0..5000).map(|row| match row {
        4999 => Err(Fault::new("data.bad_row", "Row 5000 is torn.")),
        _ => Ok(vec!["text".to_owned(), "label".to_owned()]),
    });
    let incoming = store.write_in("reviews.csv", b"...").unwrap();
    let fault = store.add_file(incoming, &recognition, rows).unwrap_err();
    assert_eq!(fault.code, "data.bad_row");

    let incoming = store.write_in("reviews.csv", b"...").unwrap();
    let rows = [vec!["1".to_owned(), "2".to_owned()], vec!["3".to_owned()]].map(Ok::<_, Error>);
    let error = store.add_file(incoming, &recognition, rows).unwrap_err();
    assert_eq!(error.code(), "project.wrong_columns");
    assert!(error.to_string().starts_with("Row 2 of 'reviews.csv' got 1 values"), "{error}");

    drop(store.write_in("given up.csv", b"...").unwrap());
    assert!(names(&store.data_folder()).is_empty());
    assert!(store.files().unwrap().is_empty());
    assert_eq!(add(&store, "reviews.csv", &[["a", "b"]]), "reviews.csv");
}

#[test]
fn what_cannot_be_copied_is_named() {
    let (folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let error = store.copy_in(&folder.path().join("gone.csv")).unwrap_err();
    assert_eq!(error.code(), "project.io");
    assert!(error.to_string().contains("gone.csv"), "{error}");
    assert!(store.copy_in(folder.path()).is_err());
    assert!(names(&store.data_folder()).is_empty());
}

#[test]
fn a_removed_file_is_gone_from_the_disk_too() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let secret = "the password is xyzzy".repeat(20);
    let rows: Vec<_> = (0..2000).map(|_| [secret.as_str(), "label"]).collect();
    add(&store, "first.csv", &[["stays", "here"]]);
    add(&store, "second.csv", &rows);
    let database = store.folder().join("project.db");
    let with = fs::metadata(&database).unwrap().len();
    store.remove_file("second.csv").unwrap();

    assert_eq!(names(&store.data_folder()), ["first.csv"]);
    assert!(fs::metadata(&database).unwrap().len() < with / 4);
    let content = fs::read(&database).unwrap();
    assert!(!content.windows(5).any(|bytes| bytes == b"xyzzy"));
    assert_eq!(store.remove_file("second.csv").unwrap_err().code(), "project.no_file");
    assert_eq!(store.page("first.csv", 0, 9, "", Filter::All).unwrap().rows.len(), 1);

    // A copy that the person removed by hand does not stand in the way.
    fs::remove_file(store.data_folder().join("first.csv")).unwrap();
    store.remove_file("first.csv").unwrap();
    assert!(store.files().unwrap().is_empty());
}

#[test]
fn a_mapping_is_kept_until_it_is_taken_back() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let file = add(&store, "a.csv", &[]);
    assert_eq!(store.mapping(&file).unwrap().shape, Shape::TextLabel);
    let mapping =
        Mapping { shape: Shape::Prose, fields: vec![("text".into(), "{{a}}: {{b}}".into())] };
    store.set_mapping(&file, Some(&mapping)).unwrap();
    assert_eq!(store.mapping(&file).unwrap(), mapping);
    assert_eq!(store.files().unwrap()[0].mapping, Some(mapping));
    store.set_mapping(&file, None).unwrap();
    assert_eq!(store.mapping(&file).unwrap().shape, Shape::TextLabel);
    assert_eq!(store.files().unwrap()[0].mapping, None);
    assert_eq!(store.set_mapping("b.csv", None).unwrap_err().code(), "project.no_file");
}

/// The recorded name of a file in a project of a stranger may lead anywhere.
#[test]
fn a_file_of_a_name_that_leads_elsewhere_is_no_file() {
    let (folder, projects) = projects();
    let treasure = folder.path().join("treasure.csv");
    fs::write(&treasure, "gold").unwrap();
    let store = projects.create("a").unwrap();
    add(&store, "a.csv", &[]);
    let id = store.id().to_owned();
    let database = store.folder().join("project.db");
    rusqlite::Connection::open(database)
        .unwrap()
        .execute("UPDATE file SET name = '../../../treasure.csv'", [])
        .unwrap();
    let name = "../../../treasure.csv";
    assert_eq!(store.file_path(name).unwrap_err().code(), "project.no_file");
    assert_eq!(store.remove_file(name).unwrap_err().code(), "project.no_file");
    drop((store, projects));
    let again = sanbao_project::store::Projects::at(&folder.path().join("projects")).unwrap();
    again.open(&id).unwrap();
    assert_eq!(fs::read_to_string(&treasure).unwrap(), "gold");
}

#[test]
fn the_list_does_not_wait_for_a_file_that_is_read() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let (go_on, pause) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let store = &store;
        scope.spawn(move || {
            let incoming = store.write_in("reviews.csv", b"...").unwrap();
            let rows = (0..2).map(|_| {
                begun.send(()).unwrap();
                pause.recv().unwrap();
                Ok::<_, Error>(vec!["text".to_owned(), "label".to_owned()])
            });
            store.add_file(incoming, &recognition(&["text", "label"]), rows).unwrap();
        });
        has_begun.recv().unwrap();
        assert!(projects.list().unwrap()[0].files.is_empty());
        go_on.send(()).unwrap();
        go_on.send(()).unwrap();
        // This waits.
        assert_eq!(store.files().unwrap()[0].rows, 2);
    });
    assert_eq!(projects.list().unwrap()[0].files, ["reviews.csv"]);
}
