//! Impersonation: fetches the access token of a service account with the token
//! of a principal that may do that.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::auth::key_file::KeyFile;
use crate::auth::service_account::scope_of;
use crate::auth::{
    AccessToken, Credentials, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest, universe_domain,
};
use crate::auth::{loader, token_endpoint};
use crate::error::Error;
use crate::json::parse_timestamp;
use crate::util::excerpt::shown;
use crate::util::percent::encode;
use crate::util::redact::suspicion;
use crate::util::secret::Secret;

/// Reads a file of type `impersonated_service_account`, as `gcloud auth
/// application-default login --impersonate-service-account` writes it.
pub(super) fn from_key_file(mut file: KeyFile) -> Result<Credentials, Error> {
    file.expect_type("impersonated_service_account")?;
    let Some(target) = ImpersonationTarget::take(&mut file)? else {
        return Err(file.error(format_args!("lacks `{URL}`")));
    };
    let Some(source) = file.object(SOURCE)? else {
        return Err(file.error(format_args!("lacks `{SOURCE}`")));
    };
    let kind = source.kind().unwrap_or_default().to_owned();
    if kind == "impersonated_service_account" {
        return Err(source.error("is impersonated itself: expected `delegates` for a chain of accounts"));
    }
    let source = loader::load(source)?;
    let file_says = About {
        label: format!("impersonated service account `{}`", shown(&target.email)),
        quota_project: file.text("quota_project_id")?,
        universe_domain: file.text("universe_domain")?,
    };
    let asked = ImpersonationRequest {
        target,
        scoped: !kind.ends_with("authorized_user"),
        scopes: file.texts("scopes")?,
    };
    Ok(impersonate(source, asked, file_says))
}

impl Credentials {
    /// Returns credentials of a service account, whose access tokens are
    /// fetched with these credentials.
    ///
    /// `account` is its e-mail address or its unique id. These credentials need
    /// the role *Service Account Token Creator* on it. Tokens come from the
    /// IAM Service Account Credentials API and are valid for an hour; the quota
    /// project stays that of these credentials. For a chain of delegates,
    /// use a file of type `impersonated_service_account`.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let credentials = Credentials::application_default().impersonate("robot@p.iam.gserviceaccount.com")?;
    /// # let _ = credentials;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if `account` cannot be
    /// one; building a client fails with it if these credentials are
    /// anonymous or an API key, which have no access token.
    pub fn impersonate(&self, account: impl AsRef<str>) -> Result<Self, Error> {
        let email = account.as_ref().to_owned();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._@:".contains(&byte);
        if email.is_empty() || !email.bytes().all(plain) || suspicion(&email).is_some() {
            let shown = shown(&email);
            return Err(Error::config(format!(
                "service account `{shown}` cannot be impersonated: expected its e-mail address or unique id"
            )));
        }
        let source = self.clone();
        let label = format!("impersonated service account `{}`", shown(&email));
        Ok(Self::deferred(label.clone(), move |env| {
            let source = source.resolve(env)?;
            let universe = universe_domain(source.universe_domain(), env)?;
            let about = About {
                label: label.clone(),
                quota_project: source.quota_project().map(str::to_owned),
                universe_domain: Some(universe.clone()),
            };
            let target = ImpersonationTarget::in_universe(&universe, &email);
            // Without a scope the source gets its default ones, which suffice; a user's
            // login has fixed ones.
            let asked = ImpersonationRequest { target, scoped: false, scopes: Vec::new() };
            Ok(impersonate(source, asked, about))
        }))
    }
}

/// Credentials of the service account, on top of those that may act as it.
pub(super) fn impersonate(source: Credentials, asked: ImpersonationRequest, about: About) -> Credentials {
    let asked = Arc::new(asked);
    Credentials::deferred(about.label.clone(), move |env| {
        let source = source.resolve(env)?;
        let Some(provider) = source.token_provider() else {
            return Err(Error::credentials(&about.label, "has source credentials without access tokens"));
        };
        let provider = ImpersonatedAccount { source: provider, asked: Arc::clone(&asked) };
        let universe_domain =
            about.universe_domain.clone().or_else(|| source.universe_domain().map(str::to_owned));
        Ok(Credentials::of_source(about.label.clone(), provider)
            .with_quota_project(about.quota_project.clone())
            .with_universe_domain(universe_domain.unwrap_or_else(|| DEFAULT_UNIVERSE.to_owned())))
    })
}

