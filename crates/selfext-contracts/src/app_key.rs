//! The private key of a GitHub App that exists in tests alone, from `tests/app-keys`.

/// The key as GitHub hands keys out: PKCS#1 in PEM form.
pub const PKCS1: &str = include_str!("../../../tests/app-keys/pkcs1.pem");

/// The same key as openssl writes it: PKCS#8 in PEM form.
pub const PKCS8: &str = include_str!("../../../tests/app-keys/pkcs8.pem");

/// Its public half: an `RSAPublicKey` in DER form.
pub const PUBLIC: &[u8] = include_bytes!("../../../tests/app-keys/public.der");

/// A private key of a kind that GitHub does not use.
pub const ELLIPTIC: &str = include_str!("../../../tests/app-keys/elliptic.pem");
