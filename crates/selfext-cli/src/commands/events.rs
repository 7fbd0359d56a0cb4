//! `events`.

use anyhow::{Context as _, Result};
use selfext::{LedgerError, Operations, Position, RecordedEvent, StreamId};

use super::Ledger;
use crate::exit::{Exit, usage};
use crate::interrupt::Interrupt;
use crate::show::{self, Timeline};

/// How many events are read at once.
const PAGE: u32 = 500;

/// What to do where a follower cannot go on.
const OTHER_HISTORY: &str = "a standby took the database's place, an earlier copy was put there, or the position is of another \
    ledger; what was shown may not be in this one. `selfext events` shows what is; follow on behind a position of that";

pub async fn run(ledger: &Ledger, run: Option<&str>, follow: bool, after: Option<Position>) -> Result<Exit> {
    let stream = run.map(StreamId::parse).transpose().map_err(|error| usage(error.to_string()))?;
    let operations = ledger.open().await?;
    let after = after.unwrap_or(Position::START);
    let mut page = Page { stream: stream.as_ref(), json: ledger.json, timeline: Timeline::default() };
    match (&stream, follow) {
        (Some(stream), false) => {
            let mut events = operations.stream_events(stream).await?;
            if events.is_empty() && *stream != StreamId::Control {
                return Err(usage(format!("there is no run {stream}; `selfext status` lists the latest")));
            }
            events.retain(|event| event.position > after);
            page.print(&events);
        }
        (None, false) => read_all(&operations, after, &mut page).await?,
        (_, true) => {
            // Before anything is printed: whoever saw a line may interrupt.
            let mut interrupt = Interrupt::listen()?;
            tokio::select! {
                followed = follow_from(&operations, after, &mut page) => followed?,
                () = interrupt.came() => {}
            }
        }
    }
    Ok(Exit::Done)
}

async fn read_all(operations: &Operations, after: Position, page: &mut Page<'_>) -> Result<()> {
    let mut position = after;
    loop {
        let events = operations.events_after(position, PAGE).await?;
        let Some(last) = events.last() else { return Ok(()) };
        if !page.print(&events) {
            return Ok(());
        }
        position = last.position;
    }
}

/// Prints what comes, until nobody reads any more. A database that does not answer is waited for, which is said once.
async fn follow_from(operations: &Operations, after: Position, page: &mut Page<'_>) -> Result<()> {
    let mut follower = operations.follow(after);
    let mut waiting = false;
    loop {
        match follower.next().await {
            Ok(events) => {
                if waiting {
                    show::note("the ledger answers again");
                    waiting = false;
                }
                if !page.print(&events) {
                    return Ok(());
                }
            }
            Err(error @ LedgerError::Unavailable(_)) => {
                if !waiting {
                    let error = anyhow::Error::from(error);
                    show::note(&format!(
                        "{}; waiting for it, nothing is lost",
                        show::clean_line(&format!("{error:#}"))
                    ));
                    waiting = true;
                }
            }
            Err(error @ LedgerError::OtherHistory { .. }) => return Err(error).context(OTHER_HISTORY),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What is printed, page by page.
struct Page<'a> {
    stream: Option<&'a StreamId>,
    json: bool,
    timeline: Timeline,
}

impl Page<'_> {
    /// Prints events; answers whether anybody still reads.
    fn print(&mut self, events: &[RecordedEvent]) -> bool {
        let wanted = events.iter().filter(|event| self.stream.is_none_or(|stream| event.event.stream == *stream));
        let line = |event| if self.json { show::event_json(event).to_string() } else { self.timeline.line(event) };
        let lines: Vec<String> = wanted.map(line).collect();
        lines.is_empty() || show::print(&lines.join("\n"))
    }
}
