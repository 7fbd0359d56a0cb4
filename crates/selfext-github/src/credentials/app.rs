//! A GitHub App, as it says who it is.

use serde::Serialize;

use super::key::AppKey;

/// A text that cannot be the id of an App.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an App's id is a number, or its client id such as Iv23liAbCdEf0123")]
pub struct InvalidAppId;

/// A GitHub App: who it is, and the key that proves it.
#[derive(Clone, Debug)]
pub struct GithubApp {
    pub(super) issuer: Issuer,
    pub(super) key: AppKey,
}

/// Who an App says that it is: GitHub takes its number or its client id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Issuer {
    Id(u64),
    ClientId(String),
}

impl GithubApp {
    /// An App by its id or its client id, both of which its settings show, and one of its private keys.
    ///
    /// # Errors
    /// [`InvalidAppId`] if the text can be neither.
    pub fn new(id: &str, key: AppKey) -> Result<Self, InvalidAppId> {
        let id = id.trim();
        let issuer = match id.parse::<u64>() {
            Ok(number) if number > 0 && id.bytes().all(|byte| byte.is_ascii_digit()) => Issuer::Id(number),
            _ => {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
                let client = id.starts_with("Iv") && (8..=64).contains(&id.len()) && id.bytes().all(fits);
                Issuer::ClientId(client.then(|| id.to_owned()).ok_or(InvalidAppId)?)
            }
        };
        Ok(Self { issuer, key })
    }

    /// What it is named by.
    pub(crate) fn id(&self) -> String {
        match &self.issuer {
            Issuer::Id(number) => number.to_string(),
            Issuer::ClientId(id) => id.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use selfext_contracts::app_key::PKCS1;

    use super::*;

    #[test]
    fn an_app_is_named_by_its_number_or_its_client_id() {
        let issuer = |text| Some(GithubApp::new(text, AppKey::from_pem(PKCS1).unwrap()).ok()?.issuer);
        assert_eq!(issuer(" 12345\n"), Some(Issuer::Id(12_345)));
        for client in ["Iv1.0123456789abcdef", "Iv23liAbCdEf01234567"] {
            assert_eq!(issuer(client), Some(Issuer::ClientId(client.to_owned())));
        }
        for bad in ["", "0", "+5", "-5", "my-app", "Iv", "Iv1.0123 4567", &format!("Iv{}", "x".repeat(80))] {
            assert_eq!(issuer(bad), None, "{bad}");
        }
    }
}
