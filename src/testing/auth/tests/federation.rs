//! Workload identities and service accounts that others act as.

use super::*;

#[test]
fn all_of_a_token_exchange_is_checked() {
    let server = FakeServer::start();
    let url = "urn%3Aietf%3Aparams%3Aoauth%3A";
    let audience = "%2F%2Fiam.googleapis.com%2Fprojects%2F123456789012%2Flocations%2Fglobal%2FworkloadIdentityPools%2Ffake-pool%2Fproviders%2Ffake-provider";
    let form = format!(
        "grant_type={url}grant-type%3Atoken-exchange&audience={audience}&scope=s&requested_token_type={url}token-type%3Aaccess_token\
         &subject_token=CANARY-subject-token&subject_token_type={url}token-type%3Ajwt"
    );
    let (status, body) = post_form(&server, "/v1/token", &form);
    assert_eq!(
        (status, &body["issued_token_type"]),
        (200, &json!("urn:ietf:params:oauth:token-type:access_token"))
    );
    let workforce = form.replace(
        "projects%2F123456789012%2Flocations%2Fglobal%2FworkloadIdentityPools",
        "locations%2Fglobal%2FworkforcePools",
    );
    let once = format!("{workforce}&options=%7B%22userProject%22%3A%22p%22%7D");
    let twice = format!("{workforce}&options=%257B%2522userProject%2522%253A%2522p%2522%257D");
    for form in [&once, &twice] {
        assert_eq!(post_form(&server, "/v1/token", form).0, 200);
    }
    let rows = [
        (
            "token-exchange",
            "exchange",
            "invalid_request: Invalid grant_type: `urn:ietf:params:oauth:grant-type:exchange`, expected `urn:ietf:params:oauth:grant-type:token-exchange`",
        ),
        ("requested_token_type", "token_type", "invalid_request: Unknown parameter: token_type"),
        ("scope=s&", "", "invalid_request: Missing required parameter: scope"),
        (
            "subject_token=CANARY-subject-token",
            "subject_token=x",
            "invalid_grant: The subject token is not of this provider.",
        ),
        (
            "token-type%3Ajwt",
            "token-type%3Ax",
            "invalid_request: Invalid subject_token_type: `urn:ietf:params:oauth:token-type:x`",
        ),
        (
            "audience=%2F%2Fiam.googleapis.com%2F",
            "audience=",
            "invalid_target: no provider of identities `projects/123456789012/locations/global/workloadIdentityPools/fake-pool/providers/fake-provider`",
        ),
        ("scope=s", "scope=s&options=x", "invalid_request: Invalid options: not a JSON object"),
        (
            "scope=s",
            "scope=s&options=%7B%7D",
            "invalid_request: Invalid options: expected `userProject` and nothing else",
        ),
        (
            "scope=s",
            "scope=s&options=%7B%22userProject%22%3A%22p%22%7D",
            "invalid_request: Invalid options: `userProject` is for workforce pools without a client",
        ),
    ];
    for (from, to, expected) in rows {
        assert_refusal(post_form(&server, "/v1/token", &form.replace(from, to)), 400, expected);
    }
    let refresh = "grant_type=refresh_token&refresh_token=CANARY-refresh-token-1";
    let good = STANDARD.encode("fake-client.apps.googleusercontent.com:CANARY-client-secret");
    let rows = [
        ("/v1/token", &form, good.as_str(), 200),
        ("/v1/token", &form, "YTpi", 401),
        ("/v1/oauthtoken", &refresh.to_owned(), good.as_str(), 200),
        ("/v1/oauthtoken", &refresh.to_owned(), good.trim_end_matches('='), 401),
    ];
    for (path, form, pair, expected) in rows {
        let basic = format!("Basic {pair}");
        let headers = [FORM, ("authorization", basic.as_str())];
        assert_eq!(send(&server, "POST", path, &headers, form).0, expected, "{path} {pair}");
    }
    assert_refusal(
        post_form(&server, "/v1/oauthtoken", refresh),
        401,
        "invalid_client: client authentication is missing",
    );
}

