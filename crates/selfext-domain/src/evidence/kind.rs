//! The kinds of secrets, and the markers that stand where one was.

/// What was found. The order ranks: where finds overlap, the first kind names the marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    PrivateKey,
    GithubToken,
    ModelApiKey,
    StripeKey,
    AwsAccessKey,
    SlackToken,
    SlackWebhook,
    NpmToken,
    GoogleKey,
    GitlabToken,
    CratesIoToken,
    PypiToken,
    HuggingFaceToken,
    VendorToken,
    Jwt,
    UrlCredentials,
    Authorization,
    Assignment,
    /// Stands for a whole text on which redaction did not settle.
    Unsettled,
}

const OPEN: &str = "[redacted:";

const ALL: [Kind; 19] = [
    Kind::PrivateKey,
    Kind::GithubToken,
    Kind::ModelApiKey,
    Kind::StripeKey,
    Kind::AwsAccessKey,
    Kind::SlackToken,
    Kind::SlackWebhook,
    Kind::NpmToken,
    Kind::GoogleKey,
    Kind::GitlabToken,
    Kind::CratesIoToken,
    Kind::PypiToken,
    Kind::HuggingFaceToken,
    Kind::VendorToken,
    Kind::Jwt,
    Kind::UrlCredentials,
    Kind::Authorization,
    Kind::Assignment,
    Kind::Unsettled,
];

impl Kind {
    /// The text that replaces a secret of this kind.
    pub(super) const fn marker(self) -> &'static str {
        match self {
            Self::PrivateKey => "[redacted:private-key]",
            Self::GithubToken => "[redacted:github-token]",
            Self::ModelApiKey => "[redacted:api-key]",
            Self::StripeKey => "[redacted:stripe-key]",
            Self::AwsAccessKey => "[redacted:aws-access-key]",
            Self::SlackToken => "[redacted:slack-token]",
            Self::SlackWebhook => "[redacted:slack-webhook]",
            Self::NpmToken => "[redacted:npm-token]",
            Self::GoogleKey => "[redacted:google-key]",
            Self::GitlabToken => "[redacted:gitlab-token]",
            Self::CratesIoToken => "[redacted:crates-io-token]",
            Self::PypiToken => "[redacted:pypi-token]",
            Self::HuggingFaceToken => "[redacted:hugging-face-token]",
            Self::VendorToken => "[redacted:vendor-token]",
            Self::Jwt => "[redacted:jwt]",
            Self::UrlCredentials => "[redacted:url-credentials]",
            Self::Authorization => "[redacted:authorization]",
            Self::Assignment => "[redacted:secret]",
            Self::Unsettled => "[redacted:unsettled]",
        }
    }
}

/// The rest of `text` after the marker that it begins with.
fn after_marker(text: &str) -> Option<&str> {
    text.starts_with(OPEN).then(|| ALL.iter().find_map(|kind| text.strip_prefix(kind.marker()))).flatten()
}

/// Whether `text` is one or more markers and nothing else: there is nothing left to redact in it.
/// A bracket that only looks like a marker, with a kind that does not exist, is no marker.
pub(super) fn only_markers(text: &str) -> bool {
    let mut rest = text;
    while let Some(after) = after_marker(rest) {
        rest = after;
    }
    rest.is_empty() && !text.is_empty()
}

/// Whether `text` ends with a marker.
pub(super) fn ends_with_marker(text: &str) -> bool {
    text.ends_with(']') && text.rfind('[').is_some_and(|open| only_markers(&text[open..]))
}

/// The marker around the byte offset `at`, when a cut there would go through one.
pub(super) fn marker_around(text: &str, at: usize) -> Option<std::ops::Range<usize>> {
    let start = text[..at].rfind('[')?;
    let end = text.len() - after_marker(&text[start..])?.len();
    (start < at && at < end).then_some(start..end)
}
