//! What people and programs are shown.

mod event;
mod health;
mod outcome;
mod pause;
mod place;
mod print;
mod progress;
mod runs;
mod status;

use chrono::{DateTime, Utc};

pub use event::{Timeline, event_json, headline};
pub use outcome::{outcome_json, outcome_lines, print_outcome};
pub use pause::{PauseReport, accepting, history_json, may_merge, merge_end, overdue};
pub use place::place;
pub use print::{note, print, print_json};
pub use progress::Progress;
pub use runs::print_runs;
pub use status::{permit_json, print_status};

/// Text from a change or a forge, safe for a terminal: control and invisible characters become visible, lines stay.
pub fn clean(text: &str) -> String {
    let hidden = |c: char| (c.is_control() && c != '\n') || ('\u{200B}'..='\u{202E}').contains(&c);
    text.chars().map(|c| if hidden(c) { '\u{FFFD}' } else { c }).collect()
}

/// The same of a text in which tabs belong.
pub fn clean_text(text: &str) -> String {
    text.split('\t').map(clean).collect::<Vec<_>>().join("\t")
}

/// A time as people read it.
pub fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The same on one line.
pub fn clean_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    clean(&lines.join(" / "))
}

/// An error with everything under it that says more, a line each.
pub fn error_lines(error: &anyhow::Error) -> String {
    let mut text = format!("error: {}", clean(&error.to_string()));
    for cause in causes(error) {
        text.push_str("\n  because: ");
        text.push_str(&clean(&cause));
    }
    text
}

/// What is under an error, without what the words above it say already.
pub fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut above = error.to_string();
    let mut causes = Vec::new();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !above.contains(&cause) {
            causes.push(cause.clone());
            above = cause;
        }
    }
    causes
}
