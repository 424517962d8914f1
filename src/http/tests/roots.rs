//! Which roots there are, and which texts are none.

use super::super::HttpErrorKind::Tls;
use super::authority::{Authority, unchanged};
use super::server::{Act, Server};
use super::{HttpAgent, HttpOptions, Roots, get, options};
use crate::system::is_wine;

const NOT_DER: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

#[test]
fn roots_add_up() {
    let named = |name: &'static str| Authority::new(move |params| params.common_name = name);
    let (first, second, other) = (named("first"), named("second"), named("other"));
    let pem = |authority: &Authority| Roots::Pem(authority.pem.clone().into_bytes());
    let both = format!("{}{}", first.pem, second.pem).into_bytes();
    let mut rows: Vec<(&str, HttpOptions, [bool; 2])> = vec![
        ("exactly one", options().roots(pem(&first)), [true, false]),
        ("exactly both", options().roots(Roots::Pem(both.clone())), [true, true]),
        ("one and an extra one", options().roots(pem(&first)).extra_roots(&*second.pem), [true, true]),
        ("extra ones alone", options().roots(Roots::None).extra_roots(both.clone()), [true, true]),
        (
            "extra ones one by one",
            options().roots(Roots::None).extra_roots(&*first.pem).extra_roots(&*second.pem),
            [true, true],
        ),
        ("another", options().roots(pem(&other)), [false, false]),
        ("none", options(), [false, false]),
    ];
    for (roots, is_on) in [
        (Roots::Mozilla, cfg!(feature = "webpki-roots")),
        (Roots::Platform, cfg!(feature = "platform-verifier") && !is_wine()),
    ] {
        if is_on {
            let extra = options().roots(roots.clone()).extra_roots(both.clone());
            rows.push(("extra to the usual", extra, [true, true]));
            rows.push(("the usual", options().roots(roots), [false, false]));
        }
    }
    for (name, options, trusted) in rows {
        let agent = HttpAgent::new(&options).unwrap();
        for (authority, trusted) in [&first, &second].into_iter().zip(trusted) {
            let server = Server::start_tls(vec![vec![Act::Serve]], authority.server("localhost", unchanged));
            let answer = get(&agent, &format!("https://localhost:{}/", server.port));
            assert_eq!(answer.is_ok(), trusted, "{name}: {options:?} {answer:?}");
            if let Err(error) = answer {
                assert!(
                    error.to_string().ends_with("its certificate comes from an unknown issuer"),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn roots_are_checked_at_once() {
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA";
    let rows = [
        ("", "no usable root certificate: 0 in the PEM text given, expected at least 1"),
        ("no PEM", "no usable root certificate: 0 in the PEM text given, expected at least 1"),
        (KEY, "no usable root certificate: 0 in the PEM text given, expected at least 1"),
        (NOT_DER, "no usable root certificate: 1 in the PEM text given, expected at least 1"),
        (cut, "failed to read the root certificates"),
    ];
    let usable = Authority::new(unchanged).pem;
    for (pem, message) in rows {
        for options in [
            options().roots(Roots::Pem(pem.into())),
            options().extra_roots(pem),
            options().roots(Roots::Pem(usable.clone().into())).extra_roots(&*usable).extra_roots(pem),
        ] {
            let error = HttpAgent::new(&options).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (Tls, message), "{pem}");
        }
    }
    let mixed = format!("{KEY}{NOT_DER}{usable}");
    HttpAgent::new(&options().roots(Roots::Pem(mixed.clone().into())).extra_roots(mixed)).unwrap();
}

#[test]
fn roots_whose_feature_is_off_are_an_error() {
    for (roots, feature, is_on) in [
        (Roots::Mozilla, "webpki-roots", cfg!(feature = "webpki-roots")),
        (Roots::Platform, "platform-verifier", cfg!(feature = "platform-verifier")),
    ] {
        match HttpAgent::new(&options().roots(roots)) {
            Ok(_) => assert!(is_on, "{feature}"),
            Err(_) if is_on && is_wine() => {}
            Err(error) => assert!(!is_on && error.to_string().contains(feature), "{error}"),
        }
    }
}

#[test]
fn roots_are_not_printed() {
    let options = options().roots(Roots::Pem("CANARY-root-1".into())).extra_roots("CANARY-root-2");
    let printed = format!("{options:?}");
    assert!(printed.contains("13 bytes") && !printed.contains("CANARY"), "{printed}");
}
