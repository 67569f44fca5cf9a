//! Rows: paged, searched, changed, left out.

use sanbao_contract::app::Filter;
use sanbao_project::store::{Error, MOST_ROWS};

use crate::{add, projects, recognition};

#[test]
fn a_hundred_thousand_rows_are_paged_through() {
    const ROWS: u64 = 100_000;
    let (_folder, projects) = projects();
    let store = projects.create("large").unwrap();
    let rows = (1..=ROWS).map(|row| {
        let label = if row % 10 == 0 { "差评" } else { "好评" };
        Ok::<_, Error>(vec![format!("Review number {row}"), label.to_owned()])
    });
    let incoming = store.write_in("large.csv", b"...").unwrap();
    let file = store.add_file(incoming, &recognition(&["text", "label"]), rows).unwrap();
    assert_eq!(file.rows, ROWS);
    let numbers = |offset, limit, search: &str, filter| {
        let page = store.page("large.csv", offset, limit, search, filter).unwrap();
        let numbers: Vec<u64> = page.rows.iter().map(|row| row.row).collect();
        for row in &page.rows {
            assert_eq!(row.values[0], format!("Review number {}", row.row));
        }
        (page.total, numbers)
    };

    assert_eq!(numbers(0, 3, "", Filter::All), (ROWS, vec![1, 2, 3]));
    assert_eq!(numbers(99_998, 50, "", Filter::All), (ROWS, vec![99_999, 100_000]));
    assert_eq!(numbers(ROWS, 50, "", Filter::All), (ROWS, vec![]));
    assert_eq!(numbers(u64::MAX, u64::MAX, "", Filter::All), (ROWS, vec![]));
    assert_eq!(numbers(0, 10_000, "", Filter::All).1.len() as u64, MOST_ROWS);

    assert_eq!(numbers(0, 3, "差", Filter::All), (10_000, vec![10, 20, 30]));
    assert_eq!(numbers(9_998, 9, "差", Filter::All), (10_000, vec![99_990, 100_000]));
    assert_eq!(numbers(10_000, 9, "差", Filter::All), (10_000, vec![]));
    assert_eq!(numbers(u64::MAX, u64::MAX, "差", Filter::All), (10_000, vec![]));
    assert_eq!(numbers(0, 9, "REVIEW NUMBER 99999", Filter::All), (1, vec![99_999]));

    let left_out: Vec<u64> = (1..=ROWS).filter(|row| row % 3 == 0).collect();
    assert_eq!(store.exclude_rows("large.csv", &left_out, true).unwrap(), 33_333);
    assert_eq!(numbers(33_331, 9, "", Filter::Excluded), (33_333, vec![99_996, 99_999]));
    assert_eq!(numbers(0, 2, "差", Filter::Excluded), (3_333, vec![30, 60]));
    assert_eq!(numbers(0, 2, "", Filter::Edited), (0, vec![]));
    let kept: Vec<u64> =
        store.kept_rows("large.csv").unwrap().map(|row| row.unwrap().row).collect();
    assert_eq!(kept.len(), 66_667);
    assert!(kept.iter().all(|row| row % 3 != 0) && kept.is_sorted());
}

#[test]
fn changes_can_be_taken_back_and_are_counted() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let file = add(&store, "a.csv", &[["one", "1"], ["two", "2"], ["three", "3"]]);
    let counts = || {
        let file = store.files().unwrap().remove(0);
        assert_eq!(store.has_changed_rows("a.csv").unwrap(), file.excluded + file.edited > 0);
        (file.excluded, file.edited)
    };
    let edit = |row, values: &[&str]| {
        let values: Vec<String> = values.iter().map(|&value| value.into()).collect();
        store.edit_row(&file, row, Some(&values))
    };
    assert_eq!(counts(), (0, 0));
    edit(2, &["zwei", "2"]).unwrap();
    edit(2, &["deux \"\n", "2"]).unwrap();
    assert_eq!(counts(), (0, 1));
    let page = store.page(&file, 0, 9, "DEUX", Filter::Edited).unwrap();
    assert_eq!((page.total, page.rows[0].edited), (1, true));
    assert_eq!(page.rows[0].values, ["deux \"\n", "2"]);
    // What the file had is not found any more, where it was changed.
    assert_eq!(store.page(&file, 0, 9, "two", Filter::All).unwrap().total, 0);
    edit(2, &["two", "2"]).unwrap();
    assert_eq!(counts(), (0, 0));
    edit(3, &["", ""]).unwrap();
    store.edit_row(&file, 3, None).unwrap();
    store.edit_row(&file, 3, None).unwrap();
    assert_eq!(counts(), (0, 0));
    assert_eq!(store.page(&file, 2, 1, "", Filter::All).unwrap().rows[0].values, ["three", "3"]);

    assert_eq!(store.exclude_rows(&file, &[1, 3, 3], true).unwrap(), 2);
    assert_eq!(store.exclude_rows(&file, &[1, 2], true).unwrap(), 1);
    assert_eq!(store.exclude_rows(&file, &[1], false).unwrap(), 1);
    assert_eq!(counts(), (2, 0));
    edit(1, &["uno", "1"]).unwrap();
    let kept: Vec<_> = store.kept_rows(&file).unwrap().map(Result::unwrap).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].row, kept[0].edited, &kept[0].values[0][..]), (1, true, "uno"));
}

#[test]
fn rows_that_are_not_there_are_refused_and_nothing_is_changed() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let file = add(&store, "a.csv", &[["one", "1"], ["two", "2"]]);
    let values = ["a".to_owned(), "b".to_owned()];
    for row in [0, 3, u64::MAX] {
        let error = store.edit_row(&file, row, Some(&values)).unwrap_err();
        assert_eq!(error.code(), "project.no_row");
        assert!(error.to_string().contains("from 1 to 2"), "{error}");
        let error = store.exclude_rows(&file, &[1, row], true).unwrap_err();
        assert_eq!(error.code(), "project.no_row");
    }
    let error = store.edit_row(&file, 1, Some(&values[..1])).unwrap_err();
    assert_eq!(error.code(), "project.wrong_columns");
    assert!(!store.has_changed_rows(&file).unwrap());
    assert_eq!(store.page("b.csv", 0, 1, "", Filter::All).unwrap_err().code(), "project.no_file");
    assert_eq!(store.kept_rows("b.csv").unwrap_err().code(), "project.no_file");
}

#[test]
fn a_search_sees_what_another_process_changed() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let file = add(&store, "a.csv", &[["one", "1"], ["two", "2"]]);
    assert_eq!(store.page(&file, 0, 9, "o", Filter::All).unwrap().total, 2);
    rusqlite::Connection::open(store.folder().join("project.db"))
        .unwrap()
        .execute("UPDATE row SET edit = '[\"x\",\"1\"]' WHERE number = 1", [])
        .unwrap();
    assert_eq!(store.page(&file, 0, 9, "o", Filter::All).unwrap().total, 1);
}
