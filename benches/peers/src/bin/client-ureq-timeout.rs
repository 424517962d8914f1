use std::time::Duration;

fn main() {
    peers::run(|url| peers::clients::Ureq::new(url, Some(Duration::from_secs(10))));
}
