//! The costs of all variants, as a table and as JSON.

use crate::goals::GOALS;
use crate::statistics::{median, spread};
use crate::variant::Variant;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// The cost of a request in one turn, and in the turn of no filter beside it, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Pair {
    cost: f64,
    base: f64,
}

/// The figures of one variant.
#[derive(Debug)]
struct Row {
    variant: Variant,
    /// Of each start, of each round.
    pairs: Vec<Vec<Pair>>,
    refused: u32,
}

/// The figures of all variants.
#[derive(Debug)]
pub(crate) struct Report {
    rows: Vec<Row>,
    starts: usize,
}

impl Report {
    pub(crate) fn new(variants: Vec<Variant>) -> Self {
        let row = |variant| Row { variant, pairs: Vec::new(), refused: 0 };
        Self { rows: variants.into_iter().map(row).collect(), starts: 0 }
    }

    pub(crate) fn begin_start(&mut self) {
        self.starts += 1;
        self.rows.iter_mut().for_each(|row| row.pairs.push(Vec::new()));
    }

    pub(crate) fn note_refused(&mut self, variant: Variant, refused: u32) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.variant == variant) {
            row.refused += refused;
        }
    }

    /// Notes what a request took in a turn, and in the turn of no filter beside it.
    pub(crate) fn note_pair(&mut self, variant: Variant, cost: Duration, base: Duration) {
        let microseconds = |time: Duration| time.as_nanos() as f64 / 1e3;
        let row = self.rows.iter_mut().find(|row| row.variant == variant);
        if let Some(pairs) = row.and_then(|row| row.pairs.last_mut()) {
            pairs.push(Pair { cost: microseconds(cost), base: microseconds(base) });
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

    /// Whether every request of every variant passed.
    pub(crate) fn is_valid(&self) -> bool {
        self.rows.iter().all(|row| row.refused == 0)
    }

    /// The cost that a variant added in each pair.
    fn added(&self, variant: Variant) -> Vec<f64> {
        self.added_by_start(variant).into_iter().flatten().collect()
    }

    fn added_by_start(&self, variant: Variant) -> Vec<Vec<f64>> {
        let row = self.rows.iter().find(|row| row.variant == variant);
        let added = |pairs: &Vec<Pair>| pairs.iter().map(|it| it.cost - it.base).collect();
        row.map(|row| row.pairs.iter().map(added).collect()).unwrap_or_default()
    }

    pub(crate) fn ratio(&self, of: Variant, to: Variant) -> f64 {
        median(&self.added(of)) / median(&self.added(to))
    }

    /// The least and the greatest ratio that a single start would have given.
    pub(crate) fn ratio_by_start(&self, of: Variant, to: Variant) -> (f64, f64) {
        let medians = |variant| self.added_by_start(variant).into_iter().map(|a| median(&a));
        let ratios = medians(of).zip(medians(to)).map(|(of, to)| of / to);
        ratios.fold((f64::INFINITY, 0.0), |(low, high), ratio| (ratio.min(low), ratio.max(high)))
    }

    pub(crate) fn to_json(&self) -> Value {
        let pair = |pair: &Pair| json!([pair.cost, pair.base]);
        let row = |row: &Row| {
            let added = self.added(row.variant);
            let starts = row.pairs.iter();
            json!({
                "variant": row.variant.to_string(),
                "refused": row.refused,
                "pairs": added.len(),
                "added_us": median(&added),
                "added_iqr_us": spread(&added),
                "cpu_us_and_without_by_start":
                    starts.map(|pairs| pairs.iter().map(pair).collect()).collect::<Vec<Value>>(),
            })
        };
        json!({
            "starts": self.starts,
            "unanimous": self.is_unanimous(),
            "variants": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| a request that passes | CPU µs | added µs | quartiles | ÷ oauth2 | ÷ no-op wasm | pairs |\n\
             |---|---|---|---|---|---|---|"
        )?;
        let pairs: Vec<Pair> = self.rows.iter().flat_map(|row| row.pairs.concat()).collect();
        let base = median(&pairs.iter().map(|pair| pair.base).collect::<Vec<_>>());
        writeln!(f, "| {} | {base:.1} | | | | | {} |", Variant::NoFilter, pairs.len())?;
        for row in &self.rows {
            let pairs = row.pairs.concat();
            let cost = median(&pairs.iter().map(|pair| pair.cost).collect::<Vec<_>>());
            write!(f, "| {} | {cost:.1} |", row.variant)?;
            if row.refused > 0 {
                writeln!(f, " void: {} requests were refused | | | | |", row.refused)?;
                continue;
            }
            let added = self.added(row.variant);
            let ratio = |to| self.ratio(row.variant, to);
            writeln!(
                f,
                " {:.1} | {:.1} | {:.2} | {:.2} | {} |",
                median(&added),
                spread(&added),
                ratio(Variant::Oauth2),
                ratio(Variant::Noop),
                added.len()
            )?;
        }
        Ok(())
    }
}
