//! Listings: items, pages, tokens, and what a fault between two pages leaves behind.

use longrunning::proto::google::longrunning::ListOperationsRequest;
use longrunning::testing::{RecordedRequest, Reply};
use longrunning::{Code, ErrorKind, Operation, OperationPage, RetryPolicy, Status};

use super::kit::{FakeServer, secs, slept, told, unavailable};

#[test]
fn items_come_in_order_over_all_pages() {
    let (server, all) = filled(25);
    let client = server.client();
    assert_eq!(names(client.list("projects/p").page_size(10)), all);
    assert_eq!(server.request_count(), 3);
    let pages: Vec<_> = client.list("projects/p").page_size(10).pages().map(Result::unwrap).collect();
    assert_eq!(pages.iter().map(|page| page.operations.len()).collect::<Vec<_>>(), [10, 10, 5]);
    assert!(pages[2].next_page_token.is_empty());
    let first = client.list("projects/p").page_size(10).send().unwrap();
    assert_eq!(first, pages[0]);
    assert_eq!(server.request_count(), 7);
}

#[test]
fn nothing_is_asked_before_it_is_needed() {
    let (server, _) = filled(25);
    let client = server.client();
    let mut operations = client.list("projects/p").page_size(10).into_iter();
    let mut pages = client.list("projects/p").page_size(10).pages();
    assert_eq!(server.request_count(), 0);
    assert_eq!(operations.by_ref().take(10).count(), 10);
    assert_eq!(server.request_count(), 1);
    operations.next().unwrap().unwrap();
    assert_eq!(server.request_count(), 2);
    pages.next().unwrap().unwrap();
    assert_eq!(server.request_count(), 3);
}

#[test]
fn options_are_kept_on_every_page() {
    let server = FakeServer::start();
    server.reply(page(1, "a/b ="));
    server.reply(page(1, ""));
    let client = server.client();
    let listing = client
        .list("projects/p")
        .filter("done = false")
        .page_size(7)
        .return_partial_success(true)
        .quota_project("billing")
        .header("x-trace", "9");
    assert_eq!(listing.into_iter().map(Result::unwrap).count(), 2);
    let expected = ["", "a/b ="].map(|page_token| {
        ListOperationsRequest::default()
            .name("projects/p/operations")
            .filter("done = false")
            .page_size(7)
            .page_token(page_token)
            .return_partial_success(true)
    });
    let sent: Vec<ListOperationsRequest> =
        server.requests().iter().map(|request| request.message().unwrap()).collect();
    assert_eq!(sent, expected);
    for request in server.requests() {
        assert_eq!(request.header("x-trace"), Some("9"));
        assert_eq!(request.header("x-goog-user-project"), Some("billing"));
    }
}

#[test]
fn an_empty_page_is_not_the_end() {
    let server = FakeServer::start();
    for number in 0..1000 {
        server.reply(page(0, &format!("t{number}")));
    }
    server.reply(page(2, ""));
    assert_eq!(server.client().list("operations").into_iter().map(Result::unwrap).count(), 2, "59");
    assert_eq!((server.request_count(), slept(&server)), (1001, vec![]), "59");
}

/// Every page that arrived is given; then the listing ends with an error in place of going round.
#[test]
fn a_token_that_comes_twice_ends_the_listing() {
    let rows: [(&str, &[&str], &[&str]); 3] = [
        ("58: A, A", &["A", "A"], &["", "A"]),
        ("58: A, B, A", &["A", "B", "A"], &["", "A", "B"]),
        ("58: A, B, C, B", &["A", "B", "C", "B"], &["", "A", "B", "C"]),
    ];
    for (row, given, asked) in rows {
        let server = FakeServer::start();
        given.iter().for_each(|token| server.reply(page(1, token)));
        let client = server.client();
        let mut pages = client.list("operations").pages();
        for _ in given {
            assert_eq!(pages.next().expect(row).expect(row).operations.len(), 1, "{row}");
        }
        let error = pages.next().expect(row).expect_err(row);
        assert_eq!((error.kind(), error.page_token()), (ErrorKind::Decode, given.last().copied()), "{row}");
        assert_eq!(
            error.to_string(),
            "ListOperations `operations`: the server gave a page token that it had given before: \
             the listing would not end"
        );
        assert!(pages.next().is_none(), "{row}");
        let tokens: Vec<_> = server.requests().iter().map(page_token).collect();
        assert_eq!(tokens, asked, "{row}");
    }
}

