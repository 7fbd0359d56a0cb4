//! The table of results.

use std::fmt;

use crate::appending::ratio;
use crate::median;

pub const INTRODUCTION: &str = "# What the ledger's speed is

Written by `cargo bench --workspace --bench ledger`. Each line's two ways were measured in turns, in the same run and on the
same server; the figures are medians, and the ratio is the median of the ratios of the turns. Each writer has a `Store` of its own, as
agents have, and appends `tested` events to a run of its own through `Ledger::append`. pgbench (`-M prepared`) inserts the same row: into the
ledger as the two columns that a client sends, of which the rest is derived; into the bare table, which has the ledger's columns and
neither its triggers nor its indexes, with all values given. Into a table with the indexes and without the triggers, it shows what is
left beside a bare table where deriving and chaining cost nothing; into a table that has nothing but the two columns, what storing
and sending the rest costs.

Each audit is a process of its own. Its events a second and core are those of a second of processor time that it used, on all its threads
together, and its memory is the most that it had resident.
";

/// What a figure has to reach.
#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
    Exactly(u64),
    /// It stands there to explain another.
    None,
}

impl Goal {
    fn met(self, figure: f64) -> &'static str {
        match self {
            Self::AtLeast(least) if figure >= least => "yes",
            Self::AtMost(most) if figure <= most => "yes",
            Self::None => "",
            _ => "no",
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::AtMost(most) => write!(f, "at most {most}"),
            Self::Exactly(count) => write!(f, "{count}"),
            Self::None => Ok(()),
        }
    }
}

/// The lines that are there so far. Each is printed as soon as it is known.
#[derive(Default)]
pub struct Table {
    lines: Vec<String>,
}

impl Table {
    /// Two ways, in rows a second.
    pub fn rates(&mut self, what: &str, ours: &[f64], theirs: &[f64], goal: Goal) {
        let figure = ratio(ours, theirs);
        let (ours, theirs) = (median(ours), median(theirs));
        self.line(
            what,
            &format!("{ours:.0}/s"),
            &format!("{theirs:.0}/s"),
            &format!("{figure:.2}"),
            goal,
            goal.met(figure),
        );
    }

    /// Two ways, in milliseconds.
    pub fn times(&mut self, what: &str, ours: f64, theirs: f64, goal: Goal) {
        let figure = ours / theirs;
        self.line(
            what,
            &format!("{ours:.3} ms"),
            &format!("{theirs:.3} ms"),
            &format!("{figure:.2}"),
            goal,
            goal.met(figure),
        );
    }

    /// A figure that stands alone.
    pub fn figure(&mut self, what: &str, figure: f64, unit: &str, goal: Goal) {
        self.line(what, &format!("{figure:.3}{unit}"), "", "", goal, goal.met(figure));
    }

    /// A rate that stands alone.
    pub fn rate(&mut self, what: &str, rate: f64, goal: Goal) {
        self.line(what, &format!("{rate:.0}/s"), "", "", goal, goal.met(rate));
    }

    /// How often something happens.
    pub fn count(&mut self, what: &str, count: u64, goal: u64) {
        let met = if count == goal { "yes" } else { "no" };
        self.line(what, &count.to_string(), "", "", Goal::Exactly(goal), met);
    }

    fn line(&mut self, what: &str, ours: &str, theirs: &str, ratio: &str, goal: Goal, met: &str) {
        let line = format!("| {what} | {ours} | {theirs} | {ratio} | {goal} | {met} |");
        println!("{line}");
        self.lines.push(line);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | selfext | beside | ratio | goal | met |\n| --- | --- | --- | --- | --- | --- |")?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
