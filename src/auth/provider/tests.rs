use super::*;

#[test]
fn lifetimes_are_clamped() {
    let requested = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let seconds = Duration::from_secs;
    let token = || AccessToken::new("t");
    let rows = [
        ("missing", token(), 300),
        ("zero", token().expires_in(Duration::ZERO), 1),
        ("an hour", token().expires_in(seconds(3600)), 3600),
        ("1e18 s", token().expires_in(seconds(1_000_000_000_000_000_000)), 43_200),
        ("the longest", token().expires_in(Duration::MAX), 43_200),
        ("at the same moment", token().expires_at(requested), 1),
        ("in the past", token().expires_at(requested - seconds(600)), 1),
        ("before 1970", token().expires_at(SystemTime::UNIX_EPOCH - seconds(9)), 1),
        ("in ten minutes", token().expires_at(requested + seconds(600)), 600),
        ("in a century", token().expires_at(requested + seconds(3_000_000_000)), 43_200),
        ("the last word counts", token().expires_in(seconds(60)).expires_at(requested + seconds(90)), 90),
    ];
    for (name, token, expected) in rows {
        assert_eq!(token.lifetime(requested), seconds(expected), "{name}");
    }
}

#[test]
fn tokens_that_no_header_can_carry_are_refused() {
    let rows = [
        ("plain", "ya29.a0-_~+/=", None),
        ("empty", "", Some("is empty")),
        ("line break at the end", "CANARY\n", Some("at byte 6 ")),
        ("header injection", "CANARY\r\nx: y", Some("at byte 6 ")),
        ("space", " CANARY", Some("at byte 0 ")),
        ("delete", "CANARY\u{7f}", Some("at byte 6 ")),
        ("not ASCII", "CANARYé", Some("at byte 6 ")),
    ];
    for (name, text, expected) in rows {
        match (check_token(text), expected) {
            (Ok(()), None) => {}
            (Err(why), Some(part)) => {
                assert!(why.contains(part) && !why.contains("CANARY"), "{name}: {why}")
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
    }
}
