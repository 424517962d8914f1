//! What holds whatever goes wrong, in whatever order. Numbers are those of the invariants in the fault table.

use std::time::Duration;

use longrunning::proto::google::longrunning::ListOperationsRequest;
use longrunning::testing::{Reply, Rpc};
use longrunning::{Any, Backoff, Code, LongPoll, Operation, OperationPage, RetryPolicy, Status};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::FACE;
use super::kit::{Face, FakeServer, Method, NAME, done, hinted, running, secs, server};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// 1, 2, 3: limits of time and number hold, and sleeps last as long as the server wishes.
    #[test]
    fn limits_and_wishes_hold(
        script in vec(fault(), 0..12),
        method in prop::sample::select(&[Method::Get, Method::List, Method::Cancel, Method::Delete][..]),
        most in 0u32..9,
        attempt in 0.0..20.0f64,
        total in 0.0..90.0f64,
        chance in 0.0..1.0f64,
    ) {
        let server = scripted(&script);
        server.set_chance(chance);
        let client = server
            .client_builder()
            .retry(RetryPolicy::default().max_attempts(most))
            .attempt_timeout(secs(attempt))
            .total_timeout(secs(total))
            .build()
            .unwrap();
        let result = method.run(&client);
        prop_assert!(server.elapsed() <= secs(total), "{:?} of {total}", server.elapsed());
        let sleeps = server.sleeps();
        let sent = server.request_count() as usize;
        prop_assert!(sent <= most.max(1) as usize && sleeps.len() < most.max(1) as usize, "{sent} {sleeps:?}");
        if let Err(error) = result {
            prop_assert_eq!(error.elapsed(), server.elapsed());
            prop_assert_eq!(error.attempts() as usize, sleeps.len() + 1);
        }
        for (slept, fault) in sleeps.iter().zip(&script).take(sent) {
            prop_assert!(*slept >= fault.hint(), "{slept:?} after {fault:?}");
        }
    }

    /// 6: a wait ends well if and only if the operation was seen to be done, and gives what was seen.
    #[test]
    fn a_wait_gives_the_first_answer_that_is_done(
        script in vec(prop_oneof![fault().prop_map(Some), Just(None)], 0..12),
        response in "[a-zé\"\\\\]{0,9}",
        finishes in any::<bool>(),
        total in 1.0..600.0f64,
        long_poll in long_poll(),
    ) {
        let server = FakeServer::with(|options| options.with(Rpc::Wait));
        for step in &script {
            server.reply(step.as_ref().map_or_else(|| running().into(), Fault::reply));
        }
        let message = serde_json::json!({"@type": "x/y", "value": response, "new": [1.50]});
        let message = match FACE {
            Face::RestJson => Any::from_json(&message.to_string()).unwrap(),
            _ => Any::pack(&response),
        };
        let done = Operation::succeeded(NAME, message);
        server.reply(Reply::from(if finishes { done.clone() } else { running() }).times(usize::MAX));
        let result = server.client().poller(NAME).total_timeout(secs(total)).long_poll(long_poll).until_done();
        prop_assert!(server.elapsed() <= secs(total), "1: {:?} of {total}", server.elapsed());
        let polls = server.request_count() as usize;
        let arrived = finishes && polls > script.len();
        match result {
            Ok(operation) => {
                prop_assert!(arrived);
                prop_assert_eq!(operation.to_json(), done.to_json());
            }
            Err(error) => {
                prop_assert!(!arrived, "{error:?}");
                let seen = script.iter().take(polls).any(Option::is_none) || polls > script.len();
                prop_assert_eq!(error.operation().is_some(), seen, "the last state is not forgotten: {:?}", error);
                prop_assert_eq!(error.attempts() as usize, polls);
            }
        }
    }

    /// 7: resumed after every error, a listing gives each item once and in order.
    #[test]
    fn a_listing_gives_every_item_once(
        pages in vec(0usize..4, 1..6),
        faults in vec(vec(fault(), 0..7), 6),
        most in 1u32..4,
    ) {
        let server = FakeServer::start();
        let mut expected = Vec::new();
        for (number, (count, faults)) in pages.iter().zip(&faults).enumerate() {
            faults.iter().for_each(|fault| server.reply(fault.reply()));
            let items: Vec<_> =
                (0..*count).map(|item| Operation::running(format!("operations/{number}-{item}"))).collect();
            expected.extend(items.iter().map(|operation| operation.name().to_owned()));
            let next = if number + 1 == pages.len() { String::new() } else { format!("t{}", number + 1) };
            server.reply(OperationPage::new(items, next));
        }
        let policy = RetryPolicy::default().max_attempts(most).backoff(Backoff::from_fn(|_| Some(secs(1.0))));
        let client = server.client_builder().retry(policy).build().unwrap();
        let (mut found, mut token) = (Vec::new(), Some(String::new()));
        while let Some(start) = token.take() {
            let mut listing = client.list("operations").page_token(start).into_iter();
            for item in listing.by_ref() {
                match item {
                    Ok(operation) => found.push(operation.name().to_owned()),
                    Err(error) => token = Some(error.page_token().unwrap().to_owned()),
                }
            }
            prop_assert!(listing.next().is_none());
            prop_assert_eq!(listing.page_token(), token.as_deref());
        }
        prop_assert_eq!(found, expected);
        let tokens: Vec<_> =
            server.requests().iter().map(|request| request.message::<ListOperationsRequest>().unwrap().page_token).collect();
        prop_assert!(tokens.is_sorted(), "never back: {tokens:?}");
    }

    /// 5: the error is the last one, of a call and of a wait, and no other.
    #[test]
    fn the_last_error_is_told(
        faults in vec((code(), 0u64..9, 0u32..3), 1..12),
        waits in any::<bool>(),
        total in 1.0..120.0f64,
    ) {
        let server = FakeServer::start();
        let mut words = Vec::new();
        for (number, (code, hint, kind)) in faults.iter().enumerate() {
            let (reply, word) = match kind {
                0 => (Fault::Cut(3).reply(), "cut short".to_owned()),
                _ => {
                    let message = format!("fault {number}.");
                    (hinted(Status::new(*code, message.clone()), *hint), message)
                }
            };
            server.reply(reply);
            words.push(word);
        }
        server.insert(running());
        let client = server.client_builder().total_timeout(secs(total)).build().unwrap();
        let error = match waits {
            true => client.poller(NAME).total_timeout(secs(total)).until_done().err(),
            false => client.get(NAME).send().err(),
        };
        let asked = server.request_count() as usize;
        let told = error.as_ref().map(|error| format!("{error:#}")).unwrap_or_default();
        let last = words.get(asked - 1).cloned().unwrap_or_default();
        prop_assert!(told.contains(&last), "{told}, expected {last}");
        let others = words.iter().filter(|word| **word != last && told.contains(*word)).count();
        prop_assert_eq!(others, 0, "{}, expected {} only", told, last);
    }

    /// 10: no fault poisons a client, whatever it was doing.
    #[test]
    fn the_next_call_is_as_good_as_the_first(script in vec((fault(), 0..4), 1..6)) {
        let server = FakeServer::with(|options| options.with(Rpc::Wait));
        server.insert(done());
        let client = server.client_builder().retry(RetryPolicy::never()).build().unwrap();
        let handle = client.operation(NAME);
        for (fault, kind) in script {
            if kind == 3 {
                server.reply(running());
            }
            server.reply(fault.reply());
            let brief = || client.poller(NAME).total_timeout(secs(1.0));
            match kind {
                0 => drop(client.get(NAME).send()),
                1 => drop(brief().until_done()),
                2 => drop(handle.refresh()),
                _ => drop(brief().total_timeout(secs(60.0)).long_poll(LongPoll::Body).until_done()),
            }
            server.clear_replies();
            prop_assert_eq!(client.get(NAME).send().map_err(|error| error.to_string()), Ok(done()));
            prop_assert_eq!(brief().until_done().map_err(|error| error.to_string()), Ok(done()));
        }
        prop_assert_eq!(handle.until_done().map_err(|error| error.to_string()), Ok(done()));
        for method in Method::ALL {
            server.insert(done());
            prop_assert!(method.run(&client).is_ok(), "{method:?}");
        }
    }
}

