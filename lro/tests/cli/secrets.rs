//! A credential given in the wrong place on the command line or in the environment is never printed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use longrunning::testing::FakeServer;

use crate::kit::{Lro, Ran, full_server};

#[test]
fn no_option_or_argument_repeats_a_credential() {
    let server = full_server();
    let top = options(&[]);
    let mut leaks = Vec::new();
    let mut count = 0;
    for command in commands() {
        let own = options(&[command.as_str()]);
        // Those of all commands are tried with two of them.
        let tried =
            own.iter().filter(|option| ["get", "wait"].contains(&&*command) || !top.contains(*option));
        for option in tried {
            for secret in secrets() {
                for line in lines(&command, option, &secret) {
                    count += 1;
                    leaks.extend(leak(&line, run(&line, &server)));
                }
            }
        }
        for secret in secrets() {
            for line in [vec![command.clone(), secret.clone()], vec![secret.clone(), command.clone()]] {
                count += 1;
                leaks.extend(leak(&line, run(&line, &server)));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    assert!(count > 500, "{count}");
}

#[test]
fn no_variable_is_repeated() {
    let server = full_server();
    let variables = variables();
    assert!(variables.len() > 20, "{variables:?}");
    let mut leaks = Vec::new();
    for variable in &variables {
        for secret in secrets() {
            let proxy = variable.to_ascii_lowercase().contains("proxy");
            let line: &[&str] = match proxy {
                true => &[
                    "-v",
                    "--anonymous",
                    "--endpoint",
                    "https://host.invalid",
                    "--total-timeout",
                    "1s",
                    "get",
                    "x",
                ],
                false => &["-v", "--total-timeout", "2s", "get", "operations/done"],
            };
            let ran = Lro::new(line)
                .asks(&server)
                .variable("NO_GCE_CHECK", "true")
                .variable(variable, &secret)
                .runs();
            leaks.extend(leak(&[format!("{variable}={secret}")], ran));
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn a_credential_in_place_of_its_file_is_described() {
    let key = secrets().remove(0);
    for option in ["--credentials", "--access-token-file"] {
        let message = format!("lro: {option} contains JSON; it must be the path of a file");
        Lro::new(&["--endpoint", "run.googleapis.com", "get", "x", option, &key])
            .runs()
            .exits(2)
            .says(&message);
    }
    let lro = Lro::new(&["--endpoint", "run.googleapis.com", "get", "x"]);
    lro.variable("GOOGLE_APPLICATION_CREDENTIALS", &key)
        .runs()
        .exits(2)
        .says("lro: GOOGLE_APPLICATION_CREDENTIALS contains JSON; it must be the path of a file");
}

#[test]
fn help_shows_no_value_of_the_environment() {
    for command in commands() {
        let ran = Lro::new(&[command.as_str(), "--help"]).variable("LRO_ENDPOINT", "CANARY").runs().exits(0);
        assert!(!ran.stdout.contains("CANARY"), "{command}");
    }
}

/// The command lines that give `secret` as the value of an option, or as an argument.
fn lines(command: &str, option: &str, secret: &str) -> Vec<Vec<String>> {
    let mut front: Vec<&str> = vec!["-v"];
    if !["--credentials", "--access-token-file", "--anonymous"].contains(&option) {
        front.push("--anonymous");
    }
    let rest: &[&str] = match command {
        "get" | "cancel" | "delete" => &["operations/running"],
        "wait" => &["operations/running", "--total-timeout", "0s"],
        "serve" if option != "--script" => &["--print-script"],
        _ => &[],
    };
    let words = |middle: &[&str], rest: &[&str]| -> Vec<String> {
        front.iter().chain(&[command]).chain(middle).chain(rest).map(|word| (*word).to_owned()).collect()
    };
    let joined = format!("{option}={secret}");
    let rest = |without: &str| -> Vec<&str> {
        let mut rest = rest.to_vec();
        if without == "--total-timeout" || without == "--print-script" {
            rest.truncate(1);
        }
        rest
    };
    let rest = rest(option);
    let mut lines = match option {
        "argument" => vec![words(&[secret], rest.get(1..).unwrap_or_default()), words(&["--", secret], &[])],
        // `Name: value` in its several places.
        "--header" => [format!("x-a: {secret}"), format!("{secret}: x"), secret.to_owned()]
            .iter()
            .map(|header| words(&[option, header], &rest))
            .collect(),
        // It takes no value: the next word is the parent, and such a listing
        // does not end.
        "--watch" => vec![words(&[&joined], &rest)],
        _ => vec![words(&[option, secret], &rest), words(&[&joined], &rest)],
    };
    if !["serve", "completions", "man"].contains(&command) {
        let dry: Vec<_> =
            lines.iter().map(|line| [vec!["--dry-run".to_owned()], line.clone()].concat()).collect();
        lines.extend(dry);
    }
    lines
}

fn run(line: &[String], server: &FakeServer) -> Ran {
    let words: Vec<&str> = line.iter().map(String::as_str).collect();
    Lro::new(&words).asks(server).variable("NO_GCE_CHECK", "true").runs()
}

fn leak(line: &[String], ran: Ran) -> Option<String> {
    let leaks = [&ran.stdout, &ran.stderr].iter().any(|text| text.contains("CANARY"));
    let text = format!("{}\n{}", ran.stdout, ran.stderr);
    let line_with =
        |text: &str| text.lines().find(|line| line.contains("CANARY")).unwrap_or_default().to_owned();
    leaks.then(|| format!("{line:?}\n  {}", line_with(&text)))
}

fn secrets() -> Vec<String> {
    let pem = "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n";
    vec![
        serde_json::json!({ "type": "service_account", "private_key": pem, "client_email": "a@b" })
            .to_string(),
        pem.to_owned(),
        "ya29.a0CANARY".to_owned(),
        "AIzaSyCANARY".to_owned(),
        // A JWT, a refresh token, a client secret and an AWS key.
        "eyJhbGciOiJSUzI1NiJ9.eyJCANARY.c2lnCANARY".to_owned(),
        "1//0gCANARY".to_owned(),
        "GOCSPX-CANARY".to_owned(),
        "AKIACANARY12345".to_owned(),
        "https://host.invalid/v1/?key=AIzaSyCANARY".to_owned(),
    ]
}

/// The commands of the program, as its help lists them.
fn commands() -> Vec<String> {
    let help = Lro::new(&["--help"]).runs().stdout;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<_> =
        listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    commands
}

/// The options of a command, as its help lists them; `argument` if it has one.
fn options(command: &[&str]) -> BTreeSet<String> {
    let help = Lro::new(&[command, &["--help"]].concat()).runs().stdout;
    let defined = help.lines().filter(|line| line.starts_with("  ") && line.trim_start().starts_with('-'));
    let words = defined.flat_map(|line| line.split_whitespace().take(2));
    let mut options: BTreeSet<_> =
        words.filter(|word| word.starts_with("--")).map(|word| word.trim_matches(',').to_owned()).collect();
    options.remove("--help");
    options.remove("--version");
    if help.contains("\nArguments:\n") {
        options.insert("argument".to_owned());
    }
    options
}

/// All that may be the name of a variable in the source of the library and of the program.
fn variables() -> BTreeSet<String> {
    let mut variables = BTreeSet::new();
    let lro = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in [lro.join("src"), lro.join("../src")] {
        collect(&folder, &mut variables);
    }
    variables
}

fn collect(folder: &Path, variables: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("proto") && !path.ends_with("tests") {
            collect(&path, variables);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let text = text.lines().filter(|line| is_about_a_variable(line)).collect::<Vec<_>>().join("\n");
            variables.extend(
                text.split('"').skip(1).step_by(2).filter(|word| is_variable(word)).map(str::to_owned),
            );
        }
    }
}

/// Not a code of an error, or a part of an HTTP exchange.
fn is_about_a_variable(line: &str) -> bool {
    !line.contains("Code::") && !line.contains("Self::") && !line.trim_start().starts_with("//")
}

fn is_variable(word: &str) -> bool {
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let plain =
        !word.is_empty() && word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(upper);
    (plain && (word.contains('_') || ["HOME", "APPDATA"].contains(&word))) || word.ends_with("_proxy")
}