#[test]
fn the_token_that_a_listing_starts_from_counts_as_seen() {
    let server = FakeServer::start();
    server.reply(page(1, "B"));
    server.reply(page(1, "A"));
    let client = server.client();
    let mut listed = client.list("operations").page_token("A").into_iter();
    assert_eq!(listed.by_ref().take(2).map(Result::unwrap).count(), 2);
    assert_eq!(listed.next().unwrap().unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!((listed.next().is_none(), server.request_count()), (true, 2));
}

#[test]
fn a_listing_can_be_resumed_where_it_failed() {
    for failing in [0, 1, 2] {
        let (server, all) = filled(25);
        for _ in 0..failing {
            server.reply(Reply::usual());
        }
        server.reply(Status::new(Code::Internal, "broken"));
        let client = server.client();
        let mut listing = client.list("projects/p").page_size(10).into_iter();
        let mut seen: Vec<String> =
            listing.by_ref().map_while(Result::ok).map(|op| op.name().into()).collect();
        assert_eq!(seen, all[..failing * 10], "60: page {failing}");
        assert!(listing.next().is_none(), "60: fused");
        let token = listing.page_token().expect("60: the page that failed").to_owned();
        assert_eq!(token.is_empty(), failing == 0);
        seen.extend(names(client.list("projects/p").page_size(10).page_token(token)));
        assert_eq!(seen, all, "60: page {failing}");
    }
}

#[test]
fn the_error_carries_the_token_of_its_page() {
    for failing in [0, 1, 2] {
        let (server, all) = filled(25);
        let client = server.client();
        let tokens: Vec<String> = std::iter::once(String::new())
            .chain(client.list("projects/p").page_size(10).pages().map(|page| page.unwrap().next_page_token))
            .collect();
        for _ in 0..failing {
            server.reply(Reply::usual());
        }
        server.reply(unavailable().times(5));
        let mut pages = client.list("projects/p").page_size(10).pages();
        assert_eq!(pages.by_ref().take(failing).map(Result::unwrap).count(), failing);
        let error = pages.next().unwrap().unwrap_err();
        assert_eq!(error.page_token(), Some(tokens[failing].as_str()), "60: page {failing}");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Service, 5));
        assert_eq!(
            (pages.next().is_none(), pages.page_token()),
            (true, error.page_token()),
            "60: page {failing}"
        );
        let rest = client.list("projects/p").page_size(10).page_token(error.page_token().unwrap());
        assert_eq!(names(rest), all[failing * 10..], "60: page {failing}");
    }
}

#[test]
fn faults_between_pages_neither_lose_nor_repeat_items() {
    let (server, all) = filled(25);
    for fault in
        [unavailable(), Reply::usual(), Reply::usual().truncate_at(50), Reply::usual(), Reply::hang()]
    {
        server.reply(fault);
    }
    assert_eq!(names(server.client().list("projects/p").page_size(10)), all);
    assert_eq!(slept(&server), [0.375, 0.375, 0.375]);
}

#[test]
fn a_finished_listing_has_no_token_to_resume_from() {
    let (server, _) = filled(15);
    let client = server.client();
    let mut pages = client.list("projects/p").page_size(10).pages();
    assert_eq!(pages.page_token(), Some(""));
    let first = pages.next().unwrap().unwrap();
    assert_eq!(pages.page_token(), Some(first.next_page_token.as_str()));
    pages.next().unwrap().unwrap();
    assert_eq!((pages.page_token(), pages.clone().next().is_none()), (None, true));
}

#[test]
fn unreachable_places_fail_a_listing_or_are_named() {
    let (server, all) = filled(12);
    server.set_unreachable(["projects/p/locations/x"]);
    let client = server.client();
    let never = RetryPolicy::never();
    let whole = client.list("projects/p").retry(never.clone()).send();
    assert_eq!(told(&whole), "Service UNAVAILABLE", "61");
    let mut partial =
        client.list("projects/p").retry(never).return_partial_success(true).page_size(10).into_iter();
    let found: Vec<_> = partial.by_ref().map(|operation| operation.unwrap().name().to_owned()).collect();
    assert_eq!(found, all, "61");
    assert_eq!(partial.unreachable(), ["projects/p/locations/x"], "61");
}

