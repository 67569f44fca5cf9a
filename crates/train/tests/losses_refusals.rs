//! What does not fit together is refused with an error that names it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use sanbao_train::losses::grpo::{self, GrpoBatch, GrpoSettings, ScaleRewards};
use sanbao_train::losses::ppo::{self, PpoBatch, PpoSettings};
use sanbao_train::losses::{
    Error, PreferenceBatch, PreferenceSettings, TokenRows, kto, preference_loss, reward_model, rloo,
};

fn rows(lengths: &[usize]) -> TokenRows {
    TokenRows::from_flat(&vec![-1.0; lengths.iter().sum()], lengths).unwrap()
}

#[test]
fn what_does_not_fit_is_named() {
    let sigmoid = |policy: &TokenRows, reference: &TokenRows| {
        let batch = PreferenceBatch { reference: Some(reference), ..PreferenceBatch::new(policy) };
        (preference_loss("sigmoid").unwrap().compute)(&batch, &PreferenceSettings::DEFAULT)
            .unwrap_err()
    };
    let two = rows(&[2, 3]);
    assert_eq!(sigmoid(&rows(&[]), &rows(&[])).code(), "train.loss.no_rows");
    assert_eq!(sigmoid(&rows(&[2, 3, 1]), &two).code(), "train.loss.not_pairs");
    assert!(matches!(sigmoid(&rows(&[2, 0]), &two), Error::EmptyRow { row: 2, .. }));
    assert!(matches!(sigmoid(&two, &rows(&[2])), Error::Count { found: 1, expected: 2, .. }));
    let error = sigmoid(&two, &rows(&[2, 4]));
    assert!(matches!(error, Error::Length { row: 2, found: 4, expected: 3, .. }));
    assert!(error.to_string().starts_with("Row 2 of the reference model has 4 tokens"));

    let odd = preference_loss("orpo").unwrap();
    let short = rows(&[]);
    let batch = PreferenceBatch { prompts: Some(&short), ..PreferenceBatch::new(&two) };
    assert_eq!((odd.compute)(&batch, &odd.defaults).unwrap_err().code(), "train.loss.count");

    let labels = [true];
    let batch = PreferenceBatch {
        reference: Some(&two),
        desirable: Some(&labels),
        kl: Some(0.0),
        ..PreferenceBatch::new(&two)
    };
    let kto = |batch| (kto::KTO.compute)(&batch, &PreferenceSettings::DEFAULT).unwrap_err();
    assert_eq!(kto(batch).code(), "train.loss.count");
    let batch = PreferenceBatch { desirable: Some(&[true, false]), kl: Some(f64::NAN), ..batch };
    assert_eq!(kto(batch).code(), "train.loss.not_finite");
    assert_eq!(kto(PreferenceBatch { kl: None, ..batch }).code(), "train.loss.missing");
    assert!(kto::reference_point::<f32>(&[], &[]).is_err());
    assert!(kto::reference_point(&[1.0_f32], &[1.0, 2.0]).is_err());
    assert!(kto::reference_point(&[f32::NAN], &[1.0]).is_err());

    let scores = reward_model::bradley_terry::<f32>;
    assert_eq!(scores(&[], &[], None, None).unwrap_err().code(), "train.loss.no_rows");
    assert!(matches!(scores(&[1.0], &[], None, None), Err(Error::Count { .. })));
    assert!(matches!(scores(&[1.0], &[1.0], Some(&[]), None), Err(Error::Count { .. })));
    assert!(matches!(scores(&[f32::NAN], &[1.0], None, None), Err(Error::NotFinite { .. })));
    assert!(matches!(scores(&[1.0], &[1.0], None, Some(-1.0)), Err(Error::BadSetting { .. })));
    let huge = reward_model::bradley_terry(&[1e200], &[1e200], None, Some(0.1)).unwrap_err();
    assert_eq!(huge.code(), "train.loss.overflow");
}

