//! The results: a table, JSON, and a verdict.

use crate::statistics::{median, spread};
use crate::variant::Variant;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// A ratio of two variants' added cost, and the most that it may be.
#[derive(Clone, Copy, Debug)]
struct Goal {
    of: Variant,
    to: Variant,
    bound: Bound,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

const GOALS: [Goal; 2] = [
    Goal { of: Variant::DuoMfa, to: Variant::Noop, bound: Bound::AtMost(2.6) },
    Goal { of: Variant::ExtAuthz, to: Variant::DuoMfa, bound: Bound::AtLeast(3.0) },
];

/// The figures of one variant.
#[derive(Debug)]
struct Row {
    variant: Variant,
    /// CPU time a request, in microseconds: of each start, of each round.
    costs: Vec<Vec<f64>>,
    refused: u32,
}

/// The figures of all variants.
#[derive(Debug)]
pub(crate) struct Report {
    rows: Vec<Row>,
    starts: usize,
    pinned: bool,
    load: (f64, f64),
}

impl Goal {
    fn is_met(&self, ratio: f64) -> bool {
        match self.bound {
            Bound::AtMost(most) => ratio <= most,
            Bound::AtLeast(least) => ratio >= least,
        }
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

impl Report {
    pub(crate) fn new(variants: Vec<Variant>, pinned: bool) -> Self {
        let row = |variant| Row { variant, costs: Vec::new(), refused: 0 };
        let load = load_average();
        let rows = variants.into_iter().map(row).collect();
        Self { rows, starts: 0, pinned, load: (load, load) }
    }

    pub(crate) fn begin_start(&mut self) {
        self.starts += 1;
        self.rows.iter_mut().for_each(|row| row.costs.push(Vec::new()));
    }

    pub(crate) fn end(&mut self) {
        self.load.1 = load_average();
    }

    pub(crate) fn note_refused(&mut self, variant: Variant, refused: u32) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.variant == variant) {
            row.refused += refused;
        }
    }

    /// Notes what a request of this round took.
    pub(crate) fn note_cost(&mut self, variant: Variant, cost: Duration) {
        let row = self.rows.iter_mut().find(|row| row.variant == variant);
        if let Some(costs) = row.and_then(|row| row.costs.last_mut()) {
            costs.push(cost.as_nanos() as f64 / 1e3);
        }
    }

    pub(crate) const fn starts(&self) -> usize {
        self.starts
    }

    /// Whether each start of Envoy, taken separately, gives the same verdict on every goal.
    pub(crate) fn is_unanimous(&self) -> bool {
        GOALS.iter().all(|goal| {
            let (low, high) = self.ratio_by_start(goal.of, goal.to);
            goal.is_met(low) == goal.is_met(high)
        })
    }

    pub(crate) fn meets_goals(&self) -> bool {
        GOALS.iter().all(|goal| goal.is_met(self.ratio(goal.of, goal.to)))
            && self.rows.iter().all(|row| row.refused == 0)
    }

    /// The cost that a variant added in each round, compared with no filter.
    fn added(&self, variant: Variant) -> Vec<f64> {
        self.added_by_start(variant).into_iter().flatten().collect()
    }

    fn added_by_start(&self, variant: Variant) -> Vec<Vec<f64>> {
        let starts = |wanted| {
            let row = self.rows.iter().find(|row| row.variant == wanted);
            row.map(|row| row.costs.as_slice()).unwrap_or_default()
        };
        let differences = |(costs, base): (&Vec<f64>, &Vec<f64>)| {
            costs.iter().zip(base).map(|(cost, base)| cost - base).collect()
        };
        starts(variant).iter().zip(starts(Variant::NoFilter)).map(differences).collect()
    }

    fn ratio(&self, of: Variant, to: Variant) -> f64 {
        median(&self.added(of)) / median(&self.added(to))
    }

    /// The least and the greatest ratio that a single start would have given.
    fn ratio_by_start(&self, of: Variant, to: Variant) -> (f64, f64) {
        let medians = |variant| self.added_by_start(variant).into_iter().map(|a| median(&a));
        let ratios = medians(of).zip(medians(to)).map(|(of, to)| of / to);
        ratios.fold((f64::INFINITY, 0.0), |(low, high), ratio| (ratio.min(low), ratio.max(high)))
    }

    pub(crate) fn to_json(&self) -> Value {
        let row = |row: &Row| {
            let added = self.added(row.variant);
            json!({
                "variant": row.variant.to_string(),
                "refused": row.refused,
                "cpu_us": median(&row.costs.concat()),
                "added_us": median(&added),
                "added_iqr_us": spread(&added),
                "cpu_us_by_start": row.costs,
            })
        };
        let goal = |goal: &Goal| {
            let ratio = self.ratio(goal.of, goal.to);
            json!({"goal": goal.to_string(), "ratio": ratio, "met": goal.is_met(ratio)})
        };
        json!({
            "starts": self.starts,
            "pinned": self.pinned,
            "unanimous": self.is_unanimous(),
            "load_average": [self.load.0, self.load.1],
            "variants": self.rows.iter().map(row).collect::<Vec<_>>(),
            "goals": GOALS.iter().map(goal).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "variant                  CPU us   added us   IQR   added ÷ no-op")?;
        for row in &self.rows {
            let (name, cost) = (row.variant, median(&row.costs.concat()));
            write!(f, "{name:<22} {cost:>8.1}")?;
            if row.refused > 0 {
                writeln!(f, "   void: {} requests were refused", row.refused)?;
            } else if row.variant == Variant::NoFilter {
                writeln!(f)?;
            } else {
                let added = self.added(row.variant);
                let ratio = self.ratio(row.variant, Variant::Noop);
                writeln!(f, " {:>10.1} {:>5.1} {ratio:>15.2}", median(&added), spread(&added))?;
            }
        }
        let unanimity = if self.is_unanimous() { "" } else { ", which do not agree" };
        let (before, after) = self.load;
        writeln!(
            f,
            "\n{} starts of Envoy{unanimity}; load average {before} to {after}",
            self.starts
        )?;
        for goal in &GOALS {
            let ratio = self.ratio(goal.of, goal.to);
            let (low, high) = self.ratio_by_start(goal.of, goal.to);
            let verdict = if goal.is_met(ratio) { "met" } else { "MISSED" };
            writeln!(f, "{verdict}: {goal}: {ratio:.2} ({low:.2} to {high:.2} by start)")?;
        }
        Ok(())
    }
}

fn load_average() -> f64 {
    let line = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    line.split(' ').next().and_then(|one| one.parse().ok()).unwrap_or_default()
}
