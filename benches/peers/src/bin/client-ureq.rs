fn main() {
    peers::run(|url| peers::clients::Ureq::new(url, None));
}
