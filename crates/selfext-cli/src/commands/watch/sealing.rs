//! Sealing on schedule, beside watching.

use std::convert::Infallible;
use std::time::Duration;

use selfext::audit::note::SignerKey;
use selfext::{SealError, Sealed};

use super::super::Ledger;
use super::super::auditing::places::{Places, hand_on};
use super::pauses::Pauses;
use crate::args::Watch;
use crate::show;

/// The first pause after a ledger that cannot be opened.
const FIRST: Duration = Duration::from_secs(5);

pub struct Sealing<'a> {
    pub ledger: &'a Ledger,
    /// The key, if it is to be sealed at all.
    pub key: Option<&'a SignerKey>,
    pub args: &'a Watch,
}

impl Sealing<'_> {
    /// Seals every so many seconds, or waits for ever where nobody asked for it.
    pub async fn run(&self) -> Infallible {
        let (Some(key), Some(every)) = (self.key, self.args.seal_every) else {
            return std::future::pending().await;
        };
        let mut pauses = Pauses::new(FIRST);
        let operations = loop {
            match self.ledger.open().await {
                Ok(operations) => break operations,
                Err(error) => show::note(&format!("not sealed, and tried again: {error:#}")),
            }
            tokio::time::sleep(pauses.next()).await;
            pauses.failed();
        };
        operations.keep_sealing(key, Duration::from_secs(every), async |sealed| self.tell(sealed)).await
    }

    fn tell(&self, sealed: Result<Sealed, SealError>) {
        match sealed {
            Ok(sealed) if sealed.is_new => {
                let places = Places { file: self.args.seal_to.as_deref(), tag: self.args.seal_tag.as_deref() };
                if let Err(error) = hand_on(&sealed, places) {
                    show::note(&format!("sealed, but not handed on: {error:#}"));
                }
                super::telling::sealed(&sealed, self.ledger.json);
            }
            Ok(_) | Err(SealError::Nothing) => {}
            Err(error) => show::note(&format!("not sealed, and tried again: {:#}", anyhow::Error::from(error))),
        }
    }
}
