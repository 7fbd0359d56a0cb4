//! Lists in pages.

use super::call::Call;

/// GitHub's page length if the client names none.
const USUAL: usize = 30;
/// GitHub's longest page.
const LONGEST: usize = 100;

/// Which part of a list a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    number: usize,
    length: usize,
}

impl Page {
    /// Reads `page` and `per_page`; what cannot be read counts as not given.
    pub(super) fn of(call: &Call<'_>) -> Self {
        Self::of_length(call, USUAL)
    }

    /// The same, with another length if the client names none.
    pub(super) fn of_length(call: &Call<'_>, usual: usize) -> Self {
        let read = |name| call.query(name).and_then(|text| text.parse::<usize>().ok());
        Self {
            number: read("page").filter(|number| *number > 0).unwrap_or(1),
            length: read("per_page").filter(|length| *length > 0).map_or(usual, |length| length.min(LONGEST)),
        }
    }

    /// Whether it is the first page.
    pub(super) fn is_first(self) -> bool {
        self.number == 1
    }

    /// The part of the list on this page.
    pub(super) fn of_list<T>(self, list: &[T]) -> &[T] {
        let start = (self.number - 1).saturating_mul(self.length).min(list.len());
        let end = start.saturating_add(self.length).min(list.len());
        &list[start..end]
    }

    /// The `Link` header that leads to the other pages of a list of `total`; `None` if there are none.
    pub(super) fn links(self, call: &Call<'_>, total: usize) -> Option<String> {
        let last = total.div_ceil(self.length).max(1);
        if last == 1 && self.number == 1 {
            return None;
        }
        let mut links = Vec::new();
        let mut lead = |number: usize, relation: &str| {
            links.push(format!("<{}>; rel=\"{relation}\"", Self::address(call, number)));
        };
        if self.number > 1 {
            lead((self.number - 1).min(last), "prev");
        }
        if self.number < last {
            lead(self.number + 1, "next");
            lead(last, "last");
        }
        if self.number > 1 {
            lead(1, "first");
        }
        Some(links.join(", "))
    }

    fn address(call: &Call<'_>, number: usize) -> String {
        let urls = call.urls();
        let path: Vec<String> = call.target.segments.iter().map(|segment| super::urls::encoded(segment)).collect();
        let kept = call.target.query().iter().filter(|(name, _)| name != "page");
        let mut query: Vec<String> = kept
            .map(|(name, value)| format!("{}={}", super::urls::encoded(name), super::urls::encoded(value)))
            .collect();
        query.push(format!("page={number}"));
        format!("{}/{}?{}", urls.base(), path.join("/"), query.join("&"))
    }
}
