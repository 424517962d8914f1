//! The configuration of Google's gRPC client, as it comes with it.

use longrunning::ClientConfig;
use serde_json::{Value, json};

use crate::python::Python;

#[test]
fn the_preset_is_what_python_comes_with() {
    let Some(python) = Python::find() else { return };
    let config: Value = python.run("client_config.py", &json!({}));
    let read = ClientConfig::from_json(&config.to_string()).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", ClientConfig::python_grpc()));
}
