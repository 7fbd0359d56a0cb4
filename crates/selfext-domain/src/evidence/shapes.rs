//! The table of secrets that show themselves by their form.

use std::sync::LazyLock;

use regex::Regex;

use super::constant;
use super::kind::Kind;
use super::shape::Shape;

/// Every form, in no order that matters: finds may overlap.
pub(super) static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let mut shapes = Vec::from(private_keys());
    shapes.extend(hosts());
    shapes.extend(clouds());
    shapes.extend(registries());
    shapes.extend(urls());
    shapes
});

/// The prefixes that hardly ever stand inside another secret.
static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"^(?:gh[oprsu]_|github_pat_|[sr]k[_-]|AKIA|ASIA|xox[abeoprs]-|xapp-|npm_|AIza|gl[a-z]{2,5}-|cio|pypi-|hf_|-----)",
    )
});

/// Whether a text begins with the prefix of a secret.
pub(super) fn begins_secret(text: &str) -> bool {
    PREFIX.is_match(text)
}

/// What else a secret, or what names one, begins with.
static BEGINNING: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?x)^(?: eyJ | gsk_ | xai- | whsec_ | A[BC][IC]A | ya29\. | GOCSPX- | hooks\.slack | api_org_ | dop_v1_ | dckr_pat_
        | hv[sbr]\. | SG\. | shp(?:at|ca|pa|ss)_ | lin_api_ | AGE-SECRET-KEY- | ATATT3 | tskey- | rubygems_ | figd_ | https?://
        | (?i: token | secret | passw | passphrase | pwd | api[_-]?key | auth | bearer | basic | credential | private ) )",
    )
});

/// Whether a text may begin with a secret, or with the name of one. Taking the first letter away would hide it.
pub(super) fn may_begin_secret(text: &str) -> bool {
    begins_secret(text) || BEGINNING.is_match(text)
}

fn private_keys() -> [Shape; 2] {
    [
        // A block whose end is missing was cut off: all that follows may be the key.
        Shape::new(
            Kind::PrivateKey,
            r"-----BEGIN[ A-Z0-9\n\t]{0,40}PRIVATE\s?KEY(?: BLOCK)?-----(?s:.*?)(?:-----END[ A-Z0-9\n\t]{0,40}PRIVATE\s?KEY(?: BLOCK)?-----|\z)",
        )
        .exact(),
        // A block whose beginning was cut off: the lines of base64 before the end.
        Shape::new(
            Kind::PrivateKey,
            r"(?:[A-Za-z0-9+/=]{24,}(?:\\[nr]|\s)+)*[A-Za-z0-9+/=]*(?:\\[nr]|\s)*-----END[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----",
        )
        .within_lines(),
    ]
}

fn hosts() -> [Shape; 8] {
    [
        Shape::new(Kind::GithubToken, "gh[opu]_[A-Za-z0-9_]{12,}").complete_at(40),
        Shape::new(Kind::GithubToken, "ghr_[A-Za-z0-9_]{12,}").complete_at(80),
        // Since 2026 an installation token may carry a JWT: about 520 characters.
        Shape::new(Kind::GithubToken, "ghs_[A-Za-z0-9._-]{12,}"),
        Shape::new(Kind::GithubToken, "github_pat_[A-Za-z0-9_]{12,}").complete_at(93),
        Shape::new(Kind::GitlabToken, "gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas|imt|ffct)-[A-Za-z0-9_.-]{16,}"),
        Shape::new(Kind::SlackToken, "(?:xoxe[.])?xox[abeoprs]-[A-Za-z0-9-]{8,}"),
        Shape::new(Kind::SlackToken, "xapp-[0-9]-[A-Za-z0-9-]{8,}"),
        Shape::new(Kind::SlackWebhook, r"hooks\.slack(?:-gov)?\.com/[A-Za-z0-9/_+-]{8,}"),
    ]
}