#[test]
fn a_service_account_is_impersonated_by_those_with_a_token() {
    let server = FakeServer::start();
    server.set_wall(std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let form = login_form(&server.auth().authorized_user_file());
    let token = |scope: &str| {
        let (_, body) = post_form(&server, "/token", &format!("{form}{scope}"));
        format!("Bearer {}", body["access_token"].as_str().unwrap())
    };
    let (all, narrow) = (token(""), token("&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fpubsub"));
    let path = "/v1/projects/-/serviceAccounts/a%40b:generateAccessToken";
    let good = json!({"scope": ["s"], "lifetime": "600s"});
    let post = |path: &str, token: &str, body: &Value| {
        let headers = [("content-type", "application/json"), ("authorization", token)];
        json_of(send(&server, "POST", path, &headers, &body.to_string()))
    };
    let rows = [
        (path, all.as_str(), json!({"delegates": ["projects/-/serviceAccounts/c@d"]}), 200, ""),
        (
            path,
            "Bearer x",
            json!({}),
            401,
            "Request had invalid authentication credentials: this server has not given the access token, or has revoked it",
        ),
        (path, "x", json!({}), 401, "Request had invalid authentication credentials: no access token"),
        (
            path,
            &narrow,
            json!({}),
            403,
            "Request had insufficient authentication scopes: `https://www.googleapis.com/auth/pubsub`, expected one of [\"https://www.googleapis.com/auth/cloud-platform\", \"https://www.googleapis.com/auth/iam\"]",
        ),
        (path, &all, json!({"scope": []}), 400, "scope is []: expected a list of scopes"),
        (path, &all, json!({"scope": ["a b"]}), 400, "scope is [\"a b\"]: expected a list of scopes"),
        (path, &all, json!({"lifetime": "43201s"}), 400, "lifetime is `43201s`: expected `1s` to `43200s`"),
        (
            path,
            &all,
            json!({"delegates": ["a"]}),
            400,
            "delegate `a`: expected `projects/-/serviceAccounts/{email}`",
        ),
        (
            "/v1/a:generateAccessToken",
            &all,
            json!({}),
            404,
            "`/v1/a:generateAccessToken` is not a service account: expected `projects/-/serviceAccounts/{email}`",
        ),
    ];
    for (path, token, change, status, expected) in rows {
        let mut body = good.clone();
        body.as_object_mut().unwrap().append(&mut change.as_object().unwrap().clone());
        let (found, answer) = post(path, token, &body);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert_eq!((found, message), (status, expected), "{change}");
    }
    let (status, body) = post(path, &all, &json!({"scope": ["s"], "x": 1}));
    assert!(status == 400 && body.to_string().contains("unknown field"), "{body}");
    let (_, body) = post(path, &all, &good);
    assert_eq!(body["expireTime"], "2027-01-15T08:10:00Z");
}

#[test]
fn files_are_made_for_every_source() {
    let server = FakeServer::start();
    let auth = server.auth();
    let sources = [
        SubjectToken::Aws,
        SubjectToken::Executable("x"),
        SubjectToken::File("y".as_ref()),
        SubjectToken::Url,
    ];
    for source in sources {
        let file: Value =
            serde_json::from_str(&auth.impersonated_file(&auth.external_account_file(source))).unwrap();
        assert_eq!(file["type"], "external_account");
        assert!(
            file["service_account_impersonation_url"].as_str().unwrap().starts_with(&server.url()),
            "{file}"
        );
    }
    let file: Value = serde_json::from_str(&auth.impersonated_file(&auth.authorized_user_file())).unwrap();
    assert_eq!(
        (&file["type"], &file["source_credentials"]["type"]),
        (&json!("impersonated_service_account"), &json!("authorized_user"))
    );
    assert_eq!(auth.impersonated_file("x"), "x");
}
