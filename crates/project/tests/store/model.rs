//! Whatever is done to rows in whatever order gives what a plain list would.

use proptest::prelude::*;
use sanbao_contract::app::{Filter, Row};
use sanbao_project::store::Projects;

use crate::add;

#[derive(Debug, Clone)]
enum Action {
    Edit(u64, Option<[String; 2]>),
    Exclude(Vec<u64>, bool),
    Look { offset: u64, limit: u64, search: String, filter: Filter },
    AddAnother,
    RemoveAnother,
    Reopen,
}

fn value() -> impl Strategy<Value = String> {
    "[aAbB 好评é\"\\\\\n,]{0,6}"
}

fn action() -> impl Strategy<Value = Action> {
    let row = 0..14u64;
    let filter = prop_oneof![Just(Filter::All), Just(Filter::Excluded), Just(Filter::Edited)];
    let look = (0..14u64, 0..14u64, "[aB好é\"\\\\,]{0,2}", filter);
    prop_oneof![
        4 => (row.clone(), proptest::option::weighted(0.7, [value(), value()]))
            .prop_map(|(row, values)| Action::Edit(row, values)),
        4 => (proptest::collection::vec(row, 0..5), any::<bool>())
            .prop_map(|(rows, excluded)| Action::Exclude(rows, excluded)),
        8 => look.prop_map(|(offset, limit, search, filter)| {
            Action::Look { offset, limit, search, filter }
        }),
        1 => Just(Action::AddAnother),
        1 => Just(Action::RemoveAnother),
        1 => Just(Action::Reopen),
    ]
}

/// The same rows in memory.
struct Model {
    original: Vec<[String; 2]>,
    rows: Vec<Row>,
}

impl Model {
    fn new(original: Vec<[String; 2]>) -> Self {
        let rows = original.iter().zip(1..).map(|(values, row)| Row {
            row,
            values: values.to_vec(),
            excluded: false,
            edited: false,
        });
        Self { rows: rows.collect(), original }
    }

    fn row(&mut self, number: u64) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.row == number)
    }

    fn edit(&mut self, number: u64, values: &Option<[String; 2]>) -> bool {
        let index = number.wrapping_sub(1) as usize;
        let Some(original) = self.original.get(index).cloned() else { return false };
        let row = &mut self.rows[index];
        row.values = values.clone().unwrap_or(original.clone()).to_vec();
        row.edited = row.values != original;
        true
    }

    fn exclude(&mut self, numbers: &[u64], excluded: bool) -> bool {
        if numbers.iter().any(|&number| self.row(number).is_none()) {
            return false;
        }
        for &number in numbers {
            self.row(number).unwrap().excluded = excluded;
        }
        true
    }

    fn look(&self, search: &str, filter: Filter) -> Vec<Row> {
        let search = search.to_lowercase();
        let passes = |row: &&Row| match filter {
            Filter::All => true,
            Filter::Excluded => row.excluded,
            Filter::Edited => row.edited,
        };
        let has =
            |row: &&Row| row.values.iter().any(|value| value.to_lowercase().contains(&search));
        self.rows.iter().filter(passes).filter(has).cloned().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn rows_are_what_a_plain_list_would_be(
        original in proptest::collection::vec([value(), value()], 0..12),
        actions in proptest::collection::vec(action(), 1..24),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut projects = Projects::at(folder.path()).unwrap();
        let mut store = projects.create("model").unwrap();
        let rows: Vec<_> = original.iter().map(|row| [row[0].as_str(), row[1].as_str()]).collect();
        let file = add(&store, "model.csv", &rows);
        let mut model = Model::new(original);
        for action in actions {
            match action {
                Action::Edit(row, values) => {
                    let done = store.edit_row(&file, row, values.as_ref().map(|v| v.as_slice()));
                    prop_assert_eq!(done.is_ok(), model.edit(row, &values));
                }
                Action::Exclude(rows, excluded) => {
                    let done = store.exclude_rows(&file, &rows, excluded);
                    prop_assert_eq!(done.is_ok(), model.exclude(&rows, excluded));
                }
                Action::Look { offset, limit, search, filter } => {
                    let page = store.page(&file, offset, limit, &search, filter).unwrap();
                    let expected = model.look(&search, filter);
                    prop_assert_eq!(page.total, expected.len() as u64);
                    let expected = expected.into_iter().skip(offset as usize);
                    let expected: Vec<_> = expected.take(limit as usize).collect();
                    prop_assert_eq!(page.rows, expected);
                }
                Action::AddAnother => {
                    add(&store, "other.csv", &[["a", "b"], ["好", "评"]]);
                }
                Action::RemoveAnother => {
                    if let Some(other) = store.files().unwrap().get(1) {
                        store.remove_file(&other.name).unwrap();
                    }
                }
                Action::Reopen => {
                    let id = store.id().to_owned();
                    drop((store, projects));
                    projects = Projects::at(folder.path()).unwrap();
                    store = projects.open(&id).unwrap();
                }
            }
        }
        let recorded = store.files().unwrap().remove(0);
        prop_assert_eq!(recorded.excluded, model.look("", Filter::Excluded).len() as u64);
        prop_assert_eq!(recorded.edited, model.look("", Filter::Edited).len() as u64);
        let kept: Vec<_> = store.kept_rows(&file).unwrap().map(Result::unwrap).collect();
        let expected: Vec<_> = model.rows.into_iter().filter(|row| !row.excluded).collect();
        prop_assert_eq!(kept, expected);
    }
}
