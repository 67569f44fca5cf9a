//! Ballots and votes, and what is left of them when a process is killed.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use sanbao_contract::Message;
use sanbao_contract::feedback::{Author, Ballot, BallotAnswer, BallotFilter, Choice, Vote};
use sanbao_project::store::{FeedbackCount, NewBallot, ProjectStore, Projects, read_ballots};

use crate::projects;

const VARIABLE: &str = "SANBAO_TEST_VOTES";
/// Ballots that the killed process adds at once.
const AT_ONCE: usize = 40;

/// A ballot that waits for its vote.
pub(crate) fn ballot(question: &str) -> NewBallot {
    let answer = |text: &str, name: &str| {
        let author = Author { name: name.into(), run: None, epoch: Some(2), sampling: None };
        BallotAnswer { text: format!("{question} {text}"), author: Some(author) }
    };
    NewBallot {
        prompt: vec![Message::new("system", "Be brief."), Message::new("user", question)],
        answers: vec![answer("“蓝色”\n", "base"), answer("green", "mine")],
        vote: None,
    }
}

fn vote(choice: Choice) -> Vote {
    Vote { choice, rater: "Ann".into(), at: 1_790_000_000_000, seconds: 0.1 + 0.2 }
}

fn with_id(id: u64, new: NewBallot) -> Ballot {
    Ballot { id, prompt: new.prompt, answers: new.answers, vote: new.vote }
}

#[test]
fn ballots_are_kept_as_they_were_given() {
    let (folder, projects) = projects();
    let store = projects.create("a").unwrap();
    let judged = NewBallot { vote: Some(vote(Choice::Skip)), ..ballot("Sea?") };
    assert_eq!(store.add_ballots(&[ballot("Sky?"), judged.clone()]).unwrap(), [1, 2]);
    assert!(store.add_ballots(&[]).unwrap().is_empty());
    let (id, path) = (store.id().to_owned(), store.folder().to_owned());
    drop((store, projects));

    let projects = Projects::at(&folder.path().join("projects")).unwrap();
    let store = projects.open(&id).unwrap();
    let expected = [with_id(1, ballot("Sky?")), with_id(2, judged)];
    assert_eq!(store.ballots(0, u64::MAX, BallotFilter::All).unwrap(), expected);
    assert_eq!(store.ballot(2).unwrap(), expected[1]);
    assert_eq!(read_ballots(&path).unwrap(), expected);
    let copy = projects.duplicate(&id, "b").unwrap();
    assert_eq!(copy.ballots(0, 9, BallotFilter::All).unwrap(), expected);
}

#[test]
fn a_vote_can_be_changed_and_taken_back() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    store.add_ballots(&[ballot("Sky?"), ballot("Sea?")]).unwrap();
    for choice in [
        Choice::Best { answer: 1 },
        Choice::Stars { stars: vec![5, 1] },
        Choice::Edit { answer: 0, text: "\"blue\"".into() },
    ] {
        store.vote(1, Some(&vote(choice.clone()))).unwrap();
        let expected = NewBallot { vote: Some(vote(choice)), ..ballot("Sky?") };
        assert_eq!(store.ballot(1).unwrap(), with_id(1, expected));
        assert_eq!(store.feedback_count().unwrap(), FeedbackCount { open: 1, voted: 1 });
    }
    store.vote(1, None).unwrap();
    assert_eq!(store.ballot(1).unwrap(), with_id(1, ballot("Sky?")));
    assert_eq!(store.feedback_count().unwrap(), FeedbackCount { open: 2, voted: 0 });
}

#[test]
fn the_number_of_a_deleted_ballot_is_not_given_again() {
    let (_folder, projects) = projects();
    let store = projects.create("a").unwrap();
    store.add_ballots(&[ballot("Sky?"), ballot("Sea?")]).unwrap();
    store.delete_ballot(2).unwrap();
    assert_eq!(store.add_ballots(&[ballot("Sun?")]).unwrap(), [3]);
    for gone in [0, 2, u64::MAX] {
        let codes = [
            store.ballot(gone).unwrap_err().code(),
            store.vote(gone, Some(&vote(Choice::Tie))).unwrap_err().code(),
            store.vote(gone, None).unwrap_err().code(),
            store.delete_ballot(gone).unwrap_err().code(),
        ];
        assert_eq!(codes, ["project.no_ballot"; 4], "{gone}");
    }
    assert_eq!(store.feedback_count().unwrap(), FeedbackCount { open: 2, voted: 0 });
}

#[test]
fn what_is_no_project_has_no_ballots() {
    let (folder, projects) = projects();
    let code = |path: &Path| read_ballots(path).unwrap_err().code();
    assert_eq!(code(&folder.path().join("gone")), "project.not_found");
    assert_eq!(code(folder.path()), "project.not_a_project");
    let store = projects.create("a").unwrap();
    store.add_ballots(&[ballot("Sky?")]).unwrap();
    let database = rusqlite::Connection::open(store.folder().join("project.db")).unwrap();
    database.execute_batch("UPDATE ballot SET vote = '{\"choice\":{\"kind\":\"dance\"}}'").unwrap();
    assert_eq!(code(store.folder()), "project.damaged");
    assert_eq!(store.ballot(1).unwrap_err().code(), "project.damaged");
}

#[derive(Debug, Clone)]
enum Action {
    Add(usize),
    Vote(u64, Option<u64>),
    Delete(u64),
    Look(u64, u64, BallotFilter),
}

