//! The addresses that GitHub puts into its answers.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::world::World;

/// Everything but what a segment of a path may hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One segment of a path, encoded.
pub(super) fn encoded(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}

/// A path or a ref, encoded, with its slashes kept.
pub(super) fn encoded_path(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// Makes addresses on the twin.
#[derive(Clone, Copy)]
pub(super) struct Urls<'a> {
    world: &'a World,
}

impl<'a> Urls<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        Self { world }
    }

    /// Where the API is served.
    pub(super) fn base(self) -> String {
        format!("{}{}", self.site(), self.world.config.path)
    }

    /// Where the pages for people are.
    pub(super) fn site(self) -> &'a str {
        self.world.site()
    }

    /// The repository as the API has it.
    pub(super) fn repository(self) -> String {
        let identity = self.world.identity();
        format!("{}/repos/{}/{}", self.base(), encoded(&identity.owner), encoded(&identity.name))
    }

    /// Something of the repository; `rest` is already encoded.
    pub(super) fn api(self, rest: impl Display) -> String {
        format!("{}/{rest}", self.repository())
    }

    /// The page of the repository that people would look at.
    pub(super) fn page(self) -> String {
        let identity = self.world.identity();
        format!("{}/{}/{}", self.site(), encoded(&identity.owner), encoded(&identity.name))
    }

    /// Something on the pages for people; `rest` is already encoded.
    pub(super) fn html(self, rest: impl Display) -> String {
        format!("{}/{rest}", self.page())
    }

    /// A user as the API has it.
    pub(super) fn user(self, login: &str) -> String {
        format!("{}/users/{}", self.base(), encoded(login))
    }
}