fn long_poll() -> impl Strategy<Value = LongPoll> {
    prop::sample::select(
        &[LongPoll::Never, LongPoll::Auto, LongPoll::Body, LongPoll::Query, LongPoll::Get][..],
    )
}

fn code() -> impl Strategy<Value = Code> {
    let codes = [Code::Unavailable, Code::ResourceExhausted, Code::Internal, Code::NotFound, Code::Aborted];
    prop::sample::select(codes.to_vec())
}

/// One bad answer. None of them is a reset or an end of the connection before a response, which a client on a
/// kept connection makes good by itself.
#[derive(Clone, Debug)]
enum Fault {
    Status(Code),
    Wish(Code, u32),
    Proxy(u16),
    Page,
    Empty,
    Cut(usize),
    CutHead(usize),
    Garbage,
    Hang,
    Slow(u32),
    Redirect,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => code().prop_map(Fault::Status),
        3 => (code(), 0u32..100).prop_map(|(code, seconds)| Fault::Wish(code, seconds)),
        1 => prop::sample::select(vec![408, 429, 500, 502, 503, 504]).prop_map(Fault::Proxy),
        1 => Just(Fault::Page),
        1 => Just(Fault::Empty),
        1 => (0usize..20).prop_map(Fault::Cut),
        1 => (1usize..40).prop_map(Fault::CutHead),
        1 => Just(Fault::Garbage),
        1 => Just(Fault::Hang),
        1 => (1u32..40).prop_map(Fault::Slow),
        1 => Just(Fault::Redirect),
    ]
}

impl Fault {
    fn reply(&self) -> Reply {
        let whole = Reply::json(200, r#"{"never":"read to its end"}"#);
        match self {
            Self::Status(code) => Status::new(*code, "bad luck").into(),
            Self::Wish(code, seconds) => hinted(Status::new(*code, "bad luck"), (*seconds).into()),
            Self::Proxy(status) => Reply::html(*status),
            Self::Page => Reply::html(200),
            Self::Empty => Reply::empty(),
            Self::Cut(bytes) => whole.truncate_at(*bytes),
            Self::CutHead(bytes) if FACE.is_rest() => whole.truncate_head_at(*bytes),
            // Without a whole head a response has not begun.
            Self::CutHead(_) => whole.truncate_at(0),
            Self::Garbage => Reply::json(200, "no JSON"),
            Self::Hang => Reply::hang(),
            Self::Slow(seconds) => Reply::status(503).delay(Duration::from_secs((*seconds).into())),
            Self::Redirect => Reply::redirect("https://elsewhere.example/"),
        }
    }

    fn hint(&self) -> Duration {
        match self {
            Self::Wish(_, seconds) => Duration::from_secs((*seconds).into()),
            _ => Duration::ZERO,
        }
    }
}

fn scripted(script: &[Fault]) -> FakeServer {
    let server = server();
    script.iter().for_each(|fault| server.reply(fault.reply()));
    server
}
