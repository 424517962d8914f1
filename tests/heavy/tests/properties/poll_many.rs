//! What holds whatever goes wrong.

use longrunning::testing::{FakeOperation, FakeServer, RecordedRequest, Reply};
use longrunning::{Code, ErrorKind, OnTimeout};
use proptest::prelude::*;

use crate::kit::{secs, unavailable};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever goes wrong, every name is given exactly once, in time, and as the server has it.
    #[test]
    fn every_name_is_given_once(
        ends in prop::collection::vec(prop_oneof![4 => (0u32..200).prop_map(Some), 1 => Just(None)], 1..40),
        faults in prop::collection::vec((fault(), any::<bool>()), 0..25),
        missing in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        twice in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        parents in 1usize..4,
        pages in 1usize..40,
        workers in 0usize..4,
        rate in prop_oneof![Just(None), (1.0..50.0f64).prop_map(Some)],
        total in 0.0..300.0f64,
        chance in 0.0..1.0f64,
        on_timeout in prop::sample::select(vec![
            OnTimeout::Leave, OnTimeout::Cancel, OnTimeout::CancelAndConfirm { grace: secs(30.0) },
        ]),
    ) {
        let server = FakeServer::builder().max_page_size(pages).start().unwrap();
        server.set_chance(chance);
        let mut names: Vec<_> =
            (0..ends.len()).map(|number| format!("projects/{}/operations/{number}", number % parents)).collect();
        for (name, end) in names.iter().zip(&ends) {
            let operation = FakeOperation::new(name);
            server.insert(match end {
                Some(end) => operation.done_after(secs(f64::from(*end))),
                None => operation,
            });
        }
        let client = server.client();
        let gone: Vec<_> = missing.iter().map(|index| index.get(&names).clone()).collect();
        for name in &gone {
            let _ = client.delete(name).send();
        }
        let copies: Vec<_> = twice.iter().map(|index| index.get(&names).clone()).collect();
        names.extend(copies);
        for (fault, of_list) in faults.clone() {
            server.reply_when(move |request| is_list(request) == of_list && request.method() == "GET", fault.clone());
        }
        let start = server.elapsed();
        let mut many = client.poll_many(&names).total_timeout(secs(total)).concurrency(workers).on_timeout(on_timeout);
        if let Some(rate) = rate {
            many = many.max_rate(rate);
        }
        let mut found = Vec::new();
        for result in many {
            let name = match &result {
                Ok(operation) => operation.name(),
                Err(error) => error.name().unwrap(),
            };
            found.push(name.to_owned());
            match &result {
                Ok(operation) => {
                    let truth = server.operation(operation.name()).map(|operation| operation.to_json());
                    prop_assert!(operation.is_done());
                    prop_assert_eq!(Some(operation.to_json()), truth);
                }
                Err(error) => {
                    let expected = error.kind() == ErrorKind::Timeout
                        || error.code() == Some(Code::NotFound) && gone.iter().any(|name| Some(&**name) == error.name())
                        || error.code() == Some(Code::Internal);
                    prop_assert!(expected, "{error}");
                }
            }
        }
        let grace = if on_timeout == OnTimeout::Leave { 0.0 } else { 60.0 };
        let elapsed = server.elapsed() - start;
        prop_assert!(elapsed <= secs(total + grace), "{elapsed:?} of {total}");
        found.sort();
        names.sort();
        prop_assert_eq!(found, names);
    }
}

fn fault() -> impl Strategy<Value = Reply> {
    prop::sample::select(vec![
        unavailable(),
        Reply::reset(),
        Reply::close(),
        Reply::hang(),
        Reply::html(502),
        Reply::status(500),
        Reply::status(429),
        Reply::status(503).header("retry-after", "7"),
        Reply::usual().truncate_at(9),
    ])
}

fn is_list(request: &RecordedRequest) -> bool {
    request.method() == "GET" && request.path().ends_with("/operations")
}
