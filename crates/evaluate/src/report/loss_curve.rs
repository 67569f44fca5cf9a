//! Picture: loss over the steps.

use askama::Template;
use sanbao_contract::train::StepMetrics;

use super::format::{count, ticks};
use super::messages::Messages;
use crate::Error;
use crate::verdict::decimals;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 128.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 38.0;
/// Points drawn at most; longer runs are averaged in groups.
const MOST_POINTS: usize = 240;
/// Least distance between the two names at the line ends.
const NAME_GAP: f64 = 18.0;

struct Tick {
    at: f64,
    text: String,
}

struct Dot {
    x: f64,
    y: f64,
}

struct Name {
    y: f64,
    text: &'static str,
    value: String,
}

struct Best {
    x: f64,
    y: f64,
    name_y: f64,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "loss_curve.svg")]
struct LossCurve {
    title: &'static str,
    step: &'static str,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    each: String,
    smooth: String,
    validation: String,
    dots: Vec<Dot>,
    train_name: Option<Name>,
    validation_name: Option<Name>,
    best: Option<Best>,
}

/// The picture; `None` when fewer than two steps have a loss to draw.
pub(super) fn draw(
    steps: &[StepMetrics],
    best_step: Option<u64>,
    words: &Messages,
) -> Result<Option<String>, Error> {
    let finite = steps.iter().filter(|step| step.loss.is_finite());
    let points: Vec<(f64, f64)> = finite.map(|step| (step.step as f64, step.loss)).collect();
    if points.len() < 2 {
        return Ok(None);
    }
    let each = grouped(&points);
    let smooth = smoothed(&each);
    let validation: Vec<(f64, f64)> = steps
        .iter()
        .filter_map(|step| Some((step.step as f64, step.validation_loss?)))
        .filter(|(_, loss)| loss.is_finite())
        .collect();
    let all = || each.iter().chain(&validation);
    let (first, last) = range(all().map(|point| point.0));
    let (low, high) = range(all().map(|point| point.1));
    let pad = if high > low { 0.06 * (high - low) } else { 0.5 };
    // A loss is never negative, so neither is its axis.
    let (low, high) = ((low - pad).max(0.0), high + pad);
    let x = |step: f64| LEFT + (step - first) / (last - first).max(1.0) * (WIDTH - LEFT - RIGHT);
    let y = |loss: f64| TOP + (high - loss) / (high - low) * (HEIGHT - TOP - BOTTOM);
    let path = |points: &[(f64, f64)]| {
        let place = |point: &(f64, f64)| format!("{:.1},{:.1}", x(point.0), y(point.1));
        points.iter().map(place).collect::<Vec<_>>().join(" ")
    };
    let name = |points: &[(f64, f64)], text| {
        points.last().map(|point| Name { y: y(point.1), text, value: decimals(point.1) })
    };
    let mut train_name = name(&smooth, words.curve_train);
    let mut validation_name = name(&validation, words.curve_validation);
    keep_apart(&mut train_name, &mut validation_name);
    let best = best_step.and_then(|best| validation.iter().find(|point| point.0 == best as f64));
    let picture = LossCurve {
        title: words.curve_title,
        step: words.curve_step,
        x_ticks: ticks(first, last, 6)
            .into_iter()
            .filter(|(step, _)| step.fract() == 0.0)
            .map(|(step, _)| Tick { at: x(step), text: count(step as u64) })
            .collect(),
        y_ticks: ticks(low, high, 4)
            .into_iter()
            .map(|(loss, text)| Tick { at: y(loss), text })
            .collect(),
        each: path(&each),
        smooth: path(&smooth),
        dots: validation.iter().map(|point| Dot { x: x(point.0), y: y(point.1) }).collect(),
        validation: path(&validation),
        train_name,
        validation_name,
        best: best.map(|point| Best {
            x: x(point.0),
            y: y(point.1),
            // The name goes to the side of the ring that the training line is not on.
            name_y: y(point.1) + if is_above(point, &smooth) { -14.0 } else { 22.0 },
            text: words.curve_best,
        }),
    };
    Ok(Some(picture.render()?))
}

/// Whether a point lies above a line at its step.
fn is_above(point: &(f64, f64), line: &[(f64, f64)]) -> bool {
    line.iter().rev().find(|other| other.0 <= point.0).is_none_or(|other| point.1 >= other.1)
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

/// Averages neighbours until few enough points are left.
fn grouped(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(MOST_POINTS);
    let mean = |values: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
        values.iter().map(pick).sum::<f64>() / values.len() as f64
    };
    points.chunks(size).map(|group| (mean(group, |p| p.0), mean(group, |p| p.1))).collect()
}

/// Moving average over about a tenth of the points around each, as far as there are any.
fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let reach = (points.len() / 16).max(1);
    let around = |at: usize| {
        let near = &points[at.saturating_sub(reach)..points.len().min(at + reach + 1)];
        (points[at].0, near.iter().map(|point| point.1).sum::<f64>() / near.len() as f64)
    };
    (0..points.len()).map(around).collect()
}

/// Moves two names apart, keeping their middle.
fn keep_apart(one: &mut Option<Name>, other: &mut Option<Name>) {
    if let (Some(one), Some(other)) = (one, other) {
        let gap = (one.y - other.y).abs();
        if gap < NAME_GAP {
            let shift = (NAME_GAP - gap) / 2.0;
            let (upper, lower) = if one.y <= other.y { (one, other) } else { (other, one) };
            upper.y -= shift;
            lower.y += shift;
        }
    }
}
