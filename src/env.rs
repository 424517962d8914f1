//! The environment of the process, as a seam: no test changes the real one.

use std::collections::BTreeMap;
use std::fmt;

/// Looks up environment variables.
pub(crate) trait Env: fmt::Debug + Send + Sync {
    /// The value of a variable; one that is unset, empty or not Unicode is none.
    fn var(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Default)]
pub(crate) struct SystemEnv;

impl Env for SystemEnv {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

/// An environment made up for one client.
impl Env for BTreeMap<String, String> {
    fn var(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_unset() {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("B".to_owned(), String::new())]);
        assert_eq!((env.var("A").as_deref(), env.var("B"), env.var("C")), (Some("1"), None, None));
    }
}