/// The contents of the file besides the source of tokens.
pub(super) struct About {
    /// How messages call the credentials.
    pub(super) label: String,
    pub(super) quota_project: Option<String>,
    pub(super) universe_domain: Option<String>,
}

/// The request.
pub(super) struct ImpersonationRequest {
    pub(super) target: ImpersonationTarget,
    /// Whether the source needs a scope: the scopes of a user are fixed at the
    /// login.
    pub(super) scoped: bool,
    /// For clients without scopes.
    pub(super) scopes: Vec<String>,
}

/// The service account to impersonate, and the requests for its tokens.
#[derive(Debug)]
pub(super) struct ImpersonationTarget {
    url: String,
    pub(super) email: String,
    delegates: Vec<String>,
    lifetime: u64,
}

impl ImpersonationTarget {
    /// Returns the account at the API of a cloud.
    fn in_universe(universe: &str, email: &str) -> Self {
        let account = encode(email);
        let url = format!(
            "https://iamcredentials.{universe}/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
        );
        Self { url, email: email.to_owned(), delegates: Vec::new(), lifetime: DEFAULT_LIFETIME }
    }

    /// Reads `service_account_impersonation_url` and its options; `None`
    /// without impersonation.
    pub(super) fn take(file: &mut KeyFile) -> Result<Option<Self>, Error> {
        let Some(url) = file.url(URL)? else { return Ok(None) };
        let Some(email) = email(&url).map(str::to_owned) else {
            return Err(file.error(format_args!(
                "names no service account in `{URL}`: expected `…/E-MAIL:generateAccessToken`"
            )));
        };
        let delegates = file.texts("delegates")?;
        let lifetime = match file.object("service_account_impersonation")? {
            Some(mut options) => lifetime(&mut options)?,
            None => DEFAULT_LIFETIME,
        };
        Ok(Some(Self { url, email, delegates, lifetime }))
    }
}

fn lifetime(options: &mut KeyFile) -> Result<u64, Error> {
    const NAME: &str = "token_lifetime_seconds";
    match options.number(NAME)? {
        None => Ok(DEFAULT_LIFETIME),
        Some(seconds) if (600..=43_200).contains(&seconds) => Ok(seconds),
        Some(seconds) => {
            Err(options.error(format_args!("has {seconds} as `{NAME}`: expected 600 to 43200 seconds")))
        }
    }
}

/// Returns the text between the last `/` and `:generateAccessToken`.
fn email(url: &str) -> Option<&str> {
    let (path, _) = url.split_once(":generateAccessToken")?;
    path.rsplit_once('/').map(|(_, email)| email).filter(|email| !email.is_empty())
}

/// Fetches a token from `source`, and with it one of the service account; both
/// at every call, because a client calls it about once an hour, when a kept
/// token of the source would be as old as its own.
struct ImpersonatedAccount {
    source: Arc<dyn TokenProvider>,
    asked: Arc<ImpersonationRequest>,
}

impl TokenProvider for ImpersonatedAccount {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let scopes = if self.asked.scoped { vec![IAM.to_owned()] } else { Vec::new() };
        let source = self.source.token(&TokenRequest { scopes: &scopes, ..*request })?;
        self.asked.token(request, &source)
    }
}

impl ImpersonationRequest {
    /// Calls [generateAccessToken].
    ///
    /// [generateAccessToken]: https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
    fn token(&self, request: &TokenRequest<'_>, source: &AccessToken) -> Result<AccessToken, TokenError> {
        let ImpersonationTarget { url, delegates, lifetime, .. } = &self.target;
        let scope = scope_of(if request.scopes.is_empty() { &self.scopes } else { request.scopes });
        let scope: Vec<_> = scope.split(' ').collect();
        let mut body = json!({ "scope": scope, "lifetime": format!("{lifetime}s") });
        if !delegates.is_empty() {
            body["delegates"] = delegates.as_slice().into();
        }
        let authorization = Zeroizing::new(["Bearer ", source.text()].concat());
        let headers = [("authorization", authorization.as_str())];
        let response = token_endpoint::post_json(request, url, body.to_string().as_bytes(), &headers)?;
        parse(&response, &token_endpoint::host_of(url), request.now)
    }
}

