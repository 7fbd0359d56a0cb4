//! A GitHub App that is installed in the repository: who it is, what it proves, and the tokens it was given.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Map, Value};

use crate::clock;
use crate::control::AppIdentity;

/// How long a token lives.
const LIFE: TimeDelta = TimeDelta::hours(1);

/// How far ahead the end of an App's own token may be.
const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// A GitHub App, as a twin knows it.
#[derive(Clone, Debug)]
pub struct TwinApp {
    pub(crate) identity: AppIdentity,
    pub(crate) client_id: String,
    /// An `RSAPublicKey` in DER form.
    public_key: Vec<u8>,
    pub(crate) permissions: BTreeMap<String, String>,
    long_tokens: bool,
}

impl TwinApp {
    /// An App with this id and slug, whose signatures this public key verifies: an `RSAPublicKey` in DER form. It is installed
    /// with all that selfext needs.
    pub fn new(identity: AppIdentity, public_key: impl Into<Vec<u8>>) -> Self {
        let permissions = [
            ("contents", "write"),
            ("metadata", "read"),
            ("pull_requests", "write"),
            ("statuses", "write"),
            ("checks", "write"),
            ("members", "read"),
        ];
        Self {
            client_id: format!("Iv1.{:016x}", identity.id()),
            identity,
            public_key: public_key.into(),
            permissions: permissions.map(|(name, level)| (name.to_owned(), level.to_owned())).into(),
            long_tokens: false,
        }
    }

    /// Installs it with these permissions alone, such as `("contents", "write")`.
    #[must_use]
    pub fn permissions<'a>(mut self, permissions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.permissions = permissions.into_iter().map(|(name, level)| (name.to_owned(), level.to_owned())).collect();
        self
    }

    /// Gives tokens of the long form that GitHub has since 2026: `ghs_`, the App's id, and a JSON web token.
    #[must_use]
    pub fn long_tokens(mut self) -> Self {
        self.long_tokens = true;
        self
    }

    /// The login under which it acts.
    pub(crate) fn login(&self) -> String {
        format!("{}[bot]", self.identity.slug())
    }

    /// Why a JSON web token does not prove that this App asks; nothing if it does. The words are GitHub's.
    pub(crate) fn refuses(&self, token: &str, now: DateTime<Utc>) -> Option<&'static str> {
        const UNREADABLE: &str = "A JSON web token could not be decoded";
        let Some((message, signature)) = token.rsplit_once('.') else { return Some(UNREADABLE) };
        let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        let parts = message.split_once('.').and_then(|(header, claims)| Some((read(header)?, read(claims)?)));
        let Some((header, claims)) = parts else { return Some(UNREADABLE) };
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return Some(UNREADABLE) };
        if header["alg"] != "RS256" {
            return Some(UNREADABLE);
        }
        let issuer = &claims["iss"];
        let own = issuer.as_u64() == Some(self.identity.id())
            || issuer.as_str() == Some(&self.client_id)
            || issuer.as_str() == Some(&self.identity.id().to_string());
        if !own {
            return Some("'Issuer' claim ('iss') must be an Integer");
        }
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key);
        if key.verify(message.as_bytes(), &signature).is_err() {
            return Some(UNREADABLE);
        }
        let time = |name: &str| claims[name].as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        match (time("iat"), time("exp")) {
            (Some(begins), _) if begins > now => {
                Some("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
            }
            (_, Some(ends)) if ends <= now => Some(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            ),
            (_, Some(ends)) if ends > now + LONGEST => Some("'Expiration time' claim ('exp') is too far in the future"),
            (Some(_), Some(_)) => None,
            _ => Some(UNREADABLE),
        }
    }
}

/// The tokens of an App's installation, and the time by which they end.
#[derive(Default)]
pub(crate) struct Desk(Mutex<Book>);

#[derive(Default)]
struct Book {
    ahead: TimeDelta,
    issued: Vec<Issued>,
    /// The last token itself, for tests alone.
    last: Option<String>,
    uninstalled: bool,
    refuses: bool,
}

/// A token, by its hash alone, and what it may do.
struct Issued {
    hash: [u8; 32],
    ends_at: DateTime<Utc>,
    permissions: Map<String, Value>,
}

impl Desk {
    /// The twin's time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        clock::now() + self.book().ahead
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.book().ahead += by;
    }

    pub(crate) fn is_installed(&self) -> bool {
        !self.book().uninstalled
    }

    /// Takes the App out of the repository, with its tokens, or puts it back.
    pub(crate) fn set_installed(&self, installed: bool) {
        let mut book = self.book();
        book.uninstalled = !installed;
        book.issued.clear();
    }

    /// Ends all tokens at once.
    pub(crate) fn expire(&self) {
        self.book().issued.clear();
    }

    /// Gives tokens that are never taken.
    pub(crate) fn refuse_new(&self) {
        self.book().refuses = true;
    }

    /// A new token with these permissions, and when it ends.
    pub(crate) fn issue(&self, app: &TwinApp, permissions: Map<String, Value>) -> (String, DateTime<Utc>) {
        let token = new_token(app);
        let ends_at = self.now() + LIFE;
        let mut book = self.book();
        book.last = Some(token.clone());
        if !book.refuses {
            let issued = Issued { hash: hash(&token), ends_at, permissions };
            book.issued.push(issued);
        }
        (token, ends_at)
    }

    pub(crate) fn last(&self) -> Option<String> {
        self.book().last.clone()
    }

    /// Whether a token was given and has not ended.
    pub(crate) fn knows(&self, token: &str) -> bool {
        let (now, hash) = (self.now(), hash(token));
        self.book().issued.iter().any(|issued| issued.hash == hash && now < issued.ends_at)
    }

    /// Whether a token was given, has not ended, and may write this.
    pub(crate) fn may_write(&self, token: &str, what: &str) -> bool {
        self.may(token, what, &["write"])
    }

    /// Whether a token was given, has not ended, and may read this.
    pub(crate) fn may_read(&self, token: &str, what: &str) -> bool {
        self.may(token, what, &["read", "write"])
    }

    fn may(&self, token: &str, what: &str, levels: &[&str]) -> bool {
        let (now, hash) = (self.now(), hash(token));
        let own = |issued: &&Issued| issued.hash == hash && now < issued.ends_at;
        let level = |issued: &Issued| issued.permissions.get(what).and_then(Value::as_str).map(str::to_owned);
        let book = self.book();
        book.issued.iter().find(own).and_then(level).is_some_and(|level| levels.contains(&level.as_str()))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

fn new_token(app: &TwinApp) -> String {
    let mut random = [0; 320];
    // Without randomness tokens are the same, which a twin can live with.
    let _ = SystemRandom::new().fill(&mut random);
    if !app.long_tokens {
        let mut token = "ghs_".to_owned();
        for byte in &random[..18] {
            // Writing to a String cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        return token;
    }
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(br#"{"alg":"ES256","typ":"JWT"}"#);
    format!("ghs_{}_{header}.{}.{}", app.identity.id(), encode(&random[..256]), encode(&random[256..]))
}
