//! What Google's client for Python has, as the page for those who come from it counts it.

use serde_json::json;

use crate::python::Python;

/// A release of Python's with a new method or option is seen here first, then by `tests/docs.rs`.
#[test]
fn the_fixture_is_what_python_has() {
    let Some(python) = Python::find() else { return };
    let has: Vec<String> = python.run("python_members.py", &json!({}));
    let fixture = include_str!("../../../fixtures/python-members.txt");
    let told: Vec<&str> = fixture.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(told, has);
}
