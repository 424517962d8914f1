//! Everything that the help lists has a test that is about it.

use std::collections::BTreeSet;

use crate::kit::Lro;

/// Commands, options, values of options and exit statuses, each with its test.
const TESTS: [(&str, &str); 92] = [
    ("get", "calls::get_for_people"),
    ("list", "calls::list_for_people"),
    ("wait", "wait::several_are_told_as_they_end"),
    ("cancel", "calls::cancel_and_delete_take_many_names"),
    ("delete", "calls::cancel_and_delete_take_many_names"),
    ("serve", "serve::the_demonstration"),
    ("completions", "help::completions_for_every_shell"),
    ("man", "help::man_pages"),
    ("--endpoint", "options::endpoint_and_version"),
    ("--parent", "typing::a_bare_id_is_a_name_under_the_parent"),
    ("--api-version", "options::endpoint_and_version"),
    ("--binding", "connection::bindings_map_methods_to_paths"),
    ("--ca-file", "network::a_ca_file_is_trusted_too"),
    ("--proxy", "network::a_proxy_is_used_as_the_option_says"),
    ("--allow-plain-http", "network::plain_http_to_another_machine_is_for_anonymous_clients"),
    ("--api-key-file", "connection::an_api_key_comes_from_a_file_a_variable_or_a_url"),
    ("--impersonate-service-account", "network::a_service_account_is_impersonated"),
    ("--transport", "options::transport"),
    ("--transport rest", "options::transport"),
    ("--transport grpc", "options::transport"),
    ("--header", "options::headers_and_quota_project"),
    ("--credentials", "options::a_credentials_file"),
    ("--access-token-file", "options::an_access_token_file_is_read_again_when_it_changes"),
    ("--anonymous", "options::anonymous"),
    ("--quota-project", "options::headers_and_quota_project"),
    ("--attempt-timeout", "options::time_limits"),
    ("--total-timeout", "options::time_limits"),
    ("--retries", "options::retries"),
    ("--format", "options::formats"),
    ("--format text", "options::formats"),
    ("--format json", "options::formats"),
    ("--format name", "options::formats"),
    ("--progress", "wait::progress_can_be_left_out_or_insisted_on"),
    ("--progress auto", "wait::a_journal_survives_a_kill"),
    ("--progress always", "wait::progress_can_be_left_out_or_insisted_on"),
    ("--progress never", "wait::progress_can_be_left_out_or_insisted_on"),
    ("--color", "looks::colours_are_for_terminals"),
    ("--color auto", "looks::colours_are_for_terminals"),
    ("--color always", "looks::colours_are_for_terminals"),
    ("--color never", "looks::colours_are_for_terminals"),
    ("--verbose", "options::verbose_tells_what_is_sent"),
    ("--dry-run", "dry_run::a_request_and_a_command_for_curl"),
    ("--help", "help::help_of_every_command_has_an_example"),
    ("--version", "help::version"),
    ("--filter", "calls::list_options_reach_the_server"),
    ("--sort", "looks::a_listing_is_sorted"),
    ("--sort name", "looks::a_listing_is_sorted"),
    ("--sort age", "looks::a_listing_is_sorted"),
    ("--sort state", "looks::a_listing_is_sorted"),
    ("--watch", "looks::a_listing_is_printed_again_and_again"),
    ("--interval", "looks::a_listing_is_printed_again_and_again"),
    ("--all", "typing::all_that_run_are_waited_for"),
    ("--page-size", "calls::list_options_reach_the_server"),
    ("--page-token", "calls::list_options_reach_the_server"),
    ("--limit", "calls::list_options_reach_the_server"),
    ("--partial-success", "calls::places_that_cannot_be_reached_are_named"),
    ("--on-timeout", "wait::what_still_runs_is_left_or_cancelled"),
    ("--on-timeout leave", "wait::what_still_runs_is_left_or_cancelled"),
    ("--on-timeout cancel", "wait::what_still_runs_is_left_or_cancelled"),
    ("--long-poll", "wait::the_server_can_be_let_wait"),
    ("--long-poll auto", "wait::the_server_can_be_let_wait"),
    ("--long-poll never", "wait::the_server_can_be_let_wait"),
    ("--long-poll body", "wait::the_server_can_be_let_wait"),
    ("--long-poll query", "wait::the_server_can_be_let_wait"),
    ("--long-poll get", "wait::the_server_can_be_let_wait"),
    ("--poll-interval", "wait::progress_can_be_left_out_or_insisted_on"),
    ("--max-outage", "trouble::an_outage_can_end_the_wait"),
    ("--journal", "wait::a_journal_outlives_the_wait"),
    ("start", "start::it_prints_the_operation"),
    ("--method", "start::method_query_and_body_arrive"),
    ("--method DELETE", "start::method_query_and_body_arrive"),
    ("--method GET", "start::method_query_and_body_arrive"),
    ("--method PATCH", "start::method_query_and_body_arrive"),
    ("--method POST", "start::method_query_and_body_arrive"),
    ("--method PUT", "start::method_query_and_body_arrive"),
    ("--query", "start::method_query_and_body_arrive"),
    ("--data", "start::method_query_and_body_arrive"),
    ("--request-id", "start::a_request_id_allows_retries"),
    ("--wait", "start::with_wait_it_ends_as_wait_does"),
    ("--port", "serve::a_port_of_choice"),
    ("--script", "serve::a_printed_scenario_can_be_played"),
    ("--print-script", "serve::a_printed_scenario_can_be_played"),
    ("exits 0", "codes::zero_when_all_is_well"),
    ("exits 1", "codes::one_when_the_service_could_not_be_asked"),
    ("exits 2", "codes::two_for_what_cannot_be_used"),
    ("exits 3", "codes::three_when_an_operation_failed"),
    ("exits 4", "codes::four_when_an_operation_still_runs_at_the_limit"),
    ("exits 5", "codes::five_when_an_operation_is_not_found"),
    ("exits 6", "codes::six_without_credentials_or_with_wrong_ones"),
    ("exits 129", "signals::each_signal_has_its_status"),
    ("exits 130", "signals::each_signal_has_its_status"),
    ("exits 143", "signals::each_signal_has_its_status"),
];

