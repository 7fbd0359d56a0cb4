//! `events`.

use anyhow::{Context as _, Result};
use selfext::{Cursor, EventQuery, LedgerError, Operations, Position, RecordedEvent, StreamId, TimeRange, error_chain};

use super::Ledger;
use crate::args::Events;
use crate::exit::{Exit, usage};
use crate::interrupt::Interrupt;
use crate::show::{self, Timeline};

/// How many events are read at once.
const PAGE: u32 = 500;

/// What to do where a follower cannot go on.
const OTHER_HISTORY: &str = "a standby took the database's place, an earlier copy was put there, or the position is of another \
    ledger; what was shown may not be in this one. `selfext events` shows what is; follow on behind a position of that";

pub async fn run(ledger: &Ledger, args: &Events) -> Result<Exit> {
    let stream = args.run.as_deref().map(StreamId::parse).transpose().map_err(|error| usage(error.to_string()))?;
    let operations = ledger.open().await?;
    let recorded = args.recorded.range(&operations).await?;
    let mut page = Page { wanted: args, stream, recorded, json: ledger.json, timeline: Timeline::default() };
    let after = args.after.unwrap_or(Position::START);
    let by_query = !args.types.is_empty() || args.recorded.is_given();
    if args.follow {
        // Before anything is printed: whoever saw a line may interrupt.
        let mut interrupt = Interrupt::listen()?;
        tokio::select! {
            followed = follow_from(&operations, after, &mut page) => followed?,
            () = interrupt.came() => {}
        }
    } else if let Some(stream) = &page.stream {
        let events = operations.stream_events(stream).await?;
        if events.is_empty() && *stream != StreamId::Control {
            return Err(usage(format!("there is no run {stream}; `selfext runs` lists them")));
        }
        page.print(&events);
    } else if by_query && args.after.is_none() {
        read_found(&operations, &mut page).await?;
    } else {
        read_all(&operations, after, &mut page).await?;
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

/// The events of the types and times that were asked for, without reading the others.
async fn read_found(operations: &Operations, page: &mut Page<'_>) -> Result<()> {
    let (types, recorded) = (page.wanted.types.clone(), page.recorded);
    let mut query = EventQuery { types, recorded, after: None, limit: PAGE };
    loop {
        let events = operations.events(&query).await?;
        let Some(last) = events.last() else { return Ok(()) };
        if !page.print(&events) {
            return Ok(());
        }
        query.after = Some(Cursor::of(last));
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
                    let error = show::clean_line(&error_chain(&error));
                    show::note(&format!("{error}; waiting for it, nothing is lost"));
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
    wanted: &'a Events,
    stream: Option<StreamId>,
    recorded: TimeRange,
    json: bool,
    timeline: Timeline,
}

impl Page<'_> {
    /// Prints those of the events that are wanted; answers whether anybody still reads.
    fn print(&mut self, events: &[RecordedEvent]) -> bool {
        let wanted: Vec<&RecordedEvent> = events.iter().filter(|event| self.wants(event)).collect();
        let line = |event| if self.json { show::event_json(event).to_string() } else { self.timeline.line(event) };
        let lines: Vec<String> = wanted.into_iter().map(line).collect();
        lines.is_empty() || show::print(&lines.join("\n"))
    }

    fn wants(&self, event: &RecordedEvent) -> bool {
        let (Events { types, after, .. }, recorded) = (self.wanted, self.recorded);
        self.stream.as_ref().is_none_or(|stream| event.event.stream == *stream)
            && (types.is_empty() || types.iter().any(|wanted| wanted == event.event.body.event_type()))
            && recorded.since.is_none_or(|since| event.recorded_at >= since)
            && recorded.until.is_none_or(|until| event.recorded_at < until)
            && after.is_none_or(|after| event.position > after)
    }
}
