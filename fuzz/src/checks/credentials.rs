//! Credentials files.

use longrunning::Credentials;
use longrunning::auth::CredentialsPolicy;

use super::messages::{check_error, check_secret};

/// No key of a file is printed, whether the file is accepted or not.
pub fn credentials(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The trusting policy reads more, and the other must not accept what it rejects.
    let trusting = Credentials::from_json_with(text, &CredentialsPolicy::trusting_the_file());
    let careful = Credentials::from_json(text);
    assert!(trusting.is_ok() || careful.is_err());
    for result in [trusting, careful] {
        match result {
            Ok(credentials) => check_no_key(&format!("{credentials:?}"), text),
            Err(error) => {
                check_error(&error);
                check_no_key(&format!("{error} {error:?}"), text);
            }
        }
    }
}

/// Fields that are no keys, such as the account, may be shown. So a key says nothing if such a field has the same text;
/// the type is shown only if it looks like one. If there are no fields, nothing is shown.
fn check_no_key(shown: &str, text: &str) {
    let Ok(fields) = serde_json::from_str::<serde_json::Map<_, _>>(text) else { return check_secret(shown) };
    let (keys, others): (Vec<_>, Vec<_>) = fields
        .iter()
        .filter(|(name, _)| *name != "type")
        .partition(|(name, _)| KEYS.contains(&name.as_str()));
    for key in keys.iter().filter_map(|(_, value)| value.as_str()).filter(|key| key.contains("CANARY")) {
        let is_elsewhere = others.iter().any(|(_, value)| value.to_string().contains(key));
        assert!(is_elsewhere || !shown.contains(key), "{shown}");
    }
}

const KEYS: [&str; 3] = ["private_key", "refresh_token", "client_secret"];
