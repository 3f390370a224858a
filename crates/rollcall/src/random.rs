//! Random secrets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;

/// 256 random bits as text, after a prefix by which people and scanners know what it is.
///
/// # Errors
/// The system gives no random bytes.
pub fn secret(prefix: &str) -> Result<String, String> {
    Ok(format!("{prefix}{}", text::<32>()?))
}

/// A secret of a key of the native API.
///
/// # Errors
/// Those of [`secret`].
pub fn native_key() -> Result<String, String> {
    secret("rck_")
}

/// So many random bytes as text.
///
/// # Errors
/// Those of [`secret`].
pub fn text<const BYTES: usize>() -> Result<String, String> {
    let mut bytes = [0; BYTES];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| format!("the system gave no random bytes: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
