//! Credentials files.

use longrunning::Credentials;
use longrunning::auth::CredentialsPolicy;

use super::messages::{check_secret, check_secret_error};

/// No key of a file is printed, whether the file is accepted or not.
pub fn credentials(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The trusting policy reads more, and the other must not accept what it rejects.
    let trusting = Credentials::from_json_with(text, &CredentialsPolicy::trusting_the_file());
    let careful = Credentials::from_json(text);
    assert!(trusting.is_ok() || careful.is_err());
    for result in [trusting, careful] {
        match result {
            Ok(credentials) => check_secret(&hidden(&format!("{credentials:?}"), text)),
            Err(error) => check_secret_error(&error),
        }
    }
}

/// The account is shown, and may be any text: only the fields that are keys may not.
fn hidden(shown: &str, text: &str) -> String {
    let secrets = ["private_key", "refresh_token", "client_secret"];
    let values: Option<serde_json::Map<_, _>> = serde_json::from_str(text).ok();
    let values = values.iter().flatten().filter(|(name, _)| secrets.contains(&name.as_str()));
    let is_shown = |value: &str| value.contains("CANARY") && shown.contains(value);
    match values.filter_map(|(_, value)| value.as_str()).any(is_shown) {
        true => shown.to_owned(),
        false => String::new(),
    }
}