/// A server that sends page after page, none of them the last, each after a tenth of a second.
fn endless(operations: usize) -> FakeServer {
    let server = FakeServer::start();
    for number in 0..1000 {
        server.reply(Reply::from(page(operations, &format!("t{number}"))).delay(secs(0.1)));
    }
    server
}

#[test]
fn a_step_ends_at_its_timeout_however_many_pages_it_takes() {
    let server = endless(0);
    let client = server.client();
    let mut operations = client.list("operations").total_timeout(secs(1.05)).into_iter();
    let error = operations.next().unwrap().unwrap_err();
    assert_eq!((error.kind(), server.request_count()), (ErrorKind::Timeout, 11), "59");
    assert_eq!(server.elapsed(), secs(1.05), "59");
    assert_eq!(error.page_token(), Some("t9"), "59: where to continue");
    assert!(error.to_string().ends_with("; 10 pages before it were empty"), "{error}");
    assert!(operations.next().is_none());
}

#[test]
fn the_timeout_of_a_step_starts_anew_with_each_step() {
    let server = endless(1);
    let client = server.client();
    let pages = client.list("operations").total_timeout(secs(0.15)).into_iter();
    assert_eq!(pages.take(30).map(Result::unwrap).count(), 30);
    assert_eq!(server.elapsed(), secs(3.0));
}

#[test]
fn the_whole_iteration_can_be_limited() {
    let server = endless(1);
    let client = server.client();
    let limited = client.list("operations").iteration_timeout(secs(1.05));
    let mut operations = limited.clone().into_iter();
    assert_eq!(operations.by_ref().take(10).map(Result::unwrap).count(), 10);
    let error = operations.next().unwrap().unwrap_err();
    assert!(error.to_string().ends_with("; the iteration timeout is over"), "{error}");
    assert_eq!((error.kind(), error.page_token()), (ErrorKind::Timeout, Some("t9")));
    // The caller's own time counts.
    let mut pages = limited.pages();
    pages.next().unwrap().unwrap();
    server.advance(secs(5.0));
    let error = pages.next().unwrap().unwrap_err();
    let message = "ListOperations `operations`: the iteration timeout is over after 1 page; \
                   continue with the page token";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Timeout, message));
    assert!(pages.next().is_none());
    let none = client.list("operations").iteration_timeout(secs(0.0)).into_iter().next();
    assert_eq!((none.unwrap().unwrap_err().kind(), server.request_count()), (ErrorKind::Timeout, 12));
}

#[test]
fn the_number_of_pages_can_be_limited() {
    for (operations, most) in [(0, 3), (1, 3), (1, 1), (1, 0)] {
        let server = endless(operations);
        let client = server.client();
        let mut listed = client.list("operations").max_pages(most).into_iter();
        let found = listed.by_ref().map_while(Result::ok).count();
        assert_eq!((found, server.requests().len()), (operations * most, most));
        let token = if most == 0 { String::new() } else { format!("t{}", most - 1) };
        assert_eq!(listed.page_token(), Some(token.as_str()));
        let error = client.list("operations").max_pages(most).pages().find_map(Result::err).unwrap();
        assert_eq!((error.kind(), error.page_token().is_some()), (ErrorKind::Stopped, true));
        let pages = if most == 1 { "page".to_owned() } else { format!("{most} pages") };
        let message = format!(
            "ListOperations `operations`: the list has more than the {pages} of `max_pages`; \
             continue with the page token"
        );
        assert_eq!(error.to_string(), message);
    }
    let (server, all) = filled(25);
    let client = server.client();
    assert_eq!(names(client.list("projects/p").page_size(10).max_pages(3)), all, "just enough");
}

/// A server with this many operations, and their names in order.
fn filled(count: usize) -> (FakeServer, Vec<String>) {
    let server = FakeServer::start();
    let names: Vec<_> = (0..count).map(|number| format!("projects/p/operations/{number}")).collect();
    names.iter().for_each(|name| server.insert(Operation::running(name)));
    (server, names)
}

fn names(listing: impl IntoIterator<Item = Result<Operation, longrunning::Error>>) -> Vec<String> {
    listing.into_iter().map(|operation| operation.unwrap().name().to_owned()).collect()
}

fn page(count: usize, next_page_token: &str) -> OperationPage {
    OperationPage::new(vec![Operation::running("operations/7"); count], next_page_token)
}

fn page_token(request: &RecordedRequest) -> String {
    request.message::<ListOperationsRequest>().unwrap().page_token
}
