//! How time passes while an answer is held back.

use std::time::{Duration, Instant};

use super::answer::Gone;
use super::server::Core;

/// What is left of the client's time for one exchange, where it runs on the server's clock.
#[derive(Debug)]
pub(super) struct Patience(Option<Duration>);

impl Patience {
    pub(super) fn of(core: &Core) -> Self {
        Self(core.clock.budget())
    }

    /// Lets time pass: the clock's where the client runs on it too or need not notice, else real time, in naps
    /// that `nap` takes; it fails when the client has left.
    pub(super) fn pause(
        &mut self,
        core: &Core,
        duration: Duration,
        nap: impl FnMut(Duration) -> Result<(), Gone>,
    ) -> Result<(), Gone> {
        let clock = &core.clock;
        match self.0 {
            _ if duration.is_zero() => Ok(()),
            Some(left) if clock.is_virtual() && duration >= left => {
                clock.advance(left);
                Err(Gone::Deadline)
            }
            _ if clock.is_virtual() && duration < Duration::MAX => {
                clock.advance(duration);
                self.0 = self.0.map(|left| left - duration);
                Ok(())
            }
            _ => really_wait(core, duration, nap),
        }
    }
}

fn really_wait(
    core: &Core,
    duration: Duration,
    mut nap: impl FnMut(Duration) -> Result<(), Gone>,
) -> Result<(), Gone> {
    let start = Instant::now();
    while start.elapsed() < duration {
        if core.stop.is_set() {
            return Err(Gone::Peer);
        }
        nap(duration.saturating_sub(start.elapsed()).min(LOOK_AROUND))?;
    }
    Ok(())
}

/// How often a thread that waits in real time looks whether the client is still there.
const LOOK_AROUND: Duration = Duration::from_millis(50);
