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

/// Fields that are no keys, such as the account, may be shown. If there are no fields, nothing is.
fn check_no_key(shown: &str, text: &str) {
    let Ok(fields) = serde_json::from_str::<serde_json::Map<_, _>>(text) else { return check_secret(shown) };
    let keys = fields.iter().filter(|(name, _)| KEYS.contains(&name.as_str()));
    for key in keys.filter_map(|(_, value)| value.as_str()).filter(|key| key.contains("CANARY")) {
        assert!(!shown.contains(key), "{shown}");
    }
}

const KEYS: [&str; 3] = ["private_key", "refresh_token", "client_secret"];
