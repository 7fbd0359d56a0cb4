//! A follower on Postgres: it is told of writes, and looks by itself where it is not.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use selfext_domain::ports::{Follower, LedgerError};
use selfext_domain::{Position, RecordedEvent};
use sqlx::Row as _;

use super::Connections;
use super::columns::{EVENT_COLUMNS, event_columns, event_row};
use super::ear::Ear;
use super::errors::reading;
use super::wakes::CHANNEL;
use crate::pace::Pace;
use crate::place::{BATCH, Place, other_history};
use crate::request::signed;

/// A follower on Postgres. Besides a connection to listen on, it uses those of its ledger.
#[derive(Debug)]
pub(super) struct PgFollower {
    connections: Arc<Connections>,
    place: Place,
    /// The history of the database at the first look.
    history: Option<FoundHistory>,
    pace: Pace,
    /// From the first call on.
    ear: Option<Ear>,
}

/// The history that a database has; a standby tells none.
#[derive(Debug, PartialEq, Eq)]
struct FoundHistory(Option<String>);

impl fmt::Display for FoundHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("that of a standby"))
    }
}

/// What one look found.
struct Look {
    events: Vec<RecordedEvent>,
    /// Whether there are events that an older transaction, which is still open, holds back.
    held_back: bool,
}

impl PgFollower {
    pub fn new(connections: Arc<Connections>, after: Position, poll: Duration) -> Self {
        Self { connections, place: Place::new(after), history: None, pace: Pace::new(poll), ear: None }
    }

    /// One round trip; everything in it is of one moment.
    async fn look(&mut self) -> Result<Look, LedgerError> {
        const LOOK: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            ", h.history, h.place, h.held_back
             FROM (SELECT public.self_extension_history() AS history,
                          (SELECT p.hash FROM public.self_extension_events p
                           WHERE p.id = $2 AND p.transaction_id = $1::text::xid8) AS place,
                          EXISTS (SELECT FROM public.self_extension_events b
                                  WHERE (b.transaction_id, b.id) > ($1::text::xid8, $2)
                                    AND b.transaction_id >= pg_snapshot_xmin(pg_current_snapshot())) AS held_back) h
             LEFT JOIN LATERAL (
                SELECT * FROM public.self_extension_events n
                WHERE (n.transaction_id, n.id) > ($1::text::xid8, $2)
                  AND n.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY n.transaction_id, n.id LIMIT $3
             ) e ON true
             ORDER BY e.transaction_id, e.id"
        );
        let position = self.place.position;
        let statement = || {
            sqlx::query(LOOK).bind(position.transaction.to_string()).bind(signed(position.id)).bind(i64::from(BATCH))
        };
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let first = rows.first().ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
        self.is_history(FoundHistory(first.try_get(EVENT_COLUMNS).map_err(reading)?))?;
        self.place.is_still(first.try_get(EVENT_COLUMNS + 1).map_err(reading)?)?;
        let held_back = first.try_get(EVENT_COLUMNS + 2).map_err(reading)?;
        // Without a new event there is one row, with no event in it.
        let events = if first.try_get::<Option<i64>, _>(0).map_err(reading)?.is_some() {
            rows.iter().map(|row| event_row(row).map_err(reading)?.into_recorded()).collect::<Result<_, _>>()?
        } else {
            Vec::new()
        };
        Ok(Look { events, held_back })
    }

    /// Compares the database's history with the one of the first look.
    fn is_history(&mut self, found: FoundHistory) -> Result<(), LedgerError> {
        match &self.history {
            Some(known) if *known != found => Err(other_history(format!("its history is {found}, and was {known}"))),
            _ => {
                self.history = Some(found);
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Follower for PgFollower {
    async fn next(&mut self) -> Result<Vec<RecordedEvent>, LedgerError> {
        loop {
            let ear =
                self.ear.get_or_insert_with(|| Ear::listen(self.connections.options().clone(), CHANNEL.to_owned()));
            tokio::select! {
                () = ear.heard() => {}
                () = self.pace.due() => {}
            }
            // What was heard is not to be forgotten if this call is dropped during the look.
            self.pace.now();
            let Look { events, held_back } = match self.look().await {
                Ok(look) => look,
                Err(error) => {
                    self.pace.failed();
                    return Err(error);
                }
            };
            // From here to the return nothing waits: the events are either given or looked for again.
            let recovered = self.pace.recovered();
            if events.len() == BATCH as usize {
                self.pace.now();
            } else if held_back {
                self.pace.soon();
            } else {
                self.pace.rest(self.pace.poll());
            }
            self.place.go_behind(&events);
            if recovered || !events.is_empty() {
                return Ok(events);
            }
        }
    }
}
