fn main() {
    peers::run(peers::clients::Tonic::new);
}