fn clouds() -> [Shape; 9] {
    [
        Shape::new(Kind::ModelApiKey, "sk-ant-[a-z]{3,6}[0-9]{2}-[A-Za-z0-9_-]{8,}"),
        Shape::new(Kind::ModelApiKey, "sk-[A-Za-z0-9_-]{12,}").at_word_start("sk-").when(is_model_key),
        Shape::new(Kind::ModelApiKey, "(?:gsk_|xai-)[A-Za-z0-9]{20,}"),
        Shape::new(Kind::StripeKey, "(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{10,}"),
        Shape::new(Kind::AwsAccessKey, "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}").complete_at(20),
        Shape::new(Kind::GoogleKey, "AIza[A-Za-z0-9_-]{20,}").complete_at(39),
        Shape::new(Kind::GoogleKey, r"(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{16,}"),
        Shape::new(Kind::Jwt, r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,3}"),
        Shape::new(
            Kind::VendorToken,
            r"(?:dop_v1_|dckr_pat_|hv[sbr]\.|SG\.|shp(?:at|ca|pa|ss)_|lin_api_|AGE-SECRET-KEY-|ATATT3|tskey-|rubygems_|figd_)[A-Za-z0-9_.=-]{20,}",
        ),
    ]
}

fn registries() -> [Shape; 5] {
    [
        Shape::new(Kind::NpmToken, "npm_[A-Za-z0-9]{20,}").complete_at(40),
        Shape::new(Kind::CratesIoToken, "cio[A-Za-z0-9]{32,}")
            .at_word_start("cio")
            .when(|found| found.len() >= 35 && has_upper(found) && has_lower(&found[3..])),
        Shape::new(Kind::PypiToken, "pypi-Ag[A-Za-z0-9_-]{16,}"),
        Shape::new(Kind::PypiToken, "pypi-[A-Za-z0-9_-]{32,}").when(|found| has_upper(found) && has_digit(found)),
        Shape::new(Kind::HuggingFaceToken, "(?:hf_|api_org_)[A-Za-z0-9]{20,}").complete_at(37),
    ]
}

fn urls() -> [Shape; 3] {
    [
        Shape::new(Kind::UrlCredentials, r#"://([^\s/?#"'<>@:]*:[^\s/?#"'<>]+)@"#).exact().when(has_password),
        // A password with a slash in it that nobody escaped; not `host:port/path@version`.
        Shape::new(Kind::UrlCredentials, r#"://([^\s/?#"'<>@:]+:[^\s/?#"'<>@]*[/?#][^\s"'<>@]*)@"#)
            .within_lines()
            .when(|found| !has_port(found)),
        Shape::new(Kind::UrlCredentials, r#"(?i)https?://([^\s/?#"'<>@:]+)@"#)
            .within_lines()
            .when(|user| !matches!(user, "git" | "user" | "USER" | "username")),
    ]
}

/// Tells a key from a hyphenated word or an id (`sk-learn-contrib`, `sk-550e8400-e29b-…`).
fn is_model_key(found: &str) -> bool {
    let body = found.strip_prefix("sk-").unwrap_or(found);
    let named =
        ["proj-", "ant-", "svcacct-", "admin-", "or-v1-", "None-", "lf-"].iter().any(|name| body.starts_with(name));
    let mixed = has_digit(body) && has_upper(body) && has_lower(body);
    let long_run = body.split(['-', '_']).any(|run| run.len() >= 16);
    named || long_run || (mixed && body.len() >= 16)
}

fn has_password(found: &str) -> bool {
    found.split_once(':').is_some_and(|(_, password)| password.contains(|c| c != '*'))
}

fn has_port(found: &str) -> bool {
    let after = found.split_once(':').map_or("", |(_, after)| after);
    let port = after.split(['/', '?', '#']).next().unwrap_or_default();
    port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

pub(super) fn has_upper(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
}

pub(super) fn has_lower(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_lowercase())
}
