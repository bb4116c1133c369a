//! The goals, and whether the figures reach them.

use crate::footprint::Footprints;
use crate::report::Report;
use crate::variant::Variant;
use std::fmt;

/// A bound of a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// A ratio of two variants' added cost, and its bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub(crate) of: Variant,
    pub(crate) to: Variant,
    bound: Bound,
}

/// The ratios.
pub(crate) const GOALS: [Goal; 8] = [
    Goal { of: Variant::Native, to: Variant::Oauth2, bound: Bound::AtMost(0.7) },
    Goal { of: Variant::Native, to: Variant::DuoMfa, bound: Bound::AtMost(0.5) },
    Goal { of: Variant::Native, to: Variant::JwtAuthn, bound: Bound::AtMost(0.35) },
    Goal { of: Variant::ExtAuthz, to: Variant::Native, bound: Bound::AtLeast(8.0) },
    Goal { of: Variant::DuoMfa, to: Variant::Oauth2, bound: Bound::AtMost(1.3) },
    Goal { of: Variant::DuoMfa, to: Variant::Noop, bound: Bound::AtMost(2.0) },
    Goal { of: Variant::DuoMfa, to: Variant::JwtAuthn, bound: Bound::AtMost(1.0) },
    Goal { of: Variant::ExtAuthz, to: Variant::DuoMfa, bound: Bound::AtLeast(3.0) },
];

/// Megabytes that the native library may add to Envoy with eight workers.
const NATIVE_MEMORY: f64 = 4.0;
/// Milliseconds that Envoy may be ready later with it.
const NATIVE_DELAY: f64 = 20.0;

/// A goal, what was reached, and whether that is enough.
#[derive(Clone, Debug)]
pub(crate) struct Result {
    pub(crate) goal: String,
    pub(crate) reached: f64,
    pub(crate) is_met: bool,
    /// The least and the greatest value of a single start, of ratios.
    range: Option<(f64, f64)>,
}

impl Goal {
    pub(crate) fn is_met(&self, ratio: f64) -> bool {
        match self.bound {
            Bound::AtMost(most) => ratio <= most,
            Bound::AtLeast(least) => ratio >= least,
        }
    }
}

/// All goals about what was measured.
pub(crate) fn results(report: &Report, footprints: &Footprints) -> Vec<Result> {
    let mut results: Vec<Result> = GOALS.iter().map(|goal| of_ratio(goal, report)).collect();
    if !footprints.is_empty() {
        let memory = footprints.memory_over_none(Variant::Native, 8);
        let text = format!("memory of {}, 8 workers, <= {NATIVE_MEMORY} MB", Variant::Native);
        results.push(Result::at_most(text, memory, NATIVE_MEMORY));
        for workers in crate::footprint::WORKERS {
            let delay = footprints.later_than_none(Variant::Native, workers);
            let text = format!(
                "{}, {workers} workers, ready within {NATIVE_DELAY} ms of no filter",
                Variant::Native
            );
            results.push(Result::at_most(text, delay, NATIVE_DELAY));
        }
    }
    results
}

fn of_ratio(goal: &Goal, report: &Report) -> Result {
    let reached = report.ratio(goal.of, goal.to);
    let range = Some(report.ratio_by_start(goal.of, goal.to));
    Result { goal: goal.to_string(), reached, is_met: goal.is_met(reached), range }
}

impl Result {
    fn at_most(goal: String, reached: f64, most: f64) -> Self {
        Self { goal, reached, is_met: reached <= most, range: None }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ÷ {} ", self.of, self.to)?;
        match self.bound {
            Bound::AtMost(most) => write!(f, "<= {most}"),
            Bound::AtLeast(least) => write!(f, ">= {least}"),
        }
    }
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_met { "met" } else { "MISSED" };
        write!(f, "- {verdict}: {}: {:.2}", self.goal, self.reached)?;
        match self.range {
            Some((low, high)) => write!(f, " ({low:.2} to {high:.2} by start)"),
            None => Ok(()),
        }
    }
}
