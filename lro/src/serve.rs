//! `lro serve`: the fake server of the library as a program.
//!
//! It prints its endpoint on standard output, one line, and everything else on
//! standard error, so that a script can read the endpoint and go on. It listens
//! on loopback only.

use std::sync::mpsc;
use std::time::Duration;

use longrunning::printing::shown_path;

use crate::args::{Globals, ServeArgs};
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::input;
use crate::output::{self, StandardOutput};
use crate::scenario::Scenario;
use crate::signals;

/// Serves until a signal stops it, and ends with status 0 then: to be stopped
/// is how it usually ends.
///
/// # Errors
///
/// A scenario that cannot be read or used, and a port that is taken.
pub(crate) fn run(globals: &Globals, args: &ServeArgs) -> Result<Exit, CommandFailure> {
    let mut output = StandardOutput::new(globals);
    if args.print_script {
        output.line(Scenario::DEMO.trim_end());
        return Ok(Exit::Success);
    }
    let (origin, text) = match &args.script {
        Some(path) => {
            let shown = shown_path(path);
            let text =
                input::file(path, globals.total_timeout.unwrap_or(SCRIPT_TIMEOUT)).map_err(|error| {
                    CommandFailure::usage(format!("scenario `{shown}` cannot be read: {error}"))
                })?;
            (format!("scenario `{shown}`"), text)
        }
        None => ("the demonstration".to_owned(), Scenario::DEMO.to_owned()),
    };
    let scenario = Scenario::from_json(&text)
        .map_err(|why| CommandFailure::usage(format!("{origin} cannot be used: {why}")).hint(HINT))?;
    let (stop, stopped) = mpsc::channel();
    // Before the endpoint is printed, so that a reader of it can stop the server.
    signals::on_stop(move |_| stop.send(()).unwrap_or_default())?;
    // Only now: a scenario that cannot be used must not take the port.
    let server = scenario.start(args.port)?;
    if !output.line(&server.url()) {
        // No client can find it.
        return Ok(Exit::Success);
    }
    output::say(&format!("serving {origin}; stop with Ctrl-C"));
    // An error means that the sender is gone, so nothing can stop the server any
    // more.
    let _ = stopped.recv();
    output::say(&format!("stopped after {} requests", server.request_count()));
    Ok(Exit::Success)
}

/// How long a pipe is waited for that a program writes the scenario to.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the format of the file is described.
const HINT: &str = "`lro serve --help` describes the file, `lro serve --print-script` prints one";
