//! `events`.

use std::time::Duration;

use anyhow::Result;
use selfext::{Operations, Position, RecordedEvent, StreamId};

use super::Ledger;
use crate::exit::{Exit, usage};
use crate::interrupt::Interrupt;
use crate::show::{self, Timeline};

/// How many events are read at once.
const PAGE: u32 = 500;

/// How long `--follow` waits between two looks.
const POLL: Duration = Duration::from_millis(500);

pub async fn run(ledger: &Ledger, run: Option<&str>, follow: bool) -> Result<Exit> {
    let stream = run.map(StreamId::parse).transpose().map_err(|error| usage(error.to_string()))?;
    let operations = ledger.open().await?;
    match (&stream, follow) {
        (Some(stream), false) => {
            let events = operations.stream_events(stream).await?;
            if events.is_empty() && *stream != StreamId::Control {
                return Err(usage(format!("there is no run {stream}; `selfext status` lists the latest")));
            }
            Page { stream: None, json: ledger.json, timeline: Timeline::default() }.print(&events);
        }
        (None, false) => read_all(&operations, None, false, ledger.json).await?,
        (_, true) => {
            // Before anything is printed: whoever saw a line may interrupt.
            let mut interrupt = Interrupt::listen()?;
            tokio::select! {
                read = read_all(&operations, stream.as_ref(), true, ledger.json) => read?,
                () = interrupt.came() => {}
            }
        }
    }
    Ok(Exit::Done)
}

async fn read_all(operations: &Operations, stream: Option<&StreamId>, follow: bool, json: bool) -> Result<()> {
    let mut position = Position::START;
    let mut page = Page { stream, json, timeline: Timeline::default() };
    loop {
        let events = operations.events_after(position, PAGE).await?;
        if !page.print(&events) {
            return Ok(());
        }
        match events.last() {
            Some(last) => position = last.position,
            None if follow => tokio::time::sleep(POLL).await,
            None => return Ok(()),
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
