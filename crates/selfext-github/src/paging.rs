//! Lists that GitHub gives in pages, read whole or not at all.

use std::collections::HashSet;
use std::hash::Hash;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::StatusCode;
use selfext_domain::ports::ForgeError;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::route::Route;

/// How many entries a page has; GitHub's most.
const PER_PAGE: u64 = 100;

/// How many pages are read at most.
const MAX_PAGES: u64 = 50;

/// How many pages are asked for at the same time.
const AT_ONCE: usize = 4;

/// A list changed while it was read, each time.
#[derive(Debug, thiserror::Error)]
#[error("the list of {0} changed while it was read")]
struct Restless(&'static str);

/// One page: how many entries the whole list has, and some of them.
pub(crate) struct Page<T> {
    pub(crate) total: u64,
    pub(crate) entries: Vec<T>,
}

/// A list in pages.
pub(crate) trait Listing: Sync {
    /// GitHub's JSON of one page.
    type Body: DeserializeOwned + Send;
    /// One entry.
    type Entry: Send;
    /// What tells two entries apart.
    type Key: Eq + Hash;
    /// What is listed.
    const WHAT: &'static str;

    /// The route to the list, without a page.
    fn route<'a>(&self, client: &'a Client) -> Route<'a>;

    /// What a page holds.
    fn page(&self, body: Self::Body) -> Result<Page<Self::Entry>, ForgeError>;

    /// What tells this entry from the others.
    fn key(entry: &Self::Entry) -> Self::Key;
}

impl Client {
    /// The whole list: as many different entries as GitHub counts, by every page's count. Entries may move from page to
    /// page while they are read; then it is read again.
    pub(crate) async fn read_all<L: Listing>(&self, list: &L) -> Result<Vec<L::Entry>, ForgeError> {
        let mut waits = self.waits();
        loop {
            if let Some(entries) = self.try_read_all(list).await? {
                return Ok(entries);
            }
            if !waits.again(L::WHAT).await {
                return Err(ForgeError::unavailable(Restless(L::WHAT)));
            }
        }
    }

    async fn try_read_all<L: Listing>(&self, list: &L) -> Result<Option<Vec<L::Entry>>, ForgeError> {
        let Page { total, mut entries } = self.read_page(list, 1).await?;
        let pages = total.div_ceil(PER_PAGE);
        if pages > MAX_PAGES {
            return Err(ForgeError::Unreadable(format!("there are {total} {}: too many to judge", L::WHAT)));
        }
        let rest = (2..=pages).map(|page| self.read_page(list, page));
        let rest: Vec<Page<L::Entry>> = stream::iter(rest).buffered(AT_ONCE).try_collect().await?;
        let same = rest.iter().all(|page| page.total == total);
        entries.extend(rest.into_iter().flat_map(|page| page.entries));
        let different = entries.iter().map(L::key).collect::<HashSet<_>>().len();
        let whole = u64::try_from(different).is_ok_and(|count| count == total) && different == entries.len();
        Ok((same && whole).then_some(entries))
    }

    async fn read_page<L: Listing>(&self, list: &L, page: u64) -> Result<Page<L::Entry>, ForgeError> {
        let mut route = list.route(self).query("per_page", &PER_PAGE.to_string());
        if page > 1 {
            route = route.query("page", &page.to_string());
        }
        list.page(self.get(route).await?.expect(StatusCode::OK, L::WHAT)?)
    }
}
