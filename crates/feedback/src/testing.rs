//! Ballots for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use sanbao_contract::Message;
use sanbao_contract::feedback::{Author, Ballot, BallotAnswer, Choice, Vote};

pub(crate) fn vote(choice: Choice, rater: &str, at: u64) -> Vote {
    Vote { choice, rater: rater.into(), at, seconds: 2.5 }
}

/// A ballot about "Sky?" without authors.
pub(crate) fn ballot(answers: &[&str], choice: Option<Choice>) -> Ballot {
    Ballot {
        id: 1,
        prompt: vec![Message::new("user", "Sky?")],
        answers: answers
            .iter()
            .map(|&text| BallotAnswer { text: text.into(), author: None })
            .collect(),
        vote: choice.map(|choice| vote(choice, "", 0)),
    }
}

pub(crate) fn author(name: &str) -> Option<Author> {
    Some(Author { name: name.into(), run: None, epoch: None, sampling: None })
}

/// The same with an author for each answer.
pub(crate) fn authored(answers: &[(&str, &str)], choice: Choice) -> Ballot {
    let texts: Vec<&str> = answers.iter().map(|(text, _)| *text).collect();
    let mut made = ballot(&texts, Some(choice));
    for (answer, (_, name)) in made.answers.iter_mut().zip(answers) {
        answer.author = author(name);
    }
    made
}

/// Any vote that fits a ballot of so many answers.
pub(crate) fn any_choice(answers: usize) -> impl Strategy<Value = Choice> {
    let answer = 0..answers as u64;
    prop_oneof![
        answer.clone().prop_map(|answer| Choice::Best { answer }),
        Just(Choice::Tie),
        Just(Choice::AllBad),
        proptest::collection::vec(any::<bool>(), answers).prop_map(|up| Choice::Thumbs { up }),
        proptest::collection::vec(1..=5u8, answers).prop_map(|stars| Choice::Stars { stars }),
        (answer, "[ab]{1,2}").prop_map(|(answer, text)| Choice::Edit { answer, text }),
        Just(Choice::Skip),
    ]
}

/// Any ballot that passes the check. Few texts and names, so that many are alike.
pub(crate) fn any_ballot() -> impl Strategy<Value = Ballot> {
    let answer = ("[ab]{0,2}", proptest::option::of("[XYZ]")).prop_map(|(text, name)| {
        BallotAnswer { text, author: name.and_then(|name| author(&name)) }
    });
    proptest::collection::vec(answer, 2..=4).prop_flat_map(|answers| {
        let votes = (any_choice(answers.len()), "[nm]?", 0..4u64, 0.0..99.0f64)
            .prop_map(|(choice, rater, at, seconds)| Vote { choice, rater, at, seconds });
        (1..9u64, "[pq]", proptest::option::weighted(0.9, votes)).prop_map(
            move |(id, question, vote)| Ballot {
                id,
                prompt: vec![Message::new("user", question)],
                answers: answers.clone(),
                vote,
            },
        )
    })
}
