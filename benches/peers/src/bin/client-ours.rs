fn main() {
    peers::run(peers::clients::Ours::rest);
}
