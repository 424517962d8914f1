fn main() {
    peers::run(peers::clients::Google::new);
}