fn parse(body: &[u8], host: &str, now: SystemTime) -> Result<AccessToken, TokenError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ImpersonationReply {
        access_token: Option<Secret>,
        expire_time: Option<String>,
    }

    let reply: ImpersonationReply = serde_json::from_slice(body).map_err(|error| match error.is_eof() {
        true => TokenError::transient(format!("the response of {host} ends early")),
        false => TokenError::permanent(format!("the response of {host} is not that of generateAccessToken")),
    })?;
    let Some(text) = reply.access_token.filter(|text| !text.expose().is_empty()) else {
        return Err(TokenError::permanent(format!("the response of {host} lacks `accessToken`")));
    };
    let token = AccessToken::from_secret(text);
    match reply.expire_time.as_deref().and_then(time) {
        Some(expiry) if expiry <= now => {
            let late = now.duration_since(expiry).unwrap_or_default().as_secs();
            Err(TokenError::transient(format!(
                "the token that {host} gave expired {late} s ago by the clock of this machine, which may be ahead"
            )))
        }
        Some(expiry) => Ok(token.expires_at(expiry)),
        // Without a time that can be read the cache keeps it for a few minutes.
        None => Ok(token),
    }
}

/// RFC 3339 with any fraction and offset, and with lowercase or blank
/// separators.
fn time(text: &str) -> Option<SystemTime> {
    let text = text.trim().to_ascii_uppercase().replacen(' ', "T", 1);
    let timestamp = parse_timestamp(&text)?;
    let seconds = Duration::from_secs(timestamp.seconds.unsigned_abs());
    if timestamp.seconds < 0 {
        // Long past. Not every system has all of these times: Windows begins with 1601.
        return Some(SystemTime::UNIX_EPOCH);
    }
    let fraction = Duration::from_nanos(u64::try_from(timestamp.nanos).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds + fraction)
}

