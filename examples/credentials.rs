//! Tells which default credentials a program gets and why; shows no secret.
//!
//! `cargo run --example credentials` does it in made-up surroundings, on the embedded server; with
//! `-- ENDPOINT NAME` it looks at the real ones, and gets an operation with what is there.

mod shared;

use std::{env, fs};

use longrunning::testing::{FakeServer, SubjectToken};
use longrunning::{Credentials, Operation, OperationsClient, OperationsClientBuilder};

fn main() -> shared::Result<()> {
    log::set_logger(&Printer).map_err(|error| error.to_string())?;
    log::set_max_level(log::LevelFilter::Debug);
    match &env::args().skip(1).collect::<Vec<_>>()[..] {
        [] => {}
        [endpoint, name] => return tell(OperationsClient::builder(endpoint), name),
        _ => return Err("expected no arguments, or: ENDPOINT NAME".into()),
    }
    let server = FakeServer::start();
    server.insert(Operation::running(NAME));
    server.require_issued_tokens();

    let workload = server.auth().external_account_file(SubjectToken::Url);
    let folder = env::temp_dir().join(format!("longrunning-example-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let path = folder.join("key.json");
    for file in [server.auth().authorized_user_file(), server.auth().impersonated_file(&workload), workload] {
        fs::write(&path, file)?;
        let file = ("GOOGLE_APPLICATION_CREDENTIALS".to_owned(), path.display().to_string());
        tell(server.client_builder().environment(server.environment().into_iter().chain([file])), NAME)?;
    }
    fs::remove_dir_all(&folder)?;
    tell(server.client_builder(), NAME)?;
    let nothing = [("HOME", "/nowhere"), ("APPDATA", "/nowhere"), ("NO_GCE_CHECK", "true")];
    let refused = tell(server.client_builder().environment(nothing), NAME);
    println!("{}", refused.expect_err("there are no credentials"));
    Ok(())
}

/// Gets an operation; what the client finds on the way, its log says.
fn tell(builder: OperationsClientBuilder, name: &str) -> shared::Result<()> {
    let client = builder.credentials(Credentials::application_default()).build()?;
    println!("{}: {}\n", name, client.get(name).send()?.outcome());
    Ok(())
}

struct Printer;

impl log::Log for Printer {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("longrunning::auth")
    }
    fn log(&self, record: &log::Record<'_>) {
        self.enabled(record.metadata()).then(|| println!("{}", record.args()));
    }
    fn flush(&self) {}
}

const NAME: &str = "operations/42";
