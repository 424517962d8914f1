//! Bundles of root certificates of which some cannot be used.

use longrunning::http::{HttpAgent, HttpOptions, ProxySetting, Roots};

use crate::listener::{heard, listen};

#[test]
fn roots_that_cannot_be_used_are_counted_in_a_warning() {
    listen();
    log::info!("a line, so that some are heard");
    let usable = include_str!("../../lro/tests/fixtures/server.pem");
    let unusable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let rows = [
        (usable.to_owned(), None),
        (format!("{unusable}{usable}"), Some("1 of 2 root certificates cannot be used")),
        (format!("{unusable}{usable}{unusable}"), Some("2 of 3 root certificates cannot be used")),
    ];
    for (pem, warning) in rows {
        let warnings = || heard(|line| line.text.ends_with("root certificates cannot be used"));
        let before = warnings().len();
        let options = HttpOptions::new().roots(Roots::Pem(pem.into_bytes())).proxy(ProxySetting::None);
        HttpAgent::new(&options).unwrap();
        let logged: Vec<_> = warnings().into_iter().skip(before).map(|line| line.text).collect();
        assert_eq!(logged, Vec::from_iter(warning));
    }
}
