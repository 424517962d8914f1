//! The metadata servers of two clouds.

use super::*;

#[test]
fn the_metadata_server_requires_and_sends_its_header() {
    let server = FakeServer::start();
    server.auth().universe_domain("example.goog");
    let flavor = ("metadata-flavor", "Google");
    let account = "/computeMetadata/v1/instance/service-accounts";
    let email = "robot@fake-project.iam.gserviceaccount.com";
    let rows = [
        ("/", vec![flavor], 200, "computeMetadata/\n"),
        ("/computeMetadata/v1/project/project-id", vec![flavor], 200, "fake-project"),
        ("/computeMetadata/v1/universe/universe-domain", vec![flavor], 200, "example.goog"),
        (&format!("{account}/default/email"), vec![flavor], 200, email),
        (&format!("{account}/other@x/email"), vec![flavor], 404, "Not Found\n"),
        ("/computeMetadata/v1/x", vec![flavor], 404, "Not Found\n"),
        ("/computeMetadata/v1/project/project-id", vec![], 403, "Missing Metadata-Flavor:Google header.\n"),
        (
            "/computeMetadata/v1/project/project-id",
            vec![flavor, ("x-forwarded-for", "1.2.3.4")],
            403,
            "Requests with X-Forwarded-For are refused.\n",
        ),
    ];
    for (path, headers, status, expected) in rows {
        let (found, head, body) = send(&server, "GET", path, &headers, "");
        assert_eq!((found, body.as_str()), (status, expected), "{path}");
        assert!(head.contains("Metadata-Flavor: Google\r\n"), "{head}");
    }
    let token = |account: &str, query: &str| {
        let path = format!("/computeMetadata/v1/instance/service-accounts/{account}/token{query}");
        let (_, body) = json_of(send(&server, "GET", &path, &[flavor], ""));
        (body["access_token"].as_str().unwrap().to_owned(), body["expires_in"].as_u64().unwrap())
    };
    // The same token until it is about to expire.
    let (first, life) = token("default", "");
    assert_eq!(life, 3600);
    server.advance(Duration::from_secs(3300));
    assert_eq!(token(&email.replace('@', "%40"), ""), (first.clone(), 300));
    assert_ne!(token("default", "?scopes=a,b").0, first);
    server.advance(Duration::from_secs(60));
    assert_ne!(token("default", "").0, first);
}

#[test]
fn the_metadata_server_of_aws_wants_a_session() {
    let server = FakeServer::start();
    let put = |seconds: &str| {
        let (status, _, body) = send(
            &server,
            "PUT",
            "/latest/api/token",
            &[("X-aws-ec2-metadata-token-ttl-seconds", seconds)],
            "",
        );
        (status, body)
    };
    assert_eq!((put("0").0, put("21601").0, put("x").0), (400, 400, 400));
    let (_, session) = put("300");
    let get = |path: &str, session: &str| {
        let (status, _, body) = send(&server, "GET", path, &[("x-aws-ec2-metadata-token", session)], "");
        (status, body)
    };
    let zone = "/latest/meta-data/placement/availability-zone";
    assert_eq!(get(zone, &session), (200, "us-east-2b".into()));
    assert_eq!(get("/latest/meta-data/iam/security-credentials", &session), (200, "fake-role".into()));
    let (_, keys) = get("/latest/meta-data/iam/security-credentials/fake-role", &session);
    assert!(keys.contains(r#""SecretAccessKey":"CANARY-aws-secret""#), "{keys}");
    assert_eq!(get("/latest/meta-data/iam/security-credentials/x", &session).0, 404);
    assert_eq!(get(zone, "x"), (401, "this server has not given the session token".into()));
    server.advance(Duration::from_secs(300));
    assert_eq!(get(zone, &session), (401, "the session token has expired".into()));
}