fn action() -> impl Strategy<Value = Action> {
    let id = 0..9u64;
    let filter =
        prop_oneof![Just(BallotFilter::All), Just(BallotFilter::Open), Just(BallotFilter::Voted)];
    prop_oneof![
        2 => (0..4usize).prop_map(Action::Add),
        4 => (id.clone(), proptest::option::weighted(0.7, 0..2u64))
            .prop_map(|(id, answer)| Action::Vote(id, answer)),
        1 => id.prop_map(Action::Delete),
        4 => (0..6u64, 0..6u64, filter)
            .prop_map(|(offset, limit, filter)| Action::Look(offset, limit, filter)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn ballots_are_what_a_plain_list_would_be(
        actions in proptest::collection::vec(action(), 1..20),
    ) {
        let (_folder, projects) = projects();
        let store = projects.create("model").unwrap();
        let mut model: Vec<Ballot> = Vec::new();
        let mut last = 0;
        for action in actions {
            match action {
                Action::Add(count) => {
                    let ids = store.add_ballots(&vec![ballot("Sky?"); count]).unwrap();
                    let expected: Vec<u64> = (last + 1..).take(count).collect();
                    prop_assert_eq!(&ids, &expected);
                    last += count as u64;
                    model.extend(ids.into_iter().map(|id| with_id(id, ballot("Sky?"))));
                }
                Action::Vote(id, answer) => {
                    let said = answer.map(|answer| vote(Choice::Best { answer }));
                    let done = store.vote(id, said.as_ref());
                    let found = model.iter_mut().find(|ballot| ballot.id == id);
                    prop_assert_eq!(done.is_ok(), found.is_some());
                    if let Some(ballot) = found {
                        ballot.vote = said;
                    }
                }
                Action::Delete(id) => {
                    let before = model.len();
                    model.retain(|ballot| ballot.id != id);
                    prop_assert_eq!(store.delete_ballot(id).is_ok(), model.len() < before);
                }
                Action::Look(offset, limit, filter) => {
                    let expected: Vec<Ballot> = model
                        .iter()
                        .filter(|ballot| match filter {
                            BallotFilter::All => true,
                            BallotFilter::Open => ballot.vote.is_none(),
                            BallotFilter::Voted => ballot.vote.is_some(),
                        })
                        .skip(offset as usize)
                        .take(limit as usize)
                        .cloned()
                        .collect();
                    prop_assert_eq!(store.ballots(offset, limit, filter).unwrap(), expected);
                }
            }
        }
        let voted = model.iter().filter(|ballot| ballot.vote.is_some()).count() as u64;
        let open = model.len() as u64 - voted;
        prop_assert_eq!(store.feedback_count().unwrap(), FeedbackCount { open, voted });
    }
}

/// What the process says of a ballot before it is killed.
fn said(id: u64) -> Vote {
    vote(Choice::Best { answer: id % 2 })
}

/// Not a test by itself: the process that the next test kills. It adds ballots, votes, and writes
/// down each vote when the call has returned.
#[test]
fn voter_to_be_killed() {
    let Some(root) = std::env::var_os(VARIABLE) else { return };
    let projects = Projects::at(Path::new(&root)).unwrap();
    let id = projects.list().unwrap().remove(0).id;
    let store = projects.open(&id).unwrap();
    let path = Path::new(&root).join(".voted");
    let mut voted = File::options().create(true).append(true).open(path).unwrap();
    loop {
        for id in store.add_ballots(&vec![ballot("Sky?"); AT_ONCE]).unwrap() {
            store.vote(id, Some(&said(id))).unwrap();
            voted.write_all(format!("{id}\n").as_bytes()).unwrap();
        }
    }
}

/// Every vote that was written down is there, every ballot whole, and no batch torn.
fn assert_kept(store: &ProjectStore, voted: &str) {
    let ballots = store.ballots(0, u64::MAX, BallotFilter::All).unwrap();
    assert_eq!(ballots.len() % AT_ONCE, 0);
    for (ballot, id) in ballots.iter().zip(1..) {
        let vote = ballot.vote.as_ref().map(|_| said(id));
        assert_eq!(ballot, &with_id(id, NewBallot { vote, ..self::ballot("Sky?") }));
    }
    let complete = voted.rfind('\n').map_or("", |end| &voted[..end]);
    for id in complete.lines() {
        let id: usize = id.parse().unwrap();
        assert!(ballots[id - 1].vote.is_some(), "the vote of ballot {id} is gone");
    }
}

#[test]
fn votes_outlive_a_killed_process() {
    let folder = tempfile::tempdir().unwrap();
    let id = Projects::at(folder.path()).unwrap().create("a").unwrap().id().to_owned();
    let voted = folder.path().join(".voted");
    fs::write(&voted, "").unwrap();
    for attempt in 0..8u64 {
        let before = fs::read_to_string(&voted).unwrap().len();
        let mut voter = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "feedback::voter_to_be_killed", "--nocapture"])
            .env(VARIABLE, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while fs::read_to_string(&voted).unwrap().len() == before {
            assert!(voter.try_wait().unwrap().is_none(), "the voter ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(attempt * 7_701));
        voter.kill().unwrap();
        voter.wait().unwrap();
        let projects = Projects::at(folder.path()).unwrap();
        assert_kept(&projects.open(&id).unwrap(), &fs::read_to_string(&voted).unwrap());
    }
}
