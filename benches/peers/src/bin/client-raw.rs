fn main() {
    peers::run(peers::clients::Raw::new);
}