const URL: &str = "service_account_impersonation_url";
const SOURCE: &str = "source_credentials";
/// The only scope that a token needs to request another one.
const IAM: &str = "https://www.googleapis.com/auth/iam";
const DEFAULT_LIFETIME: u64 = 3600;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::auth::scripted::{ScriptedClient, load, local_url, now};
    use crate::error::ErrorKind;

    #[test]
    fn a_service_account_asks_for_another_one() {
        let server = ScriptedClient::responses([(200, answer("2027-01-15T09:00:00Z"))]);
        let mut file = file(serde_json::from_str(KEY_FILE).unwrap());
        file["delegates"] = json!(["projects/-/serviceAccounts/between@p"]);
        file["quota_project_id"] = "billing".into();
        let credentials = load(&file).unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials(impersonated service account `robot@p`)");
        let given = server.token(&credentials, &["a", "b"]).unwrap();
        assert_eq!((given.text(), given.lifetime(now())), ("CANARY-1", Duration::from_secs(3600)));
        let [request] = &server.take()[..] else { panic!("one request") };
        assert_eq!(request.line, format!("POST http://127.0.0.1{PATH}"));
        assert_eq!(
            request.json(),
            json!({
                "delegates": ["projects/-/serviceAccounts/between@p"],
                "scope": ["a", "b"],
                "lifetime": "3600s",
            })
        );
        let claims = request.headers["authorization"].split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(
            &base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap(),
        )
        .unwrap();
        assert_eq!(claims["scope"], IAM, "the source can do nothing else");
    }

    #[test]
    fn a_user_is_asked_for_no_scopes_and_the_file_may_say_some() {
        let rows: [(&str, Value, &[&str], Value); 3] = [
            ("of the client", json!(["f1"]), &["c1"], json!(["c1"])),
            ("of the file", json!(["f1", "f2"]), &[], json!(["f1", "f2"])),
            ("default", Value::Null, &[], json!(["https://www.googleapis.com/auth/cloud-platform"])),
        ];
        for (name, scopes, client, expected) in rows {
            let login = r#"{"access_token":"CANARY-2","expires_in":3599}"#.to_owned();
            let server = ScriptedClient::responses([(200, login), (200, answer("2027-01-15T09:00:00Z"))]);
            let mut file = file(json!({"type": "authorized_user", "client_id": "id", "client_secret": "s",
                    "refresh_token": "r", "token_uri": local_url("/token")}));
            file["scopes"] = scopes;
            server.token(&load(&file).expect(name), client).expect(name);
            let [user, account] = &server.take()[..] else { panic!("{name}: two requests") };
            assert_eq!(user.field("scope"), None, "{name}");
            assert_eq!(account.headers["authorization"], "Bearer CANARY-2", "{name}");
            assert_eq!(account.json()["scope"], expected, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named() {
        let key: Value = serde_json::from_str(KEY_FILE).unwrap();
        let with = |name: &str, value: Value| {
            let mut file = file(key.clone());
            file[name] = value;
            file
        };
        let rows = [
            ("no url", with(URL, Value::Null), "credentials JSON lacks `service_account_impersonation_url`"),
            ("no source", with(SOURCE, Value::Null), "credentials JSON lacks `source_credentials`"),
            (
                "a source without a type",
                with(SOURCE, json!({})),
                "`source_credentials` of credentials JSON lacks `type`",
            ),
            (
                "a source that is impersonated",
                with(SOURCE, file(key.clone())),
                "`source_credentials` of credentials JSON is impersonated itself: \
                 expected `delegates` for a chain of accounts",
            ),
            (
                "a source of another cloud",
                with(SOURCE, json!({"type": "gdch_service_account"})),
                "`source_credentials` of credentials JSON is of type `gdch_service_account` (Google Distributed Cloud), which is not supported: \
                 give its tokens by a `TokenProvider` of your own",
            ),
            (
                "no service account",
                with(URL, "https://iamcredentials.googleapis.com/:generateAccessToken".into()),
                "credentials JSON names no service account in `service_account_impersonation_url`: \
                 expected `…/E-MAIL:generateAccessToken`",
            ),
            (
                "scopes in one text",
                with("scopes", "a b".into()),
                "credentials JSON has a string as `scopes`: expected a list of strings",
            ),
        ];
        for (name, file, expected) in rows {
            let error = load(&file).expect_err(name);
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, expected), "{name}");
        }
    }

    #[test]
    fn answers_are_read_leniently_and_never_panic() {
        let in_an_hour = Ok(Duration::from_secs(3600));
        let unknown = Ok(Duration::from_secs(300));
        let late = "the token that h gave expired 1 s ago by the clock of this machine, which may be ahead";
        let rows = [
            ("UTC", answer("2027-01-15T09:00:00Z"), in_an_hour),
            ("a fraction", answer("2027-01-15T08:00:00.123456789Z"), Ok(Duration::from_secs(1))),
            ("an offset", answer("2027-01-15T10:30:00+01:30"), in_an_hour),
            ("lowercase", answer("2027-01-15t09:00:00z"), in_an_hour),
            ("a blank", answer(" 2027-01-15 09:00:00.000-00:00 "), in_an_hour),
            ("far away", answer("9999-12-31T23:59:59Z"), Ok(Duration::from_secs(43_200))),
            ("no time", answer("soon"), unknown),
            ("missing time", r#"{"accessToken":"CANARY-1"}"#.into(), unknown),
            ("past", answer("2027-01-15T07:59:59Z"), Err((late, true))),
            ("now", answer("2027-01-15T08:00:00Z"), Err(("expired 0 s ago", true))),
            ("before 1970", answer("0001-01-01T00:00:00Z"), Err(("expired 1800000000 s ago", true))),
            (
                "no token",
                r#"{"expireTime":"2027-01-15T09:00:00Z"}"#.into(),
                Err(("the response of h lacks `accessToken`", false)),
            ),
            (
                "an empty token",
                r#"{"accessToken":""}"#.into(),
                Err(("the response of h lacks `accessToken`", false)),
            ),
            ("cut", r#"{"accessToken":"CANARY-1""#.into(), Err(("the response of h ends early", true))),
            (
                "html",
                "<html>CANARY-3".into(),
                Err(("the response of h is not that of generateAccessToken", false)),
            ),
        ];
        for (name, body, expected) in rows {
            match (parse(body.as_bytes(), "h", now()), expected) {
                (Ok(token), Ok(lifetime)) => {
                    assert_eq!((token.text(), token.lifetime(now())), ("CANARY-1", lifetime), "{name}");
                }
                (Err(error), Err((part, transient))) => {
                    assert!(error.to_string().contains(part), "{name}: {error}");
                    assert_eq!(error.is_transient(), transient, "{name}");
                    assert!(!format!("{error:#?}").contains("CANARY"), "{name}");
                }
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }

    #[test]
    fn other_credentials_impersonate_an_account() {
        let path = std::env::temp_dir().join(format!("longrunning-impersonate-{}", std::process::id()));
        std::fs::write(&path, "CANARY-2\n").unwrap();
        let provider = |request: &TokenRequest<'_>| {
            assert!(request.scopes.is_empty(), "the default scopes suffice");
            Ok(AccessToken::new("CANARY-2"))
        };
        let google = "googleapis.com";
        let rows = [
            ("a token", Credentials::bearer("CANARY-2").unwrap(), google),
            ("a token file", Credentials::token_file(&path), google),
            ("a provider", Credentials::provider(provider), google),
            (
                "another cloud",
                Credentials::provider(provider).with_universe_domain("cloud.example"),
                "cloud.example",
            ),
        ];
        for (row, source, universe) in rows {
            let server = ScriptedClient::responses([(200, answer("2027-01-15T09:00:00Z"))]);
            let credentials = source.impersonate("robot@p.iam.gserviceaccount.com").expect(row);
            let token = server.token(&credentials, &["a"]).expect(row);
            assert_eq!(
                (token.text(), token.lifetime(now())),
                ("CANARY-1", Duration::from_secs(3600)),
                "{row}"
            );
            let [request] = &server.take()[..] else { panic!("{row}: one request") };
            let path = "/v1/projects/-/serviceAccounts/robot%40p.iam.gserviceaccount.com:generateAccessToken";
            assert_eq!(request.line, format!("POST https://iamcredentials.{universe}{path}"), "{row}");
            assert_eq!(request.headers["authorization"], "Bearer CANARY-2", "{row}");
            assert_eq!(request.json(), json!({ "scope": ["a"], "lifetime": "3600s" }), "{row}");
            let resolved = credentials.resolve(&crate::auth::scripted::environment(&[])).expect(row);
            assert_eq!(resolved.universe_domain(), Some(universe), "{row}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_cannot_be_impersonated_is_refused() {
        for account in ["", "a/b", "projects/-/serviceAccounts/a@b", "a b", "../x", "ya29.CANARY"] {
            let error = Credentials::anonymous().impersonate(account).expect_err(account);
            assert_eq!(error.kind(), ErrorKind::Config, "{account}");
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
        for source in [Credentials::anonymous(), Credentials::api_key("CANARY").unwrap()] {
            let credentials = source.impersonate("robot@p").unwrap();
            let error = credentials.resolve(&crate::auth::scripted::environment(&[])).unwrap_err();
            let message =
                "impersonated service account `robot@p` has source credentials without access tokens";
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, message));
        }
    }

    fn file(source: Value) -> Value {
        json!({
            "type": "impersonated_service_account",
            "service_account_impersonation_url": local_url(PATH),
            "source_credentials": source,
        })
    }

    fn answer(time: &str) -> String {
        json!({"accessToken": "CANARY-1", "expireTime": time}).to_string()
    }

    const PATH: &str = "/v1/projects/-/serviceAccounts/robot@p:generateAccessToken";
    const KEY_FILE: &str = include_str!("../../tests/fixtures/keys/service_account.json");
}
