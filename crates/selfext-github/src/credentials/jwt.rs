//! What an App signs to say that it is itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::app::{GithubApp, Issuer};

/// How far back it is dated: GitHub refuses one of the future, and clocks differ.
const BACK: TimeDelta = TimeDelta::seconds(60);

/// From its date to its end. GitHub takes ten minutes at most.
const LIFE: TimeDelta = TimeDelta::seconds(600);

/// `{"alg":"RS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";

#[derive(Serialize)]
struct Claims<'a> {
    iat: i64,
    exp: i64,
    iss: &'a Issuer,
}

/// A JSON web token that proves to GitHub which App asks; nothing if it cannot be signed.
pub(super) fn signed(app: &GithubApp, now: DateTime<Utc>) -> Option<String> {
    let begins = now - BACK;
    let claims = Claims { iat: begins.timestamp(), exp: (begins + LIFE).timestamp(), iss: &app.issuer };
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
    let message = format!("{HEADER}.{claims}");
    let signature = app.key.sign(message.as_bytes())?;
    Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use selfext_contracts::app_key::PKCS1;
    use serde_json::{Value, json};

    use super::*;
    use crate::credentials::key::AppKey;

    #[test]
    fn it_is_signed_and_lives_for_ten_minutes_from_a_minute_ago() {
        let key = AppKey::from_pem(PKCS1).unwrap();
        for (id, issuer) in [("7", json!(7)), ("Iv1.0123456789abcdef", json!("Iv1.0123456789abcdef"))] {
            let app = GithubApp::new(id, key.clone()).unwrap();
            let token = signed(&app, DateTime::from_timestamp(1_800_000_000, 5).unwrap()).unwrap();
            let (message, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let public = key.public_der();
            let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
            public.verify(message.as_bytes(), &signature).unwrap();
            let parts: Vec<Value> = message
                .split('.')
                .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
                .collect();
            assert_eq!(parts[0], json!({"alg": "RS256", "typ": "JWT"}));
            assert_eq!(parts[1], json!({"iat": 1_799_999_940, "exp": 1_800_000_540, "iss": issuer}));
        }
    }
}