#[test]
fn rewards_and_completions_that_do_not_fit_are_named() {
    let rewards = [1.0_f32; 6];
    for num_generations in [0, 1, 4, 7] {
        let error = grpo::advantages(&rewards, num_generations, ScaleRewards::Group).unwrap_err();
        assert_eq!(error, Error::NotGroups { rows: 6, num_generations });
    }
    let six = rows(&[2; 6]);
    let rloo = |rewards: &[f32], reference, beta| {
        rloo::advantages(rewards, &six, reference, 3, beta, false).map(|found| found.advantages)
    };
    assert_eq!(rloo(&rewards, None, 0.0).unwrap(), [0.0; 6]);
    assert!(matches!(rloo(&rewards, None, 0.1), Err(Error::Missing { .. })));
    assert!(matches!(rloo(&rewards[1..], None, 0.0), Err(Error::Count { .. })));
    assert!(matches!(rloo(&[f32::NAN; 6], None, 0.0), Err(Error::NotFinite { .. })));
    assert!(matches!(rloo(&rewards, Some(&six), -1.0), Err(Error::BadSetting { .. })));

    let advantages = [0.5; 6];
    let batch = GrpoBatch { policy: &six, old: None, reference: None, advantages: &advantages };
    let code = |batch: &GrpoBatch<'_>, settings: GrpoSettings| {
        grpo::loss(batch, &settings).unwrap_err().code()
    };
    let default = GrpoSettings::default;
    assert_eq!(code(&batch, GrpoSettings { beta: 0.1, ..default() }), "train.loss.missing");
    for settings in [
        GrpoSettings { beta: f64::NAN, ..default() },
        GrpoSettings { epsilon_low: -0.1, ..default() },
        GrpoSettings { epsilon_high: f64::INFINITY, ..default() },
        GrpoSettings { delta: Some(0.0), ..default() },
        GrpoSettings { max_completion_length: 0, ..default() },
        GrpoSettings { portions: 0, ..default() },
        GrpoSettings { step_tokens: Some(0), ..default() },
    ] {
        assert_eq!(code(&batch, settings), "train.loss.bad_setting", "{settings:?}");
    }
    let short = GrpoBatch { advantages: &advantages[1..], ..batch };
    assert_eq!(code(&short, default()), "train.loss.count");
    let far = TokenRows::from_flat(&[-1000.0; 12], &[2; 6]).unwrap();
    let down = GrpoBatch { old: Some(&far), advantages: &[-0.5; 6], ..batch };
    assert_eq!(code(&down, default()), "train.loss.overflow");

    assert_eq!(ppo::whiten(&rows(&[1]), true).unwrap_err(), Error::NoSpread { tokens: 1 });
    assert_eq!(ppo::token_rewards(&rewards, &rows(&[]), 0.1).unwrap_err(), Error::NoRows);
    assert!(ppo::token_rewards(&rewards[1..], &six, 0.1).is_err());
    assert!(ppo::advantages_and_returns(&six, &six, 1.1, 0.9).is_err());
    assert!(ppo::advantages_and_returns(&six, &rows(&[2; 5]), 1.0, 0.9).is_err());
    let batch = PpoBatch {
        policy: &six,
        old: &six,
        values: &six,
        old_values: &six,
        advantages: &six,
        returns: &six,
        entropies: None,
    };
    let code = |batch: &PpoBatch<'_>, settings: PpoSettings| {
        ppo::loss(batch, &settings).unwrap_err().code()
    };
    let entropy = PpoSettings { entropy_coef: 0.1, ..PpoSettings::default() };
    assert_eq!(code(&batch, entropy), "train.loss.missing");
    let wide = PpoSettings { cliprange: 1.5, ..PpoSettings::default() };
    assert_eq!(code(&batch, wide), "train.loss.bad_setting");
    let other = rows(&[2, 2, 2, 2, 2, 1]);
    let other = PpoBatch { returns: &other, ..batch };
    assert_eq!(code(&other, PpoSettings::default()), "train.loss.length");
}