#[test]
fn what_the_help_lists_has_a_test() {
    let (overview, mut listed) = (help(&["--help"]), BTreeSet::new());
    let commands = section(&help(&["-h"]), "Commands:");
    listed.extend(section(&overview, "Exit status:").into_iter().map(|status| format!("exits {status}")));
    listed.extend(options(&help(&["-h"])));
    for command in commands {
        listed.extend(options(&help(&[&command, "-h"])));
        listed.insert(command);
    }
    let mut tested: BTreeSet<String> = TESTS.iter().map(|(what, _)| (*what).to_owned()).collect();
    if cfg!(feature = "platform-roots") {
        // `network::roots_of_the_platform`
        tested.insert("--platform-roots".to_owned());
    }
    assert_eq!(listed, tested);
}

#[test]
fn the_tests_are_about_what_they_are_named_for() {
    for (what, test) in TESTS {
        let (module, function) = test.split_once("::").unwrap();
        let (_, source) = SOURCES.iter().find(|(name, _)| *name == module).unwrap();
        let body =
            source.split(&format!("\nfn {function}(")).nth(1).unwrap_or_else(|| panic!("no test {test}"));
        let body = body.split("\n}\n").next().unwrap();
        // The value of an option, the number of an exit status.
        let word = what.rsplit(' ').next().unwrap();
        assert!(body.contains(word), "{test} says nothing of `{what}`");
    }
}

fn help(arguments: &[&str]) -> String {
    Lro::new(arguments).runs().exits(0).stdout
}

/// The first words of the lines below a heading.
fn section(help: &str, heading: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| line.starts_with(' '));
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// Options, and each with every value that can be named.
fn options(help: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in help.lines().filter(|line| line.trim_start().starts_with('-')) {
        let option = line.split_whitespace().find(|word| word.starts_with("--")).unwrap();
        let option = option.split('[').next().unwrap();
        let values = line.split_once("[possible values: ").map(|(_, values)| values.trim_end_matches(']'));
        let values = values.into_iter().flat_map(|values| values.split(", "));
        found.extend(values.map(|value| format!("{option} {value}")));
        found.push(option.to_owned());
    }
    found
}

const SOURCES: [(&str, &str); 14] = [
    ("calls", include_str!("calls.rs")),
    ("codes", include_str!("codes.rs")),
    ("connection", include_str!("connection.rs")),
    ("dry_run", include_str!("dry_run.rs")),
    ("help", include_str!("help.rs")),
    ("looks", include_str!("looks.rs")),
    ("network", include_str!("network.rs")),
    ("options", include_str!("options.rs")),
    ("serve", include_str!("serve.rs")),
    ("signals", include_str!("signals.rs")),
    ("start", include_str!("start.rs")),
    ("trouble", include_str!("trouble.rs")),
    ("typing", include_str!("typing.rs")),
    ("wait", include_str!("wait.rs")),
];
